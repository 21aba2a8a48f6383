// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/key_gaussian.h"

#include <span>

#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/little_endian.h"
#include "foundation/crypto/wipe.h"

namespace hm::falcon {
namespace {

constexpr std::size_t kDrawSize = 16;     // two words of 64 bits, low byte first
constexpr std::size_t kDrawsAtOnce = 64;  // divides the degree

// 1 if a < b, else 0. Requires: both below 2^63.
std::uint32_t less(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint32_t>((a - b) >> 63);
}

// The first word decides between zero and the two signs, the second the magnitude.
std::int8_t gaussian(const std::uint8_t* draw) {
  constexpr std::uint64_t kLow63 = ~std::uint64_t{0} >> 1;
  const std::uint64_t first = crypto::load_little_endian(draw);
  const std::uint64_t second = crypto::load_little_endian(draw + 8) & kLow63;
  const std::uint32_t negative = static_cast<std::uint32_t>(first >> 63);
  const std::uint32_t zero = less(first & kLow63, kKeyGaussianZero);
  std::uint32_t magnitude = 1;
  for (const std::uint64_t tail : kKeyGaussianTail) magnitude += less(second, tail);
  magnitude &= zero - 1;
  return static_cast<std::int8_t>((magnitude ^ (0u - negative)) + negative);
}

}  // namespace

void sample_key_polynomial(keccak::Shake256& randomness, SmallPoly& poly) {
  crypto::Wiped<std::array<std::uint8_t, kDrawSize * kDrawsAtOnce>> draws;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kDegree; ++i) {
    const std::size_t at = i % kDrawsAtOnce;
    if (at == 0) randomness.squeeze(*draws);
    poly[i] = gaussian(draws->data() + at * kDrawSize);
    sum += static_cast<std::uint32_t>(poly[i]);
  }
  // That the sum is odd is public, so the number of repetitions tells nothing.
  std::int8_t& last = poly[kDegree - 1];
  while (crypto::declassified(sum & 1) == 0) {
    sum -= static_cast<std::uint32_t>(last);
    const std::span<std::uint8_t> draw = std::span(*draws).first(kDrawSize);
    randomness.squeeze(draw);
    last = gaussian(draw.data());
    sum += static_cast<std::uint32_t>(last);
  }
}

}  // namespace hm::falcon
