// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/keccak/permutation.h"

#include <bit>

namespace hm::keccak {
namespace {

struct WordOps {
  using Lane = std::uint64_t;
  template <int n>
  static Lane rotate(Lane a) {
    return std::rotl(a, n);
  }
  static Lane exclusive_or(Lane a, Lane b) { return a ^ b; }
  static Lane chi(Lane a, Lane b, Lane c) { return a ^ (~b & c); }
  static Lane parity(Lane a, Lane b, Lane c, Lane d, Lane e) { return a ^ b ^ c ^ d ^ e; }
};

}  // namespace

void permute(State& state) {
  // Two rounds at a time, there and back, so that no round copies its result.
  State a = state;
  State b;
  for (std::size_t i = 0; i < kRounds; i += 2) {
    round<WordOps>(a.data(), b.data(), kRoundConstant[i]);
    round<WordOps>(b.data(), a.data(), kRoundConstant[i + 1]);
  }
  state = a;
}

}  // namespace hm::keccak
