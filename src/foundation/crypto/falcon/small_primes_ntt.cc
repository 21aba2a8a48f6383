// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/small_primes_ntt.h"

namespace hm::falcon {

// With r of order 2n, the root at place k is r to the power of k with its log n bits reversed, so
// that bit b of k stands for the factor r^(n / 2^(b+1)). A smaller degree takes the first places:
// its r is the square of this one, and its reversal is one bit shorter.
SmallNtt::SmallNtt(const SmallPrime& prime, std::size_t degree) : prime_(prime) {
  std::array<std::uint32_t, kLogDegree> factors{};
  std::uint32_t power = prime.root;
  for (std::size_t n = kDegree / degree; n > 1; n /= 2) power = prime.mul(power, power);
  const unsigned bits = static_cast<unsigned>(std::countr_zero(degree));
  for (unsigned b = bits; b-- > 0;) {
    factors[b] = power;
    power = prime.mul(power, power);
  }
  roots_[0] = prime.to_montgomery(1);
  for (unsigned b = 0; b < bits; ++b) {
    const std::size_t half = std::size_t{1} << b;
    for (std::size_t i = 0; i < half; ++i) roots_[half + i] = prime.mul(roots_[i], factors[b]);
  }
}

void SmallNtt::forward(std::span<std::uint32_t> f) const {
  const SmallPrime prime = prime_;
  const std::size_t n = f.size();
  std::size_t half = n / 2;
  for (std::size_t blocks = 1; blocks < n; blocks *= 2, half /= 2) {
    for (std::size_t block = 0; block < blocks; ++block) {
      const std::uint32_t root = roots_[blocks + block];
      std::uint32_t* low = f.data() + 2 * half * block;
      std::uint32_t* high = low + half;
      for (std::size_t i = 0; i < half; ++i) {
        const std::uint32_t a = low[i];
        const std::uint32_t b = prime.mul(high[i], root);
        low[i] = prime.add(a, b);
        high[i] = prime.sub(a, b);
      }
    }
  }
}

// The inverse of the root at place m + i is the negated root at place 2m - 1 - i.
void SmallNtt::inverse(std::span<std::uint32_t> f) const {
  const SmallPrime prime = prime_;
  const std::size_t n = f.size();
  std::size_t half = 1;
  for (std::size_t blocks = n / 2; blocks > 0; blocks /= 2, half *= 2) {
    for (std::size_t block = 0; block < blocks; ++block) {
      const std::uint32_t root = roots_[2 * blocks - 1 - block];
      std::uint32_t* low = f.data() + 2 * half * block;
      std::uint32_t* high = low + half;
      for (std::size_t i = 0; i < half; ++i) {
        const std::uint32_t a = low[i];
        const std::uint32_t b = high[i];
        low[i] = prime.add(a, b);
        high[i] = prime.mul(prime.sub(b, a), root);
      }
    }
  }
  // 1/n is -(p-1)/n; in Montgomery form once n is.
  const std::uint32_t scale =
      prime.to_montgomery(prime.p - (prime.p - 1) / static_cast<std::uint32_t>(n));
  for (std::uint32_t& value : f) value = prime.mul(value, scale);
}

}  // namespace hm::falcon
