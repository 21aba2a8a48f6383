// SPDX-License-Identifier: Apache-2.0
// A key from a passphrase: Argon2id version 1.3 (RFC 9106) with one lane, through libsodium. The
// cost is part of what is stored, so it comes from files and is bounded before it is paid.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "foundation/crypto/aead.h"

namespace hm::crypto {

inline constexpr std::size_t kPasswordSaltSize = 16;
using PasswordSalt = std::array<std::uint8_t, kPasswordSaltSize>;

struct PasswordCost {
  std::uint32_t passes = 0;
  std::uint32_t memory_kib = 0;
  bool operator==(const PasswordCost&) const = default;
};

// About 0.7 s and 256 MiB on a small machine: unlocking happens once per command.
inline constexpr PasswordCost kDefaultPasswordCost{3, 256 * 1024};
// What derive_password_key() accepts. Below it, guessing would be cheap; above it, a file could ask
// for more memory or time than a machine has.
inline constexpr PasswordCost kMinPasswordCost{1, 8 * 1024};
inline constexpr PasswordCost kMaxPasswordCost{16, 1024 * 1024};

bool is_acceptable(const PasswordCost& cost);

// The key, or nothing if the memory is not to be had. Requires: is_acceptable(cost).
std::optional<AeadKey> derive_password_key(std::string_view passphrase, const PasswordSalt& salt,
                                           const PasswordCost& cost);

}  // namespace hm::crypto
