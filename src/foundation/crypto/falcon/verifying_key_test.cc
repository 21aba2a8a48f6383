// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/verifying_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "foundation/crypto/falcon/codec.h"
#include "foundation/crypto/falcon/hash_to_point.h"
#include "foundation/crypto/falcon/mod_q.h"

namespace hm::falcon {
namespace {

using Residues = std::array<Residue, kDegree>;
using Short = std::array<std::int16_t, kDegree>;

ByteView test_message() { return as_bytes("a message"); }

// A key that is made for one signature: h = (c - s1) / s2, so that s1 + s2 h = c.
struct Forged {
  VerifyingKey key;
  Bytes signature;
};

Forged forged(const Short& s1, const Short& s2) {
  const Nonce nonce{1, 2, 3};
  Residues h, divisor;
  hash_to_point(h, nonce, test_message());
  for (std::size_t i = 0; i < kDegree; ++i) {
    h[i] = residue_of(centred(h[i]) - s1[i]);
    divisor[i] = residue_of(s2[i]);
  }
  ntt(h);
  ntt(divisor);
  EXPECT_TRUE(divide_ntt(h, divisor));
  inverse_ntt(h);
  return {VerifyingKey(h), encode_signature(SignatureFormat::Compressed, nonce, s2).value()};
}

Short random_short(unsigned seed) {
  std::mt19937_64 chance(seed);
  Short s;
  for (std::int16_t& x : s) x = static_cast<std::int16_t>(static_cast<int>(chance() % 201) - 100);
  return s;
}

std::int64_t squared_norm(const Short& s) {
  std::int64_t sum = 0;
  for (const std::int64_t x : s) sum += x * x;
  return sum;
}

// A vector of exactly this squared norm: of what is left, the largest square each time.
Short of_squared_norm(std::int64_t norm) {
  Short s{};
  for (std::int16_t& x : s) {
    x = static_cast<std::int16_t>(std::min(6000.0, std::sqrt(static_cast<double>(norm))));
    norm -= std::int64_t{x} * x;
  }
  EXPECT_EQ(norm, 0);
  return s;
}

TEST(FalconVerify, TheNormMayReachTheBoundAndNotPassIt) {
  const Short s2 = random_short(11);
  const std::int64_t rest = std::int64_t{70265242} - squared_norm(s2);
  for (const crypto::Backend backend : crypto::supported_backends()) {
    const Forged at = forged(of_squared_norm(rest), s2);
    EXPECT_TRUE(at.key.verify(test_message(), at.signature, SignatureFormat::Compressed, backend)
                    .has_value());
    const Forged beyond = forged(of_squared_norm(rest + 1), s2);
    EXPECT_EQ(
        beyond.key.verify(test_message(), beyond.signature, SignatureFormat::Compressed, backend)
            .error(),
        Refusal::NotShort);
  }
}

// 1024 coefficients of q/2 have a squared norm beyond 32 bits, which must not wrap to a small one.
TEST(FalconVerify, TheLargestNormIsRefused) {
  Short s1;
  s1.fill(6144);
  const Forged f = forged(s1, random_short(12));
  EXPECT_EQ(f.key.verify(test_message(), f.signature, SignatureFormat::Compressed).error(),
            Refusal::NotShort);
}

TEST(FalconVerify, MalformedSignaturesAreRefusedByTheNameOfTheirFault) {
  const Forged f = forged(random_short(3), random_short(4));
  ASSERT_TRUE(f.key.verify(test_message(), f.signature, SignatureFormat::Compressed).has_value());
  EXPECT_EQ(f.key.verify(test_message(), f.signature, SignatureFormat::Padded).error(),
            Refusal::WrongLength);
  EXPECT_EQ(f.key.verify(test_message(), {}, SignatureFormat::Compressed).error(),
            Refusal::WrongLength);
  Bytes longer = f.signature;
  longer.push_back(0);
  EXPECT_EQ(f.key.verify(test_message(), longer, SignatureFormat::Compressed).error(),
            Refusal::TrailingBytes);
}

TEST(FalconVerify, KeysRoundTripAndTellEachOtherApart) {
  const VerifyingKey a = forged(random_short(5), random_short(6)).key;
  const VerifyingKey b = forged(random_short(7), random_short(6)).key;
  EXPECT_EQ(VerifyingKey::decode(a.encode()).value(), a);
  EXPECT_FALSE(a == b);
  EXPECT_EQ(VerifyingKey::decode({}).error(), Refusal::WrongLength);
}

}  // namespace
}  // namespace hm::falcon
