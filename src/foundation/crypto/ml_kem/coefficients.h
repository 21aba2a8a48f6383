// SPDX-License-Identifier: Apache-2.0
// The portable loops that treat coefficients one by one; see arithmetic.h for what they do.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hm::ml_kem {

void make_canonical(std::int16_t* f);
void compress(int d, std::int16_t* f);
void decompress(int d, std::int16_t* f);
void sample_binomial(const std::uint8_t* bytes, std::int16_t* f);
std::size_t sample_uniform(const std::uint8_t* bytes, std::size_t size, std::int16_t* f,
                           std::size_t have);

}  // namespace hm::ml_kem
