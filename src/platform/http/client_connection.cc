// SPDX-License-Identifier: Apache-2.0
#include "platform/http/client_connection.h"

#include <fmt/format.h>

#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <utility>

namespace hm::http {
namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using ports::HttpMethod;

namespace {

// Read at a time: of heads and short answers, and of a body that goes to a sink.
constexpr std::size_t kReadPiece = std::size_t{16} << 10;
constexpr std::size_t kSinkPiece = std::size_t{256} << 10;
// Answers that may precede the final one.
constexpr int kMaxInterim = 8;
constexpr std::uint16_t kContinue = 100;
constexpr std::uint16_t kFirstFinal = 200;

// A Body of Beast that is collected up to a limit, or goes to a sink as it is decoded.
struct AnswerBody {
  struct value_type {
    std::string collected;
    std::size_t limit = 0;
    const BodySink* sink = nullptr;
    std::optional<Error> failure;  // of the sink
  };

  class reader {
   public:
    template <bool IsRequest, class Fields>
    reader(beast_http::header<IsRequest, Fields>&, value_type& body) : body_(body) {}

    void init(const boost::optional<std::uint64_t>&, error_code& error) { error = {}; }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, error_code& error) {
      error = {};
      std::size_t count = 0;
      for (const auto buffer : boost::beast::buffers_range_ref(buffers)) {
        take({static_cast<const char*>(buffer.data()), buffer.size()}, error);
        count += buffer.size();
      }
      return count;
    }
    void finish(error_code& error) { error = {}; }

   private:
    void take(std::string_view piece, error_code& error) {
      if (body_.sink == nullptr) {
        if (piece.size() > body_.limit - body_.collected.size()) {
          error = beast_http::error::body_limit;
        } else {
          body_.collected += piece;
        }
      } else if (auto taken = (*body_.sink)(piece); !taken) {
        body_.failure = std::move(taken).error();
        error = asio::error::operation_aborted;
      }
    }

    value_type& body_;
  };
};

std::string host_text(const HttpEndpoint& endpoint) {
  return fmt::format("[{}]:{}", endpoint.address, endpoint.port);
}

template <class Message>
ClientResponse head_of_answer(const Message& message) {
  ClientResponse head;
  head.status = static_cast<std::uint16_t>(message.result_int());
  for (const auto& field : message) {
    head.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  return head;
}

}  // namespace

std::string to_url(const HttpEndpoint& endpoint) { return "http://" + host_text(endpoint); }

void ClientConnection::close() {
  error_code ignored;
  socket_.close(ignored);
  buffer_.consume(buffer_.size());
  end_body();
}

Result<void> ClientConnection::open(const Patience& patience) {
  answered_ = ended_ = speaks_ = false;
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
      patience.deadline());
  if (error) return lost("cannot connect to", error);
  socket_.set_option(tcp::no_delay(true), error);
  return {};
}

std::string ClientConnection::head_of(const ClientRequest& request) const {
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: hypermesh\r\n",
                                 name_of(request.method), request.target, host_text(endpoint_));
  for (const auto& header : request.headers) {
    text += fmt::format("{}: {}\r\n", header.name, header.value);
  }
  if (!request.content_type.empty()) {
    text += fmt::format("Content-Type: {}\r\n", request.content_type);
  }
  return text;
}

Result<void> ClientConnection::send(std::string_view bytes, const Patience& patience) {
  const error_code error = run(
      [&](auto done) {
        asio::async_write(socket_, asio::buffer(bytes),
                          [done](const error_code& e, std::size_t n) { done(e, n); });
      },
      patience.deadline());
  if (error) return lost("lost the connection to", error);
  return {};
}

// Tells when there is something to read, or the other side is gone.
void ClientConnection::watch() {
  watching_ = true;
  socket_.async_wait(tcp::socket::wait_read, [this](const error_code& error) {
    watching_ = false;
    if (error != asio::error::operation_aborted) speaks_ = true;
  });
}

Result<ClientConnection::Sent> ClientConnection::send_body(const Parts& parts,
                                                           const Patience& patience) {
  if (!watching_ && !speaks_) watch();
  if (speaks_) return Sent::Interrupted;
  const error_code error = run(
      [&](auto done) {
        asio::async_write(socket_, parts,
                          [done](const error_code& e, std::size_t n) { done(e, n); });
      },
      patience.deadline(), &speaks_);
  if (error == asio::error::timed_out) return lost("lost the connection to", error);
  // Who does not read on may have said why.
  if (error) return Sent::Interrupted;
  return Sent::Whole;
}

