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

// An open answer of unknown length (server-sent events). Lives as long as someone holds it; the
// connection closes when the last holder lets go or the other side does.
class HttpStream {
 public:
  enum class WriteResult : std::uint8_t { Queued, Closed, TooSlow };

  virtual ~HttpStream() = default;
  // Queues bytes. A reader that leaves more than the server's stream limit unread is cut off:
  // TooSlow once, Closed ever after.
  virtual WriteResult write(std::string bytes) = 0;
  virtual bool is_open() const = 0;
};

// The right to answer one request, once. Dropping it unanswered answers 500, so that no client
// waits for ever. Answering a connection that is gone does nothing.
class HttpResponder {
 public:
  virtual ~HttpResponder() = default;
  virtual void send(HttpResponse response) = 0;
  // Sends the head (its body is the first bytes of the stream) and keeps the answer open. Null if
  // the connection is gone or too many streams are open already, which the server then says.
  virtual std::shared_ptr<HttpStream> start_stream(HttpResponse head) = 0;
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
  RequestTimeout,  // the request did not arrive in time
  TooManyConnections,
  TooManyStreams,
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
  virtual void on_request(HttpRequest request, std::unique_ptr<HttpResponder> responder) = 0;
};

}  // namespace hm::ports
