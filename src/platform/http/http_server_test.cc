// SPDX-License-Identifier: Apache-2.0
#include "platform/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "platform/http/server_fixture.h"

namespace hm::http {
namespace {
namespace asio = boost::asio;
using asio::ip::tcp;
using ports::HttpFault;
using ports::HttpMethod;
using ports::HttpRequest;
using ports::HttpResponse;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class TestHandler : public ports::HttpHandler {
 public:
  HttpResponse describe_fault(HttpFault fault) override { return fixture::describe(fault); }
  std::optional<HttpResponse> refuse_early(const HttpRequest& head) override {
    if (head.path == "/refused") return HttpResponse{.status = 403, .body = "no"};
    return std::nullopt;
  }
  void on_request(HttpRequest request, std::unique_ptr<ports::HttpResponder> responder) override {
    if (request.path == "/drop") return;
    if (request.path == "/hold") {
      held.push_back(std::move(responder));
      return;
    }
    if (request.path == "/stream") {
      if (auto stream = responder->start_stream({.content_type = "text/event-stream"}, {})) {
        streams.push_back(std::move(stream));
      }
      return;
    }
    responder->send({.body = request.path + "|" + request.body});
  }

  void forget() {
    held.clear();
    streams.clear();
  }

  std::vector<std::unique_ptr<ports::HttpResponder>> held;
  std::vector<std::shared_ptr<ports::HttpStream>> streams;
};

using HttpServerTest = fixture::ServerTest<TestHandler>;

TEST_F(HttpServerTest, AnswersManyRequestsOnOneConnection) {
  start(quick());
  HttpClient http = client();
  for (int i = 0; i < 20; ++i) {
    const auto answer = http.request({.method = HttpMethod::Post,
                                      .target = "/a%20b?x=1",
                                      .content_type = "text/plain",
                                      .body = std::to_string(i)});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "/a b|" + std::to_string(i));
  }
  EXPECT_EQ(counters().accepted, 1U);
  EXPECT_EQ(counters().requests, 20U);
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  start(quick());
  tcp::socket socket = raw();
  send(socket,
       "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
       "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string all = read_all(socket);
  const auto first = all.find("/1|");
  const auto second = all.find("/2|");
  const auto third = all.find("/3|");
  ASSERT_NE(third, std::string::npos);
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
}

TEST_F(HttpServerTest, RefusesAnAnnouncedGigabyteBeforeReadingIt) {
  start(quick());
  tcp::socket socket = raw();
  send(socket, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n");
  EXPECT_THAT(read_all(socket), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(counters().oversized_bodies, 1U);
}

TEST_F(HttpServerTest, RefusesAChunkedBodyAboveTheLimit) {
  HttpServerConfig config = quick();
  config.max_body_bytes = 100;
  start(config);
  tcp::socket socket = raw();
  send(socket, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n" +
                   std::string(128, 'x') + "\r\n0\r\n\r\n");
  EXPECT_THAT(read_all(socket), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, ReadsAChunkedBodyWithinTheLimit) {
  start(quick());
  tcp::socket socket = raw();
  send(socket,
       "POST /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
       "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_THAT(read_all(socket), HasSubstr("/c|abcde"));
}

TEST_F(HttpServerTest, RefusesHeadersAboveTheLimit) {
  start(quick());
  tcp::socket socket = raw();
  send(socket, "GET / HTTP/1.1\r\nX: " + std::string(kMaxHeaderBytes + 1, 'x') + "\r\n\r\n");
  EXPECT_THAT(read_all(socket), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, RefusesAChunkExtensionWithoutEnd) {
  start(quick());
  tcp::socket socket = raw();
  send(socket, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;" +
                   std::string(2 * kMaxHeaderBytes, 'x'));
  EXPECT_THAT(read_all(socket), StartsWith("HTTP/1.1 4"));
}

TEST_F(HttpServerTest, RandomBytesAreRefusedAndHarmNobody) {
  start(quick());
  HttpClient honest = client();
  std::mt19937 random(7);
  for (int i = 0; i < 50; ++i) {
    tcp::socket socket = raw();
    std::string noise(512, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    send(socket, noise);
    boost::system::error_code ignored;
    socket.shutdown(tcp::socket::shutdown_send, ignored);
    const std::string answer = read_all(socket);
    EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 4")) << answer;
    ASSERT_TRUE(honest.request({.target = "/"}));
  }
  wait_until([&] { return server_->counters().open_connections == 1; });
}

TEST_F(HttpServerTest, CutsOffASlowSenderOfHeadersAndOfABody) {
  HttpServerConfig config = quick();
  config.header_time = std::chrono::milliseconds(30);
  config.body_time = std::chrono::milliseconds(30);
  start(config);
  tcp::socket headers = raw();
  send(headers, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
  EXPECT_THAT(read_all(headers), StartsWith("HTTP/1.1 408 "));
  tcp::socket body = raw();
  send(body, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_THAT(read_all(body), StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, ClosesAnIdleConnectionAndTheClientOpensAnother) {
  HttpServerConfig config = quick();
  config.idle_time = std::chrono::milliseconds(20);
  start(config);
  HttpClient http = client();
  ASSERT_TRUE(http.request({.target = "/"}));
  wait_until([&] { return server_->counters().open_connections == 0; });
  EXPECT_TRUE(http.request({.target = "/"}));
  EXPECT_EQ(counters().accepted, 2U);
}

TEST_F(HttpServerTest, TurnsSurplusConnectionsAwayWhileTheOthersWork) {
  HttpServerConfig config = quick();
  config.max_connections = 2;
  start(config);
  tcp::socket one = raw();
  tcp::socket two = raw();
  send(one, "GET /hold HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  send(two, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  wait_until([&] { return handler_.held.size() == 2; });
  tcp::socket surplus = raw();
  EXPECT_THAT(read_all(surplus), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(counters().refused_connections, 1U);
  on_loop([&] { handler_.held[0]->send({.body = "done"}); });
  on_loop([&] { handler_.held[1]->send({.body = "done"}); });
  EXPECT_THAT(read_all(one), HasSubstr("done"));
}

TEST_F(HttpServerTest, IdleConnectionsGiveWayToNewOnes) {
  HttpServerConfig config = quick();
  config.max_connections = 8;
  start(config);
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 40; ++i) silent.push_back(raw());
  HttpClient http = client();
  ASSERT_TRUE(http.request({.target = "/"}));
  EXPECT_EQ(counters().refused_connections, 0U);
  EXPECT_GE(counters().gave_way, 30U);
}

TEST_F(HttpServerTest, ClosesAConnectionThatNeverSpeaks) {
  HttpServerConfig config = quick();
  config.header_time = std::chrono::milliseconds(20);
  start(config);
  tcp::socket silent = raw();
  EXPECT_EQ(read_all(silent), "");
}

TEST_F(HttpServerTest, AnswersForAHandlerThatDropsItsResponder) {
  start(quick());
  const auto answer = client().request({.target = "/drop"});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
}

TEST_F(HttpServerTest, AnswersForAHandlerThatTakesTooLong) {
  HttpServerConfig config = quick();
  config.answer_time = std::chrono::milliseconds(20);
  start(config);
  const auto answer = client().request({.target = "/hold"});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  on_loop([&] { handler_.held.at(0)->send({.body = "late"}); });
}

TEST_F(HttpServerTest, AnEarlyRefusalKeepsTheConnectionWhenTheBodyIsShort) {
  start(quick());
  HttpClient http = client();
  for (int i = 0; i < 3; ++i) {
    const auto answer = http.request({.method = HttpMethod::Post,
                                      .target = "/refused",
                                      .content_type = "text/plain",
                                      .body = "abc"});
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 403);
  }
  EXPECT_EQ(counters().accepted, 1U);
}

TEST_F(HttpServerTest, AnEarlyRefusalClosesWhenALongBodyWasAnnounced) {
  start(quick());
  tcp::socket socket = raw();
  send(socket, "POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_THAT(read_all(socket), StartsWith("HTTP/1.1 403 "));
}

TEST_F(HttpServerTest, SendsContinueToAClientThatWaitsForIt) {
  start(quick());
  tcp::socket socket = raw();
  send(socket,
       "POST /e HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n"
       "Content-Length: 3\r\n\r\n");
  std::string interim(25, '\0');
  asio::read(socket, asio::buffer(interim));
  EXPECT_EQ(interim, "HTTP/1.1 100 Continue\r\n\r\n");
  send(socket, "abc");
  EXPECT_THAT(read_all(socket), HasSubstr("/e|abc"));
}

TEST_F(HttpServerTest, HeadCarriesTheLengthButNoBody) {
  start(quick());
  HttpClient http = client();
  const auto answer = http.request({.method = HttpMethod::Head, .target = "/h"});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "");
  EXPECT_EQ(answer->header("content-length"), "3");
  const auto get = http.request({.target = "/h"});
  ASSERT_TRUE(get);
  EXPECT_EQ(get->body, "/h|");
}

TEST_F(HttpServerTest, StreamsLinesToAReader) {
  start(quick());
  std::vector<std::string> lines;
  std::atomic<bool> done = false;
  std::thread reader([&] {
    const auto result = client().read_lines({.target = "/stream"}, std::chrono::seconds(20),
                                            [&](std::string_view line) {
                                              lines.emplace_back(line);
                                              return lines.size() < 3;
                                            });
    EXPECT_TRUE(result) << result.error().message;
    done = true;
  });
  wait_until([&] { return handler_.streams.size() == 1; });
  on_loop([&] { handler_.streams[0]->write("one\ntw"); });
  on_loop([&] { handler_.streams[0]->write("o\r\nthree\n"); });
  reader.join();
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "three"}));
  wait_until([&] { return !handler_.streams[0]->is_open(); });
  EXPECT_EQ(counters().open_streams, 0U);
}

TEST_F(HttpServerTest, CutsOffAStreamReaderThatDoesNotRead) {
  HttpServerConfig config = quick();
  config.max_stream_backlog = 10'000;
  start(config);
  tcp::socket socket = raw();
  send(socket, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  wait_until([&] { return handler_.streams.size() == 1; });
  using WriteResult = ports::HttpStream::WriteResult;
  WriteResult result = WriteResult::Queued;
  while (result == WriteResult::Queued) {
    result = on_loop([&] { return handler_.streams[0]->write(std::string(5000, 'x')); });
  }
  EXPECT_EQ(result, WriteResult::TooSlow);
  EXPECT_EQ(counters().slow_streams, 1U);
  EXPECT_EQ(counters().open_connections, 0U);
}

TEST_F(HttpServerTest, BoundsTheNumberOfStreams) {
  HttpServerConfig config = quick();
  config.max_streams = 1;
  start(config);
  tcp::socket first = raw();
  send(first, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  wait_until([&] { return handler_.streams.size() == 1; });
  const auto answer = client().request({.target = "/stream"});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
}

TEST_F(HttpServerTest, LettingGoOfAStreamEndsItAfterWhatWasWritten) {
  start(quick());
  tcp::socket socket = raw();
  send(socket, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  wait_until([&] { return handler_.streams.size() == 1; });
  on_loop([&] {
    handler_.streams[0]->write("last words");
    handler_.streams.clear();
  });
  EXPECT_THAT(read_all(socket), HasSubstr("last words"));
}

TEST_F(HttpServerTest, AnAnswerToAConnectionThatIsGoneDoesNothing) {
  start(quick());
  {
    tcp::socket socket = raw();
    send(socket, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_until([&] { return handler_.held.size() == 1; });
  }
  on_loop([&] { handler_.held[0]->send({.body = std::string(1'000'000, 'x')}); });
  wait_until([&] { return server_->counters().open_connections == 0; });
}

TEST_F(HttpServerTest, AResponderOutlivesTheServerHarmlessly) {
  start(quick());
  tcp::socket socket = raw();
  send(socket, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  wait_until([&] { return handler_.held.size() == 1; });
  on_loop([&] { server_.reset(); });
  on_loop([&] { handler_.held[0]->send({}); });
  EXPECT_EQ(read_all(socket), "");
}

TEST_F(HttpServerTest, SaysWhichPortIsTaken) {
  start(quick());
  HttpServerConfig config = quick();
  config.port = port_;
  asio::io_context loop;
  const auto second = HttpServer::start(loop, handler_, config);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(second.error().message, HasSubstr(std::to_string(port_)));
}

TEST_F(HttpServerTest, ListensOnIpv6Only) {
  HttpServerConfig config = quick();
  for (const char* address : {"127.0.0.1", "::ffff:127.0.0.1", "localhost"}) {
    config.address = address;
    const auto server = HttpServer::start(loop_, handler_, config);
    ASSERT_FALSE(server) << address;
    EXPECT_EQ(server.error().code, ErrorCode::InvalidArgument);
  }
}

TEST_F(HttpServerTest, AHeaderValueCannotForgeALine) {
  start(quick());
  std::thread reader([&] {
    const auto answer = client().request({.target = "/hold"});
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->header("x-forged"), "");
    EXPECT_EQ(answer->header("x-good"), "1");
  });
  wait_until([&] { return handler_.held.size() == 1; });
  on_loop([&] {
    HttpResponse response;
    response.headers.push_back({"X-Bad", "a\r\nX-Forged: 1"});
    response.headers.push_back({"X-Good", "1"});
    handler_.held[0]->send(std::move(response));
  });
  reader.join();
}

}  // namespace
}  // namespace hm::http
