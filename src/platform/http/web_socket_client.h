// SPDX-License-Identifier: Apache-2.0
// Opens WebSockets for command-line tools, on an event loop of the caller's (which also watches its
// terminal and signals: platform/loop). What is opened behaves as the server's side does
// (ports/web_socket.h), with the same limits.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "platform/http/http_client.h"
#include "ports/web_socket.h"

namespace boost::asio {
class io_context;
}

namespace hm::http {

struct WebSocketRequest {
  std::string target = "/";  // already percent-encoded
  std::string protocol;      // offered to the server; empty offers none
  std::vector<ports::HttpHeader> headers;
  std::chrono::milliseconds timeout{10'000};  // for connecting, and again for the handshake
};

struct OpenedWebSocket {
  // 101, or with what the server refused: then `socket` is null and the body says why.
  ClientResponse answer;
  std::shared_ptr<ports::WebSocket> socket;
};

// Calls `done` once, on the loop, never before this returns. The error is Unavailable (nobody
// listens, connection lost, timeout) or Corrupt (what answers is no WebSocket server). The listener
// is called only if `done` was given a socket, and after that.
void open_web_socket(boost::asio::io_context& loop, const HttpEndpoint& endpoint,
                     WebSocketRequest request, std::shared_ptr<ports::WebSocketListener> listener,
                     std::function<void(Result<OpenedWebSocket>)> done);

}  // namespace hm::http
