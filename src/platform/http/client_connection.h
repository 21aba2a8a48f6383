// SPDX-License-Identifier: Apache-2.0
// A client's connection, used synchronously on a loop of its own: dialling, sending, and reading
// one answer after another, every wait bounded. It knows nothing of repeating a request. Internal
// to platform/http.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "foundation/base/result.h"
#include "platform/http/http_client.h"

namespace hm::http {

// How long the other side may take: for everything together, or for each step.
struct Patience {
  using Clock = std::chrono::steady_clock;
  std::optional<Clock::time_point> until;
  std::chrono::milliseconds pause{};

  Clock::time_point deadline() const { return until ? *until : Clock::now() + pause; }
};

class ClientConnection {
 public:
  // Where the body of the answer with that head goes: null collects it in the answer. An error is
  // the outcome of the request.
  using ChooseSink = std::function<Result<const BodySink*>(const ClientResponse& head)>;
  enum class Sent : std::uint8_t {
    Whole,
    Interrupted,  // the server speaks, or is gone, before it has all
  };

  ClientConnection(HttpEndpoint endpoint, std::size_t max_answer)
      : endpoint_(std::move(endpoint)), max_answer_(max_answer), socket_(loop_) {}

  const HttpEndpoint& endpoint() const { return endpoint_; }
  bool is_open() const { return socket_.is_open(); }
  // A byte of an answer came in since open().
  bool is_answered() const { return answered_; }
  void close();

  // Connects unless it is connected, for a new request.
  Result<void> open(const Patience& patience);
  // Line and headers of a request, without the empty line.
  std::string head_of(const ClientRequest& request) const;
  Result<void> send(std::string_view bytes, const Patience& patience);
  // A part of a body, in up to three pieces of memory. Errors: only a timeout.
  using Parts = std::array<boost::asio::const_buffer, 3>;
  Result<Sent> send_body(const Parts& parts, const Patience& patience);
  // The body is sent as far as it is going to be.
  void end_body();

  // The answer. Interim ones (status 1xx) are read over, but for the 100 that is waited for.
  enum class Until : std::uint8_t { Final, Continue };
  Result<ClientResponse> receive(ports::HttpMethod method, Until until, const Patience& patience,
                                 const ChooseSink& choose);

  std::unexpected<Error> lost(std::string_view what, const boost::system::error_code& error);

 private:
  template <class Start>
  boost::system::error_code run(Start start, Patience::Clock::time_point deadline,
                                const bool* stop = nullptr);
  Result<void> fill(std::size_t most, Patience::Clock::time_point deadline);
  void watch();
  Result<ClientResponse> receive_one(ports::HttpMethod method, const Patience& patience,
                                     const ChooseSink& choose);
  std::unexpected<Error> garbled(const boost::system::error_code& error);

  HttpEndpoint endpoint_;
  std::size_t max_answer_;
  boost::asio::io_context loop_{1};
  boost::asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  bool answered_ = false;
  bool ended_ = false;     // the server closed its side
  bool watching_ = false;  // for the server to speak while a body is sent
  bool speaks_ = false;
};

}  // namespace hm::http
