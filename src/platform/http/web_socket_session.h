// SPDX-License-Identifier: Apache-2.0
// One WebSocket over a TCP socket, from the handshake to the end, for the server and the client
// alike. Internal to platform/http; everything runs on the socket's event loop. Its one source file
// is the only one that pays for compiling the protocol.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/http/limits.h"
#include "ports/http.h"
#include "ports/web_socket.h"

namespace hm::http {

struct WebSocketLimits {
  std::size_t max_message = kMaxWebSocketMessage;
  std::size_t max_pending = kMaxWebSocketPending;
  std::size_t low_mark = kWebSocketLowMark;
  std::chrono::milliseconds ping_interval = kWebSocketPingInterval;
  std::chrono::milliseconds pong_time = kWebSocketPongTime;
  std::chrono::milliseconds stall_time = kWebSocketStallTime;
  std::chrono::milliseconds close_time = kWebSocketCloseTime;
  std::chrono::milliseconds open_time = kWebSocketOpenTime;
  // How often the times are looked at; they are that coarse.
  std::chrono::milliseconds tick = kSweepInterval;
};

class WebSocketSession {
 public:
  enum class End : std::uint8_t { Closed, TimedOut, TooSlow };
  using OnEnd = std::function<void(const std::shared_ptr<WebSocketSession>&, End)>;

  // The server's answer to an upgrade: 101, or what it refused with.
  struct Answer {
    std::uint16_t status = 0;
    std::string body;
    std::vector<ports::HttpHeader> headers;
  };
  // With an error if there was no answer.
  using OnAnswer = std::function<void(const boost::system::error_code&, Answer)>;

  virtual ~WebSocketSession() = default;

  // `on_end` is called once, when the socket is closed for whatever reason.
  static std::shared_ptr<WebSocketSession> create(
      boost::asio::ip::tcp::socket socket, const WebSocketLimits& limits,
      std::shared_ptr<ports::WebSocketListener> listener, OnEnd on_end);

  // Answers a client that showed `key`; `protocol` is confirmed unless it is empty.
  virtual void accept(std::string_view key, std::string protocol) = 0;
  // Asks a server over a connected socket. The listener hears nothing if there is no 101.
  virtual void ask(std::string host, std::string target, std::vector<ports::HttpHeader> headers,
                   OnAnswer on_answer) = 0;
  // The socket as its user holds it. Call once.
  virtual std::shared_ptr<ports::WebSocket> handle() = 0;
  // Ends it here and now; its listener is told before this returns.
  virtual void stop(std::string_view reason) = 0;
};

}  // namespace hm::http
