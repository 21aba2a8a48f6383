// SPDX-License-Identifier: Apache-2.0
#include "foundation/blake3/subtree.h"

#include <array>

#include "foundation/base/check.h"
#include "foundation/blake3/chunk.h"
#include "foundation/blake3/lanes.h"

namespace hm::blake3 {

std::size_t leaf_values(const Mode& mode, ByteView bytes, std::uint64_t counter,
                        std::span<Value> out, crypto::Backend backend) {
  const std::size_t whole = bytes.size() / kChunkSize;
  const ByteView rest = bytes.subspan(whole * kChunkSize);
  const std::size_t count = whole + (rest.empty() ? 0 : 1);
  HM_CHECK(count >= 1 && count <= out.size());
  chunk_values(mode, bytes.data(), whole, counter, out.data(), backend);
  if (!rest.empty()) {
    Chunk last(mode, counter + whole);
    last.append(rest);
    out[whole] = last.node().value();
  }
  return count;
}

std::size_t join_level(const Mode& mode, std::span<Value> values, crypto::Backend backend) {
  const std::size_t pairs = values.size() / 2;
  if (pairs > 0) parent_values(mode, values.data(), pairs, values.data(), backend);
  if (values.size() % 2 == 0) return pairs;
  values[pairs] = values.back();
  return pairs + 1;
}

Children children_of(const Mode& mode, ByteView bytes, std::uint64_t counter,
                     crypto::Backend backend) {
  std::array<Value, kBatchChunks> values;
  std::size_t count = leaf_values(mode, bytes, counter, values, backend);
  HM_CHECK(count >= 2);
  while (count > 2) count = join_level(mode, std::span(values).first(count), backend);
  return {values[0], values[1]};
}

}  // namespace hm::blake3
