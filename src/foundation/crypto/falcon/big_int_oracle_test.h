// SPDX-License-Identifier: Apache-2.0
// For tests: tables of big integers against the big integers of Boost, and polynomials over those
// by the school method.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cstddef>
#include <vector>

#include "foundation/crypto/falcon/big_int.h"

namespace hm::falcon::oracle {

using Integer = boost::multiprecision::cpp_int;
using Polynomial = std::vector<Integer>;

// A table with memory of its own.
struct Table {
  std::vector<std::uint32_t> limbs;
  BigInts ints;

  Table(std::size_t count, std::size_t length)
      : limbs(count * length), ints{limbs.data(), count, length} {}
};

// The value modulo m, not negative.
inline Integer modulo(const Integer& value, const Integer& m) {
  const Integer rest = value % m;
  return rest < 0 ? Integer(rest + m) : rest;
}

inline Integer power_of_limb(std::size_t limbs) { return Integer(1) << (kLimbBits * limbs); }

inline Integer value_of(BigInts table, std::size_t i, Sign sign = Sign::Signed) {
  Integer value = 0;
  for (std::size_t w = table.length; w-- > 0;) value = (value << kLimbBits) + table.row(w)[i];
  const bool negative = (table.row(table.length - 1)[i] >> (kLimbBits - 1)) != 0;
  return sign == Sign::Signed && negative ? Integer(value - power_of_limb(table.length)) : value;
}

// Stores the value modulo 2^(31·length).
inline void store(const Integer& value, BigInts table, std::size_t i) {
  Integer rest = modulo(value, power_of_limb(table.length));
  for (std::size_t w = 0; w < table.length; ++w) {
    table.row(w)[i] = static_cast<std::uint32_t>(rest & kLimbMask);
    rest >>= kLimbBits;
  }
}

// One half of a table of a pair of polynomials.
inline Polynomial polynomial_of(BigInts table, std::size_t half) {
  Polynomial poly;
  const std::size_t n = table.count / 2;
  for (std::size_t i = 0; i < n; ++i) poly.push_back(value_of(table, half * n + i));
  return poly;
}

// Modulo x^n + 1.
inline Polynomial product(const Polynomial& a, const Polynomial& b) {
  const std::size_t n = a.size();
  Polynomial c(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (i + j < n) {
        c[i + j] += a[i] * b[j];
      } else {
        c[i + j - n] -= a[i] * b[j];
      }
    }
  }
  return c;
}

}  // namespace hm::falcon::oracle
