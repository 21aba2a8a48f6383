// SPDX-License-Identifier: Apache-2.0
// Finds the members of an archive that passes by: header, body, header, body, to its end or to
// where it stops to be such an archive. Any input; memory does not grow with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "foundation/base/bytes.h"

namespace hm::storage {

// What stands between a header and the next one.
struct ArchiveEntry {
  std::uint64_t body = 0;  // bytes, at most a little above kMaxMember
  // What follows belongs to another member. Not so behind an entry that describes the next one, and
  // between the blocks of zeros that end a tar.
  bool ends_member = false;
};

class ArchiveWalk {
 public:
  virtual ~ArchiveWalk() = default;

  virtual std::size_t header_size() const = 0;
  // Of exactly header_size() bytes. Nothing: from here on it is no such archive.
  virtual std::optional<ArchiveEntry> read_header(ByteView header) = 0;
  // The body of the last entry, in pieces, whole before the next header.
  virtual void read_body(ByteView piece) = 0;
};

}  // namespace hm::storage
