// SPDX-License-Identifier: Apache-2.0
#include "platform/loop/watches.h"

#include <fcntl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <utility>

namespace hm::loop {

namespace asio = boost::asio;
using boost::system::error_code;

struct FdWatch::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, int fd, Wants what, std::function<void()> handler)
      : descriptor(context), wants(what), on_ready(std::move(handler)) {
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    error_code error;
    if (copy >= 0) descriptor.assign(copy, error);
  }

  void wait() {
    if (paused || waiting || !on_ready) return;
    waiting = true;
    const auto done = [self = shared_from_this()] {
      self->waiting = false;
      if (self->paused || !self->on_ready) return;
      // It may end the watch.
      const auto handler = self->on_ready;
      handler();
      self->wait();
    };
    if (!descriptor.is_open()) return asio::post(descriptor.get_executor(), done);
    const auto kind = wants == Wants::Reading ? asio::posix::stream_descriptor::wait_read
                                              : asio::posix::stream_descriptor::wait_write;
    // Every error means ready: a file cannot be polled, and of others the read will tell.
    descriptor.async_wait(kind, [done](const error_code&) { done(); });
  }

  asio::posix::stream_descriptor descriptor;
  Wants wants;
  std::function<void()> on_ready;
  bool paused = true;
  bool waiting = false;
};

FdWatch::FdWatch(asio::io_context& loop, int fd, Wants wants, std::function<void()> on_ready)
    : state_(std::make_shared<State>(loop, fd, wants, std::move(on_ready))) {}

FdWatch::~FdWatch() {
  state_->on_ready = nullptr;
  error_code ignored;
  state_->descriptor.close(ignored);
}

void FdWatch::resume() {
  state_->paused = false;
  state_->wait();
}

void FdWatch::pause() { state_->paused = true; }

struct SignalWatch::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, std::function<void(int)> handler)
      : signals(context), on_signal(std::move(handler)) {}

  void wait() {
    signals.async_wait([self = shared_from_this()](const error_code& error, int signal) {
      if (error || !self->on_signal) return;
      const auto handler = self->on_signal;
      handler(signal);
      if (self->on_signal) self->wait();
    });
  }

  asio::signal_set signals;
  std::function<void(int)> on_signal;
};

SignalWatch::SignalWatch(asio::io_context& loop, const std::vector<int>& signals,
                         std::function<void(int)> on_signal)
    : state_(std::make_shared<State>(loop, std::move(on_signal))) {
  error_code ignored;
  for (const int signal : signals) state_->signals.add(signal, ignored);
  state_->wait();
}

SignalWatch::~SignalWatch() {
  state_->on_signal = nullptr;
  error_code ignored;
  state_->signals.clear(ignored);
  state_->signals.cancel(ignored);
}

}  // namespace hm::loop
