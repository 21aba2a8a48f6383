// SPDX-License-Identifier: Apache-2.0
#include "node/storing/multipart_uploads.h"

#include <fmt/format.h>

#include <utility>

#include "core/ledger/ledger.h"
#include "foundation/base/log.h"
#include "node/storing/catalogue_keys.h"
#include "node/storing/keeper_limits.h"

namespace hm::storing {
namespace {

Error busy(std::string what) {
  return {ErrorCode::Busy, std::move(what), "wait until that has ended"};
}

Result<void> check_wish(const MultipartWish& wish) {
  if (wish.part_bytes == 0 || wish.part_bytes % storage::kPartAlignment != 0 ||
      wish.part_bytes > kMaxPartBytes) {
    return fail(
        ErrorCode::InvalidArgument, fmt::format("parts cannot have {} bytes", wish.part_bytes),
        fmt::format("all but the last have the same number, a multiple of {} and at most {}",
                    storage::kPartAlignment, kMaxPartBytes));
  }
  if (wish.bytes && *wish.bytes > kMaxParts * wish.part_bytes) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} bytes are more than {} parts of {}", *wish.bytes, kMaxParts,
                            wish.part_bytes),
                "choose longer parts");
  }
  if (wish.note.size() > kMaxMultipartNote) {
    return fail(ErrorCode::InvalidArgument, "the note is too long",
                fmt::format("at most {} bytes", kMaxMultipartNote));
  }
  return {};
}

MultipartRow row_of(MultipartWish wish, KeeperParts& parts, UnixMillis touched) {
  const storage::Profile& profile = wish.object.profile;
  const auto length = [](std::size_t bytes) { return static_cast<std::uint32_t>(bytes); };
  MultipartRow row{
      .name = std::move(wish.object.name),
      .metadata = std::move(wish.object.metadata),
      .condition = wish.object.condition,
      .readers = std::move(wish.object.readers),
      .profile = {length(profile.shortest()), length(profile.mean()), length(profile.longest())},
      .compresses = wish.object.compression == storage::Compression::WherePays,
      .code = wish.code,
      .bytes = wish.bytes,
      .part_bytes = wish.part_bytes,
      .note = std::move(wish.note),
      .begun = parts.wall(),
      .touched = touched};
  if (wish.object.sharing == Sharing::Alone) {
    row.own.emplace();
    parts.node.ports().random.fill(row.own->secret);
    row.own->version = parts.next_version++;
  }
  return row;
}

ListedMultipart listed(const MultipartId& id, MultipartRow row) {
  const UnixMillis ends{row.touched.value + kMultipartMillis};
  return {id, std::move(row), ends};
}

}  // namespace

MultipartUploads::MultipartUploads(KeeperParts& parts, Hooks hooks)
    : parts_(parts), hooks_(std::move(hooks)) {
  parts_.node.add_observer(*this);
}

MultipartUploads::~MultipartUploads() {
  *alive_ = false;
  parts_.node.remove_observer(*this);
}

UnixMillis MultipartUploads::ledger_time() const { return parts_.node.ledger().head().time; }

void MultipartUploads::begin(MultipartWish wish,
                             std::function<void(Result<ListedMultipart>)> done) {
  if (auto ready = hooks_.ready(); !ready) return done(std::unexpected(ready.error()));
  if (auto valid = check_wish(wish); !valid) return done(std::unexpected(valid.error()));
  MultipartId id;
  parts_.node.ports().random.fill(id.bytes);
  auto row = std::make_shared<const MultipartRow>(row_of(std::move(wish), parts_, ledger_time()));
  parts_.queue.submit(
      [id, row](Catalogue& catalogue) -> Result<void> {
        HM_TRY(const auto old, catalogue.object(row->name));
        HM_TRY_VOID(check(row->condition, row->name, old));
        return catalogue.begin_multipart(id, *row);
      },
      [alive = alive_, id, row, done = std::move(done)](const Result<void>& begun) {
        if (!*alive) return;
        if (!begun) return done(std::unexpected(begun.error()));
        done(listed(id, *row));
      });
}

