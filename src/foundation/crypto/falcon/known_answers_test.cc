// SPDX-License-Identifier: Apache-2.0
// The known answers of the round 3 submission, falcon1024-KAT.rsp: the test writes the file, from
// nothing but the published generator, and compares its hash.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "foundation/base/hex.h"
#include "foundation/crypto/falcon/falcon.h"
#include "foundation/crypto/falcon/nist_drbg.h"
#include "foundation/crypto/hash.h"

namespace hm::falcon {
namespace {

constexpr std::size_t kCases = 100;

struct Case {
  Seed seed;
  Bytes message;
};

std::vector<Case> published_cases() {
  Seed entropy;
  for (std::size_t i = 0; i < entropy.size(); ++i) entropy[i] = static_cast<std::uint8_t>(i);
  NistDrbg drbg(entropy);
  std::vector<Case> cases(kCases);
  for (std::size_t i = 0; i < kCases; ++i) {
    drbg.fill(cases[i].seed);
    cases[i].message.resize(33 * (i + 1));
    drbg.fill(cases[i].message);
  }
  return cases;
}

std::string upper_hex(ByteView bytes) {
  std::string text = to_hex(bytes);
  for (char& c : text) {
    if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// The form of a signed message in that file: length of the last part, nonce, message, then a header
// of its own and the coefficients.
Bytes signed_message(ByteView message, ByteView signature) {
  constexpr std::uint8_t kHeader = 0x2A;
  const ByteView coefficients = signature.subspan(kSignatureHeadSize);
  const std::size_t size = coefficients.size() + 1;
  Bytes sm = {static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
  const ByteView nonce = signature.subspan(1, kNonceSize);
  sm.insert(sm.end(), nonce.begin(), nonce.end());
  sm.insert(sm.end(), message.begin(), message.end());
  sm.push_back(kHeader);
  sm.insert(sm.end(), coefficients.begin(), coefficients.end());
  return sm;
}

std::string answer(std::size_t count, const Case& input, Arithmetic arithmetic) {
  NistDrbg drbg(input.seed);
  Seed key_seed;
  drbg.fill(key_seed);
  SigningRandomness randomness;
  drbg.fill(randomness.nonce);
  drbg.fill(randomness.seed);
  const SigningKey key = SigningKey::generate(key_seed, arithmetic);
  const Bytes signature =
      key.sign(input.message, randomness, SignatureFormat::Compressed, arithmetic);
  EXPECT_TRUE(key.verifying_key()
                  .verify(input.message, signature, SignatureFormat::Compressed)
                  .has_value());
  const auto secret = key.encode();
  const Bytes sm = signed_message(input.message, signature);
  return "count = " + std::to_string(count) + "\nseed = " + upper_hex(input.seed) +
         "\nmlen = " + std::to_string(input.message.size()) +
         "\nmsg = " + upper_hex(input.message) +
         "\npk = " + upper_hex(key.verifying_key().encode()) +
         "\nsk = " + upper_hex(ByteView(secret.data(), secret.size())) +
         "\nsmlen = " + std::to_string(sm.size()) + "\nsm = " + upper_hex(sm) + "\n\n";
}

std::string answers(Arithmetic arithmetic) {
  std::string file = "# Falcon-1024\n\n";
  const auto cases = published_cases();
  for (std::size_t i = 0; i < kCases; ++i) file += answer(i, cases[i], arithmetic);
  return file;
}

class FalconKnownAnswers : public testing::TestWithParam<Arithmetic> {};
INSTANTIATE_TEST_SUITE_P(OfBothArithmetics, FalconKnownAnswers,
                         testing::Values(Arithmetic::Emulated, Arithmetic::Hardware),
                         [](const auto& arithmetic) {
                           return arithmetic.param == Arithmetic::Emulated ? "Emulated"
                                                                           : "Hardware";
                         });

TEST_P(FalconKnownAnswers, AllHundredOfRound3AreReproduced) {
  EXPECT_EQ(crypto::sha256(as_bytes(answers(GetParam()))).to_string(),
            "036a0bf5260573cec44977284dfef756cd1143db9961b981bd1fb55828acb20d");
}

}  // namespace
}  // namespace hm::falcon
