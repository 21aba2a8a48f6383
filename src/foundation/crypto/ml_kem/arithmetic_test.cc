// SPDX-License-Identifier: Apache-2.0
// Each loop over coefficients against the definition in FIPS 203, on every back end, and the back
// ends against each other to the bit.
#include "foundation/crypto/ml_kem/arithmetic.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "foundation/crypto/keccak/shake.h"
#include "foundation/crypto/ml_kem/encode.h"
#include "foundation/crypto/ml_kem/modular.h"

namespace hm::ml_kem {
namespace {

using Coefficients = std::array<std::int64_t, kCoefficients>;

std::int64_t modulo_q(std::int64_t value) { return ((value % kQ) + kQ) % kQ; }

// The classes of the coefficients, in [0, q).
template <class Element>
Coefficients classes(const Element& f) {
  Coefficients out{};
  std::ranges::transform(f.c, out.begin(), [](std::int16_t c) { return modulo_q(c); });
  return out;
}

// Coefficients between `least` and `greatest`; a third of them at one of the two, where an
// overflow would show first.
template <class Element>
Element drawn(std::string_view seed, int least, int greatest) {
  keccak::Shake128 shake;
  shake.absorb(as_bytes(seed));
  Element f{};
  for (std::int16_t& c : f.c) {
    std::array<std::uint8_t, 4> bytes;
    shake.squeeze(bytes);
    const int value = bytes[0] | bytes[1] << 8 | bytes[2] << 16;
    c = static_cast<std::int16_t>(least + value % (greatest - least + 1));
    if (bytes[3] % 6 == 0) c = static_cast<std::int16_t>(least);
    if (bytes[3] % 6 == 1) c = static_cast<std::int16_t>(greatest);
  }
  return f;
}

template <class Element>
std::vector<Element> inputs(int least, int greatest) {
  std::vector<Element> all;
  for (const int value : {least, greatest, 0}) {
    std::ranges::fill(all.emplace_back().c, static_cast<std::int16_t>(value));
  }
  for (int i = 0; i < 20; ++i) {
    all.push_back(drawn<Element>("input " + std::to_string(i), least, greatest));
  }
  return all;
}

void for_each_backend(const auto& test) {
  for (const crypto::Backend backend : crypto::supported_backends()) {
    SCOPED_TRACE(name_of(backend));
    test(arithmetic(backend));
  }
}

TEST(Ntt, IsTheRemainderModuloEachQuadraticFactorOnEveryBackend) {
  // §4.3: pair i of the transform is f mod (X^2 - γ_i).
  for (const Polynomial& f : inputs<Polynomial>(-kQ + 1, kQ - 1)) {
    Coefficients expected{};
    for (unsigned i = 0; i < kCoefficients / 2; ++i) {
      std::int64_t power = 1;
      for (std::size_t j = 0; j < kCoefficients; j += 2, power = power * gamma(i) % kQ) {
        expected[2 * i] = modulo_q(expected[2 * i] + f.c[j] * power);
        expected[2 * i + 1] = modulo_q(expected[2 * i + 1] + f.c[j + 1] * power);
      }
    }
    for_each_backend([&](const Arithmetic& ops) {
      NttPolynomial out;
      ops.ntt(f, out);
      EXPECT_EQ(classes(out), expected);
      EXPECT_TRUE(std::ranges::all_of(out.c, [](int c) { return -kQ < c && c < kQ; }));
      Polynomial back;
      ops.inverse_ntt(out, back);
      EXPECT_EQ(classes(back), classes(f));
    });
  }
}

TEST(Ntt, TheInverseTakesEveryReducedInputOnEveryBackend) {
  for (const NttPolynomial& f : inputs<NttPolynomial>(-kQ + 1, kQ - 1)) {
    Polynomial expected;
    arithmetic(crypto::Backend::Portable).inverse_ntt(f, expected);
    for_each_backend([&](const Arithmetic& ops) {
      Polynomial out;
      ops.inverse_ntt(f, out);
      EXPECT_TRUE(std::ranges::equal(out.c, expected.c));
      EXPECT_TRUE(std::ranges::all_of(out.c, [](int c) { return -kQ < c && c < kQ; }));
      NttPolynomial again;
      ops.ntt(out, again);
      EXPECT_EQ(classes(again), classes(f));
    });
  }
}

// Algorithms 11 and 12, as they are written.
Coefficients product(const NttPolynomial& a, const NttPolynomial& b) {
  Coefficients out{};
  for (unsigned i = 0; i < kCoefficients / 2; ++i) {
    const std::int64_t a0 = a.c[2 * i], a1 = a.c[2 * i + 1];
    const std::int64_t b0 = b.c[2 * i], b1 = b.c[2 * i + 1];
    out[2 * i] = modulo_q(a0 * b0 + a1 * b1 % kQ * gamma(i));
    out[2 * i + 1] = modulo_q(a0 * b1 + a1 * b0);
  }
  return out;
}

TEST(DotProduct, IsTheSumOfTheProductsOnEveryBackend) {
  const auto all = inputs<NttPolynomial>(-kQ + 1, kQ - 1);
  for (std::size_t first = 0; first + 8 <= all.size(); ++first) {
    for (std::size_t count = 1; count <= 4; ++count) {
      Coefficients expected{};
      for (std::size_t j = 0; j < count; ++j) {
        const Coefficients one = product(all[first + j], all[first + 4 + j]);
        for (std::size_t i = 0; i < kCoefficients; ++i) {
          expected[i] = modulo_q(expected[i] + one[i]);
        }
      }
      for_each_backend([&](const Arithmetic& ops) {
        std::array<Factor, 4> factors;
        for (std::size_t j = 0; j < count; ++j) ops.prepare(all[first + 4 + j], factors[j]);
        NttPolynomial out;
        ops.dot_product(all.data() + first, factors.data(), count, out);
        EXPECT_EQ(classes(out), expected);
        EXPECT_TRUE(std::ranges::all_of(out.c, [](int c) { return -kQ < c && c < kQ; }));
      });
    }
  }
}

TEST(DotProduct, OfTransformsIsTheProductInTheRing) {
  const auto a = drawn<Polynomial>("a", -kQ + 1, kQ - 1);
  const auto b = drawn<Polynomial>("b", -kQ + 1, kQ - 1);
  Coefficients expected{};
  for (std::size_t i = 0; i < kCoefficients; ++i) {
    for (std::size_t j = 0; j < kCoefficients; ++j) {
      // X^256 = -1.
      const std::int64_t term = std::int64_t{a.c[i]} * b.c[j] * (i + j < kCoefficients ? 1 : -1);
      std::int64_t& sum = expected[(i + j) % kCoefficients];
      sum = modulo_q(sum + term);
    }
  }
  for_each_backend([&](const Arithmetic& ops) {
    NttPolynomial of_a, of_b, of_product;
    Factor factor;
    Polynomial out;
    ops.ntt(a, of_a);
    ops.ntt(b, of_b);
    ops.prepare(of_b, factor);
    ops.dot_product(&of_a, &factor, 1, of_product);
    ops.inverse_ntt(of_product, out);
    EXPECT_EQ(classes(out), expected);
  });
}

// Polynomials that hold all 2^16 coefficients.
std::vector<Polynomial> every_coefficient() {
  std::vector<Polynomial> all(65536 / kCoefficients);
  for (int i = 0; i < 65536; ++i) {
    all[static_cast<std::size_t>(i) / kCoefficients]
        .c[static_cast<std::size_t>(i) % kCoefficients] = static_cast<std::int16_t>(i - 32768);
  }
  return all;
}

TEST(Coefficients, AreMadeCanonicalWhateverTheyAreOnEveryBackend) {
  for (const Polynomial& f : every_coefficient()) {
    for_each_backend([&](const Arithmetic& ops) {
      Polynomial out = f;
      ops.make_canonical(out.c);
      for (std::size_t i = 0; i < kCoefficients; ++i) ASSERT_EQ(out.c[i], modulo_q(f.c[i]));
    });
  }
}

// round(2^d·x/q) mod 2^d with halves up (§4.2.1); q is odd, so that there is no half.
std::int64_t compressed(int d, std::int64_t x) {
  return (2 * (x << d) + kQ) / (2 * kQ) % (std::int64_t{1} << d);
}

TEST(Coefficients, CompressAsDefinedWhateverTheyAreOnEveryBackend) {
  for (const int d : {4, 5, 10, 11}) {
    for (const Polynomial& f : every_coefficient()) {
      for_each_backend([&](const Arithmetic& ops) {
        Polynomial out = f;
        ops.compress(d, out.c);
        for (std::size_t i = 0; i < kCoefficients; ++i) {
          ASSERT_EQ(out.c[i], compressed(d, modulo_q(f.c[i]))) << "d " << d << ", c " << f.c[i];
        }
      });
    }
  }
}

TEST(Coefficients, DecompressAsDefinedOnEveryBackend) {
  for (const int d : {4, 5, 10, 11}) {
    for (int first = 0; first < 1 << d; first += static_cast<int>(kCoefficients)) {
      Polynomial f;
      for (std::size_t i = 0; i < kCoefficients; ++i) {
        f.c[i] = static_cast<std::int16_t>((first + static_cast<int>(i)) % (1 << d));
      }
      for_each_backend([&](const Arithmetic& ops) {
        Polynomial out = f;
        ops.decompress(d, out.c);
        for (std::size_t i = 0; i < kCoefficients; ++i) {
          ASSERT_EQ(out.c[i], (2 * kQ * f.c[i] + (1 << d)) / (2 << d)) << "d " << d;
        }
      });
    }
  }
}

TEST(Coefficients, BinomialSamplesAreTheDifferencesOfTwoSumsOfBitsOnEveryBackend) {
  EXPECT_TRUE(rc::check([](const std::array<std::uint8_t, kBinomialBytes>& bytes) {
    const auto bit = [&](std::size_t i) { return bytes[i / 8] >> (i % 8) & 1; };
    for_each_backend([&](const Arithmetic& ops) {
      Polynomial f;
      ops.sample_binomial(bytes.data(), f.c);
      for (std::size_t i = 0; i < kCoefficients; ++i) {
        const std::size_t at = 2 * kEta * i;
        RC_ASSERT(f.c[i] == bit(at) + bit(at + 1) - bit(at + 2) - bit(at + 3));
      }
    });
  }));
}

// Algorithm 7, lines 4 to 16, as it is written.
std::vector<std::int16_t> uniform(ByteView bytes, std::vector<std::int16_t> a) {
  for (std::size_t i = 0; i + 3 <= bytes.size() && a.size() < kCoefficients; i += 3) {
    const int d1 = bytes[i] + 256 * (bytes[i + 1] % 16);
    const int d2 = bytes[i + 1] / 16 + 16 * bytes[i + 2];
    if (d1 < kQ) a.push_back(static_cast<std::int16_t>(d1));
    if (d2 < kQ && a.size() < kCoefficients) a.push_back(static_cast<std::int16_t>(d2));
  }
  return a;
}

TEST(Coefficients, UniformSamplesAreTheCandidatesBelowQInOrderOnEveryBackend) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    const auto have = *rc::gen::inRange<std::size_t>(0, kCoefficients + 1);
    const auto groups = *rc::gen::inRange<std::size_t>(0, 43);
    const auto large_of_4 = *rc::gen::inRange(0, 5);  // how many bytes of four are 0xff
    keccak::Shake128 shake;
    shake.absorb({reinterpret_cast<const std::uint8_t*>(&seed), sizeof seed});
    Bytes bytes(12 * groups + kReadAhead);
    shake.squeeze(bytes);
    for (std::uint8_t& byte : bytes) {
      if (byte % 4 < large_of_4) byte = 0xff;
    }
    const ByteView input = ByteView(bytes).first(12 * groups);
    const auto expected = uniform(input, std::vector<std::int16_t>(have, 7));
    for_each_backend([&](const Arithmetic& ops) {
      std::vector<std::int16_t> f(kCoefficients, 7);
      RC_ASSERT(ops.sample_uniform(input.data(), input.size(), f.data(), have) == expected.size());
      f.resize(expected.size());
      RC_ASSERT(f == expected);
    });
  }));
}

