// SPDX-License-Identifier: Apache-2.0
// Members of a tar: ustar and pax (POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended
// Header"), and GNU (its manual, "Basic Tar Format"). Strict: a header without the right magic and
// checksum, a number that is none or above kMaxMember, or a malformed pax record ends the walk.
#pragma once

#include "core/storage/archive_walk.h"
#include "core/storage/pax_size.h"

namespace hm::storage {

inline constexpr std::size_t kTarBlock = 512;

// True iff the first block is a header of a tar with the magic and the checksum.
bool is_tar_header(ByteView head);

class TarWalk final : public ArchiveWalk {
 public:
  std::size_t header_size() const override { return kTarBlock; }
  std::optional<ArchiveEntry> read_header(ByteView header) override;
  void read_body(ByteView piece) override;

 private:
  std::optional<ArchiveEntry> read_entry(ByteView header);
  ArchiveEntry read_sparse_map(ByteView block);

  PaxSize pax_;
  std::uint64_t pax_left_ = 0;           // bytes of records to come, without their padding
  std::optional<std::uint64_t> sparse_;  // body behind further blocks of a sparse map
};

}  // namespace hm::storage
