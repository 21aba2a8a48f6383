// SPDX-License-Identifier: Apache-2.0
// What a server's connections share. Internal to platform/http.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "platform/http/http_server.h"
#include "platform/http/web_socket_session.h"
#include "platform/http/web_socket_upgrade.h"

namespace hm::http {

class Connection;

class HttpServer::Core : public std::enable_shared_from_this<HttpServer::Core> {
 public:
  Core(boost::asio::io_context& loop, ports::HttpHandler& handler, HttpServerConfig config);

  Result<void> listen();
  void stop();

  const HttpServerConfig& config() const { return config_; }
  HttpServerCounters& counters() { return counters_; }
  std::uint16_t port() const { return port_; }
  // Null once the server stopped.
  ports::HttpHandler* handler() const { return handler_; }
  // IMF-fixdate (RFC 9110 §5.6.7), renewed once a second.
  const std::string& date();

  void forget(const std::shared_ptr<Connection>& connection);
  // Takes over the socket of a connection whose request was a valid upgrade.
  std::shared_ptr<ports::WebSocket> open_web_socket(
      boost::asio::ip::tcp::socket socket, const WebSocketUpgrade& upgrade,
      std::string_view protocol, std::shared_ptr<ports::WebSocketListener> listener);

 private:
  void accept();
  void admit(boost::asio::ip::tcp::socket socket);
  // Closes the idle connection that has rested longest; false if all are at work.
  bool make_room();
  void arm_sweep();
  void sweep();

  ports::HttpHandler* handler_;
  HttpServerConfig config_;
  HttpServerCounters counters_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer accept_pause_;
  boost::asio::steady_timer sweep_timer_;
  bool sweeping_ = false;
  std::uint16_t port_ = 0;
  std::set<std::shared_ptr<Connection>> connections_;
  std::set<std::shared_ptr<WebSocketSession>> web_sockets_;
  std::string date_;
  std::int64_t date_second_ = -1;
};

using ServerCore = std::shared_ptr<HttpServer::Core>;

}  // namespace hm::http
