// SPDX-License-Identifier: Apache-2.0
// The two Merkle roots that a node commits to the ledger: over its objects, and over the shards
// that its leases hold. docs/protocols/storage.md, "Commitments", is normative.
//
// Promises. A root follows from the set of entries alone. A path shows one entry under a root, and
// of the others no more than hashes: at which place it stands and, within a factor of two, how many
// there are. No path shows an entry that is not there, nor one of the other kind.
//
// Does not do. A path does not show that the entries are in order or that none is missing: whoever
// commits a root is believed that it holds one version of an object. Nothing is kept: each call
// hashes all entries.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

#include "core/identity/ids.h"
#include "core/storage/stripe.h"
#include "foundation/base/bytes.h"
#include "foundation/crypto/hash.h"

namespace hm::storage {

// The present version of an object.
struct ObjectEntry {
  Bytes object;  // its id
  std::uint64_t version = 0;
  crypto::Digest commitment;  // of the box that its manifest is sealed in

  bool operator==(const ObjectEntry&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.object, self.version, self.commitment);
  }
};

// A shard that is kept under a lease.
struct ShardEntry {
  Id32<ledger::LeaseIdTag> lease;
  crypto::Digest root;

  constexpr auto operator<=>(const ShardEntry&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.lease, self.root); }
};

// From an entry up to the root.
struct CommitmentPath {
  std::uint64_t left = 0;                // bit i: siblings[i] stands to the left
  std::vector<crypto::Digest> siblings;  // at most kMaxCommitmentPath

  bool operator==(const CommitmentPath&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.left, self.siblings); }
};

// Requires: strictly ascending, by object id or as a whole; none at all has a root as well.
crypto::Digest root_of(std::span<const ObjectEntry> entries);
crypto::Digest root_of(std::span<const ShardEntry> entries);

// Requires: as above; index < entries.size().
CommitmentPath prove(std::span<const ObjectEntry> entries, std::size_t index);
CommitmentPath prove(std::span<const ShardEntry> entries, std::size_t index);

// Whether the entry is under the root. Any path is safe to pass.
bool verify(const crypto::Digest& root, const ObjectEntry& entry, const CommitmentPath& path);
bool verify(const crypto::Digest& root, const ShardEntry& entry, const CommitmentPath& path);

}  // namespace hm::storage
