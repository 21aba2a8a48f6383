// SPDX-License-Identifier: Apache-2.0
// What the catalogue of a node's objects has on disk, as BCS. Secret: the manifests in it hold the
// keys of what is stored (docs/protocols/storage.md, "Catalogue").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/storage/domain.h"
#include "core/storage/manifest.h"
#include "foundation/base/time.h"
#include "node/storing/shard_message.h"

namespace hm::storing {

// A stripe is named by its shards: H("hm.storage.stripe.v1", roots).
struct StripeIdTag;
using StripeId = Id32<StripeIdTag>;
StripeId stripe_id_of(const std::vector<crypto::Digest>& roots);

// H("hm.storage.object.v1", node ‖ name).
struct ObjectIdTag;
using ObjectId = Id32<ObjectIdTag>;
ObjectId object_id_of(const identity::NodeId& node, std::string_view name);

enum class Origin : std::uint8_t {
  Own,     // stored by this node
  Shared,  // another owner's: its stripes are that one's to keep
};

// Under which circumstances an object may be put.
struct PutCondition {
  bool only_new = false;                      // nothing has the name
  std::optional<std::uint64_t> only_version;  // what has the name is this version

  bool operator==(const PutCondition&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.only_new, self.only_version); }
};

// The newest version of one object. The key is its name.
struct ObjectRow {
  Origin origin = Origin::Own;
  storage::ObjectVersion what;
  std::uint64_t size = 0;
  crypto::Digest content;
  UnixMillis stored;
  erasure::Code code;
  std::vector<identity::OwnerId> readers;  // beside its owner
  crypto::Digest commitment;               // of its sealed manifest
  crypto::Digest box_root;                 // of the bundle in which that is: who reads asks for it
  // Stripes beside those of its segments: of the bundle, and of a manifest too long for a box.
  std::vector<StripeId> own_stripes;

  bool operator==(const ObjectRow&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.origin, self.what, self.size, self.content, self.stored, self.code,
                    self.readers, self.commitment, self.box_root, self.own_stripes);
  }
};

// Where the shards of a stripe are now. A place without a node: that shard is nowhere.
struct StripeRow {
  ShardKind kind = ShardKind::Data;
  erasure::Code code;
  std::uint32_t shard_bytes = 0;
  std::vector<crypto::Digest> roots;
  std::vector<storage::Place> places;
  std::uint32_t references = 0;  // objects that need it

  storage::Stripe stripe() const { return {code, shard_bytes, roots, {}}; }

  bool operator==(const StripeRow&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.kind, self.code, self.shard_bytes, self.roots, self.places,
                    self.references);
  }
};

// A segment of the node's domain that is stored already. The key is its id.
struct SegmentRow {
  storage::Segment segment;
  StripeId stripe;

  bool operator==(const SegmentRow&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.segment, self.stripe); }
};

// Shards that nothing needs any more, to be dropped once the ledger has the commitment without
// them.
struct GarbageRow {
  ShardKind kind = ShardKind::Data;
  std::uint64_t generation = 0;   // of that commitment, at least
  StripeId stripe;                // that they were of
  std::uint32_t shard_bytes = 0;  // of each
  struct Item {
    storage::Place place;
    crypto::Digest root;
    bool operator==(const Item&) const = default;
    static constexpr auto fields(auto& self) { return std::tie(self.place, self.root); }
  };
  std::vector<Item> items;

  bool operator==(const GarbageRow&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.kind, self.generation, self.stripe, self.shard_bytes, self.items);
  }
};

// What a node that did not keep what it took is remembered for.
enum class Fault : std::uint8_t {
  Missing,  // says that it has not the shard
  Corrupt,  // says that the shard is damaged
  Wrong,    // sent bytes that are not the shard's
  Silent,   // connected, and did not answer
};
std::string_view name_of(Fault fault);  // "missing"

struct FaultRow {
  Fault fault = Fault::Missing;
  storage::Place place;
  crypto::Digest root;
  UnixMillis at;
  std::string words;

  bool operator==(const FaultRow&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.fault, self.place, self.root, self.at, self.words);
  }
};

// The one row that all else hangs on.
struct CatalogueHead {
  std::uint16_t format = 1;
  storage::DomainId domain;
  std::array<std::uint8_t, storage::kDomainSecretSize> domain_secret{};
  std::uint64_t last_version = 0;     // given to an object
  std::uint64_t last_generation = 0;  // of a commitment that was asked of the ledger

  bool operator==(const CatalogueHead&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.format, self.domain, self.domain_secret, self.last_version,
                    self.last_generation);
  }
};

}  // namespace hm::storing

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::storing::Origin> = hm::storing::Origin::Shared;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::storing::Fault> = hm::storing::Fault::Silent;
