// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ml_kem/coefficients.h"

#include "foundation/crypto/little_endian.h"
#include "foundation/crypto/ml_kem/modular.h"

namespace hm::ml_kem {
namespace {

// floor(y / q) for 0 <= y < 2^24 by a multiplication: a division may take a time that depends on
// its operands. Exact because the reciprocal errs by less than 2^-28 of 1/q.
std::uint32_t divide_by_q(std::uint32_t y) {
  constexpr int kShift = 40;
  constexpr std::uint64_t kReciprocal = (std::uint64_t{1} << kShift) / kQ + 1;
  return static_cast<std::uint32_t>((y * kReciprocal) >> kShift);
}

}  // namespace

void make_canonical(std::int16_t* f) {
  for (std::size_t i = 0; i < kCoefficients; ++i) f[i] = canonical(f[i]);
}

void compress(int d, std::int16_t* f) {
  const std::uint32_t mask = (1U << d) - 1;
  for (std::size_t i = 0; i < kCoefficients; ++i) {
    const auto x = static_cast<std::uint32_t>(canonical(f[i]));
    f[i] = static_cast<std::int16_t>(divide_by_q((x << d) + kQ / 2) & mask);
  }
}

void decompress(int d, std::int16_t* f) {
  for (std::size_t i = 0; i < kCoefficients; ++i) {
    f[i] = static_cast<std::int16_t>((f[i] * kQ + (1 << (d - 1))) >> d);
  }
}

void sample_binomial(const std::uint8_t* bytes, std::int16_t* f) {
  // Each four bits make one coefficient, the sum of two less the sum of the other two. Sixteen at
  // a time: first the sums of two in fields of two bits, then their difference, kept positive, in
  // fields of four.
  constexpr std::uint64_t kOneOfTwo = 0x5555555555555555;
  constexpr std::uint64_t kTwoOfFour = 0x3333333333333333;
  constexpr int kBias = 3;
  for (std::size_t i = 0; i < kCoefficients; i += 16, bytes += 8) {
    const std::uint64_t bits = crypto::load_little_endian(bytes);
    const std::uint64_t sums = (bits & kOneOfTwo) + ((bits >> 1) & kOneOfTwo);
    const std::uint64_t biased =
        (sums & kTwoOfFour) + kBias * (kTwoOfFour / 3) - ((sums >> 2) & kTwoOfFour);
    for (std::size_t j = 0; j < 16; ++j) {
      f[i + j] = static_cast<std::int16_t>(static_cast<int>((biased >> (4 * j)) & 15) - kBias);
    }
  }
}

std::size_t sample_uniform(const std::uint8_t* bytes, std::size_t size, std::int16_t* f,
                           std::size_t have) {
  for (const std::uint8_t* end = bytes + size; bytes != end && have < kCoefficients; bytes += 3) {
    const int first = bytes[0] | ((bytes[1] & 15) << 8);
    const int second = (bytes[1] >> 4) | (bytes[2] << 4);
    // Written always and kept only if below q: the outcome is public but cannot be foretold, and a
    // branch on it would be mispredicted every fifth time.
    f[have] = static_cast<std::int16_t>(first);
    have += first < kQ ? 1 : 0;
    if (have == kCoefficients) break;
    f[have] = static_cast<std::int16_t>(second);
    have += second < kQ ? 1 : 0;
  }
  return have;
}

}  // namespace hm::ml_kem
