// SPDX-License-Identifier: Apache-2.0
// Files of the store's folder, and the folder. Names are strict, a file of ours is a regular file
// and no link, and nothing here throws or waits for anything but the disk.
//
// Bytes go between the disk and buffers of whole blocks, so that the page cache can be left out
// where the file system allows it: copying into it, and finding it room, is what storing a shard
// costs most, and a shard is seldom asked for twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/shard_store/record.h"

namespace hm::shard_store {

// kTransferBytes at the begin of a block, for the time of its life. Who is done leaves it to the
// next one: a process has as many as it needs at one time.
class TransferBuffer {
 public:
  TransferBuffer();
  ~TransferBuffer();
  TransferBuffer(const TransferBuffer&) = delete;
  TransferBuffer& operator=(const TransferBuffer&) = delete;
  std::span<std::uint8_t> bytes() const;

 private:
  std::uint8_t* bytes_;
};

class LogFile {
 public:
  enum class Mode : std::uint8_t { Read, Write, Create };
  enum class PageCache : std::uint8_t {
    Use,    // for small parts one after another, of which the kernel reads ahead
    Bypass  // if the file system takes blocks as they are; otherwise as Use
  };

  // NotFound if there is none; Create fails if there is one.
  static Result<LogFile> open(const std::string& path, Mode mode, PageCache cache);
  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&& other) noexcept;
  ~LogFile();

  Result<std::uint64_t> size() const;
  // Fewer bytes than asked for only at the file's end.
  Result<std::size_t> read(std::uint64_t offset, std::span<std::uint8_t> out) const;
  // One behind the other, each appended to an empty string.
  struct Part {
    Bytes& to;
    std::uint64_t bytes;
  };
  Result<void> read(std::uint64_t offset, std::initializer_list<Part> parts) const;
  bool bypasses_page_cache() const { return bypasses_; }
  Result<void> sync();
  // Cuts the file there and makes it durable.
  Result<void> cut(std::uint64_t size);

 private:
  friend class BlockWriter;
  LogFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}

  // What goes into the buffer at once, and at most `count`; none at the file's end.
  Result<ByteView> read_some(std::uint64_t offset, std::uint64_t count,
                             std::span<std::uint8_t> buffer) const;
  // Requires: whole blocks of a buffer, at a block's begin.
  Result<void> write_blocks(std::uint64_t offset, std::span<const std::uint8_t> blocks);
  // False: the file system wants the page cache.
  bool try_bypass();

  int descriptor_;
  std::string path_;
  bool bypasses_ = false;
};

// Writes bytes one behind the other, and zeros behind them up to the end of a block.
class BlockWriter {
 public:
  // Requires: `offset` is the begin of a block.
  BlockWriter(LogFile& file, std::uint64_t offset);

  Result<void> add(ByteView bytes);
  Result<void> finish();

 private:
  LogFile& file_;
  std::uint64_t offset_;
  TransferBuffer buffer_;
  std::size_t used_ = 0;
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
