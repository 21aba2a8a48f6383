// SPDX-License-Identifier: Apache-2.0
// A server on a loop and a thread of its own, and clients that know nothing of it. For tests.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "platform/http/http_client.h"
#include "platform/http/http_server.h"

namespace hm::http::fixture {

namespace asio = boost::asio;
using asio::ip::tcp;
using ports::HttpFault;

inline std::uint16_t status_of(HttpFault fault) {
  switch (fault) {
    case HttpFault::Malformed: return 400;
    case HttpFault::HeadersTooLarge: return 431;
    case HttpFault::BodyTooLarge: return 413;
    case HttpFault::RequestTimeout: return 408;
    case HttpFault::TooManyConnections: return 503;
    case HttpFault::TooManyStreams: return 503;
    case HttpFault::TooManyUploads: return 503;
    case HttpFault::TooManyWebSockets: return 503;
    case HttpFault::UpgradeRequired: return 426;
    case HttpFault::BadUpgrade: return 400;
    case HttpFault::Unanswered: return 500;
    case HttpFault::AnswerTimeout: return 503;
  }
  return 0;
}

// What a test's handler answers to what the server refuses.
inline ports::HttpResponse describe(HttpFault fault) {
  return {.status = status_of(fault), .content_type = "text/plain", .body = "fault"};
}

template <class Handler>
class ServerTest : public ::testing::Test {
 protected:
  // Runs on the loop's thread and waits for it.
  template <class F>
  auto on_loop(F f) {
    std::packaged_task<decltype(f())()> task(std::move(f));
    auto result = task.get_future();
    asio::post(loop_, [&task] { task(); });
    return result.get();
  }

  static HttpServerConfig quick() {
    HttpServerConfig config;
    config.port = 0;
    config.sweep_interval = std::chrono::milliseconds(10);
    return config;
  }

  void start(HttpServerConfig config) {
    auto server = HttpServer::start(loop_, handler_, std::move(config));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    port_ = server_->local_port();
    thread_ = std::thread([this] { loop_.run(); });
  }

  void TearDown() override {
    if (!thread_.joinable()) return;
    on_loop([this] {
      server_.reset();
      handler_.forget();
    });
    work_.reset();
    thread_.join();
  }

  HttpServerCounters counters() {
    return on_loop([this] { return server_->counters(); });
  }

  void wait_until(const std::function<bool()>& condition) {
    while (!on_loop(condition)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }

  HttpClient client() { return HttpClient({.address = "::1", .port = port_}); }

  tcp::socket raw() {
    tcp::socket socket(own_);
    socket.connect({asio::ip::address_v6::loopback(), port_});
    return socket;
  }

  static void send(tcp::socket& socket, std::string_view text) {
    boost::system::error_code ignored;
    asio::write(socket, asio::buffer(text), ignored);
  }

  // Everything until the server closes.
  static std::string read_all(tcp::socket& socket) {
    std::string text;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(text), error);
    return text;
  }

  asio::io_context loop_{1};
  asio::io_context own_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  Handler handler_;
  std::unique_ptr<HttpServer> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace hm::http::fixture
