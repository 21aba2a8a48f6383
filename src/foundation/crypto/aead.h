// SPDX-License-Identifier: Apache-2.0
// Authenticated encryption: AES-256-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags.
// A nonce must never repeat under one key; who owns the key owns that rule (a counter, or a key
// that seals once).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "foundation/base/bytes.h"

namespace hm::crypto {

inline constexpr std::size_t kAeadKeySize = 32;
inline constexpr std::size_t kAeadNonceSize = 12;
inline constexpr std::size_t kAeadTagSize = 16;
// One sealed message; far below the 2^36 byte limit of GCM and within the library's int lengths.
inline constexpr std::size_t kMaxAeadMessage = std::size_t{1} << 30;

using AeadKey = std::array<std::uint8_t, kAeadKeySize>;
using AeadNonce = std::array<std::uint8_t, kAeadNonceSize>;

// Ciphertext followed by the tag; `associated` is authenticated, not encrypted.
// Requires: sizes of at most kMaxAeadMessage.
Bytes seal(const AeadKey& key, const AeadNonce& nonce, ByteView associated, ByteView plaintext);

// The plaintext, or nothing if any bit of key, nonce, associated data or `sealed` differs.
std::optional<Bytes> open(const AeadKey& key, const AeadNonce& nonce, ByteView associated,
                          ByteView sealed);

}  // namespace hm::crypto
