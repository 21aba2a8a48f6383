// SPDX-License-Identifier: Apache-2.0
// The compression function of BLAKE3 (§2.2) on one block, the modes (§2.3), and the node: the last
// compression of a chunk or parent, kept back until it is known whether it is the root.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "foundation/base/bytes.h"
#include "foundation/blake3/rounds.h"

namespace hm::blake3 {

using Words = std::array<std::uint32_t, kValueWords>;
using Value = std::array<std::uint8_t, kValueSize>;  // a chaining value as bytes
using Block = std::array<std::uint8_t, kBlockSize>;

// What the modes differ in (§2.3).
struct Mode {
  Words key;
  std::uint32_t flags;
};

inline constexpr Mode kHashMode = {std::to_array(kInitial), 0};
inline constexpr Mode kContextMode = {std::to_array(kInitial), kDeriveKeyContext};
Mode mode_of_key(const Value& key, std::uint32_t flags);

// The chaining value that follows `chaining`. Requires: the block has kBlockSize bytes.
Words compress(const Words& chaining, const std::uint8_t* block, std::uint64_t counter,
               std::uint32_t length, std::uint32_t flags);

struct Node {
  Words chaining;
  Block block;
  std::uint64_t counter;
  std::uint32_t length;
  std::uint32_t flags;

  // As a node that has a parent.
  Value value() const;
  // Block `index` of the output, of a node that has none (§2.6).
  Block root_output(std::uint64_t index) const;
};

// §2.5.
Node parent_node(const Mode& mode, const Value& left, const Value& right);

}  // namespace hm::blake3
