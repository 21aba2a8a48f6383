// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/aes128_gcm.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <memory>
#include <string_view>

#include "foundation/base/hex.h"

namespace hm::crypto {
namespace {

using Nonce = std::array<std::uint8_t, kAeadNonceSize>;
using Key = std::array<std::uint8_t, kAes128KeySize>;

class Aes128 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_aes128()) GTEST_SKIP() << "no vector instructions for AES";
  }
};

Bytes hex(std::string_view digits) { return *from_hex(digits); }

template <std::size_t N>
std::array<std::uint8_t, N> array_of(std::string_view digits) {
  std::array<std::uint8_t, N> out{};
  std::ranges::copy(hex(digits), out.begin());
  return out;
}

Bytes seal(const Key& key, const Nonce& nonce, ByteView bound, ByteView text) {
  Bytes sealed(text.size() + kAeadTagSize);
  Aes128Gcm(key).seal(nonce, bound, text, sealed);
  return sealed;
}

Bytes counting(std::size_t length, std::uint8_t first) {
  Bytes out(length);
  for (std::size_t i = 0; i < length; ++i) out[i] = static_cast<std::uint8_t>(first + i * 151);
  return out;
}

// By OpenSSL.
Bytes expected_seal(const Key& key, const Nonce& nonce, ByteView bound, ByteView text) {
  Bytes sealed(text.size() + kAeadTagSize);
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int length = 0;
  EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, key.data(), nonce.data());
  EVP_EncryptUpdate(context.get(), nullptr, &length, bound.data(), static_cast<int>(bound.size()));
  EVP_EncryptUpdate(context.get(), sealed.data(), &length, text.data(),
                    static_cast<int>(text.size()));
  EVP_EncryptFinal_ex(context.get(), sealed.data() + text.size(), &length);
  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize,
                      sealed.data() + text.size());
  return sealed;
}

TEST_F(Aes128, ReproducesGcmTestCases1And2And4) {
  EXPECT_EQ(to_hex(seal({}, {}, {}, {})), "58e2fccefa7e3061367f1d57a4e7455a");
  EXPECT_EQ(to_hex(seal({}, {}, {}, Bytes(16))),
            "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf");
  const Bytes sealed = seal(
      array_of<16>("feffe9928665731c6d6a8f9467308308"), array_of<12>("cafebabefacedbaddecaf888"),
      hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
      hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e24"
          "49a6b525b16aedf5aa0de657ba637b39"));
  EXPECT_EQ(
      to_hex(sealed),
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5a"
      "ac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47");
}

// FIPS 197, appendix B.
TEST_F(Aes128, ReproducesTheStandardsBlock) {
  const Aes128Block cipher(array_of<16>("2b7e151628aed2a6abf7158809cf4f3c"));
  EXPECT_EQ(to_hex(cipher.encrypt(array_of<16>("3243f6a8885a308d313198a2e0370734"))),
            "3925841d02dc09fbdc118597196a0b32");
}

TEST_F(Aes128, SealsInPlaceOrNotWhatAnotherLibraryDoes) {
  for (std::size_t length = 0; length < 5'000; length = length < 300 ? length + 1 : length + 97) {
    Key key{};
    key.fill(static_cast<std::uint8_t>(length));
    Nonce nonce{};
    nonce.fill(static_cast<std::uint8_t>(length >> 8));
    const Bytes bound = counting(length % 67, 1);
    const Bytes text = counting(length, 2);
    const Bytes expected = expected_seal(key, nonce, bound, text);
    const Aes128Gcm cipher(key);
    ASSERT_EQ(seal(key, nonce, bound, text), expected) << length;
    Bytes place = text;
    place.resize(length + kAeadTagSize);
    cipher.seal(nonce, bound, ByteView(place).first(length), place);
    ASSERT_EQ(place, expected) << length;
    Bytes opened(length);
    ASSERT_TRUE(cipher.open(nonce, bound, place, opened)) << length;
    ASSERT_EQ(opened, text) << length;
    ASSERT_TRUE(cipher.open(nonce, bound, place, std::span(place).first(length))) << length;
    place.resize(length);
    ASSERT_EQ(place, text) << length;
  }
}

TEST_F(Aes128, NeitherOpensNorLeavesWhatWasAltered) {
  const Aes128Gcm cipher(Key{});
  const Bytes text = counting(1000, 3);
  const Bytes bound = counting(20, 4);
  const Bytes sealed = seal({}, {}, bound, text);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes bad = sealed;
    bad[i] ^= 0x80;
    Bytes opened(text.size(), 1);
    ASSERT_FALSE(cipher.open(Nonce{}, bound, bad, opened)) << i;
    ASSERT_EQ(opened, Bytes(text.size())) << i;
  }
  Bytes opened(text.size());
  EXPECT_FALSE(cipher.open(Nonce{}, counting(20, 5), sealed, opened));
  EXPECT_FALSE(cipher.open(Nonce{}, {}, sealed, opened));
}

}  // namespace
}  // namespace hm::crypto
