// SPDX-License-Identifier: Apache-2.0
// K-PKE, the public-key encryption inside ML-KEM (FIPS 203 §5). Not secure by itself: it is open
// to chosen ciphertexts, and nothing but ml_kem.cc may use it.
#pragma once

#include <cstdint>
#include <span>

#include "foundation/crypto/backend.h"
#include "foundation/crypto/ml_kem/sample.h"

namespace hm::ml_kem {

template <ParameterSet P>
using EncryptionKeyView = std::span<const std::uint8_t, kEncapsulationKeySize<P>>;
template <ParameterSet P>
using DecryptionKeyView = std::span<const std::uint8_t, kVectorSize<P>>;
template <ParameterSet P>
using CiphertextView = std::span<const std::uint8_t, kCiphertextSize<P>>;

// Algorithm 13.
template <ParameterSet P>
void k_pke_keygen(WordView d, std::span<std::uint8_t, kEncapsulationKeySize<P>> ek,
                  std::span<std::uint8_t, kVectorSize<P>> dk, crypto::Backend backend);

// Algorithm 14. Requires: the coefficients of the key are canonical.
template <ParameterSet P>
void k_pke_encrypt(EncryptionKeyView<P> ek, WordView m, WordView r,
                   std::span<std::uint8_t, kCiphertextSize<P>> c, crypto::Backend backend);

// Algorithm 15. Requires: the coefficients of the key are canonical.
template <ParameterSet P>
void k_pke_decrypt(DecryptionKeyView<P> dk, CiphertextView<P> c,
                   std::span<std::uint8_t, kWordSize> m, crypto::Backend backend);

}  // namespace hm::ml_kem
