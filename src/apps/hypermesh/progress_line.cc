// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "apps/hypermesh/quantity.h"

namespace hm::cli {
namespace {

constexpr std::chrono::milliseconds kBetween{100};
// A rate of the first moment says nothing.
constexpr std::chrono::milliseconds kSettled{500};

}  // namespace

std::string progress_words(const std::string& what, std::uint64_t done, std::uint64_t total,
                           std::uint64_t moved, std::chrono::milliseconds elapsed) {
  std::string line = what;
  if (done > 0 || total > 0) line += "  " + format_quantity(done, "bytes");
  if (total > 0) line += " of " + format_quantity(total, "bytes");
  if (elapsed < kSettled || moved == 0) return line;
  const double seconds = static_cast<double>(elapsed.count()) / 1000;
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(moved) / seconds);
  line += fmt::format("  {}/s", format_quantity(rate, "bytes"));
  if (total > done && rate > 0) {
    line += fmt::format("  {} left", format_age((total - done) / rate * 1000 + 999));
  }
  return line;
}

ProgressLine::ProgressLine() : is_terminal_(::isatty(STDERR_FILENO) == 1) {}

void ProgressLine::show(const std::string& what, std::uint64_t done, std::uint64_t total) {
  const auto now = Clock::now();
  if (what != what_) {
    what_ = what;
    began_ = now;
    first_ = done;
    drawn_ = {};
  }
  if (!is_terminal_ || now - drawn_ < kBetween) return;
  drawn_ = now;
  is_drawn_ = true;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
  const std::string line =
      progress_words(what, done, total, done > first_ ? done - first_ : 0, elapsed);
  std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
  std::fflush(stderr);
}

void ProgressLine::clear() {
  if (!is_drawn_) return;
  is_drawn_ = false;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
}

}  // namespace hm::cli
