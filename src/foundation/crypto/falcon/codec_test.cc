// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>

namespace hm::falcon {
namespace {

using Residues = std::array<Residue, kDegree>;
using Small = std::array<std::int8_t, kDegree>;
using Short = std::array<std::int16_t, kDegree>;
using PublicBytes = std::array<std::uint8_t, kPublicKeySize>;
using SecretBytes = std::array<std::uint8_t, kSecretKeySize>;

constexpr std::array kFormats = {SignatureFormat::Compressed, SignatureFormat::Padded};

template <class Array>
Array filled(std::mt19937_64& chance, int low, int high) {
  Array a;
  for (auto& x : a) {
    const auto offset = chance() % static_cast<unsigned>(high - low + 1);
    x = static_cast<typename Array::value_type>(low + static_cast<int>(offset));
  }
  return a;
}

// A bit of the encoding, counted from the first behind `head` bytes, high bits first.
void set_bit(std::span<std::uint8_t> bytes, std::size_t head, std::size_t bit, bool value) {
  const auto mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
  std::uint8_t& byte = bytes[head + bit / 8];
  byte = static_cast<std::uint8_t>(value ? byte | mask : byte & ~mask);
}

void set_field(std::span<std::uint8_t> bytes, std::size_t bit, unsigned width, unsigned value) {
  for (unsigned i = 0; i < width; ++i) {
    set_bit(bytes, 1, bit + i, ((value >> (width - 1 - i)) & 1) != 0);
  }
}

PublicBytes public_key(unsigned seed) {
  std::mt19937_64 chance(seed);
  PublicBytes bytes;
  encode_public_key(filled<Residues>(chance, 0, kModulus - 1), bytes);
  return bytes;
}

SecretBytes secret_key(unsigned seed) {
  std::mt19937_64 chance(seed);
  const auto f = filled<Small>(chance, -15, 15), g = filled<Small>(chance, -15, 15),
             big_f = filled<Small>(chance, -127, 127);
  SecretBytes bytes;
  encode_secret_key(f, g, big_f, bytes);
  return bytes;
}

Refusal public_refusal(ByteView bytes) {
  Residues h;
  return decode_public_key(bytes, h).error();
}

Refusal secret_refusal(ByteView bytes) {
  Small f, g, big_f;
  return decode_secret_key(bytes, f, g, big_f).error();
}

RC_GTEST_PROP(FalconCodec, PublicKeysRoundTrip, (unsigned seed)) {
  std::mt19937_64 chance(seed);
  const auto h = filled<Residues>(chance, 0, kModulus - 1);
  PublicBytes bytes;
  encode_public_key(h, bytes);
  Residues back;
  RC_ASSERT(decode_public_key(bytes, back).has_value());
  RC_ASSERT(back == h);
}

TEST(FalconCodec, PublicKeysArePackedHighBitsFirst) {
  Residues h{};
  h[0] = 0x2000;
  h[1] = 0x0001;
  h[kDegree - 1] = 0x0003;
  PublicBytes bytes;
  encode_public_key(h, bytes);
  EXPECT_EQ(bytes[0], 0x0A);
  EXPECT_EQ(bytes[1], 0x80);
  EXPECT_EQ(bytes[4], 0x10);
  EXPECT_EQ(bytes.back(), 0x03);
}

TEST(FalconCodec, PublicKeysOfAnotherLengthOrHeaderAreRefused) {
  const PublicBytes good = public_key(1);
  Bytes longer(good.begin(), good.end());
  longer.push_back(0);
  EXPECT_EQ(public_refusal(longer), Refusal::WrongLength);
  EXPECT_EQ(public_refusal(ByteView(good).first(kPublicKeySize - 1)), Refusal::WrongLength);
  EXPECT_EQ(public_refusal({}), Refusal::WrongLength);
  for (unsigned header = 0; header < 256; ++header) {
    if (header == kPublicKeyHeader) continue;
    PublicBytes bytes = good;
    bytes[0] = static_cast<std::uint8_t>(header);
    EXPECT_EQ(public_refusal(bytes), Refusal::WrongHeader);
  }
}

TEST(FalconCodec, PublicKeysWithACoefficientOfQOrMoreAreRefused) {
  for (const std::size_t at : {std::size_t{0}, std::size_t{1}, std::size_t{513}, kDegree - 1}) {
    for (const unsigned value : {kModulus, kModulus + 1, 0x3FFFU}) {
      PublicBytes bytes = public_key(2);
      set_field(bytes, at * kPublicKeyBits, kPublicKeyBits, value);
      EXPECT_EQ(public_refusal(bytes), Refusal::CoefficientOutOfRange) << at << ' ' << value;
    }
  }
}

RC_GTEST_PROP(FalconCodec, SecretKeysRoundTrip, (unsigned seed)) {
  std::mt19937_64 chance(seed);
  const auto f = filled<Small>(chance, -15, 15), g = filled<Small>(chance, -15, 15),
             big_f = filled<Small>(chance, -127, 127);
  SecretBytes bytes;
  encode_secret_key(f, g, big_f, bytes);
  Small f2, g2, big_f2;
  RC_ASSERT(decode_secret_key(bytes, f2, g2, big_f2).has_value());
  RC_ASSERT(f == f2 && g == g2 && big_f == big_f2);
}

TEST(FalconCodec, SecretKeysOfAnotherLengthOrHeaderAreRefused) {
  const SecretBytes good = secret_key(1);
  EXPECT_EQ(secret_refusal(ByteView(good).first(kSecretKeySize - 1)), Refusal::WrongLength);
  Bytes longer(good.begin(), good.end());
  longer.push_back(0);
  EXPECT_EQ(secret_refusal(longer), Refusal::WrongLength);
  SecretBytes other = good;
  other[0] = 0x59;
  EXPECT_EQ(secret_refusal(other), Refusal::WrongHeader);
}

TEST(FalconCodec, SecretKeysWithTheValueThatHasNoNegativeAreRefused) {
  const std::size_t g_at = kDegree * kSmallBits, big_f_at = 2 * g_at;
  for (const std::size_t i : {std::size_t{0}, std::size_t{700}, kDegree - 1}) {
    SecretBytes in_f = secret_key(3), in_g = in_f, in_big_f = in_f;
    set_field(in_f, i * kSmallBits, kSmallBits, 0x10);
    set_field(in_g, g_at + i * kSmallBits, kSmallBits, 0x10);
    set_field(in_big_f, big_f_at + i * kLargeBits, kLargeBits, 0x80);
    EXPECT_EQ(secret_refusal(in_f), Refusal::CoefficientOutOfRange) << i;
    EXPECT_EQ(secret_refusal(in_g), Refusal::CoefficientOutOfRange) << i;
    EXPECT_EQ(secret_refusal(in_big_f), Refusal::CoefficientOutOfRange) << i;
  }
}

// Coefficients of about the size that signatures have, so that they fit the padded format.
Short signature_like(unsigned seed) {
  std::mt19937_64 chance(seed);
  return filled<Short>(chance, -250, 250);
}

Bytes encoded(SignatureFormat format, const Short& s2) {
  std::array<std::uint8_t, kNonceSize> nonce;
  nonce.fill(0xFF);
  const auto bytes = encode_signature(format, nonce, s2);
  return bytes ? *bytes : Bytes{};
}

Refusal signature_refusal(SignatureFormat format, ByteView bytes) {
  Short s2;
  return decode_signature(format, bytes, s2).error();
}

RC_GTEST_PROP(FalconCodec, SignaturesRoundTrip, (unsigned seed)) {
  const Short s2 = signature_like(seed);
  for (const SignatureFormat format : kFormats) {
    Short back;
    RC_ASSERT(decode_signature(format, encoded(format, s2), back).has_value());
    RC_ASSERT(back == s2);
  }
}

TEST(FalconCodec, SignaturesAreHeaderNonceAndGolombRiceBits) {
  Short s2{};
  s2[0] = -1;
  s2[1] = 2047;
  const Bytes bytes = encoded(SignatureFormat::Compressed, s2);
  ASSERT_EQ(bytes.size(), kSignatureHeadSize + (2 * 9 + 15 + 1022 * 9 + 7) / 8);
  EXPECT_EQ(bytes[0], 0x3A);
  EXPECT_EQ(bytes[kNonceSize], 0xFF);
  // 1 0000001 1 ‖ 0 1111111 0^15 1 ‖ 0 0000000 1
  const Bytes body(bytes.begin() + kSignatureHeadSize, bytes.begin() + kSignatureHeadSize + 6);
  EXPECT_EQ(body, (Bytes{0x81, 0xBF, 0x80, 0x00, 0x80, 0x40}));
}

TEST(FalconCodec, PaddedSignaturesHave1280BytesEndedByZeros) {
  const Short s2 = signature_like(9);
  const Bytes compressed = encoded(SignatureFormat::Compressed, s2);
  Bytes padded = encoded(SignatureFormat::Padded, s2);
  ASSERT_EQ(padded.size(), 1280U);
  ASSERT_LT(compressed.size(), padded.size());
  EXPECT_TRUE(std::ranges::all_of(ByteView(padded).subspan(compressed.size()),
                                  [](std::uint8_t b) { return b == 0; }));
  padded.resize(compressed.size());
  EXPECT_EQ(padded, compressed);
}

TEST(FalconCodec, CoefficientsThatDoNotFitHaveNoEncoding) {
  for (const int beyond : {2048, -2048}) {
    Short s2 = signature_like(4);
    s2[77] = static_cast<std::int16_t>(beyond);
    EXPECT_TRUE(encoded(SignatureFormat::Compressed, s2).empty());
  }
  Short wide;
  wide.fill(350);  // 11 bits each: 1408 bytes
  EXPECT_EQ(encoded(SignatureFormat::Compressed, wide).size(), 1408 + kSignatureHeadSize);
  EXPECT_TRUE(encoded(SignatureFormat::Padded, wide).empty());
  wide.fill(400);  // 12 bits each
  EXPECT_TRUE(encoded(SignatureFormat::Compressed, wide).empty());
}

TEST(FalconCodec, TheLargestCompressedSignatureHas1462Bytes) {
  Short s2;
  s2.fill(256);  // 11 bits each
  for (std::size_t i = 0; i < 104; ++i) s2[i] = 384;
  const Bytes bytes = encoded(SignatureFormat::Compressed, s2);
  ASSERT_EQ(bytes.size(), kMaxCompressedSignatureSize);
  Short back;
  EXPECT_TRUE(decode_signature(SignatureFormat::Compressed, bytes, back).has_value());
  EXPECT_EQ(back, s2);
  s2[104] = 384;
  EXPECT_TRUE(encoded(SignatureFormat::Compressed, s2).empty());
}

TEST(FalconCodec, SignaturesOfAnotherLengthOrHeaderAreRefused) {
  const Short s2 = signature_like(5);
  const Bytes compressed = encoded(SignatureFormat::Compressed, s2);
  const Bytes padded = encoded(SignatureFormat::Padded, s2);
  EXPECT_EQ(signature_refusal(SignatureFormat::Padded, compressed), Refusal::WrongLength);
  EXPECT_EQ(signature_refusal(SignatureFormat::Compressed, padded), Refusal::TrailingBytes);
  EXPECT_EQ(signature_refusal(SignatureFormat::Compressed, Bytes(1463)), Refusal::WrongLength);
  EXPECT_EQ(signature_refusal(SignatureFormat::Compressed, Bytes(kSignatureHeadSize)),
            Refusal::WrongLength);
  EXPECT_EQ(signature_refusal(SignatureFormat::Compressed, {}), Refusal::WrongLength);
  for (const SignatureFormat format : kFormats) {
    for (unsigned header = 0; header < 256; ++header) {
      if (header == kSignatureHeader) continue;
      Bytes bytes = encoded(format, s2);
      bytes[0] = static_cast<std::uint8_t>(header);
      EXPECT_EQ(signature_refusal(format, bytes), Refusal::WrongHeader);
    }
  }
}

TEST(FalconCodec, EveryTruncationOfASignatureIsRefused) {
  const Bytes good = encoded(SignatureFormat::Compressed, signature_like(6));
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto refusal = signature_refusal(SignatureFormat::Compressed, ByteView(good).first(size));
    EXPECT_EQ(refusal, size <= kSignatureHeadSize ? Refusal::WrongLength : Refusal::Truncated);
  }
}

TEST(FalconCodec, BytesBehindASignatureAreRefused) {
  Bytes compressed = encoded(SignatureFormat::Compressed, signature_like(7));
  compressed.push_back(0);
  EXPECT_EQ(signature_refusal(SignatureFormat::Compressed, compressed), Refusal::TrailingBytes);
  const Bytes padded = encoded(SignatureFormat::Padded, signature_like(7));
  for (std::size_t i = compressed.size() - 1; i < padded.size(); ++i) {
    Bytes bytes = padded;
    bytes[i] = 1;
    EXPECT_EQ(signature_refusal(SignatureFormat::Padded, bytes), Refusal::TrailingBytes) << i;
  }
}

TEST(FalconCodec, BitsBehindTheLastCoefficientAreRefused) {
  Short s2{};
  s2[0] = 128;  // one bit more than a multiple of eight
  const std::size_t bits = kDegree * 9 + 1;
  for (const SignatureFormat format : kFormats) {
    for (std::size_t bit = bits; bit < bits + 7; ++bit) {
      Bytes bytes = encoded(format, s2);
      set_bit(bytes, kSignatureHeadSize, bit, true);
      EXPECT_EQ(signature_refusal(format, bytes), Refusal::TrailingBits) << bit;
    }
  }
}

TEST(FalconCodec, ANegativeZeroIsRefused) {
  const Short zeros{};
  for (const std::size_t i : {std::size_t{0}, std::size_t{511}, kDegree - 1}) {
    Bytes bytes = encoded(SignatureFormat::Padded, zeros);
    set_bit(bytes, kSignatureHeadSize, i * 9, true);
    EXPECT_EQ(signature_refusal(SignatureFormat::Padded, bytes), Refusal::NegativeZero) << i;
  }
}

TEST(FalconCodec, ACoefficientBeyond2047IsRefused) {
  Short s2{};
  s2[3] = 2047;
  Bytes bytes = encoded(SignatureFormat::Padded, s2);
  set_bit(bytes, kSignatureHeadSize, 3 * 9 + 8 + 15, false);  // the one that ends the unary part
  EXPECT_EQ(signature_refusal(SignatureFormat::Padded, bytes), Refusal::CoefficientOutOfRange);
}

TEST(FalconCodec, RefusalsHaveNames) {
  EXPECT_EQ(name_of(Refusal::WrongLength), "wrong_length");
  EXPECT_EQ(name_of(Refusal::NotShort), "not_short");
}

}  // namespace
}  // namespace hm::falcon
