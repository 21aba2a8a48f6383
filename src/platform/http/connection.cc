// SPDX-License-Identifier: Apache-2.0
#include "platform/http/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>
#include <utility>

#include "platform/http/request_target.h"

namespace hm::http {
namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using tcp = asio::ip::tcp;
using ports::HttpFault;
using ports::HttpMethod;
using ports::HttpResponse;
using ports::HttpStream;

namespace {

HttpMethod method_of(beast_http::verb verb) {
  switch (verb) {
    case beast_http::verb::get: return HttpMethod::Get;
    case beast_http::verb::head: return HttpMethod::Head;
    case beast_http::verb::post: return HttpMethod::Post;
    case beast_http::verb::put: return HttpMethod::Put;
    case beast_http::verb::patch: return HttpMethod::Patch;
    case beast_http::verb::delete_: return HttpMethod::Delete;
    case beast_http::verb::options: return HttpMethod::Options;
    default: return HttpMethod::Other;
  }
}

// A header that could end its line early is left out: it would let a value forge an answer.
bool is_one_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

class Responder final : public ports::HttpResponder {
 public:
  Responder(std::shared_ptr<Connection> connection, std::uint64_t ticket)
      : connection_(std::move(connection)), ticket_(ticket) {}
  ~Responder() override {
    if (connection_) connection_->respond_fault(ticket_, HttpFault::Unanswered);
  }
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;

  void send(HttpResponse response) override {
    if (const auto connection = std::exchange(connection_, nullptr)) {
      connection->respond(ticket_, std::move(response));
    }
  }

  bool take_body(std::shared_ptr<ports::HttpUpload> upload) override {
    return connection_ && connection_->take_body(ticket_, std::move(upload));
  }

  void taken(std::size_t bytes) override {
    if (connection_) connection_->body_taken(ticket_, bytes);
  }

  std::shared_ptr<HttpStream> start_stream(HttpResponse head,
                                           std::optional<std::uint64_t> length) override {
    const auto connection = std::exchange(connection_, nullptr);
    return connection ? connection->open_stream(ticket_, std::move(head), length) : nullptr;
  }

  std::shared_ptr<ports::WebSocket> accept_web_socket(
      std::string_view protocol, std::shared_ptr<ports::WebSocketListener> listener) override {
    const auto connection = std::exchange(connection_, nullptr);
    return connection ? connection->open_web_socket(ticket_, protocol, std::move(listener))
                      : nullptr;
  }

 private:
  std::shared_ptr<Connection> connection_;
  std::uint64_t ticket_;
};

}  // namespace

Connection::Connection(tcp::socket socket, ServerCore core)
    : socket_(std::move(socket)), core_(std::move(core)) {
  boost::system::error_code error;
  const auto remote = socket_.remote_endpoint(error);
  if (!error) peer_ = fmt::format("[{}]:{}", remote.address().to_string(), remote.port());
}

void Connection::enter(Phase phase, std::chrono::milliseconds allowed) {
  phase_ = phase;
  deadline_ = Clock::now() + allowed;
}

void Connection::start() { advance(); }

void Connection::turn_away() {
  phase_ = Phase::Answering;
  write_response(describe(HttpFault::TooManyConnections), After::Close);
}

void Connection::close() {
  if (phase_ == Phase::Closed) return;
  const auto self = shared_from_this();
  if (phase_ == Phase::Streaming) --core_->counters().open_streams;
  phase_ = Phase::Closed;
  boost::system::error_code ignored;
  socket_.close(ignored);
  core_->forget(self);
  post_room_offer();
  if (const auto upload = end_upload()) {
    ++core_->counters().lost_uploads;
    upload->on_lost();
  }
}

void Connection::check_deadline(Clock::time_point now) {
  if (!deadline_ || now < *deadline_) return;
  ++core_->counters().timed_out;
  switch (phase_) {
    case Phase::Head:
    case Phase::Body: {
      // The pending read must let go of the buffer before it is used for lingering.
      boost::system::error_code ignored;
      socket_.cancel(ignored);
      return refuse(HttpFault::RequestTimeout);
    }
    case Phase::Answering: respond_fault(ticket_, HttpFault::AnswerTimeout); return;
    case Phase::Taking:
      return lose_upload(upload_.is_starved ? HttpFault::AnswerTimeout : HttpFault::RequestTimeout);
    case Phase::Idle:
    case Phase::Writing:
    case Phase::Streaming:
    case Phase::Lingering:
    case Phase::Closed: close(); return;
  }
}

void Connection::read_more() {
  if (is_reading_) return;
  is_reading_ = true;
  socket_.async_read_some(
      buffer_.prepare(kReadChunk),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t count) {
        self->is_reading_ = false;
        self->on_read(error, count);
      });
}

