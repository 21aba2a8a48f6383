// SPDX-License-Identifier: Apache-2.0
// One chunk that comes in pieces (BLAKE3 §2.4). Its last block is kept back, since only the end of
// the input tells which one that is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "foundation/base/bytes.h"
#include "foundation/blake3/compression.h"

namespace hm::blake3 {

class Chunk {
 public:
  Chunk(const Mode& mode, std::uint64_t counter)
      : chaining_(mode.key), counter_(counter), flags_(mode.flags) {}

  std::size_t size() const { return blocks_ * kBlockSize + used_; }

  // Requires: no more than kChunkSize bytes in all.
  void append(ByteView bytes);

  // The node of all bytes so far.
  Node node() const;

 private:
  std::uint32_t start_flag() const { return blocks_ == 0 ? kChunkStart : 0; }
  void compress_block(const std::uint8_t* block);

  Words chaining_;
  Block block_{};
  std::uint64_t counter_;
  std::size_t used_ = 0;    // bytes in block_
  std::size_t blocks_ = 0;  // blocks before it
  std::uint32_t flags_;
};

}  // namespace hm::blake3
