// SPDX-License-Identifier: Apache-2.0
#include "platform/http/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <charconv>
#include <utility>

namespace hm::http {
namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using ports::HttpMethod;

namespace {

constexpr std::size_t kStreamBuffer = 16 * 1024;

bool repeats_safely(HttpMethod method) {
  return method == HttpMethod::Get || method == HttpMethod::Head;
}

template <class Fields>
std::vector<ports::HttpHeader> headers_of(const Fields& fields) {
  std::vector<ports::HttpHeader> headers;
  for (const auto& field : fields) {
    headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  return headers;
}

std::string host_text(const HttpEndpoint& endpoint) {
  return fmt::format("[{}]:{}", endpoint.address, endpoint.port);
}

}  // namespace

Result<HttpEndpoint> parse_endpoint(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorCode::InvalidArgument, fmt::format("'{}' is no API address", text),
                "Write it as http://[::1]:8445 (IPv6 only).");
  };
  std::string_view rest = text;
  constexpr std::string_view kScheme = "http://";
  if (rest.starts_with(kScheme)) rest.remove_prefix(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  HttpEndpoint endpoint;
  constexpr std::string_view kLocalhost = "localhost";
  if (rest.starts_with(kLocalhost)) {
    rest.remove_prefix(kLocalhost.size());
  } else {
    const std::size_t end = rest.find(']');
    if (!rest.starts_with('[') || end == std::string_view::npos) return bad();
    error_code error;
    const auto address = asio::ip::make_address_v6(std::string(rest.substr(1, end - 1)), error);
    if (error || address.is_v4_mapped()) return bad();
    endpoint.address = address.to_string();
    rest.remove_prefix(end + 1);
  }
  if (rest.empty()) return endpoint;
  if (rest.front() != ':') return bad();
  rest.remove_prefix(1);
  const auto [stop, status] =
      std::from_chars(rest.data(), rest.data() + rest.size(), endpoint.port);
  if (status != std::errc{} || stop != rest.data() + rest.size() || endpoint.port == 0)
    return bad();
  return endpoint;
}

std::string to_url(const HttpEndpoint& endpoint) { return "http://" + host_text(endpoint); }

std::string_view ClientResponse::header(std::string_view name) const {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  for (const ports::HttpHeader& header : headers) {
    if (std::ranges::equal(header.name, name, {}, lower, lower)) return header.value;
  }
  return {};
}

class HttpClient::Impl {
 public:
  using Clock = std::chrono::steady_clock;

  Impl(HttpEndpoint endpoint, std::size_t max_answer)
      : endpoint_(std::move(endpoint)), max_answer_(max_answer), socket_(loop_) {}

  const HttpEndpoint& endpoint() const { return endpoint_; }

  void disconnect() {
    error_code ignored;
    socket_.close(ignored);
    buffer_.consume(buffer_.size());
  }

  Result<ClientResponse> request(const ClientRequest& request) {
    const Clock::time_point deadline = Clock::now() + request.timeout;
    const bool reused = socket_.is_open();
    auto answer = attempt(request, deadline);
    if (!answer && reused && !answered_ && answer.error().code == ErrorCode::Unavailable &&
        (!sent_ || repeats_safely(request.method))) {
      answer = attempt(request, deadline);
    }
    return answer;
  }

  Result<void> read_lines(const ClientRequest& request, std::chrono::milliseconds idle_limit,
                          const std::function<bool(std::string_view)>& on_line);

 private:
  Result<void> connect(Clock::time_point deadline) {
    if (socket_.is_open()) return {};
    error_code error;
    const auto address = asio::ip::make_address_v6(endpoint_.address, error);
    if (error) {
      return fail(ErrorCode::InvalidArgument, endpoint_.address + " is not an IPv6 address");
    }
    error = run(
        [&](auto done) {
          socket_.async_connect(tcp::endpoint(address, endpoint_.port),
                                [done](const error_code& e) { done(e, 0); });
        },
        deadline);
    if (error) return lost("cannot connect to", error);
    socket_.set_option(tcp::no_delay(true), error);
    return {};
  }

