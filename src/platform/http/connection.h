// SPDX-License-Identifier: Apache-2.0
// One accepted connection: reads a request within its bounds, hands it over, writes the answer,
// and again. Internal to platform/http; everything runs on the event loop.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "platform/http/server_core.h"

namespace hm::http {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  Connection(boost::asio::ip::tcp::socket socket, ServerCore core);

  void start();
  // Answers 503 at once and closes: the server has no room.
  void turn_away();
  void close();
  void check_deadline(Clock::time_point now);
  // When it would be closed for having nothing to say; none while a request is under way.
  std::optional<Clock::time_point> idle_until() const {
    return phase_ == Phase::Idle ? deadline_ : std::nullopt;
  }

  // For the responder and the stream of request `ticket`; a stale ticket does nothing.
  void respond(std::uint64_t ticket, ports::HttpResponse response);
  void respond_fault(std::uint64_t ticket, ports::HttpFault fault);
  std::shared_ptr<ports::HttpStream> open_stream(std::uint64_t ticket, ports::HttpResponse head);
  std::shared_ptr<ports::WebSocket> open_web_socket(
      std::uint64_t ticket, std::string_view protocol,
      std::shared_ptr<ports::WebSocketListener> listener);
  ports::HttpStream::WriteResult stream_write(std::string bytes);
  void finish_stream();
  bool is_streaming() const { return phase_ == Phase::Streaming; }

 private:
  enum class Phase : std::uint8_t {
    Idle,       // between requests
    Head,       // reading the headers
    Body,       // reading the body
    Answering,  // the handler has it
    Writing,
    Streaming,
    Lingering,  // refused; reading over what still comes
    Closed,
  };
  enum class After : std::uint8_t { KeepAlive, Close, Linger };
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void enter(Phase phase, std::chrono::milliseconds allowed);
  void read_more();
  void on_read(const boost::system::error_code& error, std::size_t count);
  void advance();
  bool on_head();
  void continue_then_read();
  void dispatch();
  void on_parse_error(const boost::system::error_code& error);
  void refuse(ports::HttpFault fault);
  ports::HttpResponse describe(ports::HttpFault fault);
  void write_response(ports::HttpResponse response, After after);
  void on_written(const boost::system::error_code& error, After after);
  void linger();
  void linger_read();
  void flush_stream();
  void watch_for_close();
  std::string head_text(const ports::HttpResponse& response, bool keep_alive, bool streaming);

  boost::asio::ip::tcp::socket socket_;
  ServerCore core_;
  std::string peer_;
  Phase phase_ = Phase::Idle;
  std::optional<Clock::time_point> deadline_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  bool spoke_ = false;  // a request came already
  bool head_seen_ = false;
  bool head_only_ = false;  // HEAD: headers as for GET, no body
  bool keep_alive_ = false;
  ports::HttpRequest request_;
  WebSocketUpgrade upgrade_;
  std::optional<ports::HttpResponse> refusal_;
  std::uint64_t ticket_ = 0;
  std::string out_head_;
  std::string out_body_;
  std::string backlog_;  // stream bytes behind those being written
  bool stream_writing_ = false;
  bool stream_finished_ = false;
  std::size_t lingered_ = 0;
};

}  // namespace hm::http
