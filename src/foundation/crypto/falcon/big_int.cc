// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/big_int.h"

#include <algorithm>
#include <array>

namespace hm::falcon {
namespace {

// Integers worked on side by side. Each has a chain of dependent multiplications; four of them
// keep the multiplier busy.
constexpr std::size_t kLanes = 4;
constexpr std::size_t kMinLanes = 2;  // tables hold pairs of polynomials

// The first `length` limbs of `lanes` integers, taken as nonnegative, modulo `prime`: Horner's rule
// on pairs of limbs. A Montgomery reduction a step keeps a sum that is the value divided by R.
template <std::size_t lanes>
std::array<std::uint32_t, lanes> unsigned_residues(const std::uint32_t* limbs, std::size_t stride,
                                                   std::size_t length, const SmallPrime& prime) {
  std::array<std::uint32_t, lanes> sums{};
  std::size_t w = length;
  if (w % 2 != 0) {
    --w;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      sums[lane] = prime.reduce(limbs[w * stride + lane]);
    }
  }
  while (w > 0) {
    w -= 2;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const std::uint64_t pair =
          std::uint64_t{limbs[(w + 1) * stride + lane]} << kLimbBits | limbs[w * stride + lane];
      sums[lane] = prime.reduce(std::uint64_t{sums[lane]} * prime.limb_pair + pair);
    }
  }
  for (std::uint32_t& sum : sums) sum = prime.mul(sum, prime.r2);
  return sums;
}

// Calls work(first, lanes) over all integers, with lanes a constant.
template <class Work>
void for_lanes(std::size_t count, Work work) {
  std::size_t first = 0;
  for (; first + kLanes <= count; first += kLanes) {
    work(first, std::integral_constant<std::size_t, kLanes>{});
  }
  for (; first < count; first += kMinLanes) {
    work(first, std::integral_constant<std::size_t, kMinLanes>{});
  }
}

// integers += factors · product over the first `length` limbs; the carry becomes the next limb.
template <std::size_t lanes>
void add_product(std::uint32_t* limbs, std::size_t stride, std::size_t length,
                 const std::uint32_t* product, const std::array<std::uint32_t, lanes>& factors) {
  std::array<std::uint32_t, lanes> carries{};
  for (std::size_t w = 0; w < length; ++w) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      std::uint32_t& limb = limbs[w * stride + lane];
      const std::uint64_t sum = std::uint64_t{product[w]} * factors[lane] + limb + carries[lane];
      limb = static_cast<std::uint32_t>(sum) & kLimbMask;
      carries[lane] = static_cast<std::uint32_t>(sum >> kLimbBits);
    }
  }
  for (std::size_t lane = 0; lane < lanes; ++lane) limbs[length * stride + lane] = carries[lane];
}

// Subtracts the product of the primes from every integer above its half.
void center(BigInts integers, std::span<const std::uint32_t> product) {
  for (std::size_t i = 0; i < integers.count; ++i) {
    std::uint32_t* limbs = integers.limbs + i;
    // The sign of (P-1)/2 - x, from the borrow of the subtraction.
    std::uint32_t borrow = 0;
    for (std::size_t w = 0; w < integers.length; ++w) {
      const std::uint32_t above = w + 1 < integers.length ? product[w + 1] : 0;
      const std::uint32_t half = (product[w] >> 1) | ((above << (kLimbBits - 1)) & kLimbMask);
      borrow = (half - limbs[w * integers.count] - borrow) >> 31;
    }
    const std::uint32_t subtract = 0u - borrow;
    borrow = 0;
    for (std::size_t w = 0; w < integers.length; ++w) {
      std::uint32_t& limb = limbs[w * integers.count];
      const std::uint32_t difference = limb - (product[w] & subtract) - borrow;
      limb = difference & kLimbMask;
      borrow = difference >> 31;
    }
  }
}

}  // namespace

void residues(BigInts integers, const SmallPrime& prime, std::span<std::uint32_t> out) {
  // A negative value is read as if 2^(31·length) were added to it.
  const auto exponent = static_cast<std::uint32_t>(integers.length);
  const std::uint32_t excess = prime.mul(prime.power(prime.limb, exponent), 1);
  const SmallPrime local = prime;
  for_lanes(integers.count, [&](std::size_t first, auto lanes) {
    const auto values =
        unsigned_residues<lanes>(integers.limbs + first, integers.count, integers.length, local);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const std::uint32_t highest = integers.row(integers.length - 1)[first + lane];
      const std::uint32_t negative = 0u - (highest >> (kLimbBits - 1));
      out[first + lane] = local.sub(values[lane], excess & negative);
    }
  });
}

// Garner's algorithm: with Q the product of the primes before p, the integer x modulo Q is known;
// the next one is x + Q·((residue - x)/Q mod p).
void rebuild(BigInts integers, Sign sign) {
  const SmallPrimes& primes = small_primes();
  std::array<std::uint32_t, kMaxLimbs> product{};  // Q
  product[0] = primes[0].p;
  for (std::size_t u = 1; u < integers.length; ++u) {
    const SmallPrime prime = primes[u];
    for_lanes(integers.count, [&](std::size_t first, auto lanes) {
      std::uint32_t* limbs = integers.limbs + first;
      auto factors = unsigned_residues<lanes>(limbs, integers.count, u, prime);
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const std::uint32_t residue = limbs[u * integers.count + lane];
        factors[lane] = prime.mul(prime.sub(residue, factors[lane]), prime.product_inverse);
      }
      add_product<lanes>(limbs, integers.count, u, product.data(), factors);
    });
    std::uint32_t carry = 0;
    for (std::size_t w = 0; w < u; ++w) {
      const std::uint64_t limb = std::uint64_t{product[w]} * prime.p + carry;
      product[w] = static_cast<std::uint32_t>(limb) & kLimbMask;
      carry = static_cast<std::uint32_t>(limb >> kLimbBits);
    }
    product[u] = carry;
  }
  if (sign == Sign::Signed) center(integers, product);
}

void extend_sign(BigInts integers, std::size_t length) {
  const auto highest = integers.row(length - 1);
  for (std::size_t w = length; w < integers.length; ++w) {
    std::ranges::transform(highest, integers.row(w).begin(), sign_limb);
  }
}

}  // namespace hm::falcon
