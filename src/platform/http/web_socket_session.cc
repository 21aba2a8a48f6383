// SPDX-License-Identifier: Apache-2.0
#include "platform/http/web_socket_session.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <limits>
#include <optional>
#include <utility>

#include "foundation/base/check.h"
#include "foundation/base/utf8.h"

namespace hm::http {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using ports::WebSocket;
using ports::WebSocketClose;
using ports::WebSocketListener;
using tcp = asio::ip::tcp;

// RFC 6455 §5.5: a control frame carries 125 bytes, two of which are the code.
constexpr std::size_t kMaxCloseReason = 123;

class Session final : public WebSocketSession, public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, const WebSocketLimits& limits,
          std::shared_ptr<WebSocketListener> listener, OnEnd on_end)
      : stream_(std::move(socket)),
        limits_(limits),
        listener_(std::move(listener)),
        on_end_(std::move(on_end)),
        timer_(stream_.get_executor()) {
    stream_.binary(true);
    stream_.auto_fragment(false);
    stream_.read_message_max(limits_.max_message);
    stream_.control_callback([this](websocket::frame_type kind, boost::beast::string_view) {
      unanswered_since_.reset();
      if (kind == websocket::frame_type::close) take_leave();
    });
  }

  void accept(std::string_view key, std::string protocol) override;
  void ask(std::string host, std::string target, std::vector<ports::HttpHeader> headers,
           OnAnswer on_answer) override;
  std::shared_ptr<WebSocket> handle() override;
  void stop(std::string_view reason) override;

  // What the handle passes on.
  WebSocket::WriteResult send(std::string payload);
  std::size_t pending() const { return pending_; }
  void allow(std::size_t bytes);
  void close(WebSocketClose code, std::string_view reason);
  bool is_open() const { return phase_ == Phase::Opening || phase_ == Phase::Open; }
  void let_go();

 private:
  using Clock = std::chrono::steady_clock;
  // Without permessage-deflate: compressing would only give an attacker something to inflate.
  using Stream = websocket::stream<tcp::socket, false>;
  enum class Phase : std::uint8_t {
    Opening,  // the handshake is under way
    Open,
    Draining,  // to be closed, once what is queued is written
    Closing,   // one of both closing frames is on its way
    Closed,
  };

  void opened();
  void read_more();
  void on_read(const error_code& error);
  void deliver();
  void write_more();
  void on_written(const error_code& error);
  void begin_closing();
  void take_leave();
  void arm_timer();
  void tick(Clock::time_point now);
  void show_life(Clock::time_point now);
  void end_by(const error_code& error);
  void end(End how, WebSocketClose code, std::string reason);
  void shut(End how);
  static std::size_t cost_of(const std::string& message) {
    return message.size() + kWebSocketMessageCost;
  }

  Stream stream_;
  WebSocketLimits limits_;
  std::shared_ptr<WebSocketListener> listener_;
  OnEnd on_end_;
  asio::steady_timer timer_;
  Phase phase_ = Phase::Opening;
  bool asking_ = false;  // as a client, with no answer yet
  Clock::time_point phase_since_ = Clock::now();

  boost::beast::flat_buffer incoming_;
  bool reading_ = false;
  bool complete_ = false;  // incoming_ is a whole message that waits for allowance
  bool handing_ = false;   // in deliver(), or about to be
  std::size_t allowance_ = 0;

  std::deque<std::string> queue_;
  std::string writing_;  // outlives the operation that writes it
  bool write_under_way_ = false;
  Clock::time_point write_since_;
  std::size_t pending_ = 0;
  bool above_low_mark_ = false;

  WebSocketClose close_code_ = WebSocketClose::Normal;
  std::string close_reason_;

  Clock::time_point last_shown_ = Clock::now();
  bool showing_ = false;
  std::optional<Clock::time_point> unanswered_since_;
};

