// SPDX-License-Identifier: Apache-2.0
// HashToPoint (Falcon specification, section 3.7, Algorithm 3): a nonce and a message to a
// polynomial modulo q, by SHAKE256. Its time depends on both: it is for messages that whoever sees
// the signature sees too. FN-DSA will hash other bytes; only this file knows them.
#pragma once

#include <cstdint>
#include <span>

#include "foundation/base/bytes.h"
#include "foundation/crypto/falcon/polynomial.h"

namespace hm::falcon {

void hash_to_point(ResidueSpan c, std::span<const std::uint8_t, kNonceSize> nonce,
                   ByteView message);

}  // namespace hm::falcon
