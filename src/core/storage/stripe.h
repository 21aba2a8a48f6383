// SPDX-License-Identifier: Apache-2.0
// A stripe: k data shards of equal length, which sealed segments fill, and m parity shards made of
// them. What a manifest says of one, and which sizes are allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

#include "core/identity/ids.h"
#include "foundation/base/strong.h"
#include "foundation/crypto/hash.h"
#include "foundation/erasure/coder.h"

namespace hm::ledger {
struct LeaseIdTag;  // the ledger's leases are named here, and nothing else of it
}

namespace hm::storage {

// How stripes are made: the code, and the length of their shards, that of the last stripe being
// less where less is enough.
struct Layout {
  erasure::Code code;
  std::uint32_t shard_bytes = 0;

  // Whether limits.h allows it.
  bool is_valid() const;
  std::size_t capacity() const { return std::size_t{code.data} * shard_bytes; }

  bool operator==(const Layout&) const = default;
};

// Where a shard lies: a node, and the lease that pays for it.
struct Place {
  identity::NodeId node;
  Id32<ledger::LeaseIdTag> lease;

  constexpr auto operator<=>(const Place&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.node, self.lease); }
};

struct Stripe {
  erasure::Code code;
  std::uint32_t shard_bytes = 0;
  std::vector<crypto::Digest> roots;  // of each shard, data before parity: its BLAKE3 hash
  std::vector<Place> places;          // of each shard, once it has one; otherwise none

  std::size_t capacity() const { return std::size_t{code.data} * shard_bytes; }
  // Whether sizes are allowed and fit each other.
  bool is_valid() const;

  bool operator==(const Stripe&) const = default;
};

// The length of shards that `used` bytes of segments get: rounded up so that of a length only its
// magnitude and five bits show (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
// Communication with PURBs", PETS 2019, §4: Padmé), at least kMinShardBytes, at most the layout's.
// Requires: used is at most the capacity.
std::uint32_t shard_bytes_for(std::size_t used, const Layout& layout);

}  // namespace hm::storage
