// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/hash_to_point.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "foundation/crypto/keccak/shake.h"

namespace hm::falcon {
namespace {

using Residues = std::array<Residue, kDegree>;

Residues point(const Nonce& nonce, ByteView message) {
  Residues c;
  hash_to_point(c, nonce, message);
  return c;
}

// The algorithm of the specification, on one long output.
TEST(HashToPoint, TakesSixteenBitSamplesBelow61445ModuloQ) {
  Nonce nonce;
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<std::uint8_t>(i);
  const ByteView message = as_bytes("message");
  keccak::Shake256 shake;
  shake.absorb(nonce);
  shake.absorb(message);
  Bytes stream(4096);
  shake.squeeze(stream);
  std::vector<Residue> expected;
  std::size_t refused = 0;
  for (std::size_t i = 0; expected.size() < kDegree; i += 2) {
    const unsigned sample = stream[i] * 256U + stream[i + 1];
    if (sample < 61445) {
      expected.push_back(static_cast<Residue>(sample % 12289));
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0U);
  EXPECT_TRUE(std::ranges::equal(point(nonce, message), expected));
}

TEST(HashToPoint, DependsOnNonceAndMessage) {
  Nonce nonce{};
  const Residues base = point(nonce, as_bytes("a"));
  EXPECT_NE(base, point(nonce, as_bytes("b")));
  nonce[39] = 1;
  EXPECT_NE(base, point(nonce, as_bytes("a")));
}

}  // namespace
}  // namespace hm::falcon
