// SPDX-License-Identifier: Apache-2.0
// BLAKE3 (O'Connor, Aumasson, Neves, Wilcox-O'Hearn: "BLAKE3: one function, fast everywhere", 2020)
// in its three modes (§2.3), at once or piece by piece, with output of any length (§2.6). How an
// input is cut and which back end hashes it do not change a bit of the result. Time does not depend
// on what is hashed, only on how much. One input of up to 2^64 - 1 bytes on the thread that calls:
// what is to be hashed on several is cut by tree.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "foundation/base/bytes.h"
#include "foundation/blake3/chunk.h"
#include "foundation/crypto/backend.h"
#include "foundation/crypto/hash.h"

namespace hm::blake3 {

using Key = std::array<std::uint8_t, 32>;

class Hasher {
 public:
  explicit Hasher(crypto::Backend backend = crypto::fastest_backend());
  static Hasher keyed(const Key& key, crypto::Backend backend = crypto::fastest_backend());
  // For keys out of the key material that is the input. The context is fixed text of the program
  // that names the purpose, unique in the world; nothing in it comes from input.
  static Hasher deriving(std::string_view context,
                         crypto::Backend backend = crypto::fastest_backend());
  Hasher(const Hasher&) = default;
  Hasher& operator=(const Hasher&) = default;
  ~Hasher();  // wipes key and state, except of the mode without a key

  void update(ByteView piece);

  // Of all pieces so far; more may follow.
  crypto::Digest digest() const;

  // The bytes of the output from `position` on, the first 32 of which are the digest. Requires:
  // position + out.size() is less than 2^64.
  void extended_output(std::uint64_t position, std::span<std::uint8_t> out) const;

 private:
  // As many subtrees as a number of chunks below 2^54 has bits, and one that is not joined yet.
  static constexpr std::size_t kStackMax = 55;

  Hasher(const Mode& mode, crypto::Backend backend);
  void push(const Value& value, std::uint64_t chunks);
  void join();
  void take_subtree(ByteView bytes);
  Node root() const;

  Mode mode_;
  Chunk chunk_;  // empty, unless the input ends in it
  std::array<Value, kStackMax> stack_;
  std::size_t height_ = 0;
  std::uint64_t chunks_ = 0;  // that the stack stands for
  crypto::Backend backend_;
};

crypto::Digest hash(ByteView input, crypto::Backend backend = crypto::fastest_backend());

crypto::Digest keyed_hash(const Key& key, ByteView input,
                          crypto::Backend backend = crypto::fastest_backend());

// A key of 32 bytes; see Hasher::deriving().
Key derive_key(std::string_view context, ByteView material,
               crypto::Backend backend = crypto::fastest_backend());

}  // namespace hm::blake3
