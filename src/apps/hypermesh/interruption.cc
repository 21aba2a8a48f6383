// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/interruption.h"

#include <array>
#include <cstddef>

namespace hm::cli {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};
volatile std::sig_atomic_t came = 0;

void note(int signal) {
  if (came == 0) came = signal;
}

}  // namespace

Interruption::Interruption() {
  came = 0;
  struct sigaction action = {};
  action.sa_handler = note;
  ::sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &before_[i]);
}

Interruption::~Interruption() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
}

int Interruption::signal() const { return came; }

}  // namespace hm::cli
