// SPDX-License-Identifier: Apache-2.0
// Falcon-1024 public keys and the verification of signatures (Algorithm 16), in integers only.
#pragma once

#include <array>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/backend.h"
#include "foundation/crypto/falcon/polynomial.h"
#include "foundation/crypto/falcon/refusal.h"
#include "foundation/crypto/falcon/signature_format.h"

namespace hm::falcon {

// A public key that is ready to verify: it keeps h in NTT form, so that whoever verifies under one
// key again and again pays for decoding it once.
class VerifyingKey {
 public:
  static Result<VerifyingKey, Refusal> decode(ByteView bytes);
  explicit VerifyingKey(ResidueView h);

  std::array<std::uint8_t, kPublicKeySize> encode() const;
  bool operator==(const VerifyingKey& other) const { return h_ == other.h_; }

  // Succeeds iff `signature`, in this format and no other spelling, is a signature of `message`
  // under this key. The time depends on all of them: nothing here is secret.
  Result<void, Refusal> verify(ByteView message, ByteView signature, SignatureFormat format,
                               crypto::Backend backend = crypto::fastest_backend()) const;

 private:
  VerifyingKey() = default;

  std::array<Residue, kDegree> h_{};
  std::array<Residue, kDegree> h_ntt_{};
};

}  // namespace hm::falcon