void Connection::on_read(const boost::system::error_code& error, std::size_t count) {
  switch (phase_) {
    case Phase::Idle:
    case Phase::Head:
    case Phase::Body:
      if (error) return close();
      buffer_.commit(count);
      if (phase_ == Phase::Idle) enter(Phase::Head, core_->config().header_time);
      return advance();
    case Phase::Streaming:
      // The client has gone, or says already what it wants next, which must wait.
      if (error) return close();
      buffer_.commit(count);
      return;
    case Phase::Lingering:
      lingered_ += count;
      if (error || lingered_ > kMaxLingerBytes) return close();
      return read_more();
    case Phase::Answering:
    case Phase::Taking:
    case Phase::Writing:
    case Phase::Closed: return;  // a deadline has answered or closed meanwhile
  }
}

void Connection::advance() {
  const HttpServerConfig& config = core_->config();
  if (!parser_) {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(config.max_header_bytes));
    parser_->body_limit(boost::none);  // known when the handler has seen the head
    parser_->eager(false);  // stop after the headers, so that the handler can refuse the body
    head_seen_ = head_only_ = false;
    refusal_.reset();
    upload_ = {};
    if (buffer_.size() == 0) {
      // Who connects has something to say; only after that may a connection rest.
      enter(Phase::Idle, spoke_ ? config.idle_time : config.header_time);
    } else {
      enter(Phase::Head, config.header_time);
    }
  }
  while (true) {
    if (buffer_.size() == 0) return read_more();
    boost::system::error_code error;
    const std::size_t used = parser_->put(buffer_.data(), error);
    buffer_.consume(used);
    if (error == beast_http::error::need_more) {
      // Only an element without an end (a header line, a chunk's extension) fills the buffer.
      if (buffer_.size() > config.max_header_bytes) {
        ++core_->counters().oversized_headers;
        return refuse(HttpFault::HeadersTooLarge);
      }
      return read_more();
    }
    if (error) return on_parse_error(error);
    if (!head_seen_ && parser_->is_header_done()) {
      head_seen_ = true;
      if (!on_head()) return;
      parser_->eager(true);
    }
    if (parser_->is_done()) return dispatch();
  }
}

void Connection::on_parse_error(const boost::system::error_code& error) {
  if (error == beast_http::error::body_limit) {
    ++core_->counters().oversized_bodies;
    return refuse(HttpFault::BodyTooLarge);
  }
  if (error == beast_http::error::header_limit) {
    ++core_->counters().oversized_headers;
    return refuse(HttpFault::HeadersTooLarge);
  }
  ++core_->counters().malformed;
  refuse(HttpFault::Malformed);
}

// A body has one meaning only if its length is announced once or it is chunked and nothing else
// (RFC 9112 §6.1): everything that another reader might frame differently is refused. The parser
// itself refuses lengths that contradict each other.
bool Connection::is_framing_sound() const {
  const std::size_t encodings = request_.count("transfer-encoding");
  if (encodings == 0) {
    return request_.count("content-length") <= 1 &&
           request_.header("content-length").find(',') == std::string_view::npos;
  }
  return encodings == 1 && is_newest_ && request_.count("content-length") == 0 &&
         ports::same_word(request_.header("transfer-encoding"), "chunked");
}

