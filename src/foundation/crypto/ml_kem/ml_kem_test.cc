// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ml_kem/ml_kem.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <utility>

#include "foundation/crypto/keccak/shake.h"
#include "foundation/crypto/ml_kem/accumulated.h"

namespace hm::ml_kem {
namespace {

using Seed = std::array<std::uint8_t, kSeedSize>;
using Word = std::array<std::uint8_t, kWordSize>;

template <class Array>
Array filled(std::uint8_t first) {
  Array bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

template <class P>
DecapsulationKey<P> key_of(std::uint8_t first) {
  return DecapsulationKey<P>::from_seed(filled<Seed>(first));
}

Bytes flipped(ByteView bytes, std::size_t at) {
  Bytes other = to_bytes(bytes);
  other[at] ^= static_cast<std::uint8_t>(1 << (at % 8));
  return other;
}

// J(z ‖ c), the secret of a rejected ciphertext.
SharedSecret rejected(std::span<const std::uint8_t, kWordSize> z, ByteView ciphertext) {
  keccak::Shake256 j;
  j.absorb(z);
  j.absorb(ciphertext);
  Word secret;
  j.squeeze(secret);
  return SharedSecret(secret);
}

template <class P>
class MlKem : public testing::Test {};

struct Names {
  template <class P>
  static std::string GetName(int) {
    return P::kRank == 3 ? "768" : "1024";
  }
};
using Sets = testing::Types<MlKem768, MlKem1024>;
TYPED_TEST_SUITE(MlKem, Sets, Names);

TYPED_TEST(MlKem, AHundredCasesGiveTheDigestOfAnotherImplementationOnEveryBackend) {
  for (const crypto::Backend backend : crypto::supported_backends()) {
    EXPECT_EQ(accumulated<TypeParam>(100, backend), kAccumulated<TypeParam>.of_100)
        << name_of(backend);
  }
}

TEST(MlKemSizes, AreThoseOfTable3) {
  EXPECT_EQ(EncapsulationKey<MlKem768>::kSize, 1184U);
  EXPECT_EQ(DecapsulationKey<MlKem768>::kSize, 2400U);
  EXPECT_EQ(Ciphertext<MlKem768>::kSize, 1088U);
  EXPECT_EQ(EncapsulationKey<MlKem1024>::kSize, 1568U);
  EXPECT_EQ(DecapsulationKey<MlKem1024>::kSize, 3168U);
  EXPECT_EQ(Ciphertext<MlKem1024>::kSize, 1568U);
}

TYPED_TEST(MlKem, BothSidesShareASecretWhateverTheBackends) {
  EXPECT_TRUE(rc::check([](const Seed& seed, const Word& m) {
    const auto backends = crypto::supported_backends();
    const auto made_by = *rc::gen::elementOf(Bytes{0, 1, 2}) % backends.size();
    const auto used_by = *rc::gen::elementOf(Bytes{0, 1, 2}) % backends.size();
    const auto key = DecapsulationKey<TypeParam>::from_seed(seed, backends[made_by]);
    const auto made = encapsulate(key.encapsulation_key(), m, backends[used_by]);
    RC_ASSERT(key.decapsulate(made.ciphertext, backends[made_by]) == made.secret);
    RC_ASSERT(std::ranges::equal(DecapsulationKey<TypeParam>::from_seed(seed).expanded(),
                                 key.expanded()));
    RC_ASSERT(encapsulate(key.encapsulation_key(), m).ciphertext == made.ciphertext);
  }));
}

TYPED_TEST(MlKem, ACiphertextForAnotherKeyIsRejectedWithoutAnError) {
  const auto key = key_of<TypeParam>(1);
  const auto other = key_of<TypeParam>(2);
  const auto made = encapsulate(key.encapsulation_key(), filled<Word>(3));
  const SharedSecret secret = other.decapsulate(made.ciphertext);
  EXPECT_NE(secret, made.secret);
  const auto z = *other.seed();
  EXPECT_EQ(secret, rejected(std::span(z).template last<kWordSize>(), made.ciphertext.bytes));
}

TYPED_TEST(MlKem, ABitFlippedInAnyByteOfTheCiphertextGivesTheRejectionSecret) {
  const auto key = key_of<TypeParam>(1);
  const auto z = *key.seed();
  const auto made = encapsulate(key.encapsulation_key(), filled<Word>(3));
  for (std::size_t i = 0; i < Ciphertext<TypeParam>::kSize; ++i) {
    const auto bad = Ciphertext<TypeParam>::parse(flipped(made.ciphertext.bytes, i));
    ASSERT_TRUE(bad);
    const SharedSecret secret = key.decapsulate(*bad);
    EXPECT_NE(secret, made.secret) << i;
    EXPECT_EQ(secret, rejected(std::span(z).template last<kWordSize>(), bad->bytes)) << i;
  }
}

TYPED_TEST(MlKem, ABitFlippedInAnyByteOfTheEncapsulationKeyIsRefusedOrSharesNothing) {
  const auto key = key_of<TypeParam>(1);
  const auto honest = encapsulate(key.encapsulation_key(), filled<Word>(3));
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < EncapsulationKey<TypeParam>::kSize; ++i) {
    const auto bad =
        EncapsulationKey<TypeParam>::parse(flipped(key.encapsulation_key().bytes(), i));
    if (!bad) {
      EXPECT_EQ(bad.error(), Refusal::NotReduced) << i;
      continue;
    }
    ++accepted;
    const auto made = encapsulate(*bad, filled<Word>(3));
    EXPECT_NE(made.secret, honest.secret) << i;
    EXPECT_NE(key.decapsulate(made.ciphertext), made.secret) << i;
  }
  EXPECT_GE(accepted, kWordSize);  // Every ρ is a valid one.
}

TYPED_TEST(MlKem, ABitFlippedInAnyByteOfTheExpandedKeyIsRefusedOrChangesTheSecret) {
  const auto key = key_of<TypeParam>(1);
  const auto made = encapsulate(key.encapsulation_key(), filled<Word>(3));
  auto rejected_one = made.ciphertext;
  rejected_one.bytes[0] ^= 1;
  const SharedSecret rejection = key.decapsulate(rejected_one);
  const auto expanded = key.expanded();
  constexpr std::size_t kPublic = kVectorSize<TypeParam>;
  constexpr std::size_t kHash = kPublic + EncapsulationKey<TypeParam>::kSize;
  constexpr std::size_t kZ = kHash + kWordSize;
  for (std::size_t i = 0; i < expanded.size(); ++i) {
    const auto bad = DecapsulationKey<TypeParam>::parse_expanded(flipped(expanded, i));
    if (!bad) {
      EXPECT_LT(i, kZ);
      const bool may_be_large = i < kHash && bad.error() == Refusal::NotReduced;
      EXPECT_TRUE(may_be_large || (i >= kPublic && bad.error() == Refusal::HashMismatch)) << i;
      continue;
    }
    EXPECT_TRUE(i < kPublic || i >= kZ) << i;
    if (i < kPublic) {
      EXPECT_NE(bad->decapsulate(made.ciphertext), made.secret) << i;
    }
    if (i >= kZ) {
      EXPECT_NE(bad->decapsulate(rejected_one), rejection) << i;
    }
  }
}

TYPED_TEST(MlKem, TheExpandedFormIsParsedBackToTheSameKeyWithoutASeed) {
  const auto key = key_of<TypeParam>(1);
  const auto parsed = DecapsulationKey<TypeParam>::parse_expanded(key.expanded());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->expanded(), key.expanded());
  EXPECT_EQ(parsed->encapsulation_key(), key.encapsulation_key());
  EXPECT_FALSE(parsed->seed());
  EXPECT_EQ(*key.seed(), filled<Seed>(1));
  const auto made = encapsulate(parsed->encapsulation_key(), filled<Word>(3));
  EXPECT_EQ(parsed->decapsulate(made.ciphertext), made.secret);
}

TYPED_TEST(MlKem, InputsOfEveryOtherLengthAreRefused) {
  const Bytes zeros(DecapsulationKey<TypeParam>::kSize + 2);
  for (std::size_t size = 0; size <= zeros.size(); ++size) {
    const ByteView input = ByteView(zeros).first(size);
    const auto ek = EncapsulationKey<TypeParam>::parse(input);
    EXPECT_EQ(ek.has_value(), size == EncapsulationKey<TypeParam>::kSize) << size;
    if (!ek) {
      EXPECT_EQ(ek.error(), Refusal::WrongLength) << size;
    }
    const auto ct = Ciphertext<TypeParam>::parse(input);
    EXPECT_EQ(ct.has_value(), size == Ciphertext<TypeParam>::kSize) << size;
    if (!ct) {
      EXPECT_EQ(ct.error(), Refusal::WrongLength) << size;
    }
    const auto dk = DecapsulationKey<TypeParam>::parse_expanded(input);
    ASSERT_FALSE(dk) << size;
    EXPECT_EQ(dk.error(), size == DecapsulationKey<TypeParam>::kSize ? Refusal::HashMismatch
                                                                     : Refusal::WrongLength);
  }
}

// Puts `value` in place of coefficient `at` of encoded polynomials.
void set_coefficient(std::span<std::uint8_t> encoded, std::size_t at, unsigned value) {
  std::uint8_t* pair = encoded.data() + at / 2 * 3;
  if (at % 2 == 0) {
    pair[0] = static_cast<std::uint8_t>(value);
    pair[1] = static_cast<std::uint8_t>((pair[1] & 0xf0) | (value >> 8));
  } else {
    pair[1] = static_cast<std::uint8_t>((pair[1] & 0x0f) | (value << 4));
    pair[2] = static_cast<std::uint8_t>(value >> 4);
  }
}

constexpr unsigned kEnd = 1U << kBitsOfKey;

TYPED_TEST(MlKem, AnEncapsulationKeyWithAnyCoefficientOfQOrMoreIsRefused) {
  constexpr std::size_t kCount = TypeParam::kRank * kCoefficients;
  const auto key = key_of<TypeParam>(1);
  const Bytes good = to_bytes(key.encapsulation_key().bytes());
  const auto expect_refused = [&](std::size_t at, unsigned value) {
    Bytes bad = good;
    set_coefficient(bad, at, value);
    const auto parsed = EncapsulationKey<TypeParam>::parse(bad);
    ASSERT_FALSE(parsed) << "coefficient " << at << " = " << value;
    EXPECT_EQ(parsed.error(), Refusal::NotReduced);
  };
  for (std::size_t at = 0; at < kCount; ++at) {
    expect_refused(at, kQ);
    expect_refused(at, kEnd - 1);
    Bytes largest = good;
    set_coefficient(largest, at, kQ - 1);
    EXPECT_TRUE(EncapsulationKey<TypeParam>::parse(largest)) << at;
  }
  for (unsigned value = kQ; value < kEnd; ++value) {
    for (std::size_t at = 0; at < kCount; at += kCoefficients) {
      for (const std::size_t offset : {0U, 1U, 2U, 15U, 16U, 254U, 255U}) {
        expect_refused(at + offset, value);
      }
    }
  }
}

TYPED_TEST(MlKem, AnExpandedKeyWithASecretCoefficientOfQOrMoreIsRefused) {
  const auto expanded = key_of<TypeParam>(1).expanded();
  for (std::size_t at = 0; at < TypeParam::kRank * kCoefficients; ++at) {
    Bytes bad(expanded.begin(), expanded.end());
    set_coefficient(bad, at, kQ + static_cast<unsigned>(at % (kEnd - kQ)));
    const auto parsed = DecapsulationKey<TypeParam>::parse_expanded(bad);
    ASSERT_FALSE(parsed) << at;
    EXPECT_EQ(parsed.error(), Refusal::NotReduced);
  }
}

TYPED_TEST(MlKem, AMoveLeavesNoSecretBehind) {
  auto key = key_of<TypeParam>(1);
  const auto expanded = key.expanded();
  auto moved = std::move(key);
  EXPECT_EQ(moved.expanded(), expanded);
  const auto left = key.expanded();  // NOLINT(bugprone-use-after-move): what is tested
  EXPECT_TRUE(std::ranges::all_of(std::span(left).first(kVectorSize<TypeParam>),
                                  [](std::uint8_t byte) { return byte == 0; }));
  EXPECT_FALSE(key.seed());
  key = std::move(moved);
  EXPECT_EQ(key.expanded(), expanded);
  EXPECT_EQ(*key.seed(), filled<Seed>(1));
  EXPECT_FALSE(moved.seed());  // NOLINT(bugprone-use-after-move)
}

TEST(MlKemSharedSecret, IsZeroAfterAMoveAndEqualOnlyToTheSameBytes) {
  SharedSecret secret(filled<Word>(1));
  const SharedSecret moved = std::move(secret);
  const SharedSecret zero{Word{}};
  EXPECT_EQ(secret, zero);  // NOLINT(bugprone-use-after-move): what is tested
  EXPECT_EQ(moved, SharedSecret(filled<Word>(1)));
  for (std::size_t i = 0; i < kWordSize; ++i) {
    Word other = filled<Word>(1);
    other[i] ^= 0x80;
    EXPECT_NE(moved, SharedSecret(other)) << i;
  }
}

}  // namespace
}  // namespace hm::ml_kem
