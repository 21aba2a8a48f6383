// SPDX-License-Identifier: Apache-2.0
// Sixteen chunks side by side as two vectors of eight, for processors that run one instruction of
// 512 bits as two of 256 (Zen 4): there two chains of half the width keep the adders busier than
// one of the whole, by a tenth. Message words are put in order by loads and stores of the next
// block between the rounds of this one, since shuffles would take the adders' places. The file
// behind it follows the rules of lanes_simd.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "foundation/blake3/rounds.h"

namespace hm::blake3 {

inline constexpr std::size_t kChunksSideBySide = 16;

// The chunks lie one after another.
struct ChunkInputs {
  const std::uint8_t* bytes;
  const std::uint32_t* key;  // kValueWords
  std::uint64_t counter;     // of the first
  std::uint32_t flags;       // of every block
};

// Writes the chaining values of `groups` times kChunksSideBySide chunks, kValueSize bytes each.
// Requires: AVX-512VL; groups is at least 1.
void hash_chunks_in_halves(const ChunkInputs& inputs, std::size_t groups, std::uint8_t* out);

}  // namespace hm::blake3
