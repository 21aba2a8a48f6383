// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/nist_drbg.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>

#include "foundation/base/check.h"
#include "foundation/base/hex.h"

namespace hm::falcon {

NistDrbg::NistDrbg(std::span<const std::uint8_t, 48> entropy) { update(entropy); }

std::array<std::uint8_t, 16> NistDrbg::next_block() {
  for (std::size_t i = counter_.size(); i-- > 0;) {
    if (++counter_[i] != 0) break;
  }
  std::array<std::uint8_t, 16> block;
  int size = 0;
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  HM_CHECK(EVP_EncryptInit_ex(context, EVP_aes_256_ecb(), nullptr, key_.data(), nullptr) == 1);
  HM_CHECK(EVP_CIPHER_CTX_set_padding(context, 0) == 1);
  HM_CHECK(EVP_EncryptUpdate(context, block.data(), &size, counter_.data(), 16) == 1);
  EVP_CIPHER_CTX_free(context);
  return block;
}

void NistDrbg::update(std::span<const std::uint8_t, 48> provided) {
  std::array<std::uint8_t, 48> state;
  for (std::size_t at = 0; at < state.size(); at += 16) {
    std::ranges::copy(next_block(), state.begin() + static_cast<std::ptrdiff_t>(at));
  }
  for (std::size_t i = 0; i < state.size(); ++i) state[i] ^= provided[i];
  std::copy_n(state.begin(), 32, key_.begin());
  std::copy_n(state.begin() + 32, 16, counter_.begin());
}

void NistDrbg::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const auto block = next_block();
    const std::size_t take = std::min(out.size(), block.size());
    std::copy_n(block.begin(), take, out.begin());
    out = out.subspan(take);
  }
  update(std::array<std::uint8_t, 48>{});
}

namespace {

// The seed of the first case in every file of known answers: 48 bytes 0, 1, ... as entropy.
TEST(NistDrbg, GivesThePublishedSeedOfTheFirstKnownAnswer) {
  std::array<std::uint8_t, 48> entropy;
  for (std::size_t i = 0; i < entropy.size(); ++i) entropy[i] = static_cast<std::uint8_t>(i);
  NistDrbg drbg(entropy);
  std::array<std::uint8_t, 48> seed;
  drbg.fill(seed);
  EXPECT_EQ(to_hex(seed),
            "061550234d158c5ec95595fe04ef7a25767f2e24cc2bc479d09d86dc9abcfde7"
            "056a8c266f9ef97ed08541dbd2e1ffa1");
}

}  // namespace
}  // namespace hm::falcon
