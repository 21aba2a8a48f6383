// SPDX-License-Identifier: Apache-2.0
// The content hash of an object whose parts arrive by themselves, in any order and at different
// times: each part leaves a few values behind, and those of all parts give the hash of the whole
// without another look at a byte of it (BLAKE3 §2.1: the subtrees inside a part depend on its bytes
// and its offset only).
//
// Promises. The result is what hashing the whole object in one go gives. Memory: one page, and two
// values for each doubling of the part's length.
#pragma once

#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

#include "core/storage/storage_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/blake3/tree.h"
#include "foundation/crypto/hash.h"

namespace hm::storage {

// Parts begin at multiples of this.
inline constexpr std::uint64_t kPartAlignment = std::uint64_t{64} << 10;

// What a part leaves behind: the subtrees of whole pages that lie within it, in order.
struct PartContent {
  struct Subtree {
    std::uint8_t level = 0;  // over 2^level pages; the last page may be short
    blake3::ChainingValue value;
    bool operator==(const Subtree&) const = default;
    static constexpr auto fields(auto& self) { return std::tie(self.level, self.value); }
  };
  std::uint64_t offset = 0;  // of the part in the object
  std::uint64_t size = 0;
  crypto::Digest alone;  // the hash of the part as an object of its own
  std::vector<Subtree> subtrees;

  bool operator==(const PartContent&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.offset, self.size, self.alone, self.subtrees);
  }
};

class PartHasher {
 public:
  // Requires: the offset is a multiple of kPartAlignment.
  explicit PartHasher(std::uint64_t offset);

  void update(ByteView piece);
  // Once, at the end; `alone` is the caller's to fill in. Requires: there was a byte.
  PartContent finish();

 private:
  void take_page(ByteView page);

  PartContent content_;
  std::uint64_t page_;                 // the next one
  std::vector<std::uint64_t> starts_;  // the first page of each subtree
  Bytes held_;                         // of the page begun, where no piece holds it whole
};

// The hash of the object with these parts. NotParts: they do not follow each other, or one is not
// what a PartHasher leaves behind. Requires: there is one.
Result<crypto::Digest, StorageError> content_of_parts(std::span<const PartContent> parts);

}  // namespace hm::storage
