// SPDX-License-Identifier: Apache-2.0
// A lock file that says which process uses a data folder. The kernel drops the lock when the
// process ends, however it ends, so a stale file never blocks and a reused pid is never mistaken.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "foundation/base/result.h"

namespace hm::files {

// A process that was killed keeps its files until the last of its threads is gone.
inline constexpr std::chrono::milliseconds kEndingWait{10'000};

class ProcessLock {
 public:
  // Takes the lock for this process, or fails with FailedPrecondition naming the holder. A holder
  // that is ending is waited for, kEndingWait at most.
  static Result<ProcessLock> take(const std::string& path);

  ProcessLock(ProcessLock&& other) noexcept;
  ProcessLock& operator=(ProcessLock&& other) noexcept;
  ProcessLock(const ProcessLock&) = delete;
  ProcessLock& operator=(const ProcessLock&) = delete;
  ~ProcessLock();

 private:
  explicit ProcessLock(int fd) : fd_(fd) {}
  int fd_;
};

// The pid that holds the lock right now, as the kernel knows it; none if nobody does, if who does
// is ending, or if the file does not exist.
Result<std::optional<int>> lock_holder(const std::string& path);

}  // namespace hm::files
