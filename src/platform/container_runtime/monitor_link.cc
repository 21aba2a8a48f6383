// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/monitor_link.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <csignal>
#include <deque>
#include <utility>

namespace hm::container_runtime {
namespace asio = boost::asio;
using boost::system::error_code;
using Stream = asio::posix::stream_descriptor;

struct MonitorLink::Impl {
  Impl(asio::io_context& context, MonitorProcess monitor, Handlers given)
      : socket(context, monitor.socket.release()),
        process(context, monitor.process.release()),
        handlers(std::make_shared<Handlers>(std::move(given))) {}
  Stream socket;
  Stream process;
  std::shared_ptr<Handlers> handlers;  // null: forgotten; shared with the call under way
  std::deque<Bytes> unsent;
  bool is_sending = false;
  std::array<std::uint8_t, kMaxFrame> frame;
};

MonitorLink::MonitorLink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MonitorLink::~MonitorLink() = default;

std::shared_ptr<MonitorLink> MonitorLink::open(asio::io_context& context, MonitorProcess monitor,
                                               Handlers handlers) {
  const std::shared_ptr<MonitorLink> link(
      new MonitorLink(std::make_unique<Impl>(context, std::move(monitor), std::move(handlers))));
  link->read();
  link->wait_for_end();
  return link;
}

// False at the end of the connection.
bool MonitorLink::receive_all() {
  while (impl_->socket.is_open()) {
    auto& frame = impl_->frame;
    const ssize_t got =
        ::recv(impl_->socket.native_handle(), frame.data(), frame.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    const auto handlers = impl_->handlers;
    if (!handlers) continue;
    handlers->on_frame(static_cast<FromMonitor>(frame.front()),
                       ByteView(frame).subspan(1, static_cast<std::size_t>(got) - 1));
  }
  return false;
}

void MonitorLink::read() {
  impl_->socket.async_wait(Stream::wait_read, [self = shared_from_this()](const error_code& error) {
    if (error) return;
    if (self->receive_all()) self->read();
  });
}

void MonitorLink::wait_for_end() {
  impl_->process.async_wait(
      Stream::wait_read, [self = shared_from_this()](const error_code& error) {
        if (error) return;
        siginfo_t info{};
        // Fails for a monitor that another daemon started: it is not this one's to reap.
        ::waitid(P_PIDFD, static_cast<id_t>(self->impl_->process.native_handle()), &info,
                 WEXITED | WNOHANG);
        // What it said last.
        self->receive_all();
        error_code ignored;
        self->impl_->socket.close(ignored);
        self->impl_->process.close(ignored);
        const auto handlers = std::exchange(self->impl_->handlers, nullptr);
        if (handlers) handlers->on_gone();
      });
}

void MonitorLink::send(const Frame& frame) {
  if (!impl_->socket.is_open()) return;
  impl_->unsent.push_back(to_bytes(frame.view()));
  if (!impl_->is_sending) flush();
}

void MonitorLink::flush() {
  while (!impl_->unsent.empty() && impl_->socket.is_open()) {
    const Bytes& first = impl_->unsent.front();
    const ssize_t sent = ::send(impl_->socket.native_handle(), first.data(), first.size(),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
      impl_->is_sending = true;
      impl_->socket.async_wait(Stream::wait_write,
                               [self = shared_from_this()](const error_code& error) {
                                 self->impl_->is_sending = false;
                                 if (!error) self->flush();
                               });
      return;
    }
    if (sent < 0) {
      impl_->unsent.clear();
      return;
    }
    impl_->unsent.pop_front();
  }
}

void MonitorLink::close() {
  error_code ignored;
  impl_->socket.close(ignored);
}

void MonitorLink::kill() {
  if (impl_->process.is_open()) {
    ::syscall(SYS_pidfd_send_signal, impl_->process.native_handle(), SIGKILL, nullptr, 0);
  }
}

void MonitorLink::forget() {
  impl_->handlers.reset();
  error_code ignored;
  impl_->socket.close(ignored);
  impl_->process.close(ignored);
}

}  // namespace hm::container_runtime
