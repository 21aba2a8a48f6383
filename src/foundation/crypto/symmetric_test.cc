// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "foundation/base/hex.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/hkdf.h"
#include "foundation/crypto/password.h"
#include "foundation/crypto/wipe.h"

namespace hm::crypto {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

template <std::size_t N>
std::array<std::uint8_t, N> array_of(std::string_view text) {
  std::array<std::uint8_t, N> out{};
  EXPECT_TRUE(from_hex_exact(text, out));
  return out;
}

TEST(Sha256, ReproducesTheVectorsOfFips180) {
  EXPECT_EQ(sha256({}).to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256(as_bytes("abc")).to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, TagSeparatesDomainsAndItsLengthIsBound) {
  EXPECT_EQ(tagged_hash("hm", as_bytes("x")), sha256(hex("02686d78")));
  EXPECT_NE(tagged_hash("hm", as_bytes("x")), tagged_hash("hmx", as_bytes("")));
  Bytes pair = hex("01");
  const Digest left = sha256(as_bytes("l"));
  const Digest right = sha256(as_bytes("r"));
  pair.insert(pair.end(), left.bytes.begin(), left.bytes.end());
  pair.insert(pair.end(), right.bytes.begin(), right.bytes.end());
  EXPECT_EQ(hash_pair(left, right), sha256(pair));
}

TEST(Sha256, PiecesHashLikeTheWhole) {
  Sha256 hash;
  EXPECT_EQ(hash.digest(), sha256({}));
  hash.update(as_bytes("a"));
  EXPECT_EQ(hash.digest(), sha256(as_bytes("a")));
  hash.update({});
  hash.update(as_bytes("bc"));
  EXPECT_EQ(hash.digest(), sha256(as_bytes("abc")));
  const Sha256 moved = std::move(hash);
  EXPECT_EQ(moved.digest(), sha256(as_bytes("abc")));
}

TEST(Hmac, ReproducesRfc4231Case2) {
  EXPECT_EQ(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?")).to_string(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

// The constant was computed with the reference implementation's command line, `argon2 -id`.
TEST(Password, KeyIsThatOfTheReferenceImplementation) {
  const PasswordSalt salt = array_of<16>("30313233343536373839616263646566");
  const auto key = derive_password_key("correct horse battery staple", salt, {2, 8192});
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(to_hex(*key), "b054554d1b007921df84181b7b0e54552da5e937e0153215cc5a3d86b8f4ba54");
}

TEST(Password, CostsBeyondTheBoundsAreNotPaid) {
  EXPECT_TRUE(is_acceptable(kDefaultPasswordCost));
  EXPECT_FALSE(is_acceptable({0, 256 * 1024}));
  EXPECT_FALSE(is_acceptable({17, 256 * 1024}));
  EXPECT_FALSE(is_acceptable({3, 1024}));
  EXPECT_FALSE(is_acceptable({3, UINT32_MAX}));
}

TEST(Hkdf, ReproducesRfc5869Cases1And3) {
  const Bytes secret(22, 0x0b);
  Bytes out(42);
  hkdf_sha256(secret, hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"), out);
  EXPECT_EQ(to_hex(out),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  hkdf_sha256(secret, {}, {}, out);
  EXPECT_EQ(to_hex(out),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Aead, ReproducesGcmTestCases13And14And16) {
  const AeadKey zero_key{};
  const AeadNonce zero_nonce{};
  EXPECT_EQ(to_hex(seal(zero_key, zero_nonce, {}, {})), "530f8afbc74536b9a963b4f1c4cb738b");
  EXPECT_EQ(to_hex(seal(zero_key, zero_nonce, {}, Bytes(16))),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
  const Bytes sealed = seal(
      array_of<32>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
      array_of<12>("cafebabefacedbaddecaf888"), hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
      hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e24"
          "49a6b525b16aedf5aa0de657ba637b39"));
  EXPECT_EQ(
      to_hex(sealed),
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b10"
      "56828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
}

TEST(Aead, OpensWhatItSealedAndNothingElse) {
  AeadKey key{};
  key.fill(7);
  AeadNonce nonce{};
  const Bytes text = to_bytes(as_bytes("twelve bytes"));
  const Bytes bound = to_bytes(as_bytes("aad"));
  const Bytes sealed = seal(key, nonce, bound, text);
  EXPECT_EQ(open(key, nonce, bound, sealed), text);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes bad = sealed;
    bad[i] ^= 1;
    EXPECT_FALSE(open(key, nonce, bound, bad)) << i;
  }
  EXPECT_FALSE(open(key, nonce, as_bytes("aae"), sealed));
  EXPECT_FALSE(open(key, nonce, bound, ByteView(sealed).first(sealed.size() - 1)));
  EXPECT_FALSE(open(key, nonce, bound, ByteView(sealed).first(kAeadTagSize - 1)));
  nonce[0] = 1;
  EXPECT_FALSE(open(key, nonce, bound, sealed));
}

// Lengths around blocks of 16 bytes and the 256 and 768 that vector code takes at a time.
std::vector<std::size_t> lengths_around_blocks() {
  std::vector<std::size_t> lengths;
  for (std::size_t length = 0; length < 80; ++length) lengths.push_back(length);
  for (const std::size_t block : {128U, 256U, 512U, 768U, 1024U, 4096U, 65536U}) {
    for (const std::size_t length : {block - 1, block, block + 1, block + 17}) {
      lengths.push_back(length);
    }
  }
  return lengths;
}

Bytes counting(std::size_t length, std::uint8_t first) {
  Bytes out(length);
  for (std::size_t i = 0; i < length; ++i) out[i] = static_cast<std::uint8_t>(first + i * 151);
  return out;
}

TEST(Aead, EveryBackendSealsToTheSameBytesAndOpensThem) {
  Aead portable(Backend::Portable);
  for (const Backend backend : supported_backends()) {
    Aead other(backend);
    for (const std::size_t length : lengths_around_blocks()) {
      AeadKey key{};
      key.fill(static_cast<std::uint8_t>(length));
      AeadNonce nonce{};
      nonce.fill(static_cast<std::uint8_t>(length >> 8));
      const Bytes bound = counting(length % 67, 1);
      const Bytes text = counting(length, 2);
      Bytes expected(length + kAeadTagSize);
      Bytes sealed(length + kAeadTagSize);
      Bytes opened(length);
      portable.seal(key, nonce, bound, text, expected);
      other.seal(key, nonce, bound, text, sealed);
      ASSERT_EQ(sealed, expected) << name_of(backend) << " " << length;
      ASSERT_TRUE(other.open(key, nonce, bound, sealed, opened)) << name_of(backend);
      ASSERT_EQ(opened, text) << name_of(backend) << " " << length;
    }
  }
}

TEST(Aead, PiecesAreSealedToWhatTheyAreTogether) {
  for (const Backend backend : supported_backends()) {
    Aead aead(backend);
    const Bytes text = counting(1000, 3);
    const Bytes bound = counting(20, 4);
    Bytes expected(text.size() + kAeadTagSize);
    aead.seal({}, {}, bound, text, expected);
    for (std::size_t in = 1; in < 300; in += 7) {
      for (const std::size_t out : {std::size_t{1}, std::size_t{15}, std::size_t{64}, in + 1}) {
        Bytes sealed(expected.size());
        std::vector<ByteView> from{ByteView()};
        for (ByteView left = text; !left.empty(); left = left.subspan(from.back().size())) {
          from.push_back(left.first(std::min(in, left.size())));
        }
        std::vector<std::span<std::uint8_t>> to;
        for (std::span left = sealed; !left.empty(); left = left.subspan(to.back().size())) {
          to.push_back(left.first(std::min(out, left.size())));
        }
        aead.seal_pieces({}, {}, bound, from, to);
        ASSERT_EQ(sealed, expected) << name_of(backend) << " " << in << " " << out;
      }
    }
  }
}

TEST(Aead, NoBackendOpensOrLeavesWhatWasAltered) {
  for (const Backend backend : supported_backends()) {
    Aead aead(backend);
    const Bytes text = counting(1000, 3);
    const Bytes bound = counting(20, 4);
    Bytes sealed(text.size() + kAeadTagSize);
    aead.seal({}, {}, bound, text, sealed);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      Bytes bad = sealed;
      bad[i] ^= 0x80;
      Bytes opened(text.size(), 1);
      ASSERT_FALSE(aead.open({}, {}, bound, bad, opened)) << name_of(backend) << " " << i;
      ASSERT_EQ(opened, Bytes(text.size())) << name_of(backend) << " " << i;
    }
    Bytes opened(text.size());
    EXPECT_FALSE(aead.open({}, {}, counting(20, 5), sealed, opened)) << name_of(backend);
    EXPECT_FALSE(aead.open({}, {}, {}, sealed, opened)) << name_of(backend);
  }
}

TEST(Wipe, OverwritesAndComparesByLengthAndContent) {
  Bytes secret = hex("0102ff");
  EXPECT_TRUE(equal_in_constant_time(secret, hex("0102ff")));
  EXPECT_FALSE(equal_in_constant_time(secret, hex("0102fe")));
  EXPECT_FALSE(equal_in_constant_time(secret, hex("0102")));
  wipe(secret);
  EXPECT_EQ(secret, hex("000000"));
}

}  // namespace
}  // namespace hm::crypto
