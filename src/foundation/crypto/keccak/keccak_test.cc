// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "foundation/base/hex.h"
#include "foundation/crypto/keccak/sha3.h"
#include "foundation/crypto/keccak/shake.h"
#include "foundation/crypto/keccak/shake_x4.h"

namespace hm::keccak {
namespace {

// The same function of another maker.
Bytes of_openssl(const char* name, ByteView input, std::size_t size) {
  struct Free {
    void operator()(EVP_MD* p) const { EVP_MD_free(p); }
    void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  };
  const std::unique_ptr<EVP_MD, Free> function(EVP_MD_fetch(nullptr, name, nullptr));
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  Bytes out(size);
  EXPECT_EQ(EVP_DigestInit_ex(context.get(), function.get(), nullptr), 1);
  EXPECT_EQ(EVP_DigestUpdate(context.get(), input.data(), input.size()), 1);
  if ((EVP_MD_get_flags(function.get()) & EVP_MD_FLAG_XOF) != 0) {
    EXPECT_EQ(EVP_DigestFinalXOF(context.get(), out.data(), size), 1);
  } else {
    EXPECT_EQ(EVP_DigestFinal_ex(context.get(), out.data(), nullptr), 1);
  }
  return out;
}

Bytes counting(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 167 + 13);
  return bytes;
}

template <class Xof>
Bytes squeezed(ByteView input, std::size_t size) {
  Xof xof;
  xof.absorb(input);
  Bytes out(size);
  xof.squeeze(out);
  return out;
}

// Past two blocks of the largest rate, 168.
constexpr std::size_t kLongest = 2 * 168 + 9;

TEST(Sha3, ReproducesTheValuesOfFips202ForTheEmptyMessage) {
  EXPECT_EQ(to_hex(sha3_256({})),
            "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
  EXPECT_EQ(to_hex(sha3_512({})),
            "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6"
            "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26");
}

TEST(Sha3, AgreesWithOpensslAtEveryLengthAroundTheRates) {
  const Bytes all = counting(kLongest);
  for (std::size_t size = 0; size <= kLongest; ++size) {
    const ByteView input = ByteView(all).first(size);
    EXPECT_TRUE(std::ranges::equal(sha3_256(input), of_openssl("SHA3-256", input, 32))) << size;
    EXPECT_TRUE(std::ranges::equal(sha3_512(input), of_openssl("SHA3-512", input, 64))) << size;
  }
}

TEST(Shake, AgreesWithOpensslAtEveryInputLengthAroundTheRates) {
  const Bytes all = counting(kLongest);
  for (std::size_t size = 0; size <= kLongest; ++size) {
    const ByteView input = ByteView(all).first(size);
    EXPECT_EQ(squeezed<Shake128>(input, 200), of_openssl("SHAKE128", input, 200)) << size;
    EXPECT_EQ(squeezed<Shake256>(input, 200), of_openssl("SHAKE256", input, 200)) << size;
  }
}

TEST(Shake, AgreesWithOpensslAtEveryOutputLengthAroundTheRates) {
  const Bytes input = counting(33);
  for (std::size_t size = 1; size <= kLongest; ++size) {
    EXPECT_EQ(squeezed<Shake128>(input, size), of_openssl("SHAKE128", input, size)) << size;
    EXPECT_EQ(squeezed<Shake256>(input, size), of_openssl("SHAKE256", input, size)) << size;
  }
}

template <class Xof>
void expect_portions_do_not_matter() {
  const Bytes input = counting(kLongest);
  const Bytes whole = squeezed<Xof>(input, kLongest);
  for (std::size_t step = 1; step <= Xof::kRate + 1; ++step) {
    Xof xof;
    for (std::size_t at = 0; at < input.size(); at += step) {
      xof.absorb(ByteView(input).subspan(at, std::min(step, input.size() - at)));
      xof.absorb({});
    }
    Bytes out(kLongest);
    for (std::size_t at = 0; at < out.size(); at += step) {
      xof.squeeze(std::span(out).subspan(at, std::min(step, out.size() - at)));
      xof.squeeze({});
    }
    EXPECT_EQ(out, whole) << "portions of " << step;
  }
}

TEST(Shake, PortionsOfInputAndOutputDoNotMatter) {
  expect_portions_do_not_matter<Shake128>();
  expect_portions_do_not_matter<Shake256>();
}

TEST(Shake, ACopyGoesOnAlone) {
  Shake256 one;
  one.absorb(counting(5));
  Shake256 other = one;
  one.absorb(counting(1));
  Bytes out(40);
  other.squeeze(out);
  EXPECT_EQ(out, squeezed<Shake256>(counting(5), 40));
}

template <class X4, class Xof>
void expect_four_streams(crypto::Backend backend) {
  for (std::size_t size = 0; size < X4::kRate; ++size) {
    const std::size_t count = 1 + size % kStates;
    const Bytes all = counting(size + kStates);
    std::vector<ByteView> inputs;
    std::vector<Bytes> outputs(count, Bytes(3 * X4::kRate));
    for (std::size_t s = 0; s < count; ++s) inputs.push_back(ByteView(all).subspan(s, size));
    X4 xof(inputs, backend);
    for (const auto& [from, blocks] : {std::pair{0, 1}, {1, 2}}) {
      std::vector<std::span<std::uint8_t>> parts;
      for (Bytes& out : outputs) {
        parts.push_back(std::span(out).subspan(X4::kRate * static_cast<std::size_t>(from),
                                               X4::kRate * static_cast<std::size_t>(blocks)));
      }
      xof.squeeze_blocks(parts);
    }
    for (std::size_t s = 0; s < count; ++s) {
      EXPECT_EQ(outputs[s], squeezed<Xof>(inputs[s], 3 * X4::kRate))
          << name_of(backend) << ", stream " << s << " of " << count << ", input of " << size;
    }
  }
}

TEST(ShakeX4, GivesTheBytesOfTheSingleStreamsOnEveryBackend) {
  for (const crypto::Backend backend : crypto::supported_backends()) {
    expect_four_streams<Shake128x4, Shake128>(backend);
    expect_four_streams<Shake256x4, Shake256>(backend);
  }
}

TEST(ShakeX4DeathTest, InputsOfDifferentOrTooLargeSizesAreABug) {
  const Bytes bytes(Shake256::kRate);
  const std::array<ByteView, 2> uneven = {ByteView(bytes).first(1), ByteView(bytes).first(2)};
  EXPECT_DEATH(Shake256x4(uneven, crypto::Backend::Portable), "size");
  const std::array<ByteView, 1> whole_block = {ByteView(bytes)};
  EXPECT_DEATH(Shake256x4(whole_block, crypto::Backend::Portable), "size");
}

TEST(ShakeDeathTest, AbsorbingAfterTheFirstSqueezeIsABug) {
  Shake128 xof;
  xof.squeeze({});
  EXPECT_DEATH(xof.absorb({}), "squeezing");
}

}  // namespace
}  // namespace hm::keccak
