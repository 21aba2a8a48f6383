// SPDX-License-Identifier: Apache-2.0
// A connection while its answer is written piece by piece.
#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "platform/http/connection.h"

namespace hm::http {
namespace asio = boost::asio;
using boost::system::error_code;
using ports::HttpFault;
using ports::HttpResponse;
using ports::HttpStream;

namespace {

class StreamHandle final : public HttpStream {
 public:
  StreamHandle(std::shared_ptr<Connection> connection, std::uint64_t ticket)
      : connection_(std::move(connection)), ticket_(ticket) {}
  ~StreamHandle() override { connection_->let_go_of_stream(ticket_); }
  StreamHandle(const StreamHandle&) = delete;
  StreamHandle& operator=(const StreamHandle&) = delete;

  WriteResult write(std::string bytes) override {
    return connection_->stream_write(ticket_, std::move(bytes));
  }
  std::size_t room() const override { return connection_->stream_room(ticket_); }
  void when_room(std::function<void()> call) override {
    connection_->when_stream_room(ticket_, std::move(call));
  }
  void finish() override { connection_->finish_stream(ticket_); }
  bool is_open() const override { return connection_->is_stream_open(ticket_); }

 private:
  std::shared_ptr<Connection> connection_;
  std::uint64_t ticket_;
};

constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace

std::shared_ptr<HttpStream> Connection::open_stream(std::uint64_t ticket, HttpResponse head,
                                                    std::optional<std::uint64_t> length) {
  if (!may_respond(ticket)) return nullptr;
  if (core_->counters().open_streams >= core_->config().max_streams) {
    respond_fault(ticket, HttpFault::TooManyStreams);
    return nullptr;
  }
  if (upload_.is_asking) {
    close();
    return nullptr;
  }
  end_upload();
  const Framing framing = length       ? Framing::Length
                          : is_newest_ ? Framing::Chunks
                                       : Framing::UntilClose;
  if (!upload_.is_whole || framing == Framing::UntilClose) keep_alive_ = false;
  const After after = keep_alive_ ? After::KeepAlive : After::Close;
  phase_ = Phase::Streaming;
  deadline_.reset();
  ++core_->counters().open_streams;
  stream_ = {};
  stream_.framing = framing;
  stream_.left = length.value_or(0);
  stream_.queue.push(head_text(head, after, framing, stream_.left));
  if (head_only_) {
    stream_.ending = Stream::Ending::Finished;
    flush_stream();
    return nullptr;
  }
  auto handle = std::make_shared<StreamHandle>(shared_from_this(), ticket);
  if (head.body.empty()) {
    flush_stream();
  } else {
    stream_write(ticket, std::move(head.body));
  }
  // The client's end is noticed; what it wants next waits.
  if (upload_.is_whole && buffer_.size() == 0) read_more();
  return handle;
}

bool Connection::is_stream_open(std::uint64_t ticket) const {
  return phase_ == Phase::Streaming && ticket == ticket_ && stream_.ending == Stream::Ending::None;
}

std::size_t Connection::stream_room(std::uint64_t ticket) const {
  if (!is_stream_open(ticket)) return 0;
  const std::size_t most = core_->config().max_stream_backlog;
  return most - std::min(most, stream_.queue.size());
}

HttpStream::WriteResult Connection::stream_write(std::uint64_t ticket, std::string bytes) {
  if (!is_stream_open(ticket)) return HttpStream::WriteResult::Closed;
  if (bytes.empty()) return HttpStream::WriteResult::Queued;  // as a chunk it would be the last
  if (bytes.size() > stream_room(ticket)) {
    ++core_->counters().slow_streams;
    close();
    return HttpStream::WriteResult::TooSlow;
  }
  switch (stream_.framing) {
    case Framing::Length:
      if (bytes.size() > stream_.left) {
        drop_stream();
        return HttpStream::WriteResult::Closed;
      }
      stream_.left -= bytes.size();
      stream_.queue.push(std::move(bytes));
      break;
    case Framing::Chunks:
      stream_.queue.push_small(fmt::format("{:x}\r\n", bytes.size()));
      stream_.queue.push(std::move(bytes));
      stream_.queue.push_small("\r\n");
      break;
    case Framing::UntilClose: stream_.queue.push(std::move(bytes)); break;
  }
  flush_stream();
  return HttpStream::WriteResult::Queued;
}

void Connection::flush_stream() {
  if (stream_.is_writing || stream_.queue.empty()) return;
  stream_.is_writing = true;
  deadline_ = Clock::now() + core_->config().stall_time;
  socket_.async_write_some(stream_.queue.front(),
                           [self = shared_from_this()](const error_code& error, std::size_t count) {
                             self->stream_.is_writing = false;
                             self->on_stream_written(error, count);
                           });
}

void Connection::on_stream_written(const error_code& error, std::size_t count) {
  if (phase_ != Phase::Streaming) return;
  deadline_.reset();
  if (error) return close();
  stream_.queue.consume(count);
  if (!stream_.queue.empty()) {
    flush_stream();
  } else if (stream_.ending != Stream::Ending::None) {
    return end_stream();
  }
  offer_room();
}

void Connection::finish_stream(std::uint64_t ticket) {
  if (!is_stream_open(ticket)) return;
  if (stream_.framing == Framing::Length && stream_.left > 0) return drop_stream();
  if (stream_.framing == Framing::Chunks) stream_.queue.push_small(kLastChunk);
  stream_.ending = Stream::Ending::Finished;
  stream_.room_call = nullptr;
  flush_stream();
  if (stream_.is_writing) return;
  // Posted: what the client wants next is not to reach the handler from inside its call.
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->phase_ == Phase::Streaming) self->end_stream();
  });
}

void Connection::drop_stream() {
  stream_.ending = Stream::Ending::Dropped;
  post_room_offer();
  if (!stream_.is_writing) end_stream();
}

void Connection::let_go_of_stream(std::uint64_t ticket) {
  if (ticket != ticket_) return;
  stream_.room_call = nullptr;
  if (is_stream_open(ticket)) drop_stream();
}

// Everything is written.
void Connection::end_stream() {
  if (stream_.ending == Stream::Ending::Dropped) {
    // Where the close is the end, only a reset tells the client that there is more.
    boost::system::error_code ignored;
    if (stream_.framing == Framing::UntilClose) {
      socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    }
    return close();
  }
  --core_->counters().open_streams;
  if (!keep_alive_) return linger();
  phase_ = Phase::Idle;
  advance();
}

void Connection::when_stream_room(std::uint64_t ticket, std::function<void()> call) {
  if (ticket != ticket_) return;
  stream_.room_call = std::move(call);
  if (may_call_for_room()) post_room_offer();
}

bool Connection::may_call_for_room() const {
  return phase_ != Phase::Streaming || stream_.ending != Stream::Ending::None ||
         stream_.queue.size() <= core_->config().max_stream_backlog / 2;
}

void Connection::offer_room() {
  if (stream_.room_call && may_call_for_room()) std::exchange(stream_.room_call, nullptr)();
}

void Connection::post_room_offer() {
  if (!stream_.room_call) return;
  if (core_->handler() == nullptr) {
    // The server stopped. What the call holds may hold this connection.
    const auto forgotten = std::exchange(stream_.room_call, nullptr);
    return;
  }
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->core_->handler() == nullptr) {
      self->stream_.room_call = nullptr;
    } else {
      self->offer_room();
    }
  });
}

}  // namespace hm::http
