// SPDX-License-Identifier: Apache-2.0
// Key derivation: HKDF with SHA-256 (RFC 5869), and HMAC-SHA256 (RFC 2104) under it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "foundation/base/bytes.h"
#include "foundation/crypto/hash.h"

namespace hm::crypto {

// RFC 5869 §2.3: at most 255 blocks of the hash.
inline constexpr std::size_t kMaxHkdfOutput = std::size_t{255} * 32;

Digest hmac_sha256(ByteView key, ByteView message);

// Fills `out` with key material from `secret`, bound to `salt` and to the purpose `info`, e.g.
// "hm.join.v1". Requires: out.size() in [1, kMaxHkdfOutput].
void hkdf_sha256(ByteView secret, ByteView salt, ByteView info, std::span<std::uint8_t> out);

}  // namespace hm::crypto
