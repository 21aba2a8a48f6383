// SPDX-License-Identifier: Apache-2.0
// What an owner signs to replace all its keys at once. The old Falcon key agrees, beside the
// operation's own Ed25519 signature; the new signing keys prove that somebody holds them.
#pragma once

#include <cstdint>
#include <tuple>

#include "core/identity/key_bundle.h"
#include "core/identity/owner_keys.h"
#include "core/identity/owner_signature.h"

namespace hm::identity {

struct KeyRotation {
  KeyBundle bundle;
  std::uint64_t overlap = 0;  // blocks for which the old Ed25519 key still signs operations
  FalconSignature agreement;  // by the old Falcon key
  OwnerSignature possession;  // by the new keys

  bool operator==(const KeyRotation&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.bundle, self.overlap, self.agreement, self.possession);
  }
};

// Both sign H("hm.key-rotation.v1", chain, owner, sequence of the operation, overlap, bundle): good
// for one place in one owner's history.
struct RotationContext {
  ChainId chain;
  OwnerId owner;
  std::uint64_t sequence = 0;
};
crypto::Digest rotation_statement(const RotationContext& context, const KeyBundle& bundle,
                                  std::uint64_t overlap);

// `randomness` for the old and for the new Falcon key.
KeyRotation sign_rotation(const OwnerKeys& old_keys, const OwnerKeys& new_keys,
                          const RotationContext& context, std::uint64_t overlap,
                          const std::array<falcon::SigningRandomness, 2>& randomness);

enum class RotationError : std::uint8_t {
  BadKeyBundle,  // the new bundle is not valid
  NotHeld,       // a new key's signature does not verify
};

// What can be checked without knowing the old keys.
Result<void, RotationError> check_possession(const KeyRotation& rotation,
                                             const RotationContext& context);

}  // namespace hm::identity
