// SPDX-License-Identifier: Apache-2.0
// Files of the store's folder, and the folder. Names are strict, a file of ours is a regular file
// and no link, and nothing here throws or waits for anything but the disk.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/shard_store/record.h"

namespace hm::shard_store {

class LogFile {
 public:
  enum class Mode : std::uint8_t { Read, Write, Create };

  // NotFound if there is none; Create fails if there is one.
  static Result<LogFile> open(const std::string& path, Mode mode);
  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&& other) noexcept;
  ~LogFile();

  Result<std::uint64_t> size() const;
  // Fewer bytes than asked for only at the file's end.
  Result<std::size_t> read(std::uint64_t offset, std::span<std::uint8_t> out) const;
  // All of them; uses `parts` up.
  Result<void> write(std::uint64_t offset, std::span<iovec> parts);
  Result<void> write(std::uint64_t offset, ByteView bytes);
  Result<void> sync();
  // Cuts the file there and makes it durable.
  Result<void> cut(std::uint64_t size);

 private:
  LogFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}

  int descriptor_;
  std::string path_;
};

class Folder {
 public:
  explicit Folder(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string lock_path() const { return path_ + "/lock"; }
  std::string key_path() const { return path_ + "/key"; }
  std::string log_path(LogNumber log) const;
  std::string index_path(LogNumber log) const;

  struct Content {
    std::vector<LogNumber> logs;  // ascending
    std::vector<LogNumber> indexes;
    std::vector<std::string> unfinished;  // what a crash left of a file that was being written
    std::vector<std::string> foreign;     // names that are none of ours
  };
  Result<Content> list() const;

  Result<void> sync() const;
  // No failure if there is none.
  Result<void> remove(const std::string& path) const;
  // What others than root may still use of the file system.
  Result<std::uint64_t> free_bytes() const;

 private:
  std::string path_;
};

}  // namespace hm::shard_store
