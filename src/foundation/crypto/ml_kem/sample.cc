// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ml_kem/sample.h"

#include <algorithm>

#include "foundation/base/check.h"
#include "foundation/crypto/keccak/shake_x4.h"
#include "foundation/crypto/ml_kem/arithmetic.h"
#include "foundation/crypto/wipe.h"

namespace hm::ml_kem {
namespace {

using keccak::kStates;
using keccak::Shake128x4;
using keccak::Shake256x4;

// Three blocks have 336 candidates for 256 coefficients and suffice in 99 of 100 cases.
constexpr std::size_t kFirstBlocks = 3;

// The inputs of as many streams: the seed with a tail of its own for each.
template <std::size_t tail>
struct Inputs {
  std::array<std::array<std::uint8_t, kWordSize + tail>, kStates> bytes;
};

template <std::size_t tail>
std::array<ByteView, kStates> views(const Inputs<tail>& inputs) {
  return {inputs.bytes[0], inputs.bytes[1], inputs.bytes[2], inputs.bytes[3]};
}

}  // namespace

void sample_matrix_entries(WordView rho, std::span<const std::array<std::uint8_t, 2>> indices,
                           std::span<NttPolynomial> out, crypto::Backend backend) {
  const std::size_t count = indices.size();
  HM_CHECK(count <= kStates && out.size() == count);
  Inputs<2> inputs{};
  for (std::size_t s = 0; s < count; ++s) {
    const auto end = std::ranges::copy(rho, inputs.bytes[s].begin()).out;
    std::ranges::copy(indices[s], end);
  }
  const auto seeds = views(inputs);
  Shake128x4 xof{std::span(seeds).first(count), backend};
  const auto sample = arithmetic(backend).sample_uniform;

  constexpr std::size_t kSize = kFirstBlocks * Shake128x4::kRate;
  std::array<std::array<std::uint8_t, kSize + kReadAhead>, kStates> blocks;
  std::array<std::span<std::uint8_t>, kStates> parts;
  std::array<std::size_t, kStates> have{};
  std::size_t size = kSize;
  bool is_complete = false;
  while (!is_complete) {
    for (std::size_t s = 0; s < count; ++s) parts[s] = std::span(blocks[s]).first(size);
    xof.squeeze_blocks(std::span(parts).first(count));
    is_complete = true;
    for (std::size_t s = 0; s < count; ++s) {
      have[s] = sample(blocks[s].data(), size, out[s].c, have[s]);
      is_complete = is_complete && have[s] == kCoefficients;
    }
    size = Shake128x4::kRate;
  }
}

void sample_noise(WordView seed, std::uint8_t first, std::span<Polynomial> out,
                  crypto::Backend backend) {
  const auto sample = arithmetic(backend).sample_binomial;
  crypto::Wiped<Inputs<1>> inputs;
  crypto::Wiped<std::array<std::array<std::uint8_t, Shake256x4::kRate>, kStates>> blocks;
  static_assert(kBinomialBytes <= Shake256x4::kRate);
  for (auto& input : inputs->bytes) std::ranges::copy(seed, input.begin());
  for (std::size_t done = 0; done < out.size(); done += kStates) {
    const std::size_t count = std::min(kStates, out.size() - done);
    for (std::size_t s = 0; s < count; ++s) {
      inputs->bytes[s].back() = static_cast<std::uint8_t>(first + done + s);
    }
    const auto seeds = views(*inputs);
    Shake256x4 prf{std::span(seeds).first(count), backend};
    std::array<std::span<std::uint8_t>, kStates> parts;
    for (std::size_t s = 0; s < count; ++s) parts[s] = (*blocks)[s];
    prf.squeeze_blocks(std::span(parts).first(count));
    for (std::size_t s = 0; s < count; ++s) sample((*blocks)[s].data(), out[done + s].c);
  }
}

}  // namespace hm::ml_kem
