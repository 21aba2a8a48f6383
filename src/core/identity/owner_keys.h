// SPDX-License-Identifier: Apache-2.0
// The secret half of an owner's keys, in memory: what signs for the owner and opens what was sealed
// for it. Moves only; wiped when destroyed. Randomness is an argument: seeds for new keys, and
// fresh bytes for each Falcon signature.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "core/identity/key_bundle.h"
#include "core/identity/owner_signature.h"
#include "foundation/base/result.h"
#include "foundation/crypto/falcon/signing_key.h"

namespace hm::identity {

// 32 bytes for Ed25519 (RFC 8032), 48 for Falcon's key generation, 64 for ML-KEM (d ‖ z).
struct OwnerSeeds {
  std::array<std::uint8_t, crypto::SigningKey::kSeedSize> ed25519{};
  std::array<std::uint8_t, falcon::kSeedSize> falcon{};
  std::array<std::uint8_t, ml_kem::kSeedSize> ml_kem{};
  OwnerSeeds() = default;
  OwnerSeeds(const OwnerSeeds&) = default;
  OwnerSeeds& operator=(const OwnerSeeds&) = default;
  ~OwnerSeeds();
};

enum class OwnerKeysError : std::uint8_t {
  Malformed,       // not the one encoding of three secret keys
  InvalidFalcon,   // the Falcon key does not decode
  WrongPublicKeys  // the bundle given does not belong to the secrets
};
std::string_view name_of(OwnerKeysError error);

class OwnerKeys {
 public:
  // New keys; Falcon's take long to find. The owner id is that of the new bundle.
  static OwnerKeys generate(const OwnerSeeds& seeds,
                            falcon::Arithmetic arithmetic = falcon::Arithmetic::Emulated);

  // What secret_bytes() gave, for the owner that has had this id since its first bundle. Checks
  // that the secrets are those of `bundle`.
  static Result<OwnerKeys, OwnerKeysError> restore(const OwnerId& owner, const KeyBundle& bundle,
                                                   ByteView secret);

  OwnerKeys(OwnerKeys&&) noexcept;
  OwnerKeys& operator=(OwnerKeys&&) noexcept;
  ~OwnerKeys();

  const OwnerId& id() const;
  const KeyBundle& bundle() const;
  const crypto::SigningKey& ed25519() const;

  OwnerSignature sign(const crypto::Digest& statement,
                      const falcon::SigningRandomness& randomness) const;
  FalconSignature sign_falcon(const crypto::Digest& statement,
                              const falcon::SigningRandomness& randomness) const;
  const MlKemSecretKey& ml_kem() const;

  // The same keys under the id of an older bundle: after a rotation.
  OwnerKeys as_owner(const OwnerId& owner) &&;

  // The three secrets as BCS, for a key file; wipe it after use.
  Bytes secret_bytes() const;

 private:
  struct Secrets;
  explicit OwnerKeys(std::unique_ptr<Secrets> secrets);
  std::unique_ptr<Secrets> secrets_;
};

}  // namespace hm::identity