TEST(Encoding, PutsBitBOfCoefficientIAtBitDTimesIPlusBAndComesBack) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    const int d = *rc::gen::element(4, 5, 10, 11, 12);
    const auto f = drawn<Polynomial>(std::to_string(seed), 0, (1 << d) - 1);
    Bytes expected(encoded_size(d));
    for (std::size_t i = 0; i < kCoefficients; ++i) {
      for (int b = 0; b < d; ++b) {
        const std::size_t at = static_cast<std::size_t>(d) * i + static_cast<std::size_t>(b);
        const auto bit = static_cast<unsigned>(f.c[i] >> b & 1);
        expected[at / 8] |= static_cast<std::uint8_t>(bit << (at % 8));
      }
    }
    Bytes encoded(encoded_size(d));
    encode(d, f.c, encoded.data());
    RC_ASSERT(encoded == expected);
    Polynomial back;
    decode(d, encoded.data(), back.c);
    RC_ASSERT(std::ranges::equal(back.c, f.c));
  }));
}

TEST(Encoding, AMessageSurvivesErrorsOfUnderAQuarterOfQ) {
  std::array<std::uint8_t, kWordSize> message{};
  for (std::size_t i = 0; i < kWordSize; ++i) message[i] = static_cast<std::uint8_t>(i * 73 + 5);
  Polynomial f;
  decode_message(message.data(), f);
  EXPECT_TRUE(std::ranges::all_of(f.c, [](int c) { return c == 0 || c == (kQ + 1) / 2; }));
  for (const int error : {-kQ / 4 + 1, 0, kQ / 4 - 1}) {
    Polynomial noisy = f;
    for (std::int16_t& c : noisy.c) c = static_cast<std::int16_t>(c + error);
    std::array<std::uint8_t, kWordSize> out{};
    encode_message(noisy, out.data());
    EXPECT_EQ(out, message) << error;
  }
}

