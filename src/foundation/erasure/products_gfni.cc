// SPDX-License-Identifier: Apache-2.0
#include "foundation/erasure/products_gfni.h"

#if defined(__GFNI__) && defined(__AVX512F__)
#include <immintrin.h>

#include <utility>

namespace hm::erasure {
namespace {

constexpr std::size_t kVector = 64;
constexpr std::size_t kVectors = kGfniStep / kVector;

// So many rows at a time read each source once, and their sums stay in registers.
constexpr std::size_t kRows = 6;

// f(0), f(1), … f(count - 1), each with a number that the compiler knows, so that what it indexes
// stays in registers.
template <std::size_t count>
[[gnu::always_inline]] inline void unrolled(auto f) {
  [&]<std::size_t... i>(std::index_sequence<i...>) __attribute__((always_inline)) {
    (f(std::integral_constant<std::size_t, i>()), ...);
  }(std::make_index_sequence<count>());
}

template <std::size_t rows>
void multiply_rows(const std::uint64_t* matrices, const std::uint8_t* const* sources,
                   std::size_t source_count, std::uint8_t* const* into, std::size_t length) {
  for (std::size_t at = 0; at < length; at += kGfniStep) {
    __m512i sums[rows * kVectors];
    unrolled<rows * kVectors>(
        [&](auto i) __attribute__((always_inline)) { sums[i] = _mm512_setzero_si512(); });
    for (std::size_t j = 0; j < source_count; ++j) {
      __m512i bytes[kVectors];
      unrolled<kVectors>([&](auto v) __attribute__((always_inline)) {
        bytes[v] = _mm512_loadu_si512(sources[j] + at + v * kVector);
      });
      unrolled<rows * kVectors>([&](auto i) __attribute__((always_inline)) {
        const std::uint64_t matrix = matrices[i / kVectors * source_count + j];
        const __m512i product = _mm512_gf2p8affine_epi64_epi8(
            bytes[i % kVectors], _mm512_set1_epi64(static_cast<long long>(matrix)), 0);
        sums[i] = _mm512_xor_si512(sums[i], product);
      });
    }
    unrolled<rows * kVectors>([&](auto i) __attribute__((always_inline)) {
      _mm512_storeu_si512(into[i / kVectors] + at + i % kVectors * kVector, sums[i]);
    });
  }
}

using Multiply = void (*)(const std::uint64_t*, const std::uint8_t* const*, std::size_t,
                          std::uint8_t* const*, std::size_t);
constexpr Multiply kMultiply[kRows] = {multiply_rows<1>, multiply_rows<2>, multiply_rows<3>,
                                       multiply_rows<4>, multiply_rows<5>, multiply_rows<6>};

}  // namespace

void multiply_gfni(const std::uint64_t* matrices, const std::uint8_t* const* sources,
                   std::size_t source_count, std::uint8_t* const* into, std::size_t into_count,
                   std::size_t length) {
  while (into_count > 0) {
    const std::size_t rows = into_count < kRows ? into_count : kRows;
    kMultiply[rows - 1](matrices, sources, source_count, into, length);
    matrices += rows * source_count;
    into += rows;
    into_count -= rows;
  }
}

}  // namespace hm::erasure
#endif
