// SPDX-License-Identifier: Apache-2.0
// An owner's public keys and the identifiers derived from them. The bundle is a map from a
// versioned algorithm number to key bytes, so that post-quantum keys join without a new format.
// Today a bundle holds exactly one Ed25519 key; validate() refuses anything else by name.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>

#include "core/identity/ids.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/ed25519.h"

namespace hm::identity {

// Algorithm numbers are never reused; a changed encoding of a key is a new number.
inline constexpr std::uint16_t kAlgorithmEd25519 = 1;

enum class BundleError : std::uint8_t {
  MissingEd25519,    // no key under kAlgorithmEd25519
  UnknownAlgorithm,  // a number this version does not know
  BadKeySize,        // the key bytes have the wrong length for their algorithm
  InvalidKey,        // not a canonical point of the prime-order subgroup
};
std::string_view name_of(BundleError error);

struct KeyBundle {
  std::map<std::uint16_t, Bytes> keys;

  bool operator==(const KeyBundle&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.keys); }

  static KeyBundle of(const crypto::PublicKey& ed25519);
};

// The bundle's Ed25519 key, if the bundle is one that this version accepts.
Result<crypto::PublicKey, BundleError> validate(const KeyBundle& bundle);

// SHA-256 of the bundle's BCS bytes under "hm.owner.v1".
OwnerId owner_id_of(const KeyBundle& bundle);

// SHA-256 of the key under "hm.node.v1".
NodeId node_id_of(const crypto::PublicKey& key);

// Names of owners, nodes and chains: 1 to 63 of [a-z0-9._-], first and last a letter or digit.
inline constexpr std::size_t kMaxNameLength = 63;
bool is_valid_name(std::string_view name);

}  // namespace hm::identity