// False if the request was answered, handed over or another read goes on already.
bool Connection::on_head() {
  const auto& message = parser_->get();
  request_ = {};
  request_.method = method_of(message.method());
  head_only_ = request_.method == HttpMethod::Head;
  is_newest_ = message.version() == 11;
  auto target = parse_target(std::string_view(message.target().data(), message.target().size()));
  for (const auto& field : message) {
    request_.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  if (!target || !is_framing_sound()) {
    ++core_->counters().malformed;
    refuse(HttpFault::Malformed);
    return false;
  }
  request_.path = std::move(target->path);
  request_.query = std::move(target->query);
  request_.peer = peer_;

  enter(Phase::Body, core_->config().body_time);
  refusal_ = core_->handler()->refuse_early(request_);
  const bool waits = ports::same_word(request_.header("expect"), "100-continue");
  upload_.is_waiting = waits;
  if (refusal_) return skip_refused_body();
  if (core_->handler()->body_mode(request_) == ports::HttpBodyMode::Pieces) {
    upload_.is_whole = parser_->is_done();
    if (const auto length = parser_->content_length()) upload_.left = *length;
    dispatch();
    return false;
  }
  const std::size_t most = core_->config().max_body_bytes;
  if (parser_->content_length().value_or(0) > most) {
    on_parse_error(beast_http::error::body_limit);
    return false;
  }
  parser_->body_limit(most);
  if (waits && !parser_->is_done() && buffer_.size() == 0) {
    continue_then_read();
    return false;
  }
  return true;
}

// A short body is read over, so that the connection can be kept: then it is true.
bool Connection::skip_refused_body() {
  ++core_->counters().refused_early;
  const auto length = parser_->content_length();
  const bool is_short = parser_->is_done() || (length && *length <= kMaxSkippedBody);
  if (is_short && (!upload_.is_waiting || parser_->is_done())) return true;
  write_response(std::move(*refusal_), After::Linger);
  return false;
}

void Connection::continue_then_read() {
  parser_->eager(true);
  asio::async_write(
      socket_, asio::buffer(kAskForBody),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
        if (self->phase_ != Phase::Body) return;
        if (error) return self->close();
        self->read_more();
      });
}

void Connection::dispatch() {
  keep_alive_ = parser_->keep_alive();
  request_.body = std::move(parser_->get().body());
  const bool has_rest = !upload_.is_whole;
  // What is left of a body of known length needs no parser.
  if (!has_rest || upload_.left) parser_.reset();
  upgrade_ = read_upgrade(request_, is_newest_ ? HttpVersion::Http11 : HttpVersion::Older);
  // A client may not speak before it has the answer (RFC 6455 §4.1).
  if (!upgrade_.fault && (has_rest || buffer_.size() > 0)) upgrade_.fault = HttpFault::BadUpgrade;
  ++core_->counters().requests;
  spoke_ = true;
  enter(Phase::Answering, core_->config().answer_time);
  ++ticket_;
  if (refusal_) return respond(ticket_, std::move(*refusal_));
  core_->handler()->on_request(std::move(request_),
                               std::make_unique<Responder>(shared_from_this(), ticket_));
}

HttpResponse Connection::describe(HttpFault fault) {
  if (core_->handler() == nullptr) {
    return HttpResponse{.status = 503, .content_type = "text/plain", .body = {}, .headers = {}};
  }
  HttpResponse response = core_->handler()->describe_fault(fault);
  if (fault == HttpFault::UpgradeRequired) {
    // RFC 9110 §15.5.22 and RFC 6455 §4.4.
    response.headers.push_back({"Upgrade", "websocket"});
    response.headers.push_back({"Connection", "Upgrade"});
    response.headers.push_back({"Sec-WebSocket-Version", "13"});
  }
  return response;
}

void Connection::refuse(HttpFault fault) {
  keep_alive_ = false;
  write_response(describe(fault), After::Linger);
}

