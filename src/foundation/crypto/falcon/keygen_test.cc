// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/keygen.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string_view>

#include "foundation/base/hex.h"
#include "foundation/crypto/falcon/codec.h"
#include "foundation/crypto/falcon/key_gaussian.h"
#include "foundation/crypto/falcon/signing_key.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/little_endian.h"

namespace hm::falcon {
namespace {

keccak::Shake256 source_of(std::string_view hex_seed) {
  keccak::Shake256 source;
  source.absorb(from_hex(hex_seed).value());
  return source;
}

// The seeds that the generator of the round-3 known answers gives to the first cases, and the
// digest of the keys published for them: f, g, F, G, and h in two bytes each, low byte first.
struct KnownAnswer {
  std::string_view seed, digest;
};
constexpr KnownAnswer kKnownAnswers[] = {
    {"7c9935a0b07694aa0c6d10e4db6b1add2fd81a25ccb14803"
     "2dcd739936737f2db505d7cfad1b497499323c8686325e47",
     "bd09a7d1b4014d79433b1d4d8197bc6fa0025730dcf8d70a400435b3ed2240a6"},
    {"4b622de1350119c45a9f2e2ef3dc5df50a759d138cdfbd64"
     "c81cc7cc2f513345d5a45a4ced06403c5557e87113cb30ea",
     "14aadf7f540c0e135a74ffa6d3fcf1f6cf55ab0007047a1d01fcc80848bc70da"},
    {"1d836e889e46259bcd1ccd2b369583c5b47cfbb919ec2b72"
     "c280247cb15a55694fd6bcf6161023f9dcdb461f0fd00425",
     "489d7c7097ae30f6859a187c6d61a4cfe7dead460affae8320bf4864ef4fc1a8"},
    {"539577cb7f2088fbedff1b53f235d607321857db32bba645"
     "f8df3a89dd426552ff690305d543ee0f3825f246089698e3",
     "7ec778cf8074363f71b8a19be4bb702a9fcfb21c156f669ce9c3e9e1d0ae65be"},
    {"2ca59c6cf33c53803749f69ef5abfa9482fcee7efd87fbf1"
     "7135ecc3ff3fd7f749fd2f99cf65690a805570697769a00a",
     "5cdfaf6c32e5d6518f4b33a773e6677af3e018ae9771a6f272398e362f511696"},
};

std::string digest_of(const NtruKey& key) {
  Bytes bytes;
  for (const SmallPoly* poly : {&key.f, &key.g, &key.big_f, &key.big_g}) {
    for (const std::int8_t value : *poly) bytes.push_back(static_cast<std::uint8_t>(value));
  }
  for (const Residue value : key.h) {
    bytes.push_back(static_cast<std::uint8_t>(value));
    bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  }
  return crypto::sha256(bytes).to_string();
}

TEST(Keygen, GivesTheKnownAnswersOfRound3OnBothBackEnds) {
  for (const auto& [seed, digest] : kKnownAnswers) {
    keccak::Shake256 first = source_of(seed);
    keccak::Shake256 second = source_of(seed);
    EXPECT_EQ(digest_of(generate_key<EmulatedReal>(first)), digest) << seed;
    EXPECT_EQ(digest_of(generate_key<HardwareReal>(second)), digest) << seed;
  }
}

// Both back ends take the same stretch of randomness, so a second key is the same as well.
TEST(Keygen, IsTheSameOnBothBackEndsForOneKeyAfterAnother) {
  keccak::Shake256 first = source_of("01");
  keccak::Shake256 second = source_of("01");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(digest_of(generate_key<EmulatedReal>(first)),
              digest_of(generate_key<HardwareReal>(second)));
  }
}

template <class A, class B>
std::array<std::int64_t, kDegree> product(const A& a, const B& b) {
  std::array<std::int64_t, kDegree> c{};
  for (std::size_t i = 0; i < kDegree; ++i) {
    for (std::size_t j = 0; j < kDegree; ++j) {
      const std::int64_t x = std::int64_t{a[i]} * b[j];
      c[(i + j) % kDegree] += i + j < kDegree ? x : -x;
    }
  }
  return c;
}

TEST(Keygen, KeysSolveTheNtruEquationAndHTimesFIsG) {
  keccak::Shake256 source = source_of("02");
  for (int round = 0; round < 50; ++round) {
    const NtruKey key = generate_key<HardwareReal>(source);
    const auto left = product(key.f, key.big_g);
    const auto right = product(key.g, key.big_f);
    const auto public_product = product(key.h, key.f);
    for (std::size_t i = 0; i < kDegree; ++i) {
      ASSERT_EQ(left[i] - right[i], i == 0 ? kModulus : 0);
      ASSERT_EQ((public_product[i] - key.g[i]) % kModulus, 0);
      ASSERT_LT(key.h[i], kModulus);
    }
  }
}

TEST(Keygen, KeysAreShortAndTheirEncodingIsAccepted) {
  keccak::Shake256 source = source_of("03");
  for (int round = 0; round < 10; ++round) {
    const NtruKey key = generate_key<HardwareReal>(source);
    std::int32_t norm = 0;
    for (std::size_t i = 0; i < kDegree; ++i) norm += key.f[i] * key.f[i] + key.g[i] * key.g[i];
    EXPECT_LE(norm, 16822);

    std::array<std::uint8_t, kSecretKeySize> bytes;
    encode_secret_key(key.f, key.g, key.big_f, bytes);
    const auto signing_key = SigningKey::decode(bytes);
    ASSERT_TRUE(signing_key.has_value());
    EXPECT_EQ(signing_key->verifying_key().encode(), VerifyingKey(key.h).encode());
  }
}

TEST(KeyGaussian, TableHoldsTheDistributionItNames) {
  const long double variance = 1.17L * 1.17L * kModulus / (2 * kDegree);
  const auto weight = [&](int x) {
    return std::exp(-static_cast<long double>(x) * x / (2 * variance));
  };
  long double positive = 0;
  for (int x = 40; x > 0; --x) positive += weight(x);
  const long double scale = 0x1p63L;
  // Rounding to an integer, and a few units in the last place of the extended precision.
  const auto expect_rounded = [](std::uint64_t held, long double exact) {
    EXPECT_LE(std::abs(held - exact), 0.5L + exact * 0x1p-61L) << held;
  };
  expect_rounded(kKeyGaussianZero, scale / (1 + 2 * positive));
  for (std::size_t k = 0; k <= kKeyGaussianTail.size(); ++k) {
    long double tail = 0;
    for (int x = 40; x >= static_cast<int>(k) + 2; --x) tail += weight(x);
    expect_rounded(k < kKeyGaussianTail.size() ? kKeyGaussianTail[k] : 0, scale * tail / positive);
  }
}

// The sampler as a search through the table, one draw at a time.
int searched_gaussian(keccak::Shake256& source) {
  std::array<std::uint8_t, 16> draw;
  source.squeeze(draw);
  const std::uint64_t first = crypto::load_little_endian(draw.data());
  const std::uint64_t second = crypto::load_little_endian(draw.data() + 8) << 1 >> 1;
  if (first << 1 >> 1 < kKeyGaussianZero) return 0;
  int magnitude = 1;
  for (const std::uint64_t tail : kKeyGaussianTail) {
    if (second >= tail) break;
    ++magnitude;
  }
  return first >> 63 != 0 ? -magnitude : magnitude;
}

TEST(KeyGaussian, DrawsInOrderUntilTheSumIsOdd) {
  keccak::Shake256 source = source_of("04");
  keccak::Shake256 searched = source;
  int repeated = 0;
  for (int round = 0; round < 50; ++round) {
    SmallPoly poly{};
    sample_key_polynomial(source, poly);
    int sum = 0;
    for (std::size_t i = 0; i < kDegree; ++i) {
      int value = searched_gaussian(searched);
      while (i + 1 == kDegree && (sum + value) % 2 == 0) {
        value = searched_gaussian(searched);
        ++repeated;
      }
      sum += value;
      ASSERT_EQ(poly[i], value);
    }
  }
  EXPECT_GT(repeated, 0);
}

}  // namespace
}  // namespace hm::falcon
