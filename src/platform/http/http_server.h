// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 server on the daemon's event loop (Boost.Beast parses, everything else is bounded here).
// IPv6 only. One request of a connection is handled at a time; pipelined ones wait in order.
// Oversized, slow, malformed and surplus connections are answered by name where the protocol allows
// it, counted and closed. It knows no routes and no rights: the handler does.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "foundation/base/result.h"
#include "platform/http/limits.h"
#include "ports/http.h"

namespace boost::asio {
class io_context;
}

namespace hm::http {

struct HttpServerConfig {
  std::string address = "::1";
  std::uint16_t port = 8445;  // 0 lets the system choose
  std::size_t max_header_bytes = kMaxHeaderBytes;
  std::size_t max_body_bytes = kMaxBodyBytes;
  std::size_t max_connections = kMaxConnections;
  std::size_t max_streams = kMaxStreams;
  std::size_t max_stream_backlog = kMaxStreamBacklog;
  std::size_t max_uploads = kMaxUploads;
  std::size_t upload_window = kUploadWindow;
  std::size_t max_web_sockets = kMaxWebSockets;
  std::size_t max_web_socket_message = kMaxWebSocketMessage;
  std::size_t max_web_socket_pending = kMaxWebSocketPending;
  std::chrono::milliseconds web_socket_ping_interval = kWebSocketPingInterval;
  std::chrono::milliseconds web_socket_pong_time = kWebSocketPongTime;
  std::chrono::milliseconds web_socket_stall_time = kWebSocketStallTime;
  std::chrono::milliseconds web_socket_close_time = kWebSocketCloseTime;
  std::chrono::milliseconds header_time = kHeaderTime;
  std::chrono::milliseconds body_time = kBodyTime;
  std::chrono::milliseconds stall_time = kStallTime;
  std::chrono::milliseconds idle_time = kIdleTime;
  std::chrono::milliseconds write_time = kWriteTime;
  std::chrono::milliseconds answer_time = kAnswerTime;
  std::chrono::milliseconds sweep_interval = kSweepInterval;
};

struct HttpServerCounters {
  std::uint64_t accepted = 0;
  std::uint64_t requests = 0;
  std::uint64_t refused_connections = 0;  // above max_connections
  std::uint64_t gave_way = 0;             // idle ones closed for a new one
  std::uint64_t refused_early = 0;        // by the handler, from the headers
  std::uint64_t malformed = 0;
  std::uint64_t oversized_headers = 0;
  std::uint64_t oversized_bodies = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t slow_streams = 0;
  std::uint64_t lost_uploads = 0;      // the handler has less than the body
  std::uint64_t refused_upgrades = 0;  // no WebSocket, or no valid request for one
  std::uint64_t slow_web_sockets = 0;
  std::size_t open_connections = 0;  // that speak HTTP
  std::size_t open_streams = 0;
  std::size_t open_uploads = 0;
  std::size_t open_web_sockets = 0;
};

class HttpServer {
 public:
  class Core;  // shared with the connections, internal

  // Listens and begins to accept. `loop` and `handler` outlive the server. Errors: Unavailable
  // when the port is taken, InvalidArgument for an address that is not IPv6.
  static Result<std::unique_ptr<HttpServer>> start(boost::asio::io_context& loop,
                                                   ports::HttpHandler& handler,
                                                   HttpServerConfig config);
  // Closes the port and every connection. Responders that are still held do nothing from then on.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t local_port() const;
  const HttpServerCounters& counters() const;

 private:
  explicit HttpServer(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace hm::http