class Handle final : public WebSocket {
 public:
  explicit Handle(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  ~Handle() override { session_->let_go(); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  WriteResult send(std::string payload) override { return session_->send(std::move(payload)); }
  std::size_t pending() const override { return session_->pending(); }
  void allow(std::size_t bytes) override { session_->allow(bytes); }
  void close(WebSocketClose code, std::string_view reason) override {
    session_->close(code, reason);
  }
  bool is_open() const override { return session_->is_open(); }

 private:
  std::shared_ptr<Session> session_;
};

std::shared_ptr<WebSocket> Session::handle() {
  return std::make_shared<Handle>(shared_from_this());
}

void Session::accept(std::string_view key, std::string protocol) {
  beast_http::request<beast_http::empty_body> request(beast_http::verb::get, "/", 11);
  request.set(beast_http::field::host, "localhost");
  request.set(beast_http::field::connection, "upgrade");
  request.set(beast_http::field::upgrade, "websocket");
  request.set(beast_http::field::sec_websocket_version, "13");
  request.set(beast_http::field::sec_websocket_key,
              boost::beast::string_view(key.data(), key.size()));
  stream_.set_option(websocket::stream_base::decorator(
      [protocol = std::move(protocol)](websocket::response_type& response) {
        response.set(beast_http::field::server, "hypermesh");
        if (!protocol.empty()) response.set(beast_http::field::sec_websocket_protocol, protocol);
      }));
  arm_timer();
  stream_.async_accept(request, [self = shared_from_this()](const error_code& error) {
    if (self->phase_ == Phase::Closed) return;
    if (error) return self->end_by(error);
    self->opened();
  });
}

void Session::ask(std::string host, std::string target, std::vector<ports::HttpHeader> headers,
                  OnAnswer on_answer) {
  stream_.set_option(websocket::stream_base::decorator(
      [headers = std::move(headers)](websocket::request_type& request) {
        request.set(beast_http::field::user_agent, "hypermesh");
        for (const auto& header : headers) request.set(header.name, header.value);
      }));
  asking_ = true;
  arm_timer();
  const auto response = std::make_shared<websocket::response_type>();
  stream_.async_handshake(
      *response, host, target,
      [self = shared_from_this(), response,
       on_answer = std::move(on_answer)](const error_code& error) {
        if (self->phase_ == Phase::Closed) return on_answer(asio::error::timed_out, {});
        const bool refused = error == websocket::error::upgrade_declined;
        self->asking_ = false;
        if (error) {
          self->listener_.reset();
          self->shut(End::Closed);
        }
        if (error && !refused) return on_answer(error, {});
        Answer answer{.status = static_cast<std::uint16_t>(response->result_int()),
                      .body = response->body(),
                      .headers = {}};
        for (const auto& field : *response) {
          answer.headers.push_back({std::string(field.name_string()), std::string(field.value())});
        }
        on_answer({}, std::move(answer));
        if (!refused && self->phase_ != Phase::Closed) self->opened();
      });
}

void Session::opened() {
  if (phase_ == Phase::Opening) phase_ = Phase::Open;
  phase_since_ = last_shown_ = Clock::now();
  read_more();
  if (phase_ == Phase::Draining && queue_.empty()) return begin_closing();
  write_more();
}

void Session::read_more() {
  if (reading_ || complete_ || phase_ == Phase::Closing || phase_ == Phase::Closed) return;
  reading_ = true;
  stream_.async_read_some(incoming_, kWebSocketReadChunk,
                          [self = shared_from_this()](const error_code& error, std::size_t) {
                            self->reading_ = false;
                            self->on_read(error);
                          });
}

void Session::on_read(const error_code& error) {
  if (phase_ == Phase::Closed) return;
  if (error) return end_by(error);
  unanswered_since_.reset();
  if (phase_ == Phase::Open && stream_.got_text()) {
    close(WebSocketClose::Unsupported, "only binary messages are spoken here");
  }
  if (phase_ != Phase::Open) {
    // Read over, so that the other side's closing frame is reached.
    incoming_.clear();
  } else if (stream_.is_message_done()) {
    complete_ = true;
    if (allowance_ > 0) deliver();
  }
  read_more();
}

void Session::deliver() {
  handing_ = true;
  while (complete_ && allowance_ > 0 && phase_ == Phase::Open && listener_) {
    const std::string_view payload(static_cast<const char*>(incoming_.data().data()),
                                   incoming_.size());
    allowance_ -= std::min(allowance_, std::max<std::size_t>(payload.size(), 1));
    // It may let go of the socket, and with it of itself.
    const auto listener = listener_;
    listener->on_message(payload);
    incoming_.clear();
    complete_ = false;
  }
  handing_ = false;
  if (phase_ != Phase::Open) complete_ = false;
}

void Session::allow(std::size_t bytes) {
  allowance_ += std::min(bytes, std::numeric_limits<std::size_t>::max() - allowance_);
  if (!complete_ || handing_ || allowance_ == 0) return;
  handing_ = true;
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    self->deliver();
    self->read_more();
  });
}

