// SPDX-License-Identifier: Apache-2.0
#include "platform/http/web_socket_client.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "platform/http/web_socket_session.h"

namespace hm::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Done = std::function<void(Result<OpenedWebSocket>)>;

// One attempt: connecting, then the handshake.
class Opening : public std::enable_shared_from_this<Opening> {
 public:
  Opening(asio::io_context& loop, HttpEndpoint endpoint, WebSocketRequest request,
          std::shared_ptr<ports::WebSocketListener> listener, Done done)
      : socket_(loop),
        patience_(loop),
        endpoint_(std::move(endpoint)),
        request_(std::move(request)),
        listener_(std::move(listener)),
        done_(std::move(done)) {}

  void start() {
    error_code error;
    const auto address = asio::ip::make_address_v6(endpoint_.address, error);
    if (error) {
      asio::post(socket_.get_executor(), [self = shared_from_this()] {
        self->done_(
            fail(ErrorCode::InvalidArgument, self->endpoint_.address + " is not an IPv6 address"));
      });
      return;
    }
    patience_.expires_after(request_.timeout);
    patience_.async_wait([self = shared_from_this()](const error_code& stopped) {
      if (stopped) return;
      self->late_ = true;
      error_code ignored;
      self->socket_.close(ignored);
    });
    socket_.async_connect({address, endpoint_.port},
                          [self = shared_from_this()](const error_code& failed) {
                            self->patience_.cancel();
                            self->connected(self->late_ ? asio::error::timed_out : failed);
                          });
  }

 private:
  void connected(const error_code& error) {
    if (error) return done_(lost("cannot connect to", error));
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    WebSocketLimits limits;
    limits.open_time = request_.timeout;
    const auto session = WebSocketSession::create(
        std::move(socket_), limits, std::move(listener_),
        [](const std::shared_ptr<WebSocketSession>&, WebSocketSession::End) {});
    if (!request_.protocol.empty()) {
      request_.headers.push_back({"Sec-WebSocket-Protocol", request_.protocol});
    }
    session->ask(fmt::format("[{}]:{}", endpoint_.address, endpoint_.port), request_.target,
                 std::move(request_.headers),
                 [self = shared_from_this(), weak = std::weak_ptr(session)](
                     const error_code& failed, WebSocketSession::Answer answer) {
                   self->answered(failed, std::move(answer), weak.lock());
                 });
  }

  void answered(const error_code& error, WebSocketSession::Answer answer,
                const std::shared_ptr<WebSocketSession>& session) {
    if (error && (error.category() == asio::error::get_system_category() ||
                  error.category() == asio::error::get_misc_category())) {
      return done_(lost("lost the connection to", error));
    }
    if (error) {
      return done_(fail(ErrorCode::Corrupt, fmt::format("{} does not answer as an API: {}",
                                                        to_url(endpoint_), error.message())));
    }
    OpenedWebSocket opened{.answer = {.status = answer.status,
                                      .body = std::move(answer.body),
                                      .headers = std::move(answer.headers)},
                           .socket = nullptr};
    if (answer.status == 101) opened.socket = session->handle();
    done_(std::move(opened));
  }

  std::unexpected<Error> lost(std::string_view what, const error_code& error) {
    return fail(ErrorCode::Unavailable,
                fmt::format("{} {}: {}", what, to_url(endpoint_), error.message()),
                "Is the node running? `hypermesh up` starts one; --api URL picks another.");
  }

  tcp::socket socket_;
  asio::steady_timer patience_;
  bool late_ = false;
  HttpEndpoint endpoint_;
  WebSocketRequest request_;
  std::shared_ptr<ports::WebSocketListener> listener_;
  Done done_;
};

}  // namespace

void open_web_socket(asio::io_context& loop, const HttpEndpoint& endpoint, WebSocketRequest request,
                     std::shared_ptr<ports::WebSocketListener> listener, Done done) {
  std::make_shared<Opening>(loop, endpoint, std::move(request), std::move(listener),
                            std::move(done))
      ->start();
}

}  // namespace hm::http
