// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/byte_pump.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

namespace hm::cli {
namespace {

constexpr std::size_t kRead = std::size_t{32} << 10;
// A pipe that can be written takes so much without waiting, and a terminal about that.
constexpr std::size_t kWrite = PIPE_BUF;

mode_t mode_of(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 ? status.st_mode : 0;
}

}  // namespace

InputPump::InputPump(boost::asio::io_context& loop, int fd,
                     std::function<void(std::string_view)> on_bytes, std::function<void()> on_end)
    : fd_(fd),
      on_bytes_(std::move(on_bytes)),
      on_end_(std::move(on_end)),
      watch_(loop, fd, loop::FdWatch::Wants::Reading, [this] { read(); }) {}

void InputPump::read() {
  std::array<char, kRead> buffer;
  const ssize_t count = ::read(fd_, buffer.data(), buffer.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count > 0) return on_bytes_({buffer.data(), static_cast<std::size_t>(count)});
  watch_.pause();
  if (const auto ended = std::exchange(on_end_, nullptr)) ended();
}

OutputPump::OutputPump(boost::asio::io_context& loop, int fd,
                       std::function<void(std::size_t)> on_written, std::function<void()> on_broken)
    : fd_(fd),
      is_socket_(S_ISSOCK(mode_of(fd))),
      most_(S_ISREG(mode_of(fd)) ? kRead : kWrite),
      on_written_(std::move(on_written)),
      on_broken_(std::move(on_broken)),
      watch_(loop, fd, loop::FdWatch::Wants::Writing, [this] { write_some(); }) {}

void OutputPump::write(std::string_view bytes) {
  if (bytes.empty()) return;
  if (is_broken_) return on_written_(bytes.size());
  queue_.emplace_back(bytes);
  watch_.resume();
}

void OutputPump::when_empty(std::function<void()> done) {
  if (queue_.empty()) return done();
  when_empty_ = std::move(done);
}

void OutputPump::write_some() {
  if (queue_.empty()) return watch_.pause();
  const std::string_view rest = std::string_view(queue_.front()).substr(written_);
  const ssize_t count = is_socket_
                            ? ::send(fd_, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                            : ::write(fd_, rest.data(), std::min(rest.size(), most_));
  if (count < 0) {
    if (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK) return;
    is_broken_ = true;
    queue_.clear();
    watch_.pause();
    if (const auto broken = std::exchange(on_broken_, nullptr)) broken();
  } else {
    written_ += static_cast<std::size_t>(count);
    if (written_ == queue_.front().size()) {
      queue_.pop_front();
      written_ = 0;
    }
    if (queue_.empty()) watch_.pause();
    on_written_(static_cast<std::size_t>(count));
  }
  if (!queue_.empty()) return;
  if (const auto empty = std::exchange(when_empty_, nullptr)) empty();
}

}  // namespace hm::cli
