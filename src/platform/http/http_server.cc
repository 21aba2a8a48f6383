// SPDX-License-Identifier: Apache-2.0
#include "platform/http/http_server.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <utility>

#include "foundation/base/log.h"
#include "platform/http/connection.h"
#include "platform/http/server_core.h"

namespace hm::http {
namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {
// After a failed accept (out of descriptors): long enough for some to be closed.
constexpr std::chrono::milliseconds kAcceptPause{100};
}  // namespace

HttpServer::Core::Core(asio::io_context& loop, ports::HttpHandler& handler, HttpServerConfig config)
    : handler_(&handler),
      config_(std::move(config)),
      acceptor_(loop),
      accept_pause_(loop),
      sweep_timer_(loop) {}

Result<void> HttpServer::Core::listen() {
  boost::system::error_code error;
  const auto address = asio::ip::make_address_v6(config_.address, error);
  if (error || address.is_v4_mapped()) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("'{}' is not an IPv6 address", config_.address),
                "The API speaks IPv6 only; use ::1 for this machine.");
  }
  const tcp::endpoint endpoint(address, config_.port);
  acceptor_.open(tcp::v6(), error);
  if (!error) acceptor_.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return fail(
        ErrorCode::Unavailable,
        fmt::format("cannot listen on [{}]:{}: {}", config_.address, config_.port, error.message()),
        "Another program may hold the port; choose another one or stop that program.");
  }
  port_ = acceptor_.local_endpoint(error).port();
  accept();
  return {};
}

void HttpServer::Core::stop() {
  handler_ = nullptr;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  accept_pause_.cancel();
  sweep_timer_.cancel();
  const auto connections = std::exchange(connections_, {});
  for (const auto& connection : connections) connection->close();
  const auto web_sockets = std::exchange(web_sockets_, {});
  for (const auto& web_socket : web_sockets) web_socket->stop("the server stopped");
}

void HttpServer::Core::accept() {
  acceptor_.async_accept(
      [self = shared_from_this()](const boost::system::error_code& error, tcp::socket socket) {
        if (self->handler_ == nullptr) return;
        if (!error) {
          self->admit(std::move(socket));
          self->accept();
          return;
        }
        self->accept_pause_.expires_after(kAcceptPause);
        self->accept_pause_.async_wait([self](const boost::system::error_code& stopped) {
          if (!stopped && self->handler_ != nullptr) self->accept();
        });
      });
}

void HttpServer::Core::admit(tcp::socket socket) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  ++counters_.accepted;
  const bool full = connections_.size() >= config_.max_connections && !make_room();
  if (full) ++counters_.refused_connections;
  // Dropping the socket closes it.
  if (connections_.size() >= config_.max_connections + kTurnedAwaySlots) return;
  auto connection = std::make_shared<Connection>(std::move(socket), shared_from_this());
  connections_.insert(connection);
  counters_.open_connections = connections_.size();
  if (!sweeping_) arm_sweep();
  if (full) {
    connection->turn_away();
  } else {
    connection->start();
  }
}

bool HttpServer::Core::make_room() {
  std::shared_ptr<Connection> oldest;
  for (const auto& connection : connections_) {
    const auto until = connection->idle_until();
    if (until && (!oldest || *until < *oldest->idle_until())) oldest = connection;
  }
  if (!oldest) return false;
  ++counters_.gave_way;
  oldest->close();
  return true;
}

void HttpServer::Core::forget(const std::shared_ptr<Connection>& connection) {
  connections_.erase(connection);
  counters_.open_connections = connections_.size();
}

std::shared_ptr<ports::WebSocket> HttpServer::Core::open_web_socket(
    tcp::socket socket, const WebSocketUpgrade& upgrade, std::string_view protocol,
    std::shared_ptr<ports::WebSocketListener> listener) {
  const WebSocketLimits limits{.max_message = config_.max_web_socket_message,
                               .max_pending = config_.max_web_socket_pending,
                               .low_mark = config_.max_web_socket_pending / 4,
                               .ping_interval = config_.web_socket_ping_interval,
                               .pong_time = config_.web_socket_pong_time,
                               .stall_time = config_.web_socket_stall_time,
                               .close_time = config_.web_socket_close_time,
                               .open_time = config_.write_time,
                               .tick = config_.sweep_interval};
  const auto on_end = [self = shared_from_this()](const std::shared_ptr<WebSocketSession>& session,
                                                  WebSocketSession::End how) {
    self->web_sockets_.erase(session);
    self->counters_.open_web_sockets = self->web_sockets_.size();
    if (how == WebSocketSession::End::TimedOut) ++self->counters_.timed_out;
    if (how == WebSocketSession::End::TooSlow) ++self->counters_.slow_web_sockets;
  };
  const auto session =
      WebSocketSession::create(std::move(socket), limits, std::move(listener), on_end);
  web_sockets_.insert(session);
  counters_.open_web_sockets = web_sockets_.size();
  const bool offered = std::ranges::find(upgrade.protocols, protocol) != upgrade.protocols.end();
  auto handle = session->handle();
  session->accept(upgrade.key, offered ? std::string(protocol) : std::string());
  return handle;
}

void HttpServer::Core::arm_sweep() {
  sweeping_ = true;
  sweep_timer_.expires_after(config_.sweep_interval);
  sweep_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    self->sweeping_ = false;
    if (!error && self->handler_ != nullptr) self->sweep();
  });
}

void HttpServer::Core::sweep() {
  const auto now = Connection::Clock::now();
  // A copy: closing a connection takes it out of the set.
  const auto connections = connections_;
  for (const auto& connection : connections) connection->check_deadline(now);
  if (!connections_.empty()) arm_sweep();
}

const std::string& HttpServer::Core::date() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  if (now != date_second_) {
    date_second_ = now;
    date_ = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now));
  }
  return date_;
}

HttpServer::HttpServer(std::shared_ptr<Core> core) : core_(std::move(core)) {}

HttpServer::~HttpServer() { core_->stop(); }

Result<std::unique_ptr<HttpServer>> HttpServer::start(asio::io_context& loop,
                                                      ports::HttpHandler& handler,
                                                      HttpServerConfig config) {
  auto core = std::make_shared<Core>(loop, handler, std::move(config));
  HM_TRY_VOID(core->listen());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(core)));
}

std::uint16_t HttpServer::local_port() const { return core_->port(); }

const HttpServerCounters& HttpServer::counters() const { return core_->counters(); }

}  // namespace hm::http
