// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/ntru_product.h"

#include "foundation/crypto/falcon/small_primes_ntt.h"

namespace hm::falcon {
namespace {

__extension__ using Int128 = __int128;

// With the degree known to the compiler, the inner loops unroll.
template <std::size_t n>
void multiply_directly(Multiplier k, BigInts fg, BigInts product, ProductMemory& memory) {
  // The factor of coefficient v in coefficient i of the product stands at n + i - v: x^n is -1.
  auto& factors = memory.factors;
  for (std::size_t i = 0; i < n; ++i) {
    factors[i] = -std::int64_t{k[i]};
    factors[n + i] = k[i];
  }
  for (std::size_t i = 0; i < 2 * n; ++i) {
    const std::size_t first = i < n ? 0 : n;  // of f or of g
    const std::int64_t* factor = &factors[n + i - first];
    Int128 sum = 0;
    const auto multiply_row = [&](std::size_t w, auto value_of) {
      const std::uint32_t* limbs = fg.row(w).data() + first;
      for (std::size_t v = 0; v < n; ++v) {
        // A product of a limb and a 32-bit integer fits 64 bits, the sum of two does not.
        sum += value_of(limbs[v]) * factor[-static_cast<std::ptrdiff_t>(v)];
      }
      product.row(w)[i] = static_cast<std::uint32_t>(sum) & kLimbMask;
      sum >>= kLimbBits;
    };
    for (std::size_t w = 0; w + 1 < fg.length; ++w) {
      multiply_row(w, [](std::uint32_t limb) { return std::int64_t{limb}; });
    }
    multiply_row(fg.length - 1, signed_limb);
    for (std::size_t w = fg.length; w < product.length; ++w) {
      product.row(w)[i] = static_cast<std::uint32_t>(sum) & kLimbMask;
      sum >>= kLimbBits;
    }
  }
}

}  // namespace

void transform_pair(BigInts fg, BigInts transforms) {
  const std::size_t n = fg.count / 2;
  for (std::size_t u = 0; u < transforms.length; ++u) {
    const SmallPrime& prime = small_primes()[u];
    const SmallNtt ntt(prime, n);
    const auto row = transforms.row(u);
    residues(fg, prime, row);
    ntt.forward(row.first(n));
    ntt.forward(row.last(n));
    for (std::uint32_t& value : row) value = prime.to_montgomery(value);
  }
}

void multiply_transforms(Multiplier k, BigInts transforms, BigInts product, ProductMemory& memory) {
  const std::size_t n = k.size();
  const auto transform = std::span(memory.transform).first(n);
  for (std::size_t u = 0; u < transforms.length; ++u) {
    const SmallPrime prime = small_primes()[u];
    const SmallNtt ntt(prime, n);
    for (std::size_t i = 0; i < n; ++i) transform[i] = prime.from_signed(k[i]);
    ntt.forward(transform);
    const auto factors = transforms.row(u);
    const auto row = product.row(u);
    for (std::size_t i = 0; i < n; ++i) {
      row[i] = prime.mul(transform[i], factors[i]);
      row[n + i] = prime.mul(transform[i], factors[n + i]);
    }
    ntt.inverse(row.first(n));
    ntt.inverse(row.last(n));
  }
  rebuild(product, Sign::Signed);
}

void multiply_directly(Multiplier k, BigInts fg, BigInts product, ProductMemory& memory) {
  switch (k.size()) {
    case 2: return multiply_directly<2>(k, fg, product, memory);
    case 4: return multiply_directly<4>(k, fg, product, memory);
    case 8: return multiply_directly<8>(k, fg, product, memory);
    case 16: return multiply_directly<16>(k, fg, product, memory);
    default: return multiply_directly<kMaxDirectDegree>(k, fg, product, memory);
  }
}

void subtract_scaled(BigInts minuend, BigInts product, unsigned scale) {
  const std::size_t skipped = scale / kLimbBits;
  const unsigned shift = scale % kLimbBits;
  for (std::size_t i = 0; i < minuend.count; ++i) {
    const std::uint32_t sign = sign_limb(product.row(product.length - 1)[i]);
    std::uint32_t below = 0;
    std::uint32_t borrow = 0;
    for (std::size_t w = skipped; w < minuend.length; ++w) {
      const std::uint32_t limb = w - skipped < product.length ? product.row(w - skipped)[i] : sign;
      const std::uint32_t shifted = ((limb << shift) & kLimbMask) | (below >> (kLimbBits - shift));
      below = limb;
      std::uint32_t& target = minuend.row(w)[i];
      const std::uint32_t difference = target - shifted - borrow;
      target = difference & kLimbMask;
      borrow = difference >> 31;
    }
  }
}

}  // namespace hm::falcon
