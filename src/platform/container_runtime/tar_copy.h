// SPDX-License-Identifier: Apache-2.0
// Files of a container out as a tar stream and in from one: regular files, folders, links. Owners
// are the container's ids in the stream and shifted ones on disk. What else a stream has (devices,
// pipes) is refused, and what else a folder has is left out.
//
// The stream and the files are the tenant's: no path leaves the root, existing files are replaced
// and never written through, and what is written counts against the container's own limits. Calls
// block on the socket and the disk for as long as the other side lets them.
#pragma once

#include <cstdint>
#include <string>

#include "foundation/base/result.h"

namespace hm::container_runtime {

struct TarPlace {
  int root = -1;     // descriptor of the container's root, borrowed
  std::string path;  // absolute, inside
  std::uint32_t uid_shift = 0;
  std::uint32_t ids = 0;  // ids that the container has: 0 up to here
};

// The file or folder at the path, under its own name, with all that lies in it.
Result<void> pack_files(int socket, const TarPlace& place);
// Into the folder at the path, which must be there. Reads to the end of the stream.
Result<void> unpack_files(int socket, const TarPlace& place);

}  // namespace hm::container_runtime
