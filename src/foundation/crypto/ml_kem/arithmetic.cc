// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ml_kem/arithmetic.h"

#include "foundation/crypto/ml_kem/avx2.h"
#include "foundation/crypto/ml_kem/coefficients.h"
#include "foundation/crypto/ml_kem/ntt.h"

namespace hm::ml_kem {
namespace {

constexpr Arithmetic kPortable = {
    .ntt = ntt,
    .inverse_ntt = inverse_ntt,
    .prepare = prepare,
    .dot_product = dot_product,
    .make_canonical = make_canonical,
    .compress = compress,
    .decompress = decompress,
    .sample_binomial = sample_binomial,
    .sample_uniform = sample_uniform,
};

#if defined(__x86_64__)
constexpr Arithmetic kAvx2 = {
    .ntt = ntt_avx2,
    .inverse_ntt = inverse_ntt_avx2,
    .prepare = prepare_avx2,
    .dot_product = dot_product_avx2,
    .make_canonical = make_canonical_avx2,
    .compress = compress_avx2,
    .decompress = decompress_avx2,
    .sample_binomial = sample_binomial_avx2,
    .sample_uniform = sample_uniform_avx2,
};
#endif

}  // namespace

const Arithmetic& arithmetic(crypto::Backend backend) {
#if defined(__x86_64__)
  // AVX-512 serves Keccak; what is left here would gain little.
  if (backend != crypto::Backend::Portable) return kAvx2;
#endif
  static_cast<void>(backend);
  return kPortable;
}

}  // namespace hm::ml_kem
