// SPDX-License-Identifier: Apache-2.0
// The loops over coefficients, of which each back end has its own. All give the same results, bit
// for bit. None branches on a coefficient or uses it in an address, except sample_uniform(), whose
// input is public.
#pragma once

#include <cstddef>
#include <cstdint>

#include "foundation/crypto/backend.h"
#include "foundation/crypto/ml_kem/ring.h"

namespace hm::ml_kem {

struct Arithmetic {
  // Algorithms 9 and 10.
  void (*ntt)(const Polynomial& f, NttPolynomial& out);
  void (*inverse_ntt)(const NttPolynomial& f, Polynomial& out);

  // What dot_product() takes for `f`.
  void (*prepare)(const NttPolynomial& f, Factor& out);

  // Σ a[i]·b[i] in T_q: Algorithm 11 for each i. Requires: count of at most 4.
  void (*dot_product)(const NttPolynomial* a, const Factor* b, std::size_t count,
                      NttPolynomial& out);

  // Makes any coefficients canonical.
  void (*make_canonical)(std::int16_t* f);

  // Compress_d and Decompress_d (§4.2.1) of each coefficient, in place, for d of 4, 5, 10 and 11.
  // Compressing takes any coefficients.
  void (*compress)(int d, std::int16_t* f);
  void (*decompress)(int d, std::int16_t* f);

  // Algorithm 8 for η = 2. Takes 128 bytes.
  void (*sample_binomial)(const std::uint8_t* bytes, std::int16_t* f);

  // The loop of Algorithm 7 over `size` bytes, a multiple of 12 that kReadAhead readable bytes
  // follow, for a polynomial that has `have` coefficients already. Returns how many it has after.
  std::size_t (*sample_uniform)(const std::uint8_t* bytes, std::size_t size, std::int16_t* f,
                                std::size_t have);
};

inline constexpr std::size_t kReadAhead = 4;
inline constexpr std::size_t kBinomialBytes = 64 * kEta;

// Requires: the processor supports `backend`.
const Arithmetic& arithmetic(crypto::Backend backend);

}  // namespace hm::ml_kem