bool Connection::may_respond(std::uint64_t ticket) const {
  return (phase_ == Phase::Answering || phase_ == Phase::Taking) && ticket == ticket_;
}

void Connection::respond(std::uint64_t ticket, HttpResponse response) {
  if (!may_respond(ticket)) return;
  if (upload_.is_asking) return close();  // half of another answer may be under way
  end_upload();
  const After after = !upload_.is_whole ? After::Linger
                      : keep_alive_     ? After::KeepAlive
                                        : After::Close;
  write_response(std::move(response), after);
}

void Connection::respond_fault(std::uint64_t ticket, HttpFault fault) {
  if (!may_respond(ticket)) return;
  keep_alive_ = false;
  respond(ticket, describe(fault));
}

std::string Connection::head_text(const HttpResponse& response, After after, Framing framing,
                                  std::uint64_t length) {
  const auto reason = beast_http::obsolete_reason(beast_http::int_to_status(response.status));
  std::string text;
  text.reserve(512);
  fmt::format_to(std::back_inserter(text), "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                 std::string_view(reason.data(), reason.size()), core_->date());
  if (!response.content_type.empty() && is_one_line(response.content_type)) {
    fmt::format_to(std::back_inserter(text), "Content-Type: {}\r\n", response.content_type);
  }
  // Neither has a body, and a length would be that of the answer it stands for (RFC 9110 §8.6).
  const bool has_framing = response.status != 204 && response.status != 304;
  if (has_framing && framing == Framing::Length) {
    fmt::format_to(std::back_inserter(text), "Content-Length: {}\r\n", length);
  }
  if (has_framing && framing == Framing::Chunks) text += "Transfer-Encoding: chunked\r\n";
  for (const ports::HttpHeader& header : response.headers) {
    if (!is_one_line(header.name) || !is_one_line(header.value)) continue;
    fmt::format_to(std::back_inserter(text), "{}: {}\r\n", header.name, header.value);
  }
  text +=
      after == After::KeepAlive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return text;
}

void Connection::write_response(HttpResponse response, After after) {
  enter(Phase::Writing, core_->config().write_time);
  const bool has_body = !head_only_ && response.status != 204 && response.status != 304;
  out_head_ = head_text(response, after, Framing::Length, response.body.size());
  out_body_ = has_body ? std::move(response.body) : std::string{};
  const std::array<asio::const_buffer, 2> parts{asio::buffer(out_head_), asio::buffer(out_body_)};
  asio::async_write(
      socket_, parts,
      [self = shared_from_this(), after](const boost::system::error_code& error, std::size_t) {
        self->on_written(error, after);
      });
}

void Connection::on_written(const boost::system::error_code& error, After after) {
  if (phase_ != Phase::Writing) return;
  if (error) return close();
  switch (after) {
    case After::KeepAlive: return advance();
    case After::Close:
    case After::Linger: return linger();
  }
}

// Says that nothing more will be sent and waits shortly for the other side to notice; closing with
// unread input would make the kernel reset the connection and lose the answer.
void Connection::linger() {
  boost::system::error_code error;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  if (error) return close();
  enter(Phase::Lingering, kLingerTime);
  buffer_.consume(buffer_.size());
  read_more();
}

std::shared_ptr<ports::WebSocket> Connection::open_web_socket(
    std::uint64_t ticket, std::string_view protocol,
    std::shared_ptr<ports::WebSocketListener> listener) {
  if (phase_ != Phase::Answering || ticket != ticket_) return nullptr;
  if (upgrade_.fault) {
    ++core_->counters().refused_upgrades;
    respond_fault(ticket, *upgrade_.fault);
    return nullptr;
  }
  if (core_->counters().open_web_sockets >= core_->config().max_web_sockets) {
    respond_fault(ticket, HttpFault::TooManyWebSockets);
    return nullptr;
  }
  phase_ = Phase::Closed;
  core_->forget(shared_from_this());
  return core_->open_web_socket(std::move(socket_), upgrade_, protocol, std::move(listener));
}

}  // namespace hm::http
