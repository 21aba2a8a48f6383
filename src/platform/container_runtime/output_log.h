// SPDX-License-Identifier: Apache-2.0
// What a container wrote, as kept in its state folder: the files `log.old` and `log`, in which each
// record has its offset in the whole output, its time, its lane and its bytes. When `log` is full
// it becomes `log.old`, so that between kLogBytes and twice as much is kept.
//
// One process writes, others may read at the same time. A record that cannot be written (the disk
// is full) is left out; the offsets of later ones show the gap. Nothing is flushed to the disk: a
// log survives its writers, not the machine's fall.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "foundation/base/bytes.h"

namespace hm::container_runtime {

inline constexpr std::uint64_t kLogBytes = std::uint64_t{4} << 20;

class OutputLog {
 public:
  // Goes on after the last whole record that is there. `folder` is a descriptor, not taken over.
  explicit OutputLog(int folder);
  ~OutputLog();
  OutputLog(const OutputLog&) = delete;
  OutputLog& operator=(const OutputLog&) = delete;

  // Requires: at most kMaxChunk bytes.
  void append(std::uint8_t lane, ByteView bytes, std::uint64_t unix_millis);
  // Bytes written so far, whether kept or not.
  std::uint64_t end() const { return end_; }

 private:
  void open();
  void rotate();

  int folder_;
  int file_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t end_ = 0;
};

class RecordFile;

class LogReader {
 public:
  struct Piece {
    std::uint8_t lane = 0;
    std::uint64_t offset = 0;
    std::uint64_t unix_millis = 0;
    ByteView bytes;  // until the next call
  };

  explicit LogReader(int folder);  // not taken over
  ~LogReader();
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  // To the first byte that is kept at or after `offset`.
  void seek(std::uint64_t offset);
  // At most `most` bytes of one record; none: there is no more now.
  std::optional<Piece> next(std::size_t most);

  // The offset after the last byte that is there now.
  static std::uint64_t end_of(int folder);

 private:
  bool next_file();
  std::optional<Piece> next_here(std::size_t most);

  int folder_;
  std::unique_ptr<RecordFile> file_;
  std::uint64_t position_ = 0;  // of the current record
  std::uint64_t wanted_ = 0;    // bytes below were handed out or are passed over
};

}  // namespace hm::container_runtime
