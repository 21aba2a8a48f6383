// SPDX-License-Identifier: Apache-2.0
// The end of an upload of a part, which is kept until all are there; and the object of all parts.
#include <fmt/format.h>

#include <utility>

#include "core/storage/manifest_join.h"
#include "node/storing/multipart_uploads.h"
#include "node/storing/upload_encoding.h"

namespace hm::storing {
namespace {

Error no_object(std::string why, std::string hint) {
  return {ErrorCode::FailedPrecondition, std::string(kNoObjectYet) + ": " + std::move(why),
          std::move(hint)};
}

// One part behind the other, from the first to the last.
class Joining {
 public:
  Joining(const Catalogue& catalogue, const JoinPlan& plan) : catalogue_(catalogue), plan_(plan) {}

  Result<storage::Manifest> join(storage::ObjectVersion what) {
    HM_TRY_VOID(read_rows());
    const MultipartRow& row = plan_.row;
    const auto content = storage::content_of_parts(contents_);
    if (!content) return std::unexpected(not_stored(content.error()));
    if (plan_.content && *content != *plan_.content) {
      return std::unexpected(no_object("they have another content than was said",
                                       "what is there is " + content->to_string()));
    }
    storage::Protection protection = storage::InDomain{catalogue_.head().domain};
    if (row.own) protection = *row.own;
    storage::ManifestJoiner joiner(std::move(what), {row.name, row.metadata}, protection);
    for (PartNumber number = 1; number <= contents_.size(); ++number) {
      HM_TRY(const storage::Manifest part, catalogue_.part_manifest(plan_.of, number));
      if (auto added = joiner.add(part); !added) {
        return std::unexpected(not_stored(added.error()));
      }
    }
    auto joined = joiner.take(*content);
    if (!joined) return std::unexpected(not_stored(joined.error()));
    return std::move(*joined);
  }

 private:
  Result<void> read_rows() {
    std::uint64_t size = 0;
    std::optional<Error> trouble;
    HM_TRY_VOID(catalogue_.parts(plan_.of, 0, [&](PartNumber number, const PartRow& part) {
      const std::size_t next = contents_.size() + 1;
      if (number != next) {
        trouble = no_object(fmt::format("part {} is missing", next), "send it, then complete");
      } else if (part.content.offset != size) {
        trouble = no_object(fmt::format("part {} is shorter than {} bytes, and not the last",
                                        number - 1, plan_.row.part_bytes),
                            "send it again");
      }
      if (trouble) return false;
      size += part.content.size;
      contents_.push_back(part.content);
      return true;
    }));
    if (!trouble && contents_.empty()) {
      trouble = no_object("there is none", "an empty object is put as it is");
    }
    const std::optional<std::uint64_t> wanted = plan_.bytes ? plan_.bytes : plan_.row.bytes;
    if (!trouble && wanted && size != *wanted) {
      trouble = no_object(fmt::format("{} of {} bytes are there", size, *wanted),
                          "send the parts that are missing");
    }
    if (trouble) return std::unexpected(std::move(*trouble));
    return {};
  }

  const Catalogue& catalogue_;
  const JoinPlan& plan_;
  std::vector<storage::PartContent> contents_;
};

}  // namespace

std::shared_ptr<ObjectUpload> ObjectUpload::start_part(KeeperParts& parts, UploadPlan plan,
                                                       PartPlan part, Listener listener) {
  auto upload = std::make_shared<ObjectUpload>(parts, plan, std::move(listener));
  upload->part_ = std::move(part);
  return upload;
}

void ObjectUpload::commit_part() {
  struct Made {
    Result<storage::Manifest, storage::StorageError> manifest;
    PartRow row;
  };
  if (encoding_->plain_bytes == 0) {
    return fail_with({ErrorCode::InvalidArgument, "a part has at least one byte", ""});
  }
  const auto made = std::make_shared<Made>();
  is_running_ = true;
  parts_.node.ports().workers.submit(
      [encoding = encoding_.get(), made] {
        made->manifest = encoding->objects.back().encoder->take_manifest();
        if (!made->manifest) return;
        encoding->shared_bytes = encoding->objects.back().encoder->bytes_shared();
        made->row.content = encoding->part->hasher.finish();
        made->row.content.alone = made->manifest->content;
        made->row.segments = made->manifest->segments.size();
      },
      [self = shared_from_this(), made] {
        self->is_running_ = false;
        if (self->is_over_) return;
        if (!made->manifest) return self->fail_with(not_stored(made->manifest.error()));
        self->report_.code = *self->code_;
        self->report_.shared_bytes = self->encoding_->shared_bytes;
        self->report_.plain_bytes = self->encoding_->plain_bytes;
        self->report_.part = made->row;
        CatalogueChange change;
        change.stripes = self->rows_;
        change.parts.push_back({self->part_->of, self->part_->number, std::move(made->row),
                                std::move(*made->manifest), self->part_->touched});
        self->apply(std::move(change));
      });
}

std::shared_ptr<ObjectUpload> ObjectUpload::join(KeeperParts& parts, JoinPlan plan,
                                                 Listener listener) {
  const UploadPlan how{.bytes = 0, .code = plan.row.code, .suits = plan.row.stored_bytes};
  auto upload = std::make_shared<ObjectUpload>(parts, how, std::move(listener));
  upload->joined_ = std::move(plan);
  upload->is_finished_ = true;
  upload->choose();
  if (upload->is_over_) return upload;
  upload->stage_ = Stage::Sealing;
  upload->join_parts();
  return upload;
}

void ObjectUpload::join_parts() {
  const auto joined = std::make_shared<Result<storage::Manifest>>();
  JoinPlan plan = *joined_;
  plan.hold.reset();  // it is let go of on this thread
  is_running_ = true;
  const storage::ObjectVersion what{
      encoding_->owner, to_bytes(object_id_of(encoding_->node, joined_->row.name).view()),
      parts_.next_version++};
  parts_.node.ports().workers.submit(
      [catalogue = parts_.catalogue, plan = std::move(plan), joined, what] {
        *joined = Joining(*catalogue, plan).join(what);
      },
      [self = shared_from_this(), joined] {
        self->is_running_ = false;
        if (self->is_over_) return;
        if (!*joined) return self->fail_with(joined->error());
        self->encoding_->sealed.push_back({.name = self->joined_->row.name,
                                           .condition = self->joined_->condition,
                                           .readers = self->joined_->row.readers,
                                           .manifest = std::move(**joined)});
        self->seal();
      });
}

}  // namespace hm::storing
