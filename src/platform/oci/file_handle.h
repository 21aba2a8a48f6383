// SPDX-License-Identifier: Apache-2.0
// An open file that is closed when it goes, and what the system says when it refuses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::oci {

class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int fd) : fd_(fd) {}
  ~FileHandle();
  FileHandle(FileHandle&& other) noexcept;
  FileHandle& operator=(FileHandle&& other) noexcept;

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// "cannot open blobs/…", with the system's words as detail and the code that suits `error`.
std::unexpected<Error> system_error(std::string_view what, std::string_view path, int error);

// At the file's own offset, or appended where it was opened so.
Result<void> write_all(int fd, ByteView bytes, std::string_view path);
Result<void> write_all_at(int fd, ByteView bytes, std::uint64_t offset, std::string_view path);
// As many bytes as there are, up to out.size(); fewer only at the end of the file.
Result<std::size_t> read_some_at(int fd, std::span<std::uint8_t> out, std::uint64_t offset,
                                 std::string_view path);
Result<std::uint64_t> size_of(int fd, std::string_view path);
Result<void> flush(int fd, std::string_view path);
Result<FileHandle> open_folder(const std::string& path);

// Removes a tree; nothing of it is followed out of it. Fine if there is none.
Result<void> remove_tree(const std::string& path);

}  // namespace hm::oci
