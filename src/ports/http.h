// SPDX-License-Identifier: Apache-2.0
// What an HTTP server hands to a handler and takes back. Everything happens on the event loop: the
// handler is called there and answers there, at once or later. The server has bounded, parsed and
// percent-decoded what arrives here; it has not judged it. No chunk, TLS or socket detail is seen.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ports/web_socket.h"

namespace hm::ports {

enum class HttpMethod : std::uint8_t { Get, Head, Post, Put, Patch, Delete, Options, Other };

std::string_view name_of(HttpMethod method);

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpRequest {
  HttpMethod method = HttpMethod::Get;
  std::string path;  // percent-decoded, begins with '/', contains no NUL
  std::vector<std::pair<std::string, std::string>> query;  // percent-decoded, in order
  std::vector<HttpHeader> headers;
  std::string body;
  std::string peer;  // address and port of the other side, "[::1]:51234"

  // Value of the first header of that name, compared without case; empty if there is none.
  std::string_view header(std::string_view name) const;
  // How often the header occurs: a request with two Hosts is not one to reason about.
  std::size_t count(std::string_view name) const;
  std::optional<std::string_view> query_value(std::string_view key) const;
  // The members of a header that is a list (RFC 9110 §5.6.1), over all its lines, in order.
  std::vector<std::string_view> listed(std::string_view name) const;
};

// Compared without case, as names and many values of headers are.
bool same_word(std::string_view a, std::string_view b);

struct HttpResponse {
  std::uint16_t status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<HttpHeader> headers;  // beyond Content-Type, Content-Length, Date, Connection
};

// An open answer, written piece by piece. Lives as long as someone holds it. Who lets go of it
// before finish() breaks the transfer: what was written goes out, then the connection closes short
// of the announced length or of the last chunk, so that the client cannot mistake a part for the
// whole.
class HttpStream {
 public:
  enum class WriteResult : std::uint8_t { Queued, Closed, TooSlow };

  virtual ~HttpStream() = default;
  // Queues bytes without copying large ones. A reader that leaves more than the server's stream
  // limit unread is cut off: TooSlow once, Closed ever after. Who writes no more than room() is
  // never too slow. More than the announced length breaks the transfer: Closed.
  virtual WriteResult write(std::string bytes) = 0;
  // How much write() takes now.
  virtual std::size_t room() const = 0;
  // Calls `call` once, when at least half of the stream limit is free or the stream is closed; it
  // is not called from inside this, and not at all once the server stopped. A later call replaces
  // it.
  virtual void when_room(std::function<void()> call) = 0;
  // The answer is complete; short of an announced length that breaks the transfer. The connection
  // goes on to the next request once everything is written.
  virtual void finish() = 0;
  // Neither finished nor gone.
  virtual bool is_open() const = 0;
};

// How the body of a request reaches its handler.
enum class HttpBodyMode : std::uint8_t {
  Whole,   // in HttpRequest::body, up to the server's limit
  Pieces,  // as it arrives, without a limit, once the handler asks: HttpResponder::take_body()
};

// Hears a body that is taken as it arrives. No call comes from inside a call to the responder. The
// last one is on_end() or on_lost(), unless the handler answers first: then the rest of the body is
// not read, the connection closes behind the answer, and nothing more is heard.
class HttpUpload {
 public:
  virtual ~HttpUpload() = default;
  // The next bytes, at least one.
  virtual void on_piece(std::string piece) = 0;
  // The body is whole; the answer is due.
  virtual void on_end() = 0;
  // It will never be whole: the client is gone, too slow or frames it wrongly, the handler took
  // nothing for too long, or the server stopped. An answer does nothing any more.
  virtual void on_lost() = 0;
};

// The right to answer one request, once. Dropping it unanswered answers 500, so that no client
// waits for ever. Answering a connection that is gone does nothing.
class HttpResponder {
 public:
  virtual ~HttpResponder() = default;
  virtual void send(HttpResponse response) = 0;
  // Begins to read a body that comes in pieces (and asks a client for it that waits with
  // `Expect: 100-continue`). The right to answer stays. False if the connection is gone or too many
  // uploads are under way already, which the server then says; nothing is heard then. A request
  // without a body hears on_end().
  virtual bool take_body(std::shared_ptr<HttpUpload> upload) = 0;
  // That many bytes of the pieces are done with. The server reads no further than its window beyond
  // what is done with, and so holds the client back; a tiny piece counts as more than its bytes.
  virtual void taken(std::size_t bytes) = 0;
  // Sends the head (its body is the first bytes of the stream) and keeps the answer open. With a
  // length the answer is exactly that long, and a HEAD is told it; without, it is sent in chunks.
  // Null if the connection is gone, or too many streams are open already, which the server then
  // says, or if a HEAD asked, which is answered by the head alone.
  virtual std::shared_ptr<HttpStream> start_stream(HttpResponse head,
                                                   std::optional<std::uint64_t> length) = 0;
  // Turns the connection into a WebSocket. `protocol` is confirmed to the client if it offered it
  // (Sec-WebSocket-Protocol). Null if the request was no upgrade, the connection is gone or too
  // many WebSockets are open already, which the server then says; the listener is not called then.
  virtual std::shared_ptr<WebSocket> accept_web_socket(
      std::string_view protocol, std::shared_ptr<WebSocketListener> listener) = 0;
};

// What the server itself has to refuse.
enum class HttpFault : std::uint8_t {
  Malformed,  // not HTTP/1.x, or a target with no single meaning
  HeadersTooLarge,
  BodyTooLarge,
  RequestTimeout,  // the request did not arrive in time, or its body stopped arriving
  TooManyConnections,
  TooManyStreams,
  TooManyUploads,
  TooManyWebSockets,
  UpgradeRequired,  // a WebSocket of version 13 is all that this path answers
  BadUpgrade,       // a WebSocket was asked for in a way that has no meaning
  Unanswered,       // the handler dropped its responder
  AnswerTimeout,    // the handler took too long
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // The answer to a fault, so that every error of the API has one shape.
  virtual HttpResponse describe_fault(HttpFault fault) = 0;
  // Called with an empty body as soon as the headers are read. An answer here refuses the request
  // before its body is read, and closes the connection if a body was announced.
  virtual std::optional<HttpResponse> refuse_early(const HttpRequest& head) = 0;
  // Called after that. With Pieces on_request() comes now, without the body.
  virtual HttpBodyMode body_mode(const HttpRequest& /*head*/) { return HttpBodyMode::Whole; }
  virtual void on_request(HttpRequest request, std::unique_ptr<HttpResponder> responder) = 0;
};

}  // namespace hm::ports
