// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ml_kem/arithmetic.h"

#include "foundation/crypto/ml_kem/coefficients.h"
#include "foundation/crypto/ml_kem/ntt.h"

namespace hm::ml_kem {

const Arithmetic kPortableArithmetic = {
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

const Arithmetic& arithmetic(crypto::Backend) { return kPortableArithmetic; }

}  // namespace hm::ml_kem