WebSocket::WriteResult Session::send(std::string payload) {
  if (!is_open()) return WebSocket::WriteResult::Closed;
  if (payload.size() > limits_.max_message) return WebSocket::WriteResult::TooLarge;
  if (pending_ + cost_of(payload) > limits_.max_pending) {
    end(End::TooSlow, WebSocketClose::Abnormal, "the other side reads too slowly");
    return WebSocket::WriteResult::TooSlow;
  }
  pending_ += cost_of(payload);
  above_low_mark_ = above_low_mark_ || pending_ > limits_.low_mark;
  queue_.push_back(std::move(payload));
  write_more();
  return WebSocket::WriteResult::Queued;
}

void Session::write_more() {
  if (write_under_way_ || queue_.empty()) return;
  if (phase_ != Phase::Open && phase_ != Phase::Draining) return;
  write_under_way_ = true;
  write_since_ = Clock::now();
  writing_ = std::move(queue_.front());
  queue_.pop_front();
  stream_.async_write(asio::buffer(writing_),
                      [self = shared_from_this()](const error_code& error, std::size_t) {
                        self->write_under_way_ = false;
                        self->on_written(error);
                      });
}

void Session::on_written(const error_code& error) {
  if (phase_ == Phase::Closed) return;
  // A closing frame that came meanwhile makes writing fail; reading tells how it ended.
  if (error && reading_) return;
  if (error) return end_by(error);
  pending_ -= cost_of(writing_);
  if (phase_ == Phase::Draining && queue_.empty()) return begin_closing();
  write_more();
  if (above_low_mark_ && pending_ <= limits_.low_mark) {
    above_low_mark_ = false;
    const auto listener = listener_;
    if (listener && phase_ == Phase::Open) listener->on_drained();
  }
}

void Session::close(WebSocketClose code, std::string_view reason) {
  HM_CHECK(code != WebSocketClose::NoStatus && code != WebSocketClose::Abnormal);
  if (!is_open()) return;
  const bool was_open = phase_ == Phase::Open;
  phase_ = Phase::Draining;
  phase_since_ = Clock::now();
  close_code_ = code;
  close_reason_ = reason.substr(0, kMaxCloseReason);
  while (!is_utf8(close_reason_)) close_reason_.pop_back();
  if (!was_open) return;
  // A message that is being handed over is still borrowed.
  if (complete_ && !handing_) {
    complete_ = false;
    incoming_.clear();
    read_more();
  }
  if (!write_under_way_ && queue_.empty()) begin_closing();
}

void Session::begin_closing() {
  phase_ = Phase::Closing;
  phase_since_ = Clock::now();
  stream_.async_close(
      websocket::close_reason(static_cast<websocket::close_code>(close_code_), close_reason_),
      [self = shared_from_this()](const error_code&) {
        self->end(End::Closed, self->close_code_, self->close_reason_);
      });
}

// The other side closes; its frame is answered by the read that found it.
void Session::take_leave() {
  if (phase_ == Phase::Closing || phase_ == Phase::Closed) return;
  phase_ = Phase::Closing;
  phase_since_ = Clock::now();
  const auto& given = stream_.reason();
  close_code_ = given.code == websocket::close_code::none ? WebSocketClose::NoStatus
                                                          : static_cast<WebSocketClose>(given.code);
  close_reason_.assign(given.reason.data(), given.reason.size());
}

void Session::let_go() {
  const auto listener = std::exchange(listener_, nullptr);
  close(WebSocketClose::Normal, {});
}

