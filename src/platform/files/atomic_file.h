// SPDX-License-Identifier: Apache-2.0
// Whole files: written so that a crash leaves the old content or the new one, read up to a bound.
// Secret files are readable by their owner only, and are refused when they are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::files {

enum class Access : std::uint8_t {
  Public,  // 0644
  Secret,  // 0600; reading refuses any bit for group or others and a foreign owner
};

enum class Existing : std::uint8_t { Refuse, Replace };

// Writes a temporary file beside `path`, flushes it, moves it into place and flushes the folder.
Result<void> write_file(const std::string& path, ByteView content, Access access,
                        Existing existing);

// The content of a regular file of at most `max_size` bytes. Symbolic links are followed except for
// secrets, where the file itself must be what was named.
Result<Bytes> read_file(const std::string& path, std::size_t max_size, Access access);

// Creates the folder and its missing parents with `mode` (0700 for what holds keys).
Result<void> make_folder(const std::string& path, unsigned mode);

}  // namespace hm::files
