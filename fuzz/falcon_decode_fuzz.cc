// SPDX-License-Identifier: Apache-2.0
// Falcon's promise on hostile bytes: a public key, a secret key or a signature that decodes encodes
// to the same bytes again, and a key or signature that does not verify is refused, not followed.
#include <algorithm>
#include <array>
#include <cstdint>

#include "foundation/base/check.h"
#include "foundation/crypto/falcon/codec.h"
#include "foundation/crypto/falcon/falcon.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace hm;
using namespace hm::falcon;

void check_public_key(ByteView input) {
  const auto key = VerifyingKey::decode(input);
  if (key) HM_CHECK(std::ranges::equal(key->encode(), input));
}

void check_secret_key(ByteView input) {
  std::array<std::int8_t, kDegree> f, g, big_f;
  if (!decode_secret_key(input, f, g, big_f)) return;
  std::array<std::uint8_t, kSecretKeySize> again;
  encode_secret_key(f, g, big_f, again);
  HM_CHECK(std::ranges::equal(again, input));
  const auto key = SigningKey::decode(input);
  if (key) HM_CHECK(std::ranges::equal(key->encode(), input));
}

void check_signature(SignatureFormat format, ByteView input) {
  static const VerifyingKey key(std::array<Residue, kDegree>{1});
  std::array<std::int16_t, kDegree> s2;
  const bool decodes = decode_signature(format, input, s2).has_value();
  if (decodes) {
    const auto again = encode_signature(format, input.subspan<1, kNonceSize>(), s2);
    HM_CHECK(again && std::ranges::equal(*again, input));
  }
  const auto verdict = key.verify({}, input, format);
  HM_CHECK(!verdict && (verdict.error() == Refusal::NotShort) == decodes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  check_public_key(input);
  check_secret_key(input);
  check_signature(SignatureFormat::Compressed, input);
  check_signature(SignatureFormat::Padded, input);
  return 0;
}
