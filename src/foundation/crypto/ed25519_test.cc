// SPDX-License-Identifier: Apache-2.0
// The adversarial constants were computed with an independent implementation of the group.
#include "foundation/crypto/ed25519.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "foundation/base/hex.h"

namespace hm::crypto {
namespace {

PublicKey key_from(std::string_view hex) { return PublicKey::parse(hex).value(); }

Signature signature_from(std::string_view hex) {
  Signature signature;
  EXPECT_TRUE(from_hex_exact(hex, signature.bytes));
  return signature;
}

Signature signature_of(std::string_view r, std::string_view s) {
  return signature_from(std::string(r) + std::string(s));
}

const PublicKey kKey = key_from("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8");
constexpr std::string_view kMessage = "hello";

// Every encoding, canonical or not, of the eight points whose order divides 8.
const std::vector<std::string_view> kSmallOrder = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

// Points of large order, written with y + p.
const std::vector<std::string_view> kNonCanonical = {
    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

TEST(Ed25519, ReproducesTheVectorsOfRfc8032) {
  struct Vector {
    std::string_view seed, key, message, signature;
  };
  const std::vector<Vector> vectors = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf"
       "9"
       "b46bd25bf5f0595bbe24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f"
       "1"
       "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984"
       "d"
       "c6594a7c15e9716ed28dc027beceea1ec40a"},
  };
  for (const Vector& v : vectors) {
    std::array<std::uint8_t, 32> seed{};
    ASSERT_TRUE(from_hex_exact(v.seed, seed));
    const SigningKey key = SigningKey::from_seed(seed);
    const Bytes message = from_hex(v.message).value();
    EXPECT_EQ(key.public_key(), key_from(v.key));
    EXPECT_EQ(key.sign(message), signature_from(v.signature));
    EXPECT_TRUE(verify(key.public_key(), message, signature_from(v.signature)));
    EXPECT_EQ(key.seed(), seed);
  }
}

TEST(Ed25519, RefusesAnyFlippedBitOfAGoodSignature) {
  const Signature good =
      signature_of("205b0f537994e4754a69d556e021685ffabc6150ec47b726dbce0a7f6ee57dbd",
                   "c17bd48eaa91792b609c1952086cebc0ee0d4aed37517799d39afb6d61705701");
  ASSERT_TRUE(verify(kKey, as_bytes(kMessage), good));
  EXPECT_FALSE(verify(kKey, as_bytes("hellp"), good));
  for (std::size_t bit = 0; bit < 512; ++bit) {
    Signature bad = good;
    bad.bytes[bit / 8] = static_cast<std::uint8_t>(bad.bytes[bit / 8] ^ (1u << (bit % 8)));
    EXPECT_FALSE(verify(kKey, as_bytes(kMessage), bad)) << "bit " << bit;
  }
}

TEST(Ed25519, RefusesSPlusTheGroupOrder) {
  EXPECT_FALSE(
      verify(kKey, as_bytes(kMessage),
             signature_of("205b0f537994e4754a69d556e021685ffabc6150ec47b726dbce0a7f6ee57dbd",
                          "ae4fcaebc4f48b83363911f5e665cad5ee0d4aed37517799d39afb6d61705711")));
}

TEST(Ed25519, RefusesAForgeryUnderAKeyOfSmallOrder) {
  // R = 9·B, S = 9 and k divisible by 8, so that S·B = R + k·A holds without any secret.
  EXPECT_FALSE(
      verify(key_from(kSmallOrder[1]), as_bytes(kMessage),
             signature_of("39289c8998fd69835c26b619e89848a7bf02b7cb7ad1ba1581cbc4506f2550ce",
                          "0e00000000000000000000000000000000000000000000000000000000000000")));
}

TEST(Ed25519, RefusesEveryKeyOfSmallOrderInEveryEncoding) {
  // With A = identity, R = S·B verifies in a lax verifier for every message.
  const std::string_view b = "5866666666666666666666666666666666666666666666666666666666666666";
  const std::string_view one = "0100000000000000000000000000000000000000000000000000000000000000";
  for (const std::string_view key : kSmallOrder) {
    EXPECT_FALSE(verify(key_from(key), as_bytes(kMessage), signature_of(b, one))) << key;
    EXPECT_FALSE(is_valid_key(key_from(key))) << key;
  }
}

TEST(Ed25519, RefusesASignatureWhoseRHasSmallOrder) {
  // R = identity and S = k·a satisfies the equation; made with the secret key.
  EXPECT_FALSE(
      verify(kKey, as_bytes(kMessage),
             signature_of(kSmallOrder[0],
                          "886ae494f275b058711e7af9a674b98a115a93ee84abcc8d0bf3e79ab2cdec02")));
  for (const std::string_view r : kSmallOrder) {
    EXPECT_FALSE(verify(kKey, as_bytes(kMessage), signature_of(r, std::string(64, '0')))) << r;
  }
}

TEST(Ed25519, RefusesNonCanonicalKeysAndR) {
  for (const std::string_view point : kNonCanonical) {
    EXPECT_FALSE(is_valid_key(key_from(point))) << point;
    EXPECT_FALSE(
        verify(key_from(point), as_bytes(kMessage),
               signature_of("5866666666666666666666666666666666666666666666666666666666666666",
                            std::string(64, '0'))))
        << point;
    EXPECT_FALSE(verify(kKey, as_bytes(kMessage), signature_of(point, std::string(64, '0'))))
        << point;
  }
}

TEST(Ed25519, RefusesASignatureThatOnlyTheCofactorWouldSave) {
  EXPECT_FALSE(
      verify(kKey, as_bytes(kMessage),
             signature_of("1c354c4c7a6de4bcb4fd275f391333dd9bf17d38b41332753f60cf56d5ef4fcc",
                          "aeb70e5db827c4748c2bfc24ef439ca7b6cc0a5eab1403fa79610e4a61dc4302")));
}

TEST(Ed25519, KeyWithATorsionPartIsNotValidForRegistration) {
  // A + T with T of order 8: verify() depends on k mod 8 under such a key, so none is ever
  // admitted.
  const PublicKey mixed =
      key_from("b502ff3d92e31d8190b4aa4ea0414005167fad089c4de9dac8a2fc850fed4f58");
  EXPECT_FALSE(is_valid_key(mixed));
  EXPECT_TRUE(is_valid_key(kKey));
}

TEST(Ed25519, KeyThatIsNoPointIsRefused) {
  PublicKey no_point;
  no_point.bytes.fill(0x02);
  EXPECT_FALSE(is_valid_key(no_point));
  EXPECT_FALSE(verify(no_point, as_bytes(kMessage), Signature{}));
}

}  // namespace
}  // namespace hm::crypto
