// SPDX-License-Identifier: Apache-2.0
#include "platform/http/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "platform/http/client_connection.h"

namespace hm::http {
namespace asio = boost::asio;
using ports::HttpMethod;

namespace {

// Asked of a source at a time.
constexpr std::size_t kSourcePiece = std::size_t{256} << 10;
constexpr std::uint16_t kContinue = 100;

bool repeats_safely(HttpMethod method) {
  return method == HttpMethod::Get || method == HttpMethod::Head;
}

Result<const BodySink*> collect(const ClientResponse&) { return nullptr; }

// What went before is not worth keeping: nothing came back on a connection kept from earlier.
bool is_stale(const Error& error) { return error.code == ErrorCode::Unavailable; }

std::string text_of(const ByteRange& range) {
  return fmt::format("bytes={}-{}", range.first, range.last ? std::to_string(*range.last) : "");
}

// Whether Content-Range (RFC 9110 §14.4) says what was asked for; the whole may end earlier.
bool is_range(std::string_view text, const ByteRange& asked) {
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return false;
  text.remove_prefix(kUnit.size());
  ByteRange said;
  said.last = 0;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, said.first);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '-') return false;
  const auto last = std::from_chars(first.ptr + 1, end, *said.last);
  if (last.ec != std::errc{} || last.ptr == end || *last.ptr != '/') return false;
  return said.first == asked.first && *said.last >= said.first &&
         (!asked.last || *said.last <= *asked.last);
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
    boost::system::error_code error;
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
  Impl(HttpEndpoint endpoint, std::size_t max_answer)
      : connection_(std::move(endpoint), max_answer) {}

  const HttpEndpoint& endpoint() const { return connection_.endpoint(); }
  void disconnect() { connection_.close(); }

  Result<ClientResponse> request(const ClientRequest& request) {
    const Patience patience{.until = Patience::Clock::now() + request.timeout, .pause = {}};
    return exchange(request, patience, collect);
  }

  Result<ClientResponse> download(const ClientRequest& request, std::optional<ByteRange> range,
                                  const BodySink& sink);
  Result<ClientResponse> upload(const ClientRequest& request, std::optional<std::uint64_t> length,
                                const BodySource& source);
  Result<void> read_lines(const ClientRequest& request, std::chrono::milliseconds idle_limit,
                          const std::function<bool(std::string_view)>& on_line);

 private:
  using Until = ClientConnection::Until;
  using Sent = ClientConnection::Sent;

  // Once more on a new connection if a kept one turns out to be gone.
  Result<ClientResponse> exchange(const ClientRequest& request, const Patience& patience,
                                  const ClientConnection::ChooseSink& choose) {
    const bool reused = connection_.is_open();
    auto answer = attempt(request, patience, choose);
    if (!answer && reused && !connection_.is_answered() && is_stale(answer.error()) &&
        (!sent_ || repeats_safely(request.method))) {
      answer = attempt(request, patience, choose);
    }
    return answer;
  }

  Result<ClientResponse> attempt(const ClientRequest& request, const Patience& patience,
                                 const ClientConnection::ChooseSink& choose) {
    HM_TRY_VOID(send(request, patience));
    return connection_.receive(request.method, Until::Final, patience, choose);
  }

  Result<void> send(const ClientRequest& request, const Patience& patience) {
    sent_ = false;
    HM_TRY_VOID(connection_.open(patience));
    std::string text = connection_.head_of(request);
    if (!request.content_type.empty()) {
      text += fmt::format("Content-Length: {}\r\n", request.body.size());
    }
    text += "\r\n";
    text += request.body;
    HM_TRY_VOID(connection_.send(text, patience));
    sent_ = true;
    return {};
  }

  Result<ClientResponse> ask(const ClientRequest& request, std::optional<std::uint64_t> length,
                             const Patience& patience);
  Result<Sent> send_from(const BodySource& source, std::optional<std::uint64_t> length,
                         const Patience& patience);

  ClientConnection connection_;
  bool sent_ = false;  // the whole request went out
};

Result<ClientResponse> HttpClient::Impl::download(const ClientRequest& request,
                                                  std::optional<ByteRange> range,
                                                  const BodySink& sink) {
  ClientRequest asked = request;
  if (range) asked.headers.push_back({"Range", text_of(*range)});
  const auto choose = [&](const ClientResponse& head) -> Result<const BodySink*> {
    const bool is_part = head.status == 206;
    if (head.status != 200 && !is_part) return nullptr;
    if (range && !is_part) {
      return fail(ErrorCode::Unsupported, to_url(endpoint()) + " does not answer with parts");
    }
    if (is_part && (!range || !is_range(head.header("content-range"), *range))) {
      return fail(ErrorCode::Corrupt,
                  to_url(endpoint()) + " answered with another part than the one asked for");
    }
    return &sink;
  };
  return exchange(asked, Patience{.until = {}, .pause = request.timeout}, choose);
}