TEST(Encoding, AMessageBitIsCompress1OfEveryCoefficient) {
  for (const Polynomial& f : every_coefficient()) {
    std::array<std::uint8_t, kWordSize> out{};
    encode_message(f, out.data());
    for (std::size_t i = 0; i < kCoefficients; ++i) {
      ASSERT_EQ(out[i / 8] >> (i % 8) & 1, compressed(1, modulo_q(f.c[i]))) << f.c[i];
    }
  }
}

TEST(Modular, ConstantsAreWhatTheyStandFor) {
  EXPECT_EQ(static_cast<std::int16_t>(kQ * kInverseOfQ), 1);
  EXPECT_EQ(kInverseOf128 * 128 % kQ, 1);
  EXPECT_EQ(power_of_zeta(128), kQ - 1);  // ζ is a primitive 256th root of unity.
  for (std::int64_t constant = 0; constant < kQ; ++constant) {
    for (const int a : {-32768, -3329, -1, 0, 1, 3329, 32767}) {
      const int got = multiply(static_cast<std::int16_t>(a), multiplier(constant));
      ASSERT_EQ(modulo_q(got), modulo_q(a * constant));
      ASSERT_TRUE(-kQ < got && got < kQ);
    }
  }
}

}  // namespace
}  // namespace hm::ml_kem
