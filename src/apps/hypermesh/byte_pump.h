// SPDX-License-Identifier: Apache-2.0
// Bytes between descriptors of this process and a stream, each held back by the slower side. No
// flag of a descriptor is changed: it may be shared with the shell that started this.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "platform/loop/watches.h"

namespace boost::asio {
class io_context;
}

namespace hm::cli {

// Reads while it is wanted.
class InputPump {
 public:
  // `on_bytes` with what came, `on_end` once at its end or on an error.
  InputPump(boost::asio::io_context& loop, int fd, std::function<void(std::string_view)> on_bytes,
            std::function<void()> on_end);

  void resume() { watch_.resume(); }
  void pause() { watch_.pause(); }

 private:
  void read();

  int fd_;
  std::function<void(std::string_view)> on_bytes_;
  std::function<void()> on_end_;
  loop::FdWatch watch_;
};

// Writes what is queued as the descriptor takes it.
class OutputPump {
 public:
  // `on_written` for so many bytes; `on_broken` once, if the other side does not want any more.
  OutputPump(boost::asio::io_context& loop, int fd, std::function<void(std::size_t)> on_written,
             std::function<void()> on_broken);

  void write(std::string_view bytes);
  bool is_empty() const { return queue_.empty(); }
  // Called once, when everything is written, or at once if it is.
  void when_empty(std::function<void()> done);

 private:
  void write_some();

  int fd_;
  bool is_socket_;
  std::size_t most_;  // in one write, so that it does not wait
  std::deque<std::string> queue_;
  std::size_t written_ = 0;  // of the first
  bool is_broken_ = false;
  std::function<void(std::size_t)> on_written_;
  std::function<void()> on_broken_;
  std::function<void()> when_empty_;
  loop::FdWatch watch_;
};

}  // namespace hm::cli
