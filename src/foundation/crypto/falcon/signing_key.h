// SPDX-License-Identifier: Apache-2.0
// Falcon-1024 secret keys and signing (Algorithms 4 and 10).
//
// Signing is randomised, and only so: the caller draws nonce and seed for each signature and never
// uses them again. Two signatures from one seed on different messages give the key away, and so
// would two back ends of real numbers if one seed made them differ.
#pragma once

#include <cstdint>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/falcon/refusal.h"
#include "foundation/crypto/falcon/secret_buffer.h"
#include "foundation/crypto/falcon/signature_format.h"
#include "foundation/crypto/falcon/verifying_key.h"

namespace hm::falcon {

// By what real numbers are computed. The signatures are the same.
enum class Arithmetic : std::uint8_t {
  Emulated,  // integers, in constant time on every machine
  Hardware,  // the processor's, about ten times as fast; constant time only if the processor is
};

// What the caller draws for one signature. Both are overwritten when this goes.
struct SigningRandomness {
  Nonce nonce{};  // public, part of the signature
  Seed seed{};    // secret

  SigningRandomness() = default;
  SigningRandomness(SigningRandomness&&) = default;  // both are overwritten in their turn
  SigningRandomness(const SigningRandomness&) = delete;
  SigningRandomness& operator=(const SigningRandomness&) = delete;
  ~SigningRandomness();
};

// A secret key. Moves only; its memory is overwritten when it goes.
class SigningKey {
 public:
  // The key pair of a seed, which the caller draws and wipes (Algorithm 4). Both arithmetics give
  // the same.
  static SigningKey generate(const Seed& seed, Arithmetic arithmetic = Arithmetic::Emulated);

  // Refused unless f is invertible, a small G completes the basis, and f and g are as short as
  // those that are generated. G is computed here: an encoded key does not hold it.
  static Result<SigningKey, Refusal> decode(ByteView bytes);

  SecretBuffer<std::uint8_t> encode() const;
  const VerifyingKey& verifying_key() const { return verifying_key_; }

  // A signature of the message. Never fails: what is too long for the format is sampled again.
  Bytes sign(ByteView message, const SigningRandomness& randomness, SignatureFormat format,
             Arithmetic arithmetic = Arithmetic::Emulated) const;

 private:
  SigningKey(SecretBuffer<std::int8_t> basis, const VerifyingKey& verifying_key)
      : basis_(std::move(basis)), verifying_key_(verifying_key) {}

  SecretBuffer<std::int8_t> basis_;  // f, g, F, G
  VerifyingKey verifying_key_;
};

}  // namespace hm::falcon
