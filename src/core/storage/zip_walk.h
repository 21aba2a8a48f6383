// SPDX-License-Identifier: Apache-2.0
// Members of a simple zip (APPNOTE.TXT 6.3, §4.3.7): local file headers that state their sizes.
// Whatever else comes - a member whose size follows its data or needs 64 bits, the directory at the
// end - ends the walk.
#pragma once

#include "core/storage/archive_walk.h"

namespace hm::storage {

class ZipWalk final : public ArchiveWalk {
 public:
  std::size_t header_size() const override { return 30; }
  std::optional<ArchiveEntry> read_header(ByteView header) override;
  void read_body(ByteView) override {}
};

}  // namespace hm::storage
