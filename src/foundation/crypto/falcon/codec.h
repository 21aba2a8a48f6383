// SPDX-License-Identifier: Apache-2.0
// Encodings of keys and signatures (Falcon specification, section 3.11). Each value has one
// encoding, and every other spelling is refused by name.
#pragma once

#include <optional>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/falcon/polynomial.h"
#include "foundation/crypto/falcon/refusal.h"
#include "foundation/crypto/falcon/signature_format.h"

namespace hm::falcon {

// Public keys: h, 14 bits each (section 3.11.4).
void encode_public_key(ResidueView h, std::span<std::uint8_t, kPublicKeySize> out);
Result<void, Refusal> decode_public_key(ByteView bytes, ResidueSpan h);

// Secret keys: f and g in 5 bits, F in 8, two's complement without the value that has no negative
// (section 3.11.5). Requires, of encoding: coefficients within the widths. Which coefficients a key
// has decides neither time nor memory accesses.
void encode_secret_key(SmallView f, SmallView g, SmallView big_f,
                       std::span<std::uint8_t, kSecretKeySize> out);
Result<void, Refusal> decode_secret_key(ByteView bytes, SmallSpan f, SmallSpan g, SmallSpan big_f);

// Signatures: nonce and s2, compressed (sections 3.11.2 and 3.11.3, Algorithms 17 and 18).
// Nothing if the signature does not fit the format: a coefficient beyond ±2047, or too many bits.
std::optional<Bytes> encode_signature(SignatureFormat format,
                                      std::span<const std::uint8_t, kNonceSize> nonce,
                                      ShortView s2);
// The nonce are the 40 bytes behind the header; what comes back is s2.
Result<void, Refusal> decode_signature(SignatureFormat format, ByteView bytes, ShortSpan s2);

}  // namespace hm::falcon
