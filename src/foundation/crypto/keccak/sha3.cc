// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/keccak/sha3.h"

#include "foundation/crypto/keccak/sponge.h"

namespace hm::keccak {
namespace {

// The rate is what twice the digest leaves of the state (FIPS 202 §6.1).
template <std::size_t size>
std::array<std::uint8_t, size> digest(ByteView input) {
  Sponge sponge(sizeof(State) - 2 * size, Suffix::Sha3);
  sponge.absorb(input);
  std::array<std::uint8_t, size> out{};
  sponge.squeeze(out);
  return out;
}

}  // namespace

std::array<std::uint8_t, 32> sha3_256(ByteView input) { return digest<32>(input); }
std::array<std::uint8_t, 64> sha3_512(ByteView input) { return digest<64>(input); }

}  // namespace hm::keccak
