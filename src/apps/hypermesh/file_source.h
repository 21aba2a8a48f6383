// SPDX-License-Identifier: Apache-2.0
// A file on its way to the node, read once from beginning to end. That it changes meanwhile is
// noticed before its last bytes are handed out, so that nothing is stored that was never its
// content at one moment: its size and time of change, before and after, say so.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "apps/hypermesh/failure.h"
#include "foundation/blake3/blake3.h"

namespace hm::cli {

// When a file was written to last.
struct FileStamp {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  bool operator==(const FileStamp&) const = default;
};

class FileSource {
 public:
  // Regular files only; a link in the last part of the path is followed.
  static Answer<FileSource> open(const std::string& path);
  ~FileSource();
  FileSource(FileSource&& other) noexcept;
  FileSource& operator=(FileSource&&) = delete;

  std::uint64_t size() const { return size_; }
  bool is_read() const { return read_ == size_; }  // all of it
  // The next bytes to the front of `room`, how many; 0: that was all.
  Answer<std::size_t> read(std::span<char> room);
  // Of what was read; all of it at the end.
  crypto::Digest content() const { return hasher_.digest(); }

 private:
  FileSource(std::string path, int fd, std::uint64_t size, FileStamp changed)
      : path_(std::move(path)), fd_(fd), size_(size), changed_(changed) {}

  std::string path_;
  int fd_;
  std::uint64_t size_;
  FileStamp changed_;
  std::uint64_t read_ = 0;
  blake3::Hasher hasher_;
};

// A file whose bytes are read anywhere, by several threads.
class FileParts {
 public:
  // As FileSource::open().
  static Answer<FileParts> open(const std::string& path);
  ~FileParts();
  FileParts(FileParts&& other) noexcept;
  FileParts& operator=(FileParts&&) = delete;

  std::uint64_t size() const { return size_; }
  // When it was written to last, as text to compare.
  std::string changed() const;
  // At least one of the bytes at `begin` and behind it. Requires: room, within the file.
  Answer<std::size_t> read(std::uint64_t begin, std::span<char> room) const;
  // Of the same size and time as when it was opened.
  Outcome check_unchanged() const;

 private:
  FileParts(std::string path, int fd, std::uint64_t size, FileStamp changed)
      : path_(std::move(path)), fd_(fd), size_(size), changed_(changed) {}

  std::string path_;
  int fd_;
  std::uint64_t size_;
  FileStamp changed_;
};

// The content of a file as it is now, by its hash.
Answer<crypto::Digest> content_of_file(const std::string& path);

}  // namespace hm::cli
