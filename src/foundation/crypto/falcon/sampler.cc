// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/sampler.h"

#include <bit>
#include <cstddef>

#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/falcon/wide_integer.h"

namespace hm::falcon {
namespace {

template <RealBackEnd Real>
constexpr Real constant(double value) {
  return Real::from_bits(std::bit_cast<std::uint64_t>(value));
}

constexpr double kMinimalSigma = 1.29828033434429185397;               // σ_min (table 3.3)
constexpr double kInverseTwiceSquaredSigma0 = 0.15086504887537272153;  // 1/(2σ0²), σ0 = 1.8205
constexpr double kLogarithmOf2 = 0.69314718055994530942;
constexpr double kInverseLogarithmOf2 = 1.44269504088896340736;

// RCDT (table 3.1): the probabilities, in units of 2^-72, that a half-Gaussian of deviation σ0 is
// larger than 0, 1, ... 17.
constexpr Uint128 wide(std::uint64_t high, std::uint64_t low) {  // high · 2^64 + low
  return (Uint128{high} << 64) | low;
}
constexpr Uint128 kTails[] = {
    wide(0xA3, 0xF7F42ED3AC391802), wide(0x54, 0xD32B181F3F7DDB82), wide(0x22, 0x7DCDD0934829C1FF),
    wide(0x0A, 0xD1754377C7994AE4), wide(0x02, 0x95846CAEF33F1F6F), wide(0x00, 0x774AC754ED74BD5F),
    wide(0x00, 0x1024DD542B776AE4), wide(0x00, 0x01A1FFDC65AD63DA), wide(0x00, 0x001F80D88A7B6428),
    wide(0x00, 0x0001C3FDB2040C69), wide(0x00, 0x000012CF24D031FB), wide(0x00, 0x000000949F8B091F),
    wide(0x00, 0x00000003665DA998), wide(0x00, 0x000000000EBF6EBB), wide(0x00, 0x00000000002F5D7E),
    wide(0x00, 0x0000000000007098), wide(0x00, 0x00000000000000C6), wide(0x00, 0x0000000000000001)};

}  // namespace

// Algorithm 12, BaseSampler: how many tails a uniform 72-bit number is below. All are compared.
template <RealBackEnd Real>
std::int64_t Sampler<Real>::base_sample() {
  const std::uint64_t low = prng_.next_word();
  const Uint128 u = wide(prng_.next_byte(), low);
  std::int64_t count = 0;
  for (const Uint128 tail : kTails) count += static_cast<std::int64_t>((u - tail) >> 127);
  return count;
}

// Algorithm 14, BerExp: true with probability ccs · exp(-x).
template <RealBackEnd Real>
bool Sampler<Real>::accept(Real x, Real ccs) {
  // Lines 1 and 2: x = s ln 2 + r. From 63 on s makes no difference, and is kept there.
  std::int64_t s = Real::trunc(Real::mul(x, constant<Real>(kInverseLogarithmOf2)));
  const Real r = Real::sub(x, Real::mul(Real::of(s), constant<Real>(kLogarithmOf2)));
  s += (63 - s) & ((63 - s) >> 63);
  // Line 4. The subtraction makes 2^64 fit.
  const std::uint64_t z = ((expm_p63(r, ccs) << 1) - 1) >> s;
  // Lines 5 to 9: compared with uniform bytes from the top, until one differs. How many bytes that
  // takes, and whether the candidate is taken, may be seen: both are independent of the centre and
  // the deviation.
  for (int shift = 56;; shift -= 8) {
    const int difference = int{prng_.next_byte()} - static_cast<int>((z >> shift) & 0xFF);
    if (crypto::declassified(difference != 0) || shift == 0) {
      return crypto::declassified(difference < 0);
    }
  }
}

template <RealBackEnd Real>
std::int64_t Sampler<Real>::sample(Real centre, Real inverse_sigma) {
  const std::int64_t whole = Real::floor(centre);
  const Real r = Real::sub(centre, Real::of(whole));
  const Real half_inverse_square = Real::half(Real::sqr(inverse_sigma));
  const Real ccs = Real::mul(inverse_sigma, constant<Real>(kMinimalSigma));
  for (;;) {
    const std::int64_t z0 = base_sample();
    const std::int64_t bit = prng_.next_byte() & 1;
    const std::int64_t z = bit + (2 * bit - 1) * z0;
    const Real distance = Real::mul(Real::sqr(Real::sub(Real::of(z), r)), half_inverse_square);
    const Real x = Real::sub(
        distance, Real::mul(Real::of(z0 * z0), constant<Real>(kInverseTwiceSquaredSigma0)));
    if (accept(x, ccs)) return whole + z;
  }
}

template class Sampler<EmulatedReal>;
template class Sampler<HardwareReal>;

}  // namespace hm::falcon
