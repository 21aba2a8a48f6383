// SPDX-License-Identifier: Apache-2.0
// ByteEncode_d and ByteDecode_d (FIPS 203 Algorithms 5 and 6) of 256 coefficients. Decoding does
// not reduce: for d = 12 the caller checks or reduces values of q and above. A message's bit
// stands for Decompress_1 and Compress_1 of its coefficient.
#pragma once

#include <cstdint>

#include "foundation/crypto/ml_kem/ring.h"

namespace hm::ml_kem {

// Writes encoded_size(d) bytes. Requires: coefficients in [0, 2^d); d of 4, 5, 10, 11 or 12.
void encode(int d, const std::int16_t* f, std::uint8_t* out);

// Reads encoded_size(d) bytes; gives coefficients in [0, 2^d).
void decode(int d, const std::uint8_t* bytes, std::int16_t* f);

// ByteEncode_1(Compress_1(f)) of any coefficients, 32 bytes, and Decompress_1(ByteDecode_1(bytes)).
void encode_message(const Polynomial& f, std::uint8_t* out);
void decode_message(const std::uint8_t* bytes, Polynomial& f);

}  // namespace hm::ml_kem
