// SPDX-License-Identifier: Apache-2.0
// ports::Journal on a folder of segment files. A thread of its own writes and flushes: records
// queued while one fdatasync runs share the next (group commit), so the loop never waits for the
// disk. The byte layout is in docs/protocols/journal.md.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ports/journal.h"

namespace hm::journal {

struct Options {
  std::string directory;
  // A segment is closed when it grows past this; trimming frees whole segments.
  std::uint64_t segment_bytes = 64ull << 20;
  // Records held in memory while the disk is slow; past it append() reports a failed journal
  // rather than growing.
  std::uint64_t queue_bytes_max = 256ull << 20;
};

class FileJournal final : public ports::Journal {
 public:
  // Takes an exclusive lock on the folder; fails if another process has it. `post` runs a task on
  // the loop from the flushing thread; the listener is only called there.
  static Result<std::unique_ptr<FileJournal>> open(Options options,
                                                   std::function<void(std::function<void()>)> post,
                                                   ports::JournalListener& listener);
  // Flushes what is queued, then stops the thread.
  ~FileJournal() override;

  Result<ports::ReplayReport> replay(
      const std::function<void(ports::LogSequence, ByteView)>& visit) override;
  ports::LogSequence append(ByteView record) override;
  void acknowledge_damage() override;
  void trim(ports::LogSequence first) override;

 private:
  struct Impl;
  explicit FileJournal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hm::journal
