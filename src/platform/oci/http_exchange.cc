// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/http_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>

#include "platform/oci/limits.h"

namespace hm::oci {
namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

using Clock = std::chrono::steady_clock;
using TlsStream = asio::ssl::stream<tcp::socket>;

constexpr std::size_t kReadBytes = 64 * 1024;

struct Authorities : TrustedAuthorities {
  asio::ssl::context context{asio::ssl::context::tls_client};
};

class Exchange : public HttpExchange {
 public:
  explicit Exchange(const HttpRequest& request)
      : name_(containers::authority_of(request.url)),
        is_cancelled_(request.is_cancelled),
        authorities_(request.authorities) {
    parser_.header_limit(static_cast<std::uint32_t>(kMaxHeaderBytes));
    parser_.body_limit(boost::none);
    parser_.eager(false);
    if (request.method == "HEAD") parser_.skip(true);
  }

  Result<void> run(const HttpRequest& request) {
    HM_TRY_VOID(connect(request.url));
    if (request.url.is_tls) HM_TRY_VOID(secure(request.url.host));
    const auto sent = send(request);
    if (!sent && sent.error().code != ErrorCode::Unavailable) return sent;
    // A server may refuse, and close, before it has read a whole body: its answer says why.
    const auto answered = read_header();
    return sent || answered ? answered : sent;
  }

  unsigned status() const override { return parser_.get().result_int(); }

  std::string_view header(std::string_view name) const override {
    const auto found = parser_.get().find(boost::beast::string_view(name.data(), name.size()));
    if (found == parser_.get().end()) return {};
    return {found->value().data(), found->value().size()};
  }

  Result<ByteView> next() override {
    if (!parser_.is_header_done()) return lost(asio::error::eof);
    while (!parser_.is_done()) {
      if (is_cancelled_ && is_cancelled_()) return cancelled();
      auto& body = parser_.get().body();
      body.data = piece_.data();
      body.size = piece_.size();
      body.more = true;
      error_code error;
      if (buffer_.size() > 0) buffer_.consume(parser_.put(buffer_.data(), error));
      const std::size_t got = piece_.size() - body.size;
      if (error && error != beast_http::error::need_buffer &&
          error != beast_http::error::need_more) {
        return garbled(error);
      }
      if (got > 0) return ByteView(piece_).first(got);
      if (parser_.is_done()) break;
      if (buffer_.size() > 0 && error != beast_http::error::need_more) continue;
      HM_TRY_VOID(fill(Clock::now() + kIdleTime));
    }
    return ByteView();
  }

 private:
  Result<void> connect(const containers::Url& url) {
    error_code error;
    tcp::resolver resolver(loop_);
    const auto found = resolver.resolve(url.host, std::to_string(url.port), error);
    if (error || found.empty()) return unreachable("cannot find", error.message());
    for (const auto& entry : found) {
      socket_ = tcp::socket(loop_);
      error = wait(
          [&](auto done) {
            socket_.async_connect(entry.endpoint(), [done](const error_code& e) { done(e, 0); });
          },
          Clock::now() + kConnectTime);
      if (!error) {
        socket_.set_option(tcp::no_delay(true), error);
        return {};
      }
    }
    return unreachable("cannot connect to", error.message());
  }

  Result<void> secure(const std::string& host) {
    error_code error;
    // Every one of these is made by TrustedAuthorities::read().
    tls_.emplace(std::move(socket_), static_cast<Authorities&>(*authorities_).context);
    tls_->set_verify_mode(asio::ssl::verify_peer, error);
    tls_->set_verify_callback(asio::ssl::host_name_verification(host), error);
    // Server names are names, never addresses (RFC 6066 §3).
    error_code not_address;
    asio::ip::make_address(host, not_address);
    if (not_address && SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str()) != 1) {
      return unreachable("cannot name", "TLS refused the server's name");
    }
    error = wait(
        [&](auto done) {
          tls_->async_handshake(asio::ssl::stream_base::client,
                                [done](const error_code& e) { done(e, 0); });
        },
        Clock::now() + kConnectTime);
    if (error) return unreachable("cannot trust", error.message());
    return {};
  }

