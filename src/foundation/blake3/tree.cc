// SPDX-License-Identifier: Apache-2.0
#include "foundation/blake3/tree.h"

#include <algorithm>
#include <bit>

#include "foundation/base/check.h"
#include "foundation/blake3/chunk.h"
#include "foundation/blake3/subtree.h"

namespace hm::blake3 {

ChainingValue subtree_value(ByteView bytes, std::uint64_t chunk, crypto::Backend backend) {
  HM_CHECK(!bytes.empty());
  const std::uint64_t chunks = (bytes.size() - 1) / kChunkSize + 1;
  HM_CHECK(chunk % std::bit_ceil(chunks) == 0);
  if (chunks == 1) {
    Chunk only(kHashMode, chunk);
    only.append(bytes);
    return {only.node().value()};
  }
  if (chunks <= kBatchChunks) {
    const Children children = children_of(kHashMode, bytes, chunk, backend);
    return {parent_node(kHashMode, children.left, children.right).value()};
  }
  const std::uint64_t left = std::bit_floor(chunks - 1);
  return parent_value(subtree_value(bytes.first(left * kChunkSize), chunk, backend),
                      subtree_value(bytes.subspan(left * kChunkSize), chunk + left, backend));
}

ChainingValue parent_value(const ChainingValue& left, const ChainingValue& right) {
  return {parent_node(kHashMode, left.bytes, right.bytes).value()};
}

crypto::Digest root_of(const ChainingValue& left, const ChainingValue& right) {
  const Block output = parent_node(kHashMode, left.bytes, right.bytes).root_output(0);
  crypto::Digest root;
  std::copy_n(output.begin(), root.bytes.size(), root.bytes.begin());
  return root;
}

}  // namespace hm::blake3
