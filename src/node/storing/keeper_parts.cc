// SPDX-License-Identifier: Apache-2.0
#include "node/storing/keeper_parts.h"

#include "core/ledger/ledger.h"
#include "foundation/blake3/blake3.h"
#include "node/storing/shard_gate.h"

namespace hm::storing {

bool KeeperParts::is_kept_under(const storage::Place& place) const {
  const ledger::LeaseRecord* lease = node.ledger().lease(place.lease);
  return lease != nullptr && lease->placement.node == place.node &&
         (lease->is_open() || is_lease_dark(node, *lease));
}

storage::Randomness fresh_randomness(node::Node& node) {
  blake3::Key seed{};
  node.ports().random.fill(seed);
  return [hasher = blake3::Hasher::keyed(seed),
          position = std::uint64_t{0}](std::span<std::uint8_t> out) mutable {
    hasher.extended_output(position, out);
    position += out.size();
  };
}

std::optional<identity::OwnerId> own_owner(const node::Node& node) {
  const auto* self = node.ledger().node(node.id());
  if (self == nullptr) return std::nullopt;
  return self->binding.owner;
}

}  // namespace hm::storing
