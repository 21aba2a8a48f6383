// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/prng.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"

namespace hm::falcon {
namespace {

constexpr std::size_t kPortion = 512;

keccak::Shake256 source_of(std::string_view seed) {
  keccak::Shake256 source;
  source.absorb(as_bytes(seed));
  return source;
}

// One block of ChaCha20 (RFC 8439 §2.3) by OpenSSL: eight words of key, then counter and nonce.
std::array<std::uint8_t, 64> chacha_block(ByteView key, ByteView counter_and_nonce) {
  const std::array<std::uint8_t, 64> zeros{};
  std::array<std::uint8_t, 64> block;
  int size = 0;
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  HM_CHECK(EVP_EncryptInit_ex(context, EVP_chacha20(), nullptr, key.data(),
                              counter_and_nonce.data()) == 1);
  HM_CHECK(EVP_EncryptUpdate(context, block.data(), &size, zeros.data(), 64) == 1);
  EVP_CIPHER_CTX_free(context);
  return block;
}

// The portions that the submission's generator makes of a source, word by word from eight blocks.
Bytes expected_stream(keccak::Shake256 source, std::size_t portions) {
  std::array<std::uint8_t, 56> seed;
  source.squeeze(seed);
  Bytes stream(portions * kPortion);
  for (std::size_t block = 0; block < 8 * portions; ++block) {
    std::array<std::uint8_t, 16> last;
    std::copy_n(seed.begin() + 32, 16, last.begin());
    for (std::size_t i = 0; i < 8; ++i) {
      std::uint64_t counter = block;  // added to the little-endian counter of the seed
      for (std::size_t j = 0; j < 8; ++j) counter += std::uint64_t{seed[48 + j]} << (8 * j);
      last[8 + i] ^= static_cast<std::uint8_t>(counter >> (8 * i));
    }
    const auto bytes = chacha_block(ByteView(seed).first(32), last);
    for (std::size_t i = 0; i < 64; ++i) {
      const std::size_t at = (i / 4) * 32 + (block % 8) * 4 + i % 4;
      stream[block / 8 * kPortion + at] = bytes[i];
    }
  }
  return stream;
}

TEST(FalconPrng, IsChaCha20WithEightBlocksSideBySide) {
  auto source = source_of("seed");
  const Bytes expected = expected_stream(source, 3);
  Prng prng(source);
  Bytes stream(expected.size());
  for (std::uint8_t& byte : stream) byte = prng.next_byte();
  EXPECT_EQ(stream, expected);
}

TEST(FalconPrng, WordsAreLittleEndianAndNotTakenFromTheLastNineBytes) {
  auto source = source_of("words");
  const Bytes expected = expected_stream(source, 2);
  const auto word_at = [&](std::size_t at) {
    std::uint64_t word = 0;
    for (std::size_t j = 8; j-- > 0;) word = (word << 8) | expected[at + j];
    return word;
  };
  Prng prng(source);
  for (std::size_t i = 0; i < 62; ++i) ASSERT_EQ(prng.next_word(), word_at(8 * i));
  for (std::size_t i = 496; i < 502; ++i) ASSERT_EQ(prng.next_byte(), expected[i]);
  EXPECT_EQ(prng.next_word(), word_at(502));  // ten bytes are left
  for (std::size_t i = 510; i < 512; ++i) ASSERT_EQ(prng.next_byte(), expected[i]);
  for (std::size_t i = 512; i < 512 + 503; ++i) ASSERT_EQ(prng.next_byte(), expected[i]);
}

TEST(FalconPrng, ATailOfNineBytesIsSkippedByAWord) {
  auto source = source_of("tail");
  const Bytes expected = expected_stream(source, 2);
  Prng prng(source);
  for (std::size_t i = 0; i < 503; ++i) prng.next_byte();
  prng.next_word();
  EXPECT_EQ(prng.next_byte(), expected[kPortion + 8]);
}

TEST(FalconPrng, TakesTheNext56BytesOfItsSource) {
  auto source = source_of("twice");
  Prng first(source);
  auto rest = source_of("twice");
  std::array<std::uint8_t, 56> skipped;
  rest.squeeze(skipped);
  const Bytes expected = expected_stream(rest, 1);
  Prng second(source);
  EXPECT_EQ(second.next_byte(), expected[0]);
  EXPECT_EQ(second.next_byte(), expected[1]);
}

}  // namespace
}  // namespace hm::falcon
