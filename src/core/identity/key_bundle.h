// SPDX-License-Identifier: Apache-2.0
// An owner's public keys and the identifiers derived from them. The bundle is a map from a
// versioned algorithm number to key bytes, so that another algorithm joins without a new format.
// Today a bundle holds exactly one key of each of three kinds; validate() refuses anything else by
// name: Ed25519 signs every operation, Falcon-1024 signs beside it what lives long, and what is
// sealed for the owner is sealed to ML-KEM-1024.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>

#include "core/identity/ids.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/ed25519.h"
#include "foundation/crypto/falcon/verifying_key.h"
#include "foundation/crypto/ml_kem/ml_kem.h"

namespace hm::identity {

// Algorithm numbers are never reused; a changed encoding of a key is a new number.
inline constexpr std::uint16_t kAlgorithmEd25519 = 1;     // RFC 8032
inline constexpr std::uint16_t kAlgorithmFalcon1024 = 2;  // round 3; FN-DSA gets another
inline constexpr std::uint16_t kAlgorithmMlKem1024 = 3;   // FIPS 203

// "ed25519", "falcon-1024", "ml-kem-1024"; empty for an unknown number.
std::string_view algorithm_name(std::uint16_t algorithm);

enum class BundleError : std::uint8_t {
  MissingKey,        // no key under one of the three numbers
  UnknownAlgorithm,  // a number this version does not know
  BadKeySize,        // the key bytes have the wrong length for their algorithm
  InvalidEd25519,    // not a canonical point of the prime-order subgroup
  InvalidFalcon,     // not the encoding of a Falcon-1024 public key
  InvalidMlKem,      // a coefficient is not reduced (FIPS 203 §7.2)
};
std::string_view name_of(BundleError error);

struct KeyBundle {
  std::map<std::uint16_t, Bytes> keys;

  bool operator==(const KeyBundle&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.keys); }

  // Without judging anything else of the bundle.
  bool has_ed25519(const crypto::PublicKey& key) const;
};

using MlKemPublicKey = ml_kem::EncapsulationKey<ml_kem::MlKem1024>;
using MlKemSecretKey = ml_kem::DecapsulationKey<ml_kem::MlKem1024>;

// The keys of a valid bundle, ready for use.
struct PublicKeys {
  crypto::PublicKey ed25519;
  falcon::VerifyingKey falcon;
  MlKemPublicKey ml_kem;
};

Result<PublicKeys, BundleError> validate(const KeyBundle& bundle);

// SHA-256 of the bundle's BCS bytes under "hm.owner.v1". An owner keeps the id of its first bundle
// when it rotates its keys.
OwnerId owner_id_of(const KeyBundle& bundle);

// SHA-256 of the key under "hm.node.v1".
NodeId node_id_of(const crypto::PublicKey& key);

// Names of owners, nodes and chains: 1 to 63 of [a-z0-9._-], first and last a letter or digit.
inline constexpr std::size_t kMaxNameLength = 63;
bool is_valid_name(std::string_view name);

}  // namespace hm::identity
