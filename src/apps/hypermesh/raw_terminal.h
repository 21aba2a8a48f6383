// SPDX-License-Identifier: Apache-2.0
// A terminal that passes every key on as it is typed. It is as before again however this ends: by
// the destructor, by a signal that ends the process on the spot, or while the process is stopped.
// Only SIGKILL leaves it raw.
#pragma once

#include <cstdint>
#include <optional>

#include "apps/hypermesh/failure.h"

namespace hm::cli {

struct TerminalSize {
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
};
std::optional<TerminalSize> terminal_size(int fd);

// At most one at a time.
class RawTerminal {
 public:
  // Requires: `fd` is a terminal.
  explicit RawTerminal(int fd);
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  // Stops this process with the terminal as it was before, and makes it raw again when it goes on.
  void stop_process();
};

}  // namespace hm::cli