  Result<void> send(const HttpRequest& request) {
    std::string text =
        fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: hypermesh\r\nConnection: close\r\n",
                    request.method, request.url.target, name_);
    for (const auto& [name, value] : request.headers) {
      text += fmt::format("{}: {}\r\n", name, value);
    }
    if (request.body) text += fmt::format("Content-Length: {}\r\n", request.body->bytes);
    text += "\r\n";
    HM_TRY_VOID(write(as_bytes(text)));
    if (!request.body) return {};
    std::uint64_t left = request.body->bytes;
    while (left > 0) {
      if (is_cancelled_ && is_cancelled_()) return cancelled();
      HM_TRY(const ByteView piece, request.body->source());
      if (piece.empty() || piece.size() > left) {
        return fail(ErrorCode::Corrupt, "what is to be sent has another size than it should");
      }
      HM_TRY_VOID(write(piece));
      left -= piece.size();
    }
    return {};
  }

  Result<void> write(ByteView bytes) {
    const auto data = asio::buffer(bytes.data(), bytes.size());
    const error_code error = wait(
        [&](auto done) {
          const auto finish = [done](const error_code& e, std::size_t n) { done(e, n); };
          if (tls_) {
            asio::async_write(*tls_, data, finish);
          } else {
            asio::async_write(socket_, data, finish);
          }
        },
        Clock::now() + kIdleTime);
    if (error) return lost(error);
    return {};
  }

  Result<void> read_header() {
    const auto deadline = Clock::now() + kAnswerTime;
    while (true) {
      error_code error;
      if (buffer_.size() > 0) {
        buffer_.consume(parser_.put(buffer_.data(), error));
        if (error && error != beast_http::error::need_more) return garbled(error);
        // Answers that only say that another comes (RFC 9110 §15.2) are not asked for.
        if (parser_.is_header_done()) return {};
      }
      if (is_cancelled_ && is_cancelled_()) return cancelled();
      HM_TRY_VOID(fill(deadline));
      if (parser_.is_done()) return {};
    }
  }

  // One read into the buffer. The end of the connection may be the end of a body without a length.
  Result<void> fill(Clock::time_point deadline) {
    std::size_t count = 0;
    const auto space = buffer_.prepare(kReadBytes);
    const error_code error = wait(
        [&](auto done) {
          const auto finish = [done, &count](const error_code& e, std::size_t n) {
            count = n;
            done(e, n);
          };
          if (tls_) {
            tls_->async_read_some(space, finish);
          } else {
            socket_.async_read_some(space, finish);
          }
        },
        deadline);
    buffer_.commit(count);
    if (!error || count > 0) return {};
    if (error != asio::error::eof && error != asio::ssl::error::stream_truncated) {
      return lost(error);
    }
    if (!parser_.got_some()) return lost(asio::error::eof);  // put_eof() requires a byte
    error_code incomplete;
    parser_.put_eof(incomplete);
    if (incomplete || !parser_.is_done()) return lost(asio::error::eof);
    return {};
  }

  // Starts an operation and runs the private loop until it is done or the deadline passes.
  template <class Start>
  error_code wait(Start start, Clock::time_point deadline) {
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
    error_code ignored;
    (tls_ ? tls_->next_layer() : socket_).close(ignored);
    loop_.restart();
    while (!finished) loop_.run_one();
    return asio::error::timed_out;
  }

  std::unexpected<Error> unreachable(std::string_view what, std::string why) const {
    return fail(ErrorCode::Unavailable, fmt::format("{} {}", what, name_), std::move(why));
  }
  std::unexpected<Error> lost(const error_code& error) const {
    return unreachable("lost the connection to", error.message());
  }
  std::unexpected<Error> garbled(const error_code& error) const {
    return fail(ErrorCode::Corrupt, fmt::format("{} does not answer by HTTP", name_),
                error.message());
  }
  static std::unexpected<Error> cancelled() {
    return fail(ErrorCode::FailedPrecondition, "the transfer was cancelled");
  }

  std::string name_;
  std::function<bool()> is_cancelled_;
  std::shared_ptr<TrustedAuthorities> authorities_;
  asio::io_context loop_{1};
  tcp::socket socket_{loop_};
  std::optional<TlsStream> tls_;
  boost::beast::flat_buffer buffer_;
  beast_http::response_parser<beast_http::buffer_body> parser_;
  Bytes piece_ = Bytes(kReadBytes);
};

}  // namespace

Result<std::shared_ptr<TrustedAuthorities>> TrustedAuthorities::read(const std::string& file) {
  auto authorities = std::make_shared<Authorities>();
  asio::ssl::context& context = authorities->context;
  error_code error;
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                          asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                          asio::ssl::context::no_tlsv1_1,
                      error);
  // Without any, nothing is trusted but what is named.
  context.set_default_verify_paths(error);
  if (file.empty()) return std::shared_ptr<TrustedAuthorities>(std::move(authorities));
  context.load_verify_file(file, error);
  if (error) {
    return fail(ErrorCode::InvalidArgument, fmt::format("cannot read certificates from {}", file),
                error.message());
  }
  return std::shared_ptr<TrustedAuthorities>(std::move(authorities));
}

Result<std::unique_ptr<HttpExchange>> HttpExchange::start(const HttpRequest& request) {
  auto exchange = std::make_unique<Exchange>(request);
  HM_TRY_VOID(exchange->run(request));
  return std::unique_ptr<HttpExchange>(std::move(exchange));
}

Result<Bytes> HttpExchange::read_all(std::size_t most) {
  Bytes bytes;
  while (true) {
    HM_TRY(const ByteView piece, next());
    if (piece.empty()) return bytes;
    if (piece.size() > most - bytes.size()) {
      return fail(ErrorCode::Corrupt, fmt::format("an answer is larger than {} bytes", most));
    }
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  }
}

}  // namespace hm::oci