Result<ListedMultipart> MultipartUploads::find(const MultipartId& id) const {
  HM_TRY(auto row, parts_.catalogue->multipart(id));
  if (!row) return multipart_has_ended(id);
  return listed(id, std::move(*row));
}

Result<std::vector<ListedMultipart>> MultipartUploads::list() const {
  std::vector<ListedMultipart> all;
  HM_TRY_VOID(parts_.catalogue->multiparts([&](const MultipartId& id, const MultipartRow& row) {
    all.push_back(listed(id, row));
    return true;
  }));
  return all;
}

Result<std::vector<ListedPart>> MultipartUploads::parts(const MultipartId& id, PartNumber after,
                                                        std::size_t count) const {
  std::vector<ListedPart> all;
  HM_TRY_VOID(parts_.catalogue->parts(id, after, [&](PartNumber number, const PartRow& row) {
    if (all.size() == count) return false;
    all.push_back({number, row.content.size, row.content.alone});
    return true;
  }));
  return all;
}

Result<std::shared_ptr<void>> MultipartUploads::hold_part(const MultipartId& id,
                                                          PartNumber number) {
  Live& live = (*live_)[id];
  if (live.is_ending) {
    return std::unexpected(busy("the object is being completed or given up"));
  }
  if (!live.parts.insert(number).second) {
    return std::unexpected(busy(fmt::format("part {} is being sent already", number)));
  }
  return std::shared_ptr<void>(nullptr, [live = live_, id, number](void*) {
    const auto at = live->find(id);
    at->second.parts.erase(number);
    if (at->second.parts.empty()) live->erase(at);
  });
}

Result<std::shared_ptr<void>> MultipartUploads::hold_all(const MultipartId& id) {
  if (live_->contains(id)) {
    return std::unexpected(busy("parts of the object are on their way, or it is being completed"));
  }
  (*live_)[id].is_ending = true;
  return std::shared_ptr<void>(nullptr, [live = live_, id](void*) { live->erase(id); });
}

void MultipartUploads::put_part(const MultipartId& id, PartNumber number,
                                std::optional<std::uint64_t> bytes, ObjectUpload::Listener listener,
                                std::function<void(Result<std::shared_ptr<ObjectUpload>>)> begun) {
  if (auto ready = hooks_.ready(); !ready) return begun(std::unexpected(ready.error()));
  if (number == 0 || number > kMaxParts) {
    return begun(fail(ErrorCode::InvalidArgument, fmt::format("there is no part {}", number),
                      fmt::format("parts have numbers from 1 to {}", kMaxParts)));
  }
  if (parts_.uploads.size() >= kMaxTransfers) {
    return begun(fail(ErrorCode::Busy, "as many uploads as the node can hold are under way",
                      "try again when one of them has ended"));
  }
  auto hold = hold_part(id, number);
  if (!hold) return begun(std::unexpected(hold.error()));
  start_part(id, number, bytes, std::move(*hold), std::move(listener), std::move(begun));
}

