// SPDX-License-Identifier: Apache-2.0
// Erasure coding: k data shards of equal length get m parity shards, and any k of the k + m give
// all the others back. Reed-Solomon over GF(2^8) by ISA-L, or by GFNI where there is that,
// systematic: data shards stay as they are. The matrix is a Cauchy matrix, so that every k of its
// rows are independent (docs/protocols/storage.md, "Erasure code", is normative); with k = 1 each
// parity shard is a copy.
//
// Promises. Byte i of each shard depends on byte i of the others only, so shards can be coded in
// cells, in any order; long ones are coded in cells that stay in the cache. What losing some shards
// takes to compute is kept for the last kCachedPatterns patterns of loss.
//
// Does not do. It corrects no errors: a shard that is wrong makes the others wrong. Who has shards
// from elsewhere verifies them first. Time depends on lengths and on which shards are there, not on
// what is in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>

#include "foundation/base/bytes.h"
#include "foundation/crypto/backend.h"

namespace hm::erasure {

// A set of shards is the bits of one word.
inline constexpr std::size_t kMaxShards = 64;

// Kept tables have at most 32 KiB each: 2 MiB in all.
inline constexpr std::size_t kCachedPatterns = 64;

// What is coded at a time: 10 + 4 of them fit the second level of a cache.
inline constexpr std::size_t kCell = std::size_t{32} << 10;

// "k + m" of the literature.
struct Code {
  std::uint8_t data = 1;
  std::uint8_t parity = 0;

  bool is_valid() const { return data >= 1 && shards() <= kMaxShards; }
  std::size_t shards() const { return std::size_t{data} + parity; }
  std::string to_string() const;  // "10+4"

  bool operator==(const Code&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.data, self.parity); }
};

using ShardBytes = const std::uint8_t*;
using ShardSpace = std::uint8_t*;

// One caller at a time.
class Coder {
 public:
  // Requires: the code is valid.
  explicit Coder(Code code, crypto::Backend backend = crypto::fastest_backend());
  ~Coder();
  Coder(Coder&&) noexcept;
  Coder& operator=(Coder&&) noexcept;

  const Code& code() const { return code_; }

  // Requires: as many pointers as the code has shards of each sort, `length` bytes behind each, and
  // no two of them overlap.
  void encode(std::span<const ShardBytes> data, std::span<const ShardSpace> parity,
              std::size_t length) const;

  struct Wanted {
    std::uint8_t index;  // 0 … k - 1 are data, then parity
    ShardSpace into;
  };

  // Computes each wanted shard from those that are there: one pointer per shard, null where it is
  // missing. False, and nothing is written, if fewer than k are there. Requires: as many pointers
  // as shards, wanted ones in ascending order and missing, no overlap.
  bool reconstruct(std::span<const ShardBytes> shards, std::span<const Wanted> wanted,
                   std::size_t length);

 private:
  struct State;
  Code code_;
  std::unique_ptr<State> state_;
};

}  // namespace hm::erasure