  Result<void> send(const ClientRequest& request, Clock::time_point deadline) {
    std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: hypermesh\r\n",
                                   name_of(request.method), request.target, host_text(endpoint_));
    for (const auto& header : request.headers) {
      text += fmt::format("{}: {}\r\n", header.name, header.value);
    }
    if (!request.content_type.empty()) {
      text += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", request.content_type,
                          request.body.size());
    }
    text += "\r\n";
    text += request.body;
    const error_code error = run(
        [&](auto done) {
          asio::async_write(socket_, asio::buffer(text),
                            [done](const error_code& e, std::size_t n) { done(e, n); });
        },
        deadline);
    if (error) return lost("lost the connection to", error);
    return {};
  }

  Result<ClientResponse> attempt(const ClientRequest& request, Clock::time_point deadline);

  // One read into the buffer.
  Result<void> fill(Clock::time_point deadline) {
    std::size_t count = 0;
    const error_code error = run(
        [&](auto done) {
          socket_.async_read_some(buffer_.prepare(kStreamBuffer),
                                  [done, &count](const error_code& e, std::size_t n) {
                                    count = n;
                                    done(e, n);
                                  });
        },
        deadline);
    buffer_.commit(count);
    if (error == asio::error::eof) {
      ended_ = true;
      return {};
    }
    if (error) return lost("lost the connection to", error);
    return {};
  }

  // Starts an operation and runs the private loop until it is done or the deadline passes.
  template <class Start>
  error_code run(Start start, Clock::time_point deadline) {
    bool finished = false;
    error_code result;
    start([&](const error_code& error, std::size_t) {
      finished = true;
      result = error;
    });
    loop_.restart();
    while (!finished && loop_.run_one_until(deadline) > 0) {
    }
    if (finished) return result;
    // Closing makes the operation complete; it must not outlive what it refers to.
    disconnect();
    loop_.restart();
    while (!finished) loop_.run_one();
    return asio::error::timed_out;
  }

  std::unexpected<Error> lost(std::string_view what, const error_code& error) {
    disconnect();
    return fail(ErrorCode::Unavailable,
                fmt::format("{} {}: {}", what, to_url(endpoint_), error.message()),
                "Is the node running? `hypermesh up` starts one; --api URL picks another.");
  }

  std::unexpected<Error> garbled(const error_code& error) {
    disconnect();
    return fail(ErrorCode::Corrupt, fmt::format("{} does not answer as an API: {}",
                                                to_url(endpoint_), error.message()));
  }

  HttpEndpoint endpoint_;
  std::size_t max_answer_;
  asio::io_context loop_{1};
  tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  bool sent_ = false;      // the whole request went out
  bool answered_ = false;  // a byte of the answer came in
  bool ended_ = false;     // the server closed its side
};

Result<ClientResponse> HttpClient::Impl::attempt(const ClientRequest& request,
                                                 Clock::time_point deadline) {
  sent_ = answered_ = ended_ = false;
  HM_TRY_VOID(connect(deadline));
  HM_TRY_VOID(send(request, deadline));
  sent_ = true;
  beast_http::response_parser<beast_http::string_body> parser;
  parser.body_limit(max_answer_);
  parser.eager(true);
  if (request.method == HttpMethod::Head) parser.skip(true);
  while (!parser.is_done()) {
    error_code error;
    if (buffer_.size() > 0) {
      answered_ = true;
      buffer_.consume(parser.put(buffer_.data(), error));
      if (error && error != beast_http::error::need_more) return garbled(error);
      if (parser.is_done()) break;
      if (!error && buffer_.size() > 0) continue;
    }
    if (ended_) {
      if (!answered_) return lost("lost the connection to", asio::error::eof);
      parser.put_eof(error);
      if (error || !parser.is_done()) return lost("lost the connection to", asio::error::eof);
      break;
    }
    HM_TRY_VOID(fill(deadline));
  }
  auto& message = parser.get();
  ClientResponse response{.status = static_cast<std::uint16_t>(message.result_int()),
                          .body = std::move(message.body()),
                          .headers = headers_of(message)};
  if (!parser.keep_alive() || ended_) disconnect();
  return response;
}

Result<void> HttpClient::Impl::read_lines(const ClientRequest& request,
                                          std::chrono::milliseconds idle_limit,
                                          const std::function<bool(std::string_view)>& on_line) {
  disconnect();
  sent_ = answered_ = ended_ = false;
  const Clock::time_point opened = Clock::now() + request.timeout;
  HM_TRY_VOID(connect(opened));
  HM_TRY_VOID(send(request, opened));
  beast_http::response_parser<beast_http::buffer_body> parser;
  parser.body_limit(boost::none);
  parser.eager(false);
  std::string line;
  std::array<char, kStreamBuffer> chunk{};
  while (true) {
    error_code error;
    if (buffer_.size() > 0) {
      auto& body = parser.get().body();
      body.data = chunk.data();
      body.size = chunk.size();
      body.more = true;
      buffer_.consume(parser.put(buffer_.data(), error));
      const bool full = error == beast_http::error::need_buffer;
      if (error && !full && error != beast_http::error::need_more) return garbled(error);
      if (parser.is_header_done()) {
        parser.eager(true);
        if (parser.get().result_int() != 200) {
          disconnect();
          return fail(ErrorCode::FailedPrecondition,
                      fmt::format("{} answered {}", to_url(endpoint_), parser.get().result_int()));
        }
      }
      for (const char c : std::string_view(chunk.data(), chunk.size() - body.size)) {
        if (c != '\n') {
          line.push_back(c);
          if (line.size() > kMaxEventLine) return garbled(beast_http::error::body_limit);
          continue;
        }
        if (line.ends_with('\r')) line.pop_back();
        if (!on_line(line)) {
          disconnect();
          return {};
        }
        line.clear();
      }
      if (full || (!error && buffer_.size() > 0)) continue;
    }
    if (ended_ || parser.is_done()) return lost("the stream ended:", asio::error::eof);
    HM_TRY_VOID(fill(Clock::now() + idle_limit));
  }
}

HttpClient::HttpClient(HttpEndpoint endpoint, std::size_t max_answer_bytes)
    : impl_(std::make_unique<Impl>(std::move(endpoint), max_answer_bytes)) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

const HttpEndpoint& HttpClient::endpoint() const { return impl_->endpoint(); }

Result<ClientResponse> HttpClient::request(const ClientRequest& request) {
  return impl_->request(request);
}

Result<void> HttpClient::read_lines(const ClientRequest& request,
                                    std::chrono::milliseconds idle_limit,
                                    const std::function<bool(std::string_view)>& on_line) {
  return impl_->read_lines(request, idle_limit, on_line);
}

void HttpClient::disconnect() { impl_->disconnect(); }

}  // namespace hm::http
