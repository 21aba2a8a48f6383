// SPDX-License-Identifier: Apache-2.0
// The owner's signature on what lives long (node bindings, key rotations): Ed25519 and Falcon-1024
// over the same 32 bytes. Both must verify, so that a forger has to break both.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <tuple>

#include "core/identity/key_bundle.h"
#include "foundation/crypto/hash.h"

namespace hm::identity {

// The padded form: 1280 bytes, always.
struct FalconSignature {
  std::array<std::uint8_t, falcon::kPaddedSignatureSize> bytes{};
  bool operator==(const FalconSignature&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.bytes); }
};

struct OwnerSignature {
  crypto::Signature ed25519;
  FalconSignature falcon;
  bool operator==(const OwnerSignature&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.ed25519, self.falcon); }
};

bool verify(const falcon::VerifyingKey& key, const crypto::Digest& statement,
            const FalconSignature& signature);

enum class Half : std::uint8_t { Ed25519, Falcon };

// The half that does not verify, if one does not.
std::optional<Half> broken_half(const PublicKeys& keys, const crypto::Digest& statement,
                                const OwnerSignature& signature);

}  // namespace hm::identity
