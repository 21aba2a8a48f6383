// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/signing_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "foundation/crypto/falcon/codec.h"

namespace hm::falcon {
namespace {

constexpr std::array kFormats = {SignatureFormat::Compressed, SignatureFormat::Padded};

Seed seed_of(std::uint8_t first) { return Seed{first}; }

// One key for all tests: making it is the longest part of them.
const SigningKey& test_key() {
  static const SigningKey key = SigningKey::generate(seed_of(7), Arithmetic::Hardware);
  return key;
}

ByteView test_message() { return as_bytes("a message of the test"); }

Bytes signature(const SigningKey& key, ByteView message, std::uint32_t number,
                SignatureFormat format, Arithmetic arithmetic = Arithmetic::Hardware) {
  SigningRandomness randomness;
  for (std::size_t i = 0; i < 4; ++i) {
    randomness.seed[i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return key.sign(message, randomness, format, arithmetic);
}

bool is_valid(const VerifyingKey& key, ByteView message, ByteView signature,
              SignatureFormat format) {
  return key.verify(message, signature, format).has_value();
}

TEST(FalconSign, SignaturesOfBothFormatsAndArithmeticsVerify) {
  for (const SignatureFormat format : kFormats) {
    for (const Arithmetic arithmetic : {Arithmetic::Emulated, Arithmetic::Hardware}) {
      const Bytes s = signature(test_key(), test_message(), 1, format, arithmetic);
      EXPECT_TRUE(is_valid(test_key().verifying_key(), test_message(), s, format));
    }
  }
  EXPECT_EQ(signature(test_key(), {}, 2, SignatureFormat::Padded).size(), 1280U);
}

TEST(FalconSign, TheArithmeticDoesNotShowInTheSignature) {
  for (std::uint32_t number = 0; number < 20; ++number) {
    EXPECT_EQ(signature(test_key(), test_message(), number, SignatureFormat::Padded,
                        Arithmetic::Emulated),
              signature(test_key(), test_message(), number, SignatureFormat::Padded,
                        Arithmetic::Hardware));
  }
}

TEST(FalconSign, RandomnessDecidesTheSignatureAndTheNonceIsPartOfIt) {
  const auto format = SignatureFormat::Compressed;
  EXPECT_EQ(signature(test_key(), test_message(), 3, format),
            signature(test_key(), test_message(), 3, format));
  EXPECT_NE(signature(test_key(), test_message(), 3, format),
            signature(test_key(), test_message(), 4, format));
  SigningRandomness randomness;
  randomness.nonce.fill(0xAB);
  const Bytes s = test_key().sign(test_message(), randomness, format, Arithmetic::Hardware);
  EXPECT_TRUE(std::equal(randomness.nonce.begin(), randomness.nonce.end(), s.begin() + 1));
}

// This seed's first vector takes 1281 bytes.
TEST(FalconSign, AVectorTooLongForThePaddedFormatIsSampledAgain) {
  constexpr std::uint32_t kLongFirstVector = 907;
  const Bytes compressed = signature(test_key(), {}, kLongFirstVector, SignatureFormat::Compressed);
  ASSERT_GT(compressed.size(), kPaddedSignatureSize);
  const Bytes padded = signature(test_key(), {}, kLongFirstVector, SignatureFormat::Padded);
  EXPECT_EQ(padded.size(), kPaddedSignatureSize);
  EXPECT_TRUE(is_valid(test_key().verifying_key(), {}, padded, SignatureFormat::Padded));
}

TEST(FalconSign, AnotherKeyRefuses) {
  const SigningKey other = SigningKey::generate(seed_of(8), Arithmetic::Hardware);
  for (const SignatureFormat format : kFormats) {
    const Bytes s = signature(test_key(), test_message(), 5, format);
    EXPECT_EQ(other.verifying_key().verify(test_message(), s, format).error(), Refusal::NotShort);
  }
}

TEST(FalconSign, AFlippedBitAnywhereInTheSignatureIsRefused) {
  for (const SignatureFormat format : kFormats) {
    const Bytes good = signature(test_key(), test_message(), 6, format);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      Bytes bad = good;
      bad[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
      ASSERT_FALSE(is_valid(test_key().verifying_key(), test_message(), bad, format)) << bit;
    }
  }
}

TEST(FalconSign, AFlippedBitInAnyByteOfTheMessageIsRefused) {
  const Bytes s = signature(test_key(), test_message(), 7, SignatureFormat::Padded);
  for (std::size_t i = 0; i < test_message().size(); ++i) {
    Bytes message = to_bytes(test_message());
    message[i] ^= 0x10;
    EXPECT_FALSE(is_valid(test_key().verifying_key(), message, s, SignatureFormat::Padded)) << i;
  }
  EXPECT_FALSE(is_valid(test_key().verifying_key(), test_message().first(test_message().size() - 1),
                        s, SignatureFormat::Padded));
}

TEST(FalconSign, AFlippedBitInAnyByteOfThePublicKeyIsRefused) {
  const Bytes s = signature(test_key(), test_message(), 8, SignatureFormat::Padded);
  const auto good = test_key().verifying_key().encode();
  ASSERT_TRUE(
      is_valid(VerifyingKey::decode(good).value(), test_message(), s, SignatureFormat::Padded));
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= static_cast<std::uint8_t>(1 << (i % 8));
    const auto key = VerifyingKey::decode(bad);
    EXPECT_FALSE(key && is_valid(*key, test_message(), s, SignatureFormat::Padded)) << i;
  }
}

TEST(FalconSign, AnEncodedKeyComesBackWithItsPublicKeyAndSignsTheSame) {
  const auto bytes = test_key().encode();
  ASSERT_EQ(bytes.size(), 2305U);
  const SigningKey back = SigningKey::decode(ByteView(bytes.data(), bytes.size())).value();
  EXPECT_EQ(back.verifying_key(), test_key().verifying_key());
  EXPECT_EQ(signature(back, test_message(), 9, SignatureFormat::Padded),
            signature(test_key(), test_message(), 9, SignatureFormat::Padded));
}

TEST(FalconSign, AMovedKeyKeepsSigning) {
  SigningKey key = SigningKey::generate(seed_of(9), Arithmetic::Hardware);
  const Bytes before = signature(key, test_message(), 10, SignatureFormat::Padded);
  const SigningKey moved = std::move(key);
  EXPECT_EQ(signature(moved, test_message(), 10, SignatureFormat::Padded), before);
}

Refusal decode_refusal(const std::array<std::uint8_t, kSecretKeySize>& bytes) {
  return SigningKey::decode(bytes).error();
}

TEST(FalconSign, SecretKeysThatAreNoneAreRefused) {
  std::array<std::uint8_t, kSecretKeySize> bytes{};
  EXPECT_EQ(decode_refusal(bytes), Refusal::WrongHeader);
  bytes[0] = kSecretKeyHeader;
  EXPECT_EQ(decode_refusal(bytes), Refusal::NotInvertible);  // f = 0
  const auto good = test_key().encode();
  std::ranges::copy(good, bytes.begin());
  for (const std::size_t at : {std::size_t{1}, std::size_t{700}, kSecretKeySize - 1}) {
    auto bad = bytes;
    bad[at] ^= 1;  // f, g or F
    EXPECT_EQ(decode_refusal(bad), Refusal::NotAnNtruKey) << at;
  }
  EXPECT_EQ(SigningKey::decode(ByteView(bytes).first(100)).error(), Refusal::WrongLength);
}

// In powers of x^256: a solution of f G - g F = q whose second vector, orthogonalised, is long.
// Signing under it would try again without end.
TEST(FalconSign, AKeyWithALongBasisIsRefused) {
  constexpr std::array<std::array<std::int8_t, 4>, 3> kParts = {
      {{13, -13, -13, -14}, {-13, 14, 14, -15}, {103, -108, 120, 124}}};
  std::array<std::array<std::int8_t, kDegree>, 3> polynomials{};
  for (std::size_t p = 0; p < 3; ++p) {
    for (std::size_t i = 0; i < 4; ++i) polynomials[p][256 * i] = kParts[p][i];
  }
  std::array<std::uint8_t, kSecretKeySize> bytes;
  encode_secret_key(polynomials[0], polynomials[1], polynomials[2], bytes);
  EXPECT_EQ(decode_refusal(bytes), Refusal::LongBasis);
}

}  // namespace
}  // namespace hm::falcon