// The head of an upload, and what the server says to it: 100, or its answer.
Result<ClientResponse> HttpClient::Impl::ask(const ClientRequest& request,
                                             std::optional<std::uint64_t> length,
                                             const Patience& patience) {
  HM_TRY_VOID(connection_.open(patience));
  std::string text = connection_.head_of(request);
  text +=
      length ? fmt::format("Content-Length: {}\r\n", *length) : "Transfer-Encoding: chunked\r\n";
  // An empty body waits for nothing.
  text += length == 0 ? "\r\n" : "Expect: 100-continue\r\n\r\n";
  HM_TRY_VOID(connection_.send(text, patience));
  return connection_.receive(request.method, Until::Continue, patience, collect);
}

Result<ClientConnection::Sent> HttpClient::Impl::send_from(const BodySource& source,
                                                           std::optional<std::uint64_t> length,
                                                           const Patience& patience) {
  std::string piece;
  piece.resize_and_overwrite(kSourcePiece, [](char*, std::size_t size) { return size; });
  std::uint64_t left = length.value_or(0);
  while (!length || left > 0) {
    const std::size_t most = length ? std::min<std::uint64_t>(left, piece.size()) : piece.size();
    const auto count = source(std::span(piece.data(), most));
    if (!count) return std::unexpected(count.error());
    if (length && *count == 0) {
      return fail(ErrorCode::FailedPrecondition,
                  fmt::format("what is sent ends {} bytes before the announced length", left));
    }
    left -= length ? *count : 0;
    const auto bytes = asio::buffer(piece.data(), *count);
    Result<Sent> sent = Sent::Whole;
    if (length) {
      sent = connection_.send_body({bytes}, patience);
    } else {
      // A chunk of nothing is the last one, and no trailer follows it.
      const std::string size = fmt::format("{:x}\r\n", *count);
      sent = connection_.send_body({asio::buffer(size), bytes, asio::buffer("\r\n", 2)}, patience);
    }
    if (!sent || *sent == Sent::Interrupted) return sent;
    if (*count == 0) break;
  }
  return Sent::Whole;
}

Result<ClientResponse> HttpClient::Impl::upload(const ClientRequest& request,
                                                std::optional<std::uint64_t> length,
                                                const BodySource& source) {
  const Patience patience{.until = {}, .pause = request.timeout};
  const bool reused = connection_.is_open();
  auto answer = ask(request, length, patience);
  if (!answer && reused && !connection_.is_answered() && is_stale(answer.error())) {
    answer = ask(request, length, patience);
  }
  if (!answer || length == 0) return answer;
  if (answer->status != kContinue) {
    // It may wait for the body all the same.
    connection_.close();
    return answer;
  }
  const auto sent = send_from(source, length, patience);
  connection_.end_body();
  if (!sent) {
    connection_.close();
    return std::unexpected(sent.error());
  }
  answer = connection_.receive(request.method, Until::Final, patience, collect);
  if (*sent == Sent::Interrupted) connection_.close();
  return answer;
}

Result<void> HttpClient::Impl::read_lines(const ClientRequest& request,
                                          std::chrono::milliseconds idle_limit,
                                          const std::function<bool(std::string_view)>& on_line) {
  connection_.close();
  HM_TRY_VOID(send(request, {.until = Patience::Clock::now() + request.timeout, .pause = {}}));
  std::string line;
  bool stopped = false;
  const BodySink split = [&](std::string_view piece) -> Result<void> {
    for (const char c : piece) {
      if (c != '\n') {
        line.push_back(c);
        if (line.size() > kMaxEventLine) {
          return fail(ErrorCode::Corrupt, to_url(endpoint()) + " sent a line without end");
        }
        continue;
      }
      if (line.ends_with('\r')) line.pop_back();
      stopped = !on_line(line);
      if (stopped) return fail(ErrorCode::Unavailable, "enough was read");
      line.clear();
    }
    return {};
  };
  const auto choose = [&](const ClientResponse& head) -> Result<const BodySink*> {
    if (head.status == 200) return &split;
    return fail(ErrorCode::FailedPrecondition,
                fmt::format("{} answered {}", to_url(endpoint()), head.status));
  };
  const auto answer =
      connection_.receive(request.method, Until::Final, {.until = {}, .pause = idle_limit}, choose);
  connection_.close();
  if (stopped) return {};
  if (!answer) return std::unexpected(answer.error());
  return connection_.lost("the stream ended:", asio::error::eof);
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

Result<ClientResponse> HttpClient::upload(const ClientRequest& request,
                                          std::optional<std::uint64_t> length,
                                          const BodySource& source) {
  return impl_->upload(request, length, source);
}

Result<ClientResponse> HttpClient::download(const ClientRequest& request,
                                            std::optional<ByteRange> range, const BodySink& sink) {
  return impl_->download(request, range, sink);
}

void HttpClient::disconnect() { impl_->disconnect(); }

}  // namespace hm::http
