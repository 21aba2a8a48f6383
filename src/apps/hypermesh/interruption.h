// SPDX-License-Identifier: Apache-2.0
// A command that holds something which must be given back, such as leases, between two answers of a
// node: SIGINT, SIGTERM and SIGHUP are noted instead of ending it, and it looks whether one came.
#pragma once

#include <csignal>

namespace hm::cli {

// One at a time. What the signals did before comes back with its end.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // The first that came; 0: none.
  int signal() const;

 private:
  struct sigaction before_[3] = {};
};

}  // namespace hm::cli
