// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/descriptor_stream.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <deque>
#include <optional>
#include <system_error>
#include <utility>

#include "foundation/base/check.h"
#include "platform/container_runtime/monitor_protocol.h"

namespace hm::container_runtime {
namespace asio = boost::asio;
using boost::system::error_code;
using Socket = asio::posix::stream_descriptor;

struct DescriptorStream::Impl {
  Impl(asio::io_context& context, int fd, EndsBy by, ports::ContainerStreamListener& to)
      : socket(context, fd), ends_by(by), listener(&to) {}
  Socket socket;
  EndsBy ends_by;
  ports::ContainerStreamListener* listener;  // null: dropped or ended
  std::size_t allowance = 0;
  bool is_reading = false;
  bool is_writing = false;
  bool is_input_closed = false;
  bool has_more = false;  // bytes wait for allowance
  bool is_at_end = false;
  std::deque<Bytes> unwritten;
  std::size_t untaken = 0;
  std::size_t written_of_first = 0;
  std::optional<Result<void>> result;
};

class DescriptorStream::Stream final : public ports::ContainerStream {
 public:
  explicit Stream(std::shared_ptr<DescriptorStream> core) : core_(std::move(core)) {}
  ~Stream() override {
    core_->impl_->listener = nullptr;
    error_code ignored;
    core_->impl_->socket.close(ignored);
  }
  void write(Bytes bytes) override {
    auto& impl = *core_->impl_;
    if (impl.listener == nullptr || bytes.empty()) return;
    impl.untaken += bytes.size();
    HM_CHECK(impl.untaken <= ports::kMaxPendingInput);
    impl.unwritten.push_back(std::move(bytes));
    core_->write();
  }
  void close_input() override {
    core_->impl_->is_input_closed = true;
    core_->write();
  }
  void allow(std::size_t bytes) override {
    core_->impl_->allowance += bytes;
    core_->impl_->has_more = false;
    core_->read();
  }
  void signal(int) override {}
  void resize(std::uint16_t, std::uint16_t) override {}

 private:
  std::shared_ptr<DescriptorStream> core_;
};

DescriptorStream::DescriptorStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DescriptorStream::~DescriptorStream() = default;

std::shared_ptr<DescriptorStream> DescriptorStream::open(asio::io_context& context,
                                                         Descriptor socket, EndsBy ends_by,
                                                         ports::ContainerStreamListener& listener) {
  const int fd = socket.release();
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  return std::shared_ptr<DescriptorStream>(
      new DescriptorStream(std::make_unique<Impl>(context, fd, ends_by, listener)));
}

std::unique_ptr<ports::ContainerStream> DescriptorStream::stream() {
  read();
  return std::make_unique<Stream>(shared_from_this());
}

void DescriptorStream::set_result(Result<void> result) {
  impl_->result = std::move(result);
  end_if_over();
}

// Also without allowance, because the end is told without one.
void DescriptorStream::read() {
  if (impl_->is_reading || impl_->is_at_end || impl_->has_more || impl_->listener == nullptr) {
    return;
  }
  impl_->is_reading = true;
  impl_->socket.async_wait(Socket::wait_read, [self = shared_from_this()](const error_code& error) {
    self->impl_->is_reading = false;
    if (!error) self->read_some();
  });
}

void DescriptorStream::read_some() {
  std::array<std::uint8_t, kMaxChunk> buffer;
  if (impl_->listener == nullptr) return;
  const bool only_looks = impl_->allowance == 0;
  const std::size_t most = only_looks ? 1 : std::min(buffer.size(), impl_->allowance);
  const ssize_t count = ::recv(impl_->socket.native_handle(), buffer.data(), most,
                               only_looks ? MSG_DONTWAIT | MSG_PEEK : MSG_DONTWAIT);
  if (count > 0 && only_looks) {
    impl_->has_more = true;
  } else if (count > 0) {
    impl_->allowance -= static_cast<std::size_t>(count);
    impl_->listener->on_output(ports::ContainerStreamListener::Lane::Out,
                               ByteView(buffer).first(static_cast<std::size_t>(count)));
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    const int reason = count == 0 ? 0 : errno;
    impl_->is_at_end = true;
    if (reason != 0 && impl_->ends_by == EndsBy::Socket) {
      end(fail(ErrorCode::Unavailable, "the connection into the container broke",
               std::generic_category().message(reason)));
      return;
    }
    end_if_over();
    return;
  }
  read();
}

void DescriptorStream::write() {
  while (!impl_->is_writing && impl_->socket.is_open() && !impl_->unwritten.empty()) {
    const Bytes& first = impl_->unwritten.front();
    const ssize_t count =
        ::send(impl_->socket.native_handle(), first.data() + impl_->written_of_first,
               first.size() - impl_->written_of_first, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      impl_->is_writing = true;
      impl_->socket.async_wait(Socket::wait_write,
                               [self = shared_from_this()](const error_code& error) {
                                 self->impl_->is_writing = false;
                                 if (!error) self->write();
                               });
      return;
    }
    // Where nobody reads any more it vanishes, as in a pipe; the other direction tells why.
    const std::size_t taken =
        count < 0 ? first.size() - impl_->written_of_first : static_cast<std::size_t>(count);
    impl_->written_of_first += taken;
    if (impl_->written_of_first == first.size()) {
      impl_->unwritten.pop_front();
      impl_->written_of_first = 0;
    }
    impl_->untaken -= taken;
    asio::post(impl_->socket.get_executor(), [self = shared_from_this(), taken] {
      if (self->impl_->listener != nullptr) self->impl_->listener->on_taken(taken);
    });
  }
  if (impl_->is_input_closed && impl_->unwritten.empty() && impl_->socket.is_open()) {
    ::shutdown(impl_->socket.native_handle(), SHUT_WR);
  }
}

void DescriptorStream::end_if_over() {
  if (impl_->ends_by == EndsBy::Socket) {
    if (impl_->is_at_end) end(ports::ProcessExit{});
  } else if (impl_->result && (impl_->is_at_end || !*impl_->result)) {
    if (*impl_->result) {
      end(ports::ProcessExit{});
    } else {
      end(fail(impl_->result->error()));
    }
  }
}

void DescriptorStream::end(const Result<ports::ProcessExit>& exit) {
  error_code ignored;
  impl_->socket.close(ignored);
  if (auto* listener = std::exchange(impl_->listener, nullptr)) listener->on_end(exit);
}

}  // namespace hm::container_runtime
