// SPDX-License-Identifier: Apache-2.0
// Pages of a shard that can be verified one at a time. The root is the plain BLAKE3 hash of the
// shard, whoever computed it; a page of 64 KiB and the chaining values beside its path lead to it
// (BLAKE3 §6.4). A position is proven with the bytes, since it is hashed with them.
//
// The size of the shard is what the verifier knows, like the root, and from where it has the root.
// A size that would make the page shorter or longer, or its path another one, is refused; that it
// is the size of the hashed shard to the byte is proven by the last page alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/blake3/tree.h"
#include "foundation/crypto/backend.h"
#include "foundation/crypto/hash.h"

namespace hm::blake3 {

inline constexpr std::uint64_t kPageSize = 64 * 1024;

// A shard has fewer than 2^64 bytes, hence no more than 2^48 pages.
inline constexpr std::size_t kPageProofMax = 48;

enum class PageRefusal : std::uint8_t {
  NoSuchPage,   // the shard has no page of this index
  PageLength,   // not the length of this page of a shard of this size
  ProofLength,  // not one value for each level above this page
  ValueCount,   // not one value for each page, or any for a shard of one page
  WrongRoot,    // leads to another root
};

// Stable lower-case name, e.g. "wrong_root".
std::string_view name_of(PageRefusal refusal);

// At least one: an empty shard is one empty page.
std::uint64_t page_count(std::uint64_t shard_size);

// Requires: index is below page_count(shard_size).
std::uint64_t page_length(std::uint64_t shard_size, std::uint64_t index);

// The values beside the path from a page up to the root, in this order; none for a shard of one
// page.
using PageProof = std::vector<ChainingValue>;

// What is kept beside a shard to prove any page of it without reading the others.
class PageTree {
 public:
  // Hashes the shard once.
  static PageTree of(ByteView shard, crypto::Backend backend = crypto::fastest_backend());

  // From values that were kept. Refused: ValueCount; WrongRoot, so that what rotted proves nothing
  // wrong.
  static Result<PageTree, PageRefusal> from_values(
      const crypto::Digest& root, std::uint64_t shard_size, std::vector<ChainingValue> values,
      crypto::Backend backend = crypto::fastest_backend());

  const crypto::Digest& root() const { return root_; }
  std::uint64_t shard_size() const { return shard_size_; }

  // The value of each page; none for a shard of one page, whose page is the root.
  std::span<const ChainingValue> values() const { return values_; }

  // Requires: index is below page_count(shard_size()).
  PageProof prove(std::uint64_t index, crypto::Backend backend = crypto::fastest_backend()) const;

  // Success iff `page` is page `index` of the shard: one hash, without the path to the root that a
  // verifier without the tree has to walk. Refused: NoSuchPage, PageLength, WrongRoot.
  Result<void, PageRefusal> verify(std::uint64_t index, ByteView page,
                                   crypto::Backend backend = crypto::fastest_backend()) const;

 private:
  PageTree(const crypto::Digest& root, std::uint64_t shard_size, std::vector<ChainingValue> values)
      : root_(root), shard_size_(shard_size), values_(std::move(values)) {}

  crypto::Digest root_;
  std::uint64_t shard_size_;
  std::vector<ChainingValue> values_;
};

// Success iff `page` is page `index` of the shard with this root, given that the shard has this
// size. Hashes the page only after all lengths fit. Refused: all of PageRefusal but ValueCount.
Result<void, PageRefusal> verify_page(const crypto::Digest& root, std::uint64_t shard_size,
                                      std::uint64_t index, ByteView page,
                                      std::span<const ChainingValue> proof,
                                      crypto::Backend backend = crypto::fastest_backend());

}  // namespace hm::blake3
