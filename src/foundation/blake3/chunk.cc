// SPDX-License-Identifier: Apache-2.0
#include "foundation/blake3/chunk.h"

#include <algorithm>

#include "foundation/base/check.h"

namespace hm::blake3 {

void Chunk::compress_block(const std::uint8_t* block) {
  chaining_ = compress(chaining_, block, counter_, kBlockSize, flags_ | start_flag());
  ++blocks_;
}

void Chunk::append(ByteView bytes) {
  HM_CHECK(bytes.size() <= kChunkSize - size());
  while (!bytes.empty()) {
    if (used_ == kBlockSize) {
      compress_block(block_.data());
      used_ = 0;
    }
    while (used_ == 0 && bytes.size() > kBlockSize) {
      compress_block(bytes.data());
      bytes = bytes.subspan(kBlockSize);
    }
    const std::size_t take = std::min(kBlockSize - used_, bytes.size());
    std::copy_n(bytes.begin(), take, block_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ += take;
    bytes = bytes.subspan(take);
  }
}

Node Chunk::node() const {
  Node node{chaining_, block_, counter_, static_cast<std::uint32_t>(used_),
            flags_ | start_flag() | kChunkEnd};
  std::fill(node.block.begin() + static_cast<std::ptrdiff_t>(used_), node.block.end(),
            std::uint8_t{0});
  return node;
}

}  // namespace hm::blake3
