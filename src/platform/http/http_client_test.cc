// SPDX-License-Identifier: Apache-2.0
#include "platform/http/http_client.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <thread>

namespace hm::http {
namespace {
namespace asio = boost::asio;
using asio::ip::tcp;

// Accepts one connection, reads one request head, sends `answer` and closes.
class OneShotServer {
 public:
  explicit OneShotServer(std::string answer)
      : acceptor_(loop_, {asio::ip::address_v6::loopback(), 0}),
        thread_([this, answer = std::move(answer)] {
          tcp::socket socket = acceptor_.accept();
          asio::streambuf head;
          boost::system::error_code ignored;
          asio::read_until(socket, head, "\r\n\r\n", ignored);
          asio::write(socket, asio::buffer(answer), ignored);
        }) {}
  ~OneShotServer() { thread_.join(); }
  HttpEndpoint endpoint() const { return {.port = acceptor_.local_endpoint().port()}; }

 private:
  asio::io_context loop_;
  tcp::acceptor acceptor_;
  std::thread thread_;
};

TEST(HttpClient, ParsesEndpoints) {
  const auto full = parse_endpoint("http://[::1]:8445/");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->address, "::1");
  EXPECT_EQ(full->port, 8445);
  EXPECT_EQ(to_url(*full), "http://[::1]:8445");
  EXPECT_EQ(parse_endpoint("[fd48::7]:99")->address, "fd48::7");
  EXPECT_EQ(parse_endpoint("localhost:1234")->port, 1234);
  for (const char* bad : {"", "127.0.0.1:80", "http://example.org", "[::1]:0", "[::1]:70000",
                          "[::1]x", "[::ffff:1.2.3.4]:80", "https://[::1]:1"}) {
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
  }
}

TEST(HttpClient, SaysThatNobodyListens) {
  std::uint16_t port = 0;
  {
    asio::io_context loop;
    port = tcp::acceptor(loop, {asio::ip::address_v6::loopback(), 0}).local_endpoint().port();
  }
  const auto answer = HttpClient({.port = port}).request({.target = "/"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
}

TEST(HttpClient, SaysThatTheAnswerIsNotHttp) {
  OneShotServer server("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  const auto answer = HttpClient(server.endpoint()).request({.target = "/"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Corrupt);
}

TEST(HttpClient, RefusesAnAnswerAboveItsLimit) {
  OneShotServer server("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
  const auto answer = HttpClient(server.endpoint(), 100).request({.target = "/"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Corrupt);
}

TEST(HttpClient, ReadsAnAnswerThatEndsWithTheConnection) {
  OneShotServer server("HTTP/1.1 200 OK\r\n\r\nuntil the end");
  const auto answer = HttpClient(server.endpoint()).request({.target = "/"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "until the end");
}

TEST(HttpClient, AnAnswerCutShortIsAnErrorNotAnAnswer) {
  OneShotServer server("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf");
  const auto answer = HttpClient(server.endpoint()).request({.target = "/"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
}

TEST(HttpClient, ReadsOverInterimAnswers) {
  OneShotServer server(
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
  const auto answer = HttpClient(server.endpoint()).request({.target = "/"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "abc");
}

TEST(HttpClient, AConnectionThatEndsAfterAnInterimAnswerIsLost) {
  OneShotServer server("HTTP/1.1 100 Continue\r\n\r\n");
  const auto answer = HttpClient(server.endpoint()).request({.target = "/"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
}

TEST(HttpClient, RefusesAPartThatItDidNotAskFor) {
  for (const char* range :
       {"bytes 0-9/100", "bytes 11-19/100", "bytes 10-20/100", "bytes 10-/100", "bytes 10-19",
        "bytes 19-10/100", "bytes */100", "lines 10-19/100", ""}) {
    OneShotServer server(std::string("HTTP/1.1 206 Partial Content\r\nContent-Range: ") + range +
                         "\r\nContent-Length: 10\r\n\r\n0123456789");
    bool called = false;
    const auto answer = HttpClient(server.endpoint())
                            .download({.target = "/"}, ByteRange{.first = 10, .last = 19},
                                      [&](std::string_view) -> Result<void> {
                                        called = true;
                                        return {};
                                      });
    ASSERT_FALSE(answer) << range;
    EXPECT_EQ(answer.error().code, ErrorCode::Corrupt) << range;
    EXPECT_FALSE(called) << range;
  }
}

TEST(HttpClient, ADownloadCutShortIsAnError) {
  for (const char* rest :
       {"Content-Length: 50\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"}) {
    OneShotServer server(std::string("HTTP/1.1 200 OK\r\n") + rest);
    std::string kept;
    const auto answer =
        HttpClient(server.endpoint())
            .download({.target = "/"}, std::nullopt, [&](std::string_view piece) -> Result<void> {
              kept += piece;
              return {};
            });
    ASSERT_FALSE(answer) << rest;
    EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
    EXPECT_EQ(kept, "half");
  }
}

TEST(HttpClient, GivesUpWaitingAfterTheTimeout) {
  asio::io_context loop;
  tcp::acceptor silent(loop, {asio::ip::address_v6::loopback(), 0});
  HttpClient client({.port = silent.local_endpoint().port()});
  const auto answer = client.request({.target = "/", .timeout = std::chrono::milliseconds(20)});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
}

}  // namespace
}  // namespace hm::http
