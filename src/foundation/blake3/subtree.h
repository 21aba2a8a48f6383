// SPDX-License-Identifier: Apache-2.0
// Subtrees in bulk: all chunks side by side, then their parents, level by level. Joining neighbours
// and taking an odd last one along gives the tree of BLAKE3 §2.1, whatever the number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "foundation/base/bytes.h"
#include "foundation/blake3/compression.h"
#include "foundation/crypto/backend.h"

namespace hm::blake3 {

// What is hashed at a time: beyond it nothing gets faster, and its values fit the stack.
inline constexpr std::size_t kBatchChunks = 256;
inline constexpr std::size_t kBatchSize = kBatchChunks * kChunkSize;

// The value of each chunk, the last of which may be short; gives their number. Requires: bytes is
// not empty, and `out` has a place for each.
std::size_t leaf_values(const Mode& mode, ByteView bytes, std::uint64_t counter,
                        std::span<Value> out, crypto::Backend backend);

// One level up, in place: gives how many values are left.
std::size_t join_level(const Mode& mode, std::span<Value> values, crypto::Backend backend);

// The children of the node over `bytes`. Requires: more than one chunk and at most a batch.
struct Children {
  Value left;
  Value right;
};
Children children_of(const Mode& mode, ByteView bytes, std::uint64_t counter,
                     crypto::Backend backend);

}  // namespace hm::blake3
