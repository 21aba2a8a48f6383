// SPDX-License-Identifier: Apache-2.0
// Synchronous HTTP/1.1 client for command-line tools: one connection, kept alive between requests,
// every wait bounded. IPv6 literals and `localhost` only. It belongs to one thread and never
// touches the daemon's loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "platform/http/limits.h"
#include "ports/http.h"

namespace hm::http {

struct HttpEndpoint {
  std::string address = "::1";
  std::uint16_t port = 8445;
};

// "http://[::1]:8445", "[::1]:8445" or "localhost:8445", with or without a final '/'.
Result<HttpEndpoint> parse_endpoint(std::string_view text);
// "http://[::1]:8445"
std::string to_url(const HttpEndpoint& endpoint);

struct ClientRequest {
  ports::HttpMethod method = ports::HttpMethod::Get;
  std::string target = "/";  // already percent-encoded
  std::string content_type;  // empty: no body is announced
  std::string body;
  std::vector<ports::HttpHeader> headers;
  std::chrono::milliseconds timeout{10'000};
};

struct ClientResponse {
  std::uint16_t status = 0;
  std::string body;
  std::vector<ports::HttpHeader> headers;

  std::string_view header(std::string_view name) const;
};

// Gives the next bytes of a body by filling the front of `room`: how many, 0 at the end. It may
// block; the server gives up on a body that pauses for its stall time.
using BodySource = std::function<Result<std::size_t>(std::span<char> room)>;
// Takes the next bytes of an answer's body, which are borrowed for the call.
using BodySink = std::function<Result<void>(std::string_view piece)>;

// Bytes of a whole, both ends included; to its end without a last.
struct ByteRange {
  std::uint64_t first = 0;
  std::optional<std::uint64_t> last;
};

class HttpClient {
 public:
  explicit HttpClient(HttpEndpoint endpoint, std::size_t max_answer_bytes = kMaxAnswerBytes);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  const HttpEndpoint& endpoint() const;

  // Connects if necessary, sends, and reads the whole answer, whatever its status. A kept
  // connection that the server closed meanwhile is opened again once, before anything was answered
  // (so a request can reach the server twice only if it is safe to: GET and HEAD). Errors:
  // Unavailable (nobody listens, connection lost, timeout), Corrupt (not HTTP, or too large).
  Result<ClientResponse> request(const ClientRequest& request);

  // Reads an event stream line by line, without line ends, until `on_line` returns false (then the
  // result is a value), the server ends it, or nothing arrives for `idle_limit` (then Unavailable).
  // An answer other than 200 is FailedPrecondition with the body as detail.
  Result<void> read_lines(const ClientRequest& request, std::chrono::milliseconds idle_limit,
                          const std::function<bool(std::string_view line)>& on_line);

  // Sends a request whose body comes from `source`, `length` bytes of it or, without a length, all
  // in chunks; the request's own body is not looked at. The source is asked for nothing before the
  // server has said that it takes the body (100 Continue), so a server that refuses from the head
  // costs nothing, and a kept connection that is gone is opened again. An answer that comes before
  // the body's end is the result, and the rest is not sent. `timeout` is for each step and not for
  // the whole. Errors: those of the source, FailedPrecondition if it ends before `length`, those of
  // request(); the server then sees a body that is not whole.
  Result<ClientResponse> upload(const ClientRequest& request, std::optional<std::uint64_t> length,
                                const BodySource& source);

  // Reads the body of an answer of 200, or of 206 if a range is asked, into `sink`; of any other
  // status it is collected in the result. A value says that the sink has all of it. `timeout` is
  // for each step. Errors: those of the sink; Corrupt for another range than the asked one;
  // Unsupported if the server ignores ranges; those of request().
  Result<ClientResponse> download(const ClientRequest& request, std::optional<ByteRange> range,
                                  const BodySink& sink);

  void disconnect();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hm::http
