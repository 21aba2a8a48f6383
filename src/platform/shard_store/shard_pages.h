// SPDX-License-Identifier: Apache-2.0
// The pages of a shard out of its record, verified, and what is left of a damaged record.
#pragma once

#include <cstdint>
#include <optional>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/blake3/page_tree.h"
#include "platform/shard_store/log_file.h"

namespace hm::shard_store {

struct PageRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

PageRange all_pages(std::uint64_t shard_bytes);

struct ShardPages {
  blake3::PageTree tree;
  Bytes bytes;                      // of the pages of the range
  bool values_are_damaged = false;  // what is kept to verify single pages; the body is whole
};

// The first page of the range that cannot be read or is not the root's.
struct DamagedPage {
  std::uint64_t page = 0;
};

// `offset`: of the record. Requires: the shard has these pages.
Result<ShardPages, DamagedPage> read_pages(const LogFile& file, std::uint64_t offset,
                                           const ports::ShardRoot& root, std::uint64_t shard_bytes,
                                           PageRange range);

// A whole shard for a copy, with zeros in place of what cannot be read; none if no page of it can
// be verified any more.
struct SalvagedShard {
  blake3::PageTree tree;
  Bytes bytes;
  bool is_damaged = false;
};
std::optional<SalvagedShard> salvage(const LogFile& file, std::uint64_t offset,
                                     const ports::ShardRoot& root, std::uint64_t shard_bytes);

}  // namespace hm::shard_store