void Session::stop(std::string_view reason) {
  if (phase_ == Phase::Closed) return;
  shut(End::Closed);
  const auto listener = std::exchange(listener_, nullptr);
  if (listener) listener->on_closed(WebSocketClose::Abnormal, reason);
}

void Session::arm_timer() {
  timer_.expires_after(limits_.tick);
  timer_.async_wait([weak = weak_from_this()](const error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->phase_ == Phase::Closed) return;
    self->tick(Clock::now());
    if (self->phase_ != Phase::Closed) self->arm_timer();
  });
}

void Session::tick(Clock::time_point now) {
  const auto time_out = [&](const char* why) { end(End::TimedOut, WebSocketClose::Abnormal, why); };
  if (phase_ == Phase::Opening && now - phase_since_ > limits_.open_time) {
    return time_out("the handshake took too long");
  }
  if (phase_ == Phase::Closing && now - phase_since_ > limits_.close_time) {
    return end(End::TimedOut, close_code_, close_reason_);
  }
  if (write_under_way_ && now - write_since_ > limits_.stall_time) {
    return time_out("the other side takes nothing");
  }
  if (phase_ != Phase::Open) return;
  if (!stream_.is_open()) {
    // The protocol was broken and the stream says so to the other side, which need not listen.
    phase_ = Phase::Closing;
    phase_since_ = now;
    close_code_ = WebSocketClose::ProtocolError;
    return;
  }
  // Who does not read cannot know whether it was answered.
  if (!reading_) unanswered_since_.reset();
  if (unanswered_since_ && now - *unanswered_since_ > limits_.pong_time) {
    return time_out("the other side does not answer");
  }
  if (!showing_ && now - last_shown_ >= limits_.ping_interval) show_life(now);
}

// A side that has stopped reading cannot answer pings; unasked pongs (RFC 6455 §5.5.3) say for it
// that it lives.
void Session::show_life(Clock::time_point now) {
  showing_ = true;
  last_shown_ = now;
  const bool asks = reading_;
  const auto done = [self = shared_from_this(), asks](const error_code&) {
    self->showing_ = false;
    // Only what went out can be answered: a stalled writer is judged by its own time. What could
    // not go out will not be answered either.
    if (asks && !self->unanswered_since_) self->unanswered_since_ = Clock::now();
  };
  if (asks) {
    stream_.async_ping({}, done);
  } else {
    stream_.async_pong({}, done);
  }
}

void Session::end_by(const error_code& error) {
  if (error == websocket::error::message_too_big || error == websocket::error::buffer_overflow) {
    return end(End::Closed, WebSocketClose::TooBig, "the message is too large");
  }
  if (error == websocket::condition::protocol_violation) {
    return end(End::Closed, WebSocketClose::ProtocolError, error.message());
  }
  if (phase_ == Phase::Draining || phase_ == Phase::Closing) {
    return end(End::Closed, close_code_, close_reason_);
  }
  end(End::Closed, WebSocketClose::Abnormal, error.message());
}

void Session::end(End how, WebSocketClose code, std::string reason) {
  if (phase_ == Phase::Closed) return;
  if (asking_) listener_.reset();
  shut(how);
  asio::post(stream_.get_executor(), [self = shared_from_this(), code, reason = std::move(reason)] {
    const auto listener = std::exchange(self->listener_, nullptr);
    if (listener) listener->on_closed(code, reason);
  });
}

void Session::shut(End how) {
  phase_ = Phase::Closed;
  queue_.clear();
  pending_ = 0;
  timer_.cancel();
  error_code ignored;
  stream_.next_layer().close(ignored);
  if (const auto on_end = std::exchange(on_end_, nullptr)) on_end(shared_from_this(), how);
}

}  // namespace

std::shared_ptr<WebSocketSession> WebSocketSession::create(
    tcp::socket socket, const WebSocketLimits& limits, std::shared_ptr<WebSocketListener> listener,
    OnEnd on_end) {
  return std::make_shared<Session>(std::move(socket), limits, std::move(listener),
                                   std::move(on_end));
}

}  // namespace hm::http
