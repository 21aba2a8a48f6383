// SPDX-License-Identifier: Apache-2.0
// Files of an image archive by name: of a folder, or of a tar file, plain or packed by gzip or
// zstd. A tar file is read through once to find its members, then each where it lies; a packed one
// is unpacked into a scratch file first, for its members cannot be found otherwise.
//
// Nothing outside a folder is reached by it. Symbolic and hard links inside a tar file are followed
// once, to a member of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/oci/blob_store.h"
#include "platform/oci/packed_stream.h"

namespace hm::oci {

class ArchiveSource {
 public:
  virtual ~ArchiveSource() = default;
  // Of a regular file; absent if there is none of this name.
  virtual std::optional<std::uint64_t> size(const std::string& name) const = 0;
  // Its bytes from the begin, exactly size() of them or Corrupt; NotFound.
  virtual Result<ByteSource> open(const std::string& name) const = 0;

  bool has(const std::string& name) const { return size(name).has_value(); }
  // All of a small one.
  Result<Bytes> read(const std::string& name, std::size_t most) const;
  Result<Bytes> read_first(const std::string& name, std::size_t most) const;
};

// `blobs` gives the scratch file.
Result<std::unique_ptr<ArchiveSource>> open_archive_source(const std::string& path,
                                                           const BlobStore& blobs);

}  // namespace hm::oci
