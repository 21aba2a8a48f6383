// SPDX-License-Identifier: Apache-2.0
// One accepted connection: reads a request within its bounds, hands it over, writes the answer,
// and again. Internal to platform/http; everything runs on the event loop.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "platform/http/arriving_body.h"
#include "platform/http/out_queue.h"
#include "platform/http/server_core.h"
#include "platform/http/upload_window.h"

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
  bool take_body(std::uint64_t ticket, std::shared_ptr<ports::HttpUpload> upload);
  void body_taken(std::uint64_t ticket, std::size_t bytes);
  std::shared_ptr<ports::HttpStream> open_stream(std::uint64_t ticket, ports::HttpResponse head,
                                                 std::optional<std::uint64_t> length);
  std::shared_ptr<ports::WebSocket> open_web_socket(
      std::uint64_t ticket, std::string_view protocol,
      std::shared_ptr<ports::WebSocketListener> listener);
  ports::HttpStream::WriteResult stream_write(std::uint64_t ticket, std::string bytes);
  std::size_t stream_room(std::uint64_t ticket) const;
  void when_stream_room(std::uint64_t ticket, std::function<void()> call);
  void finish_stream(std::uint64_t ticket);
  void let_go_of_stream(std::uint64_t ticket);
  bool is_stream_open(std::uint64_t ticket) const;

 private:
  enum class Phase : std::uint8_t {
    Idle,       // between requests
    Head,       // reading the headers
    Body,       // reading the body
    Answering,  // the handler has it
    Taking,     // the handler takes the body
    Writing,
    Streaming,
    Lingering,  // refused; reading over what still comes
    Closed,
  };
  enum class After : std::uint8_t { KeepAlive, Close, Linger };
  // How the client sees where the answer ends (RFC 9112 §6.3).
  enum class Framing : std::uint8_t { Length, Chunks, UntilClose };
  using Parser = boost::beast::http::request_parser<ArrivingBody>;
  // RFC 9110 §10.1.1
  static constexpr std::string_view kAskForBody = "HTTP/1.1 100 Continue\r\n\r\n";

  // connection.cc
  void enter(Phase phase, std::chrono::milliseconds allowed);
  void read_more();
  void on_read(const boost::system::error_code& error, std::size_t count);
  void advance();
  bool on_head();
  bool is_framing_sound() const;
  bool skip_refused_body();
  void continue_then_read();
  void dispatch();
  void on_parse_error(const boost::system::error_code& error);
  void refuse(ports::HttpFault fault);
  ports::HttpResponse describe(ports::HttpFault fault);
  void write_response(ports::HttpResponse response, After after);
  void on_written(const boost::system::error_code& error, After after);
  void linger();
  bool may_respond(std::uint64_t ticket) const;
  std::string head_text(const ports::HttpResponse& response, After after, Framing framing,
                        std::uint64_t length);

  // connection_upload.cc
  void begin_body();
  void ask_for_body();
  std::shared_ptr<ports::HttpUpload> end_upload();
  void lose_upload(ports::HttpFault fault);
  void read_body();
  void read_counted(std::size_t room);
  void read_chunked(std::size_t room);
  void decode_body();
  void hand_over(std::string piece);

  // connection_stream.cc
  void flush_stream();
  void on_stream_written(const boost::system::error_code& error, std::size_t count);
  void drop_stream();
  void end_stream();
  bool may_call_for_room() const;
  void offer_room();
  void post_room_offer();

  // A body that comes in pieces.
  struct Upload {
    bool is_whole = true;               // nothing of it is to be read any more
    std::optional<std::uint64_t> left;  // what of an announced length is not read; none if chunked
    bool is_waiting = false;            // the client waits to be asked for it
    bool is_asking = false;             // that is being written
    bool is_reading = false;
    bool is_starved = false;  // the window is full
    UploadWindow window;
    std::string piece;  // is read into
    std::shared_ptr<ports::HttpUpload> listener;
  };
  // An answer that is written piece by piece.
  struct Stream {
    enum class Ending : std::uint8_t { None, Finished, Dropped };
    Framing framing = Framing::UntilClose;
    std::uint64_t left = 0;  // of the announced length
    OutQueue queue;
    bool is_writing = false;
    Ending ending = Ending::None;
    std::function<void()> room_call;
  };

  boost::asio::ip::tcp::socket socket_;
  ServerCore core_;
  std::string peer_;
  Phase phase_ = Phase::Idle;
  std::optional<Clock::time_point> deadline_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  bool is_reading_ = false;  // into the buffer, as requests are read
  bool spoke_ = false;       // a request came already
  bool head_seen_ = false;
  bool head_only_ = false;  // HEAD: headers as for GET, no body
  bool is_newest_ = true;   // HTTP/1.1
  bool keep_alive_ = false;
  ports::HttpRequest request_;
  WebSocketUpgrade upgrade_;
  std::optional<ports::HttpResponse> refusal_;
  std::uint64_t ticket_ = 0;
  Upload upload_;
  Stream stream_;
  std::string out_head_;
  std::string out_body_;
  std::size_t lingered_ = 0;
};

}  // namespace hm::http