// An attempt has its number on disk before anything is sealed with it.
void MultipartUploads::start_part(
    const MultipartId& id, PartNumber number, std::optional<std::uint64_t> bytes,
    std::shared_ptr<void> hold, ObjectUpload::Listener listener,
    std::function<void(Result<std::shared_ptr<ObjectUpload>>)> begun) {
  auto part = std::make_shared<PartPlan>(
      PartPlan{.of = id, .number = number, .touched = ledger_time(), .hold = std::move(hold)});
  parts_.queue.submit(
      [part](Catalogue& catalogue) -> Result<void> {
        HM_TRY(part->attempt, catalogue.begin_attempt(part->of, part->touched));
        HM_TRY(auto row, catalogue.multipart(part->of));
        part->row = std::move(row.value());
        return {};
      },
      [this, alive = alive_, part, bytes, listener = std::move(listener),
       begun = std::move(begun)](const Result<void>& kept) mutable {
        // The job may be let go of on another thread.
        const std::shared_ptr<void> held = std::move(part->hold);
        if (!*alive) return;
        if (!kept) return begun(std::unexpected(kept.error()));
        const auto profile = profile_of(part->row);
        if (!profile) return begun(std::unexpected(profile.error()));
        const MultipartRow& row = part->row;
        if (bytes && (*bytes == 0 || *bytes > row.part_bytes)) {
          return begun(fail(ErrorCode::InvalidArgument,
                            fmt::format("a part cannot have {} bytes", *bytes),
                            fmt::format("each but the last has {}", row.part_bytes)));
        }
        NewObject object{.name = row.name,
                         .sharing = row.own ? Sharing::Alone : Sharing::InDomain,
                         .profile = *profile,
                         .compression = row.compresses ? storage::Compression::WherePays
                                                       : storage::Compression::Never};
        const UploadPlan plan{.bytes = bytes ? *bytes : row.part_bytes,
                              .code = row.code,
                              .suits = row.bytes.value_or(UINT64_MAX)};
        PartPlan own_part = *part;
        own_part.hold = held;
        auto upload = ObjectUpload::start_part(parts_, plan, std::move(own_part),
                                               hooks_.counted(std::move(listener)));
        upload->begin(std::move(object));
        begun(std::move(upload));
      });
}

void MultipartUploads::complete(const MultipartId& id, Completion completion,
                                std::function<void(Result<UploadReport>)> done) {
  if (auto ready = hooks_.ready(); !ready) return done(std::unexpected(ready.error()));
  auto hold = hold_all(id);
  if (!hold) return done(std::unexpected(hold.error()));
  auto found = find(id);
  if (!found) return done(std::unexpected(found.error()));
  JoinPlan plan{.of = id,
                .row = std::move(found->row),
                .bytes = completion.bytes,
                .content = completion.content,
                .hold = std::move(*hold)};
  plan.condition = completion.condition.value_or(plan.row.condition);
  ObjectUpload::Listener listener;
  listener.on_done = std::move(done);
  (void)ObjectUpload::join(parts_, std::move(plan), hooks_.counted(std::move(listener)));
}

void MultipartUploads::abort(const MultipartId& id, std::function<void(Result<void>)> done) {
  if (auto ready = hooks_.ready(); !ready) return done(ready);
  auto hold = hold_all(id);
  if (!hold) return done(std::unexpected(hold.error()));
  parts_.queue.apply({.ended = {id}}, [this, alive = alive_, hold = std::move(*hold),
                                       done = std::move(done)](const Result<void>& ended) mutable {
    hold.reset();
    if (!*alive) return;
    if (ended) parts_.changed();
    done(ended);
  });
}

void MultipartUploads::on_final(const node::FinalEvent& /*event*/) {
  const UnixMillis now = ledger_time();
  if (is_looking_ || (looked_ && now.value < looked_->value + kMultipartLookMillis)) return;
  if (!hooks_.ready()) return;
  looked_ = now;
  end_untouched();
}

// By the time of final blocks, which is the same for every node, whatever this machine's clock
// says.
void MultipartUploads::end_untouched() {
  struct Untouched {
    std::vector<MultipartId> ids;
    Result<void> read;
  };
  const auto untouched = std::make_shared<Untouched>();
  is_looking_ = true;
  parts_.node.ports().workers.submit(
      [catalogue = parts_.catalogue, untouched, now = ledger_time()] {
        untouched->read =
            catalogue->multiparts([&](const MultipartId& id, const MultipartRow& row) {
              if (now.value >= row.touched.value + kMultipartMillis) untouched->ids.push_back(id);
              return true;
            });
      },
      [this, alive = alive_, untouched] {
        if (!*alive) return;
        is_looking_ = false;
        for (const MultipartId& id : untouched->ids) {
          if (live_->contains(id)) continue;
          // Something may have come since.
          const auto found = find(id);
          if (!found || ledger_time() < found->ends) continue;
          log::info("storing", "an object in parts is given up: nothing came for a week",
                    {{"upload", id.to_string()}});
          abort(id, [](const Result<void>&) {});
        }
      });
}

}  // namespace hm::storing
