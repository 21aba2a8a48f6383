// SPDX-License-Identifier: Apache-2.0
// A file for what passes through and is too large for memory. It is gone with the object, and what
// an earlier process left is gone when the next one starts. Calls block: workers only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::ports {

class ScratchFile {
 public:
  virtual ~ScratchFile() = default;
  virtual const std::string& path() const = 0;
  // NoCapacity if the disk would fall below its floor.
  virtual Result<void> append(ByteView bytes) = 0;
  virtual Result<std::uint64_t> size() = 0;
  // At most `most` bytes from `offset` on; fewer only at the end.
  virtual Result<Bytes> read(std::uint64_t offset, std::size_t most) = 0;
};

class ScratchFiles {
 public:
  virtual ~ScratchFiles() = default;
  virtual Result<std::unique_ptr<ScratchFile>> create() = 0;
};

}  // namespace hm::ports
