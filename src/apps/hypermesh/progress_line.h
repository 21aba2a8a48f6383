// SPDX-License-Identifier: Apache-2.0
// How far something that takes a while has come: one line on a terminal, drawn over itself, with
// the rate and the time that is left. Where standard error is no terminal nothing is said.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace hm::cli {

class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // `total` 0: not known. Another `what` begins anew.
  void show(const std::string& what, std::uint64_t done, std::uint64_t total);
  // The line is free for something else.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  bool is_terminal_;
  bool is_drawn_ = false;
  std::string what_;
  Clock::time_point began_;
  Clock::time_point drawn_;
  std::uint64_t first_ = 0;  // what was done when it began
};

// "fetching the image  12 MiB of 40 MiB  3 MiB/s  9 s left"; what is not known is left out.
// `moved`: how much of `done` came in `elapsed`.
std::string progress_words(const std::string& what, std::uint64_t done, std::uint64_t total,
                           std::uint64_t moved, std::chrono::milliseconds elapsed);

}  // namespace hm::cli
