// SPDX-License-Identifier: Apache-2.0
// What a command-line tool hangs on an event loop beside its sockets: the readiness of a terminal,
// pipe, file or socket, and signals. Destroying a watch ends it, also from within its own call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace hm::loop {

// Calls `on_ready` on the loop whenever the descriptor can be read (or written) without waiting;
// the end of the input and errors count, so that the read (write) itself tells. It watches a copy
// of the descriptor: the given one stays the caller's, and none of its flags change. What cannot be
// waited for, such as a file, is always ready. Begins paused.
class FdWatch {
 public:
  enum class Wants : std::uint8_t { Reading, Writing };

  FdWatch(boost::asio::io_context& loop, int fd, Wants wants, std::function<void()> on_ready);
  ~FdWatch();
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;

  void resume();
  void pause();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Calls `on_signal` on the loop for each of these signals, instead of their default action.
class SignalWatch {
 public:
  SignalWatch(boost::asio::io_context& loop, const std::vector<int>& signals,
              std::function<void(int)> on_signal);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace hm::loop
