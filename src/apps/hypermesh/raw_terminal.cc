// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/raw_terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>

#include "foundation/base/check.h"

namespace hm::cli {
namespace {

// What ends the process without a destructor. What a command catches itself is not among them.
constexpr std::array kFatal{SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGALRM, SIGPIPE};

// For a signal's handler, which can be given nothing.
int terminal_fd = -1;
termios before;
std::array<struct sigaction, kFatal.size()> actions_before;

void restore() { ::tcsetattr(terminal_fd, TCSADRAIN, &before); }

// The handler was taken away by SA_RESETHAND, so that the signal does what it would have done.
void restore_and_die(int signal) {
  ::tcsetattr(terminal_fd, TCSANOW, &before);
  ::raise(signal);
}

void make_raw() {
  termios raw = before;
  ::cfmakeraw(&raw);
  ::tcsetattr(terminal_fd, TCSADRAIN, &raw);
}

}  // namespace

std::optional<TerminalSize> terminal_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
    return std::nullopt;
  }
  return TerminalSize{size.ws_row, size.ws_col};
}

RawTerminal::RawTerminal(int fd) {
  HM_CHECK(terminal_fd < 0);
  HM_CHECK(::tcgetattr(fd, &before) == 0);
  terminal_fd = fd;
  struct sigaction action = {};
  action.sa_handler = restore_and_die;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kFatal.size(); ++i) {
    ::sigaction(kFatal[i], nullptr, &actions_before[i]);
    if (actions_before[i].sa_handler == SIG_DFL) ::sigaction(kFatal[i], &action, nullptr);
  }
  make_raw();
}

RawTerminal::~RawTerminal() {
  restore();
  for (std::size_t i = 0; i < kFatal.size(); ++i) {
    ::sigaction(kFatal[i], &actions_before[i], nullptr);
  }
  terminal_fd = -1;
}

void RawTerminal::stop_process() {
  restore();
  ::raise(SIGSTOP);
  make_raw();
}

}  // namespace hm::cli
