// SPDX-License-Identifier: Apache-2.0
// The inside of an upload: what workers make of its input, and a stripe on its way. Private to
// object_upload.cc and upload_sealing.cc.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/storage/content_class.h"
#include "core/storage/limits.h"
#include "core/storage/segment_index.h"
#include "core/storage/segment_key.h"
#include "node/storing/object_upload.h"

namespace hm::storing {

inline Error not_stored(storage::StorageError error) {
  return {ErrorCode::InvalidArgument,
          "the object cannot be stored: " + std::string(storage::explain(error)),
          std::string(storage::name_of(error))};
}

// Where segments of the domain lie already.
class CatalogueIndex final : public storage::SegmentIndex {
 public:
  explicit CatalogueIndex(std::shared_ptr<const Catalogue> catalogue)
      : catalogue_(std::move(catalogue)) {}
  std::optional<storage::KnownSegment> find(const storage::SegmentId& id) override {
    return catalogue_->find(id);
  }

 private:
  std::shared_ptr<const Catalogue> catalogue_;
};

// Where objects of this node are cut: secret, and the same for all of them.
blake3::Key cut_key_of(const CatalogueHead& head);

struct ObjectUpload::Step {
  enum class Kind : std::uint8_t { Begin, Piece, End } kind = Kind::Piece;
  NewObject object;
  std::uint64_t version = 0;
  std::string piece;
};

// Somewhere inside of such a file: archives are walked from their first byte only.
inline storage::ContentClass class_inside(std::string_view name) {
  const storage::ContentClass content = storage::classify({}, name);
  const bool is_archive =
      content == storage::ContentClass::Tar || content == storage::ContentClass::Zip;
  return is_archive ? storage::ContentClass::Other : content;
}

// What a part is sealed and remembered with.
struct PartEncoding {
  explicit PartEncoding(const PartPlan& plan)
      : number(plan.number),
        own(plan.row.own),
        // Above those of the parts before it, and of earlier attempts at this one.
        first_segment((std::uint64_t{plan.number} << 44) | (plan.attempt << 20)),
        hasher((plan.number - 1) * plan.row.part_bytes) {}

  PartNumber number;
  std::optional<storage::WithOwnSecret> own;
  storage::SegmentNumber first_segment;
  storage::PartHasher hasher;
};

struct ObjectUpload::Flight {
  StripeRow row;
  std::vector<ports::SharedBytes> shards;
  std::vector<std::size_t> tries;
  std::set<identity::OwnerId> owners;  // that have one of them, or refused
  std::size_t pending = 0;
};

struct ObjectUpload::Encoding {
  Encoding(KeeperParts& parts, const identity::OwnerId& owner_id, const storage::Layout& layout)
      : owner(owner_id),
        node(parts.node.id()),
        randomness(fresh_randomness(parts.node)),
        domain(owner_id, parts.catalogue->head().domain, parts.catalogue->head().domain_secret),
        cut_by(cut_key_of(parts.catalogue->head())),
        index(parts.catalogue),
        writer(layout, randomness_of_writer(parts),
               [this](const storage::FinishedStripe& stripe) { take(stripe); }) {}

  static storage::Randomness randomness_of_writer(KeeperParts& parts) {
    return fresh_randomness(parts.node);
  }

  void take(const storage::FinishedStripe& stripe) {
    auto flight = std::make_unique<Flight>();
    flight->row = {
        ShardKind::Data, stripe.stripe.code, stripe.stripe.shard_bytes, stripe.stripe.roots, {}, 0};
    flight->shards.assign(stripe.shards.begin(), stripe.shards.end());
    stripes.push_back(std::move(flight));
  }

  // An object that has begun. Its class is told from its head.
  struct Open {
    NewObject object;
    std::uint64_t version = 0;
    Bytes head;
    std::unique_ptr<storage::ObjectEncoder> encoder;
  };

  Result<void, storage::StorageError> begin_encoder(Open& open) {
    storage::ObjectPlan plan{
        .what = {owner, to_bytes(object_id_of(node, open.object.name).view()), open.version},
        .description = {open.object.name, open.object.metadata},
        .profile = open.object.profile,
        .content = storage::classify(open.head, open.object.name),
        .compression = open.object.compression,
        .cut_by = cut_by,
        .known_hash = open.object.known_hash};
    if (open.object.sharing == Sharing::InDomain) {
      plan.domain = &domain;
      plan.index = &index;
    }
    if (part) {
      plan.own = part->own;
      plan.first_number = part->first_segment;
      // The beginning of a later part is no beginning of a file.
      if (part->number > 1) plan.content = class_inside(open.object.name);
    }
    HM_TRY(open.encoder, storage::ObjectEncoder::start(plan, writer, randomness));
    const auto head = std::make_shared<const Bytes>(std::exchange(open.head, {}));
    return open.encoder->push(*head, head);
  }

  Result<void, storage::StorageError> take(Step& step) {
    switch (step.kind) {
      case Step::Kind::Begin:
        objects.push_back({std::move(step.object), step.version, {}, nullptr});
        return {};
      case Step::Kind::Piece: {
        Open& open = objects.back();
        plain_bytes += step.piece.size();
        if (part) part->hasher.update(as_bytes(step.piece));
        if (open.encoder) {
          const auto piece = std::make_shared<const std::string>(std::move(step.piece));
          return open.encoder->push(as_bytes(*piece), piece);
        }
        open.head.insert(open.head.end(), step.piece.begin(), step.piece.end());
        if (open.head.size() < storage::kClassHead) return {};
        return begin_encoder(open);
      }
      case Step::Kind::End: {
        Open& open = objects.back();
        if (!open.encoder) HM_TRY_VOID(begin_encoder(open));
        return open.encoder->finish();
      }
    }
    return {};
  }

  identity::OwnerId owner;
  identity::NodeId node;
  storage::Randomness randomness;
  storage::Domain domain;
  storage::SegmentKey cut_by;
  CatalogueIndex index;
  storage::StripeWriter writer;
  std::optional<PartEncoding> part;
  std::deque<Open> objects;  // their encoders stay where they are
  std::vector<std::unique_ptr<Flight>> stripes;
  Result<void, storage::StorageError> state;
  std::uint64_t plain_bytes = 0;
  std::uint64_t shared_bytes = 0;

  // What is sealed at the end: of the objects above, or of one that is sealed anew.
  struct Sealed {
    std::string name;
    PutCondition condition;
    std::vector<identity::OwnerId> readers;
    storage::Manifest manifest;
    std::vector<StripeId> own_stripes;
    crypto::Digest commitment;
    std::size_t bundle = 0;
  };
  std::vector<Sealed> sealed;
  std::vector<Bytes> bundles;
};

}  // namespace hm::storing
