// SPDX-License-Identifier: Apache-2.0
// The AVX2 forms of the functions of arithmetic.h, sixteen coefficients to a vector. They compute
// what ntt.cc and coefficients.cc compute, step by step, and so give the same representatives.
// Their files are compiled for AVX2 and use nothing but intrinsics, constants and plain arrays: an
// inline function of the library compiled there could be linked in place of the portable one and
// run on an older processor.
#pragma once

#if defined(__x86_64__)
#include <cstddef>
#include <cstdint>

#include "foundation/crypto/ml_kem/ring.h"

namespace hm::ml_kem {

void ntt_avx2(const Polynomial& f, NttPolynomial& out);
void inverse_ntt_avx2(const NttPolynomial& f, Polynomial& out);
void prepare_avx2(const NttPolynomial& f, Factor& out);
void dot_product_avx2(const NttPolynomial* a, const Factor* b, std::size_t count,
                      NttPolynomial& out);
void make_canonical_avx2(std::int16_t* f);
void compress_avx2(int d, std::int16_t* f);
void decompress_avx2(int d, std::int16_t* f);
void sample_binomial_avx2(const std::uint8_t* bytes, std::int16_t* f);
std::size_t sample_uniform_avx2(const std::uint8_t* bytes, std::size_t size, std::int16_t* f,
                                std::size_t have);

}  // namespace hm::ml_kem
#endif
