// SPDX-License-Identifier: Apache-2.0
#include "foundation/blake3/compression.h"

#include <algorithm>
#include <bit>

#include "foundation/crypto/little_endian.h"

namespace hm::blake3 {
namespace {

struct ScalarOps {
  using Word = std::uint32_t;
  static constexpr bool kManyRegisters = false;
  [[gnu::always_inline]] static Word add(Word a, Word b) { return a + b; }
  [[gnu::always_inline]] static Word exclusive_or(Word a, Word b) { return a ^ b; }
  template <int n>
  [[gnu::always_inline]] static Word rotate(Word a) {
    return std::rotr(a, n);
  }
};

using State = std::array<std::uint32_t, kBlockWords>;

std::uint32_t load(const std::uint8_t* bytes) {
  return static_cast<std::uint32_t>(crypto::load_little_endian(bytes, sizeof(std::uint32_t)));
}

// The state after the rounds, before its halves are joined.
[[gnu::always_inline]] inline State permuted(const Words& chaining, const std::uint8_t* block,
                                             std::uint64_t counter, std::uint32_t length,
                                             std::uint32_t flags) {
  std::uint32_t message[kBlockWords];
  for (std::size_t i = 0; i < kBlockWords; ++i) message[i] = load(block + 4 * i);
  State v = {chaining[0],
             chaining[1],
             chaining[2],
             chaining[3],
             chaining[4],
             chaining[5],
             chaining[6],
             chaining[7],
             kInitial[0],
             kInitial[1],
             kInitial[2],
             kInitial[3],
             static_cast<std::uint32_t>(counter),
             static_cast<std::uint32_t>(counter >> 32),
             length,
             flags};
  all_rounds<ScalarOps>(v.data(), message);
  return v;
}

}  // namespace

Mode mode_of_key(const Value& key, std::uint32_t flags) {
  Mode mode{{}, flags};
  for (std::size_t i = 0; i < kValueWords; ++i) mode.key[i] = load(key.data() + 4 * i);
  return mode;
}

Words compress(const Words& chaining, const std::uint8_t* block, std::uint64_t counter,
               std::uint32_t length, std::uint32_t flags) {
  const State v = permuted(chaining, block, counter, length, flags);
  Words out;
  for (std::size_t i = 0; i < kValueWords; ++i) out[i] = v[i] ^ v[kValueWords + i];
  return out;
}

Value Node::value() const {
  const Words words = compress(chaining, block.data(), counter, length, flags);
  Value value;
  for (std::size_t i = 0; i < kValueWords; ++i) {
    crypto::store_little_endian(words[i], value.data() + 4 * i, 4);
  }
  return value;
}

Block Node::root_output(std::uint64_t index) const {
  const State v = permuted(chaining, block.data(), index, length, flags | kRoot);
  Block out;
  for (std::size_t i = 0; i < kValueWords; ++i) {
    crypto::store_little_endian(v[i] ^ v[kValueWords + i], out.data() + 4 * i, 4);
    crypto::store_little_endian(v[kValueWords + i] ^ chaining[i], out.data() + kValueSize + 4 * i,
                                4);
  }
  return out;
}

Node parent_node(const Mode& mode, const Value& left, const Value& right) {
  Node node{mode.key, {}, 0, kBlockSize, mode.flags | kParent};
  std::ranges::copy(left, node.block.begin());
  std::ranges::copy(right, node.block.begin() + kValueSize);
  return node;
}

}  // namespace hm::blake3