void ClientConnection::end_body() {
  error_code ignored;
  if (watching_) socket_.cancel(ignored);
  loop_.restart();
  while (watching_) loop_.run_one();
}

Result<void> ClientConnection::fill(std::size_t most, Patience::Clock::time_point deadline) {
  std::size_t count = 0;
  const error_code error = run(
      [&](auto done) {
        socket_.async_read_some(buffer_.prepare(most),
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

// Starts an operation and runs the private loop until it is done, the deadline passes (which closes
// the connection), or `stop` becomes true.
template <class Start>
error_code ClientConnection::run(Start start, Patience::Clock::time_point deadline,
                                 const bool* stop) {
  bool finished = false;
  error_code result;
  start([&](const error_code& error, std::size_t) {
    finished = true;
    result = error;
  });
  const auto is_stopped = [&] { return stop != nullptr && *stop; };
  loop_.restart();
  while (!finished && !is_stopped() && loop_.run_one_until(deadline) > 0) {
  }
  if (finished) return result;
  // Ending it makes the operation complete; it must not outlive what it refers to.
  const bool stopped = is_stopped();
  error_code ignored;
  if (stopped) {
    socket_.cancel(ignored);
  } else {
    close();
  }
  loop_.restart();
  while (!finished) loop_.run_one();
  return stopped ? result : asio::error::timed_out;
}

Result<ClientResponse> ClientConnection::receive_one(HttpMethod method, const Patience& patience,
                                                     const ChooseSink& choose) {
  beast_http::response_parser<AnswerBody> parser;
  parser.body_limit(boost::none);
  parser.eager(false);
  if (method == HttpMethod::Head) parser.skip(true);
  auto& body = parser.get().body();
  body.limit = max_answer_;
  ClientResponse answer;
  bool has_head = false;
  while (!parser.is_done() || !has_head) {
    error_code error;
    if (buffer_.size() > 0 && !parser.is_done()) {
      answered_ = true;
      buffer_.consume(parser.put(buffer_.data(), error));
      if (body.failure) {
        close();
        return std::unexpected(std::move(*body.failure));
      }
      if (error && error != beast_http::error::need_more) return garbled(error);
      // Only an element without an end stays in the buffer.
      if (error && buffer_.size() > kMaxHeaderBytes) {
        return garbled(beast_http::error::buffer_overflow);
      }
    }
    if (!has_head && parser.is_header_done()) {
      has_head = true;
      answer = head_of_answer(parser.get());
      if (answer.status < kFirstFinal) continue;
      auto sink = choose(answer);
      if (!sink) {
        close();
        return std::unexpected(std::move(sink).error());
      }
      body.sink = *sink;
      const bool too_long = parser.content_length().value_or(0) > max_answer_;
      if (body.sink == nullptr && too_long && method != HttpMethod::Head) {
        return garbled(beast_http::error::body_limit);
      }
      parser.eager(true);
      continue;
    }
    if (parser.is_done()) break;
    if (!error && buffer_.size() > 0) continue;
    if (ended_) {
      // After an interim answer, too; put_eof() requires a byte of this one.
      if (!answered_ || !parser.got_some()) return lost("lost the connection to", asio::error::eof);
      parser.put_eof(error);
      if (error || !parser.is_done()) return lost("lost the connection to", asio::error::eof);
      break;
    }
    HM_TRY_VOID(fill(body.sink != nullptr ? kSinkPiece : kReadPiece, patience.deadline()));
  }
  answer.body = std::move(body.collected);
  if (!parser.keep_alive() || ended_) close();
  return answer;
}

Result<ClientResponse> ClientConnection::receive(HttpMethod method, Until until,
                                                 const Patience& patience,
                                                 const ChooseSink& choose) {
  for (int i = 0; i < kMaxInterim; ++i) {
    auto answer = receive_one(method, patience, choose);
    if (!answer || answer->status >= kFirstFinal) return answer;
    if (until == Until::Continue && answer->status == kContinue) return answer;
  }
  return garbled(beast_http::error::bad_status);
}

std::unexpected<Error> ClientConnection::lost(std::string_view what, const error_code& error) {
  close();
  return fail(ErrorCode::Unavailable,
              fmt::format("{} {}: {}", what, to_url(endpoint_), error.message()),
              "Is the node running? `hypermesh up` starts one; --api URL picks another.");
}

std::unexpected<Error> ClientConnection::garbled(const error_code& error) {
  close();
  return fail(ErrorCode::Corrupt,
              fmt::format("{} does not answer as an API: {}", to_url(endpoint_), error.message()));
}

}  // namespace hm::http
