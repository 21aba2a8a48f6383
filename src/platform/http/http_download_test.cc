// SPDX-License-Identifier: Apache-2.0
// Answers that are written piece by piece, and the client that takes them so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <boost/asio/read_until.hpp>
#include <optional>

#include "platform/http/out_queue.h"
#include "platform/http/server_fixture.h"

namespace hm::http {
namespace {
namespace asio = boost::asio;
using asio::ip::tcp;
using ports::HttpFault;
using ports::HttpMethod;
using ports::HttpRequest;
using ports::HttpResponse;
using ports::HttpStream;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

char byte_at(std::uint64_t at) { return static_cast<char>((at * 2654435761U) >> 13); }

std::string pattern(std::uint64_t from, std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = byte_at(from + i);
  return text;
}

// Writes bytes of the pattern whenever there is room, as a handler of long answers does.
class Pump : public std::enable_shared_from_this<Pump> {
 public:
  Pump(std::shared_ptr<HttpStream> stream, std::uint64_t from, std::uint64_t to, std::size_t piece)
      : stream_(std::move(stream)), at_(from), to_(to), piece_(piece) {}

  void go_on() {
    ++calls;
    is_waiting = false;
    while (at_ < to_) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(piece_, to_ - at_));
      if (!stream_->is_open()) return;
      if (stream_->room() < size) {
        is_waiting = true;
        return stream_->when_room([self = shared_from_this()] { self->go_on(); });
      }
      last = stream_->write(pattern(at_, size));
      if (last != HttpStream::WriteResult::Queued) return;
      at_ += size;
      written += size;
    }
    stream_->finish();
  }

  HttpStream::WriteResult last = HttpStream::WriteResult::Queued;
  std::uint64_t written = 0;
  int calls = 0;
  bool is_waiting = false;

 private:
  std::shared_ptr<HttpStream> stream_;
  std::uint64_t at_;
  std::uint64_t to_;
  std::size_t piece_;
};

class DownloadHandler : public ports::HttpHandler {
 public:
  HttpResponse describe_fault(HttpFault fault) override { return fixture::describe(fault); }
  std::optional<HttpResponse> refuse_early(const HttpRequest&) override { return std::nullopt; }
  // /pump writes it all, /part what Range asks for, /hold gives the stream to the test.
  void on_request(HttpRequest request, std::unique_ptr<ports::HttpResponder> responder) override {
    if (request.path == "/empty") {
      return responder->send({.status = 304, .content_type = {}, .body = "unseen"});
    }
    if (request.path == "/plain") return responder->send({.body = "plain"});
    if (request.path == "/missing") return responder->send({.status = 404, .body = "missing"});
    HttpResponse head{.content_type = "application/octet-stream"};
    std::uint64_t from = 0;
    std::uint64_t to = total;
    if (request.path == "/part") {
      const std::string range(request.header("range").substr(6));
      from = std::stoull(range);
      if (!range.ends_with('-')) {
        const std::uint64_t last = std::stoull(range.substr(range.find('-') + 1));
        to = std::min(to, last + 1);
      }
      head.status = 206;
      head.headers.push_back({"Content-Range", "bytes " + std::to_string(from) + "-" +
                                                   std::to_string(to - 1) + "/" +
                                                   std::to_string(total)});
    }
    auto stream = responder->start_stream(std::move(head),
                                          has_length ? std::optional(to - from) : std::nullopt);
    if (!stream) return;
    if (request.path == "/hold") return streams.push_back(std::move(stream));
    pumps.push_back(std::make_shared<Pump>(std::move(stream), from, to, piece));
    pumps.back()->go_on();
  }
  void forget() {
    streams.clear();
    pumps.clear();
  }

  std::uint64_t total = 10;
  bool has_length = true;
  std::size_t piece = 1000;
  std::vector<std::shared_ptr<HttpStream>> streams;
  std::vector<std::shared_ptr<Pump>> pumps;
};

class HttpDownloadTest : public fixture::ServerTest<DownloadHandler> {
 protected:
  ClientRequest get(std::string target) {
    return {.target = std::move(target), .timeout = std::chrono::seconds(60)};
  }
  BodySink keep() {
    kept_.clear();
    return [this](std::string_view piece) -> Result<void> {
      kept_ += piece;
      return {};
    };
  }
  std::string ask(std::string_view path, std::string_view rest = "") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(rest) + "\r\n";
  }
  std::string kept_;
};

TEST(OutQueue, GivesEveryByteInOrderWhateverIsWritten) {
  EXPECT_TRUE(rc::check("a queue of bytes", [] {
    OutQueue queue;
    std::string in;
    std::string out;
    const auto take = [&] {
      const auto parts = queue.front();
      RC_ASSERT(asio::buffer_size(parts) <= queue.size());
      RC_ASSERT(parts.empty() == queue.empty());
      // Bytes that come while others are written leave those in place.
      const auto more = pattern(in.size(), *rc::gen::inRange<std::size_t>(0, 40'000));
      in += more;
      queue.push(more);
      std::size_t count = *rc::gen::inRange<std::size_t>(0, asio::buffer_size(parts) + 1);
      const std::size_t written = count;
      for (const auto& part : parts) {
        const std::size_t here = std::min(count, part.size());
        out.append(static_cast<const char*>(part.data()), here);
        count -= here;
      }
      queue.consume(written);
    };
    for (int i = 0; i < 40; ++i) {
      const auto text = pattern(in.size(), *rc::gen::elementOf(std::vector<std::size_t>{
                                               0, 1, 7, 5'000, 16'383, 16'384, 70'000}));
      in += text;
      if (*rc::gen::arbitrary<bool>()) {
        queue.push(text);
      } else {
        queue.push_small(text);
      }
      if (*rc::gen::inRange(0, 3) == 0) take();
      RC_ASSERT(queue.size() == in.size() - out.size());
    }
    while (!queue.empty()) {
      const auto parts = queue.front();
      for (const auto& part : parts) out.append(static_cast<const char*>(part.data()), part.size());
      queue.consume(asio::buffer_size(parts));
    }
    RC_ASSERT(in == out);
  }));
}

TEST_F(HttpDownloadTest, AnAnswerArrivesByteForByteWhateverThePieces) {
  start(quick());
  HttpClient http = client();
  std::uint64_t runs = 0;
  EXPECT_TRUE(rc::check("every answer arrives", [&] {
    const auto total = *rc::gen::inRange<std::uint64_t>(0, 3'000'000);
    const auto piece =
        *rc::gen::elementOf(std::vector<std::size_t>{262'144, 65'536, 16'383, total / 50 + 1});
    on_loop([&, has_length = *rc::gen::arbitrary<bool>()] {
      handler_.total = total;
      handler_.piece = piece;
      handler_.has_length = has_length;
    });
    const auto answer = http.download(get("/pump"), std::nullopt, keep());
    RC_ASSERT(answer.has_value());
    RC_ASSERT(answer->status == 200);
    RC_ASSERT(kept_ == pattern(0, total));
    ++runs;
  }));
  EXPECT_EQ(counters().accepted, 1U);
  EXPECT_EQ(counters().requests, runs);
  EXPECT_EQ(counters().slow_streams, 0U);
  wait_until([&] { return server_->counters().open_streams == 0; });
}

TEST_F(HttpDownloadTest, AReaderThatDoesNotReadHoldsTheHandlerAtTheLimit) {
  HttpServerConfig config = quick();
  config.max_stream_backlog = 256 * 1024;
  start(config);
  // More than the kernel keeps for both sides.
  constexpr std::uint64_t kTotal = std::uint64_t{48} << 20;
  for (const bool has_length : {true, false}) {
    on_loop([&] {
      handler_.total = kTotal;
      handler_.piece = 100'000;
      handler_.has_length = has_length;
    });
    HttpClient http = client();
    std::uint64_t at = 0;
    bool is_pattern = true;
    const auto answer =
        http.download(get("/pump"), std::nullopt, [&](std::string_view piece) -> Result<void> {
          // Until the handler has found no room, and long before the end.
          if (at == 0) wait_until([&] { return handler_.pumps.back()->is_waiting; });
          for (const char c : piece) {
            if (c != byte_at(at++)) is_pattern = false;
          }
          return {};
        });
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(at, kTotal);
    EXPECT_TRUE(is_pattern);
    on_loop([&] {
      EXPECT_EQ(handler_.pumps.back()->last, HttpStream::WriteResult::Queued);
      EXPECT_GT(handler_.pumps.back()->calls, 1);
    });
  }
  EXPECT_EQ(counters().slow_streams, 0U);
}

TEST_F(HttpDownloadTest, AStreamThatIsLetGoOfIsABrokenTransfer) {
  start(quick());
  for (const bool has_length : {true, false}) {
    on_loop([&] { handler_.has_length = has_length; });
    std::thread reader([&] {
      const auto answer = client().download(get("/hold"), std::nullopt, keep());
      ASSERT_FALSE(answer);
      EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
    });
    wait_until([&] { return handler_.streams.size() == 1; });
    on_loop([&] {
      handler_.streams[0]->write("part");
      handler_.streams.clear();
    });
    reader.join();
    EXPECT_EQ(kept_, "part");
  }
  EXPECT_EQ(counters().open_streams, 0U);
}

TEST_F(HttpDownloadTest, AnOlderClientSeesTheEndOrAReset) {
  start(quick());
  on_loop([&] { handler_.has_length = false; });
  for (const bool whole : {true, false}) {
    tcp::socket socket = raw();
    send(socket, "GET /hold HTTP/1.0\r\n\r\n");
    wait_until([&] { return handler_.streams.size() == 1; });
    on_loop([&] { handler_.streams[0]->write("words"); });
    std::string text;
    boost::system::error_code error;
    asio::read_until(socket, asio::dynamic_buffer(text), "words", error);
    EXPECT_FALSE(error);
    EXPECT_THAT(text, Not(HasSubstr("chunked")));
    on_loop([&] {
      if (whole) handler_.streams[0]->finish();
      handler_.streams.clear();
    });
    asio::read(socket, asio::dynamic_buffer(text), error);
    EXPECT_EQ(error, whole ? asio::error::make_error_code(asio::error::eof)
                           : boost::system::error_code(asio::error::connection_reset));
  }
}

TEST_F(HttpDownloadTest, MoreOrLessThanTheAnnouncedLengthBreaksTheTransfer) {
  start(quick());
  for (const bool more : {true, false}) {
    tcp::socket socket = raw();
    send(socket, ask("/hold"));
    wait_until([&] { return handler_.streams.size() == 1; });
    on_loop([&] {
      auto& stream = *handler_.streams[0];
      EXPECT_EQ(stream.write("123456"), HttpStream::WriteResult::Queued);
      if (more) {
        EXPECT_EQ(stream.write("78901"), HttpStream::WriteResult::Closed);
      } else {
        stream.finish();
      }
      EXPECT_FALSE(stream.is_open());
      EXPECT_EQ(stream.write("7"), HttpStream::WriteResult::Closed);
    });
    EXPECT_THAT(read_all(socket), EndsWith("\r\n\r\n123456"));
    on_loop([&] { handler_.streams.clear(); });
  }
  EXPECT_EQ(counters().open_streams, 0U);
}

TEST_F(HttpDownloadTest, RequestsFollowAStreamOnItsConnection) {
  start(quick());
  on_loop([&] { handler_.total = 30; });
  tcp::socket socket = raw();
  send(socket, ask("/pump") + ask("/pump") + ask("/plain", "Connection: close\r\n"));
  const std::string all = read_all(socket);
  EXPECT_THAT(all, HasSubstr(pattern(0, 30) + "HTTP/1.1 200"));
  EXPECT_THAT(all, EndsWith("plain"));
  EXPECT_EQ(counters().requests, 3U);
}

TEST_F(HttpDownloadTest, WhatTheClientWantsNextWaitsForTheStreamsEnd) {
  start(quick());
  on_loop([&] { handler_.has_length = false; });
  tcp::socket socket = raw();
  send(socket, ask("/hold"));
  wait_until([&] { return handler_.streams.size() == 1; });
  send(socket, ask("/plain", "Connection: close\r\n"));
  on_loop([&] { handler_.streams[0]->write("words"); });
  std::string text;
  asio::read_until(socket, asio::dynamic_buffer(text), "words");
  EXPECT_EQ(counters().requests, 1U);
  on_loop([&] { handler_.streams[0]->finish(); });
  EXPECT_THAT(text + read_all(socket), HasSubstr("words\r\n0\r\n\r\nHTTP/1.1 200"));
  // A handle of a stream that is over does nothing to the connection's next answers.
  on_loop([&] {
    EXPECT_FALSE(handler_.streams[0]->is_open());
    EXPECT_EQ(handler_.streams[0]->room(), 0U);
    handler_.streams.clear();
  });
}

TEST_F(HttpDownloadTest, AHeadIsToldTheLengthAndTheConnectionGoesOn) {
  start(quick());
  on_loop([&] { handler_.total = 123'456; });
  HttpClient http = client();
  for (int i = 0; i < 2; ++i) {
    const auto head = http.request({.method = HttpMethod::Head, .target = "/pump"});
    ASSERT_TRUE(head) << head.error().message;
    EXPECT_EQ(head->header("content-length"), "123456");
    EXPECT_EQ(head->body, "");
  }
  const auto whole = http.download(get("/pump"), std::nullopt, keep());
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(kept_.size(), 123'456U);
  EXPECT_EQ(counters().accepted, 1U);
  EXPECT_EQ(counters().open_streams, 0U);
  EXPECT_EQ(handler_.pumps.size(), 1U);
}

TEST_F(HttpDownloadTest, AnAnswerThatStandsForAnotherHasNeitherLengthNorBody) {
  start(quick());
  tcp::socket socket = raw();
  send(socket, ask("/empty", "Connection: close\r\n"));
  const std::string answer = read_all(socket);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 304 "));
  EXPECT_THAT(answer, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpDownloadTest, APartIsWhatWasAskedFor) {
  start(quick());
  on_loop([&] { handler_.total = 1000; });
  HttpClient http = client();
  const auto middle = http.download(get("/part"), ByteRange{.first = 10, .last = 19}, keep());
  ASSERT_TRUE(middle) << middle.error().message;
  EXPECT_EQ(middle->status, 206);
  EXPECT_EQ(kept_, pattern(10, 10));
  const auto rest = http.download(get("/part"), ByteRange{.first = 990, .last = {}}, keep());
  ASSERT_TRUE(rest) << rest.error().message;
  EXPECT_EQ(kept_, pattern(990, 10));
  const auto over = http.download(get("/part"), ByteRange{.first = 990, .last = 5000}, keep());
  ASSERT_TRUE(over) << over.error().message;
  EXPECT_EQ(kept_, pattern(990, 10));
  EXPECT_EQ(counters().accepted, 1U);
  const auto ignored = http.download(get("/pump"), ByteRange{.first = 10, .last = 19}, keep());
  ASSERT_FALSE(ignored);
  EXPECT_EQ(ignored.error().code, ErrorCode::Unsupported);
  EXPECT_EQ(kept_, "");
}

TEST_F(HttpDownloadTest, ARefusalIsCollectedAndTheSinkHearsNothing) {
  start(quick());
  const auto answer = client().download(get("/missing"), std::nullopt, keep());
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "missing");
  EXPECT_EQ(kept_, "");
}

TEST_F(HttpDownloadTest, ASinkThatFailsIsTheErrorAndTheServerSeesItsReaderGo) {
  start(quick());
  on_loop([&] {
    handler_.total = std::uint64_t{1} << 40;
    handler_.piece = 65'536;
  });
  HttpClient http = client();
  const auto answer = http.download(get("/pump"), std::nullopt, [](std::string_view) {
    return Result<void>(fail(ErrorCode::Io, "the disk is full"));
  });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "the disk is full");
  wait_until([&] { return server_->counters().open_streams == 0; });
  // The pump is called once more, to find that nobody reads.
  wait_until([&] { return !handler_.pumps[0]->is_waiting; });
  const auto next = http.request({.target = "/plain"});
  ASSERT_TRUE(next) << next.error().message;
}

TEST_F(HttpDownloadTest, NobodyIsCalledForAStreamThatWasLetGoOf) {
  start(quick());
  tcp::socket socket = raw();
  send(socket, ask("/hold"));
  wait_until([&] { return handler_.streams.size() == 1; });
  int calls = 0;
  on_loop([&] {
    handler_.streams[0]->when_room([&] { ++calls; });
    EXPECT_EQ(calls, 0);
    handler_.streams.clear();
  });
  EXPECT_THAT(read_all(socket), HasSubstr("Content-Length: 10"));
  wait_until([&] { return server_->counters().open_connections == 0; });
  EXPECT_EQ(calls, 0);
}

TEST_F(HttpDownloadTest, AReaderThatStopsForTooLongIsCutOff) {
  HttpServerConfig config = quick();
  config.stall_time = std::chrono::milliseconds(50);
  start(config);
  on_loop([&] {
    handler_.total = std::uint64_t{1} << 40;
    handler_.piece = 65'536;
  });
  tcp::socket socket = raw();
  send(socket, ask("/pump"));
  wait_until([&] { return server_->counters().timed_out == 1; });
  EXPECT_EQ(counters().open_streams, 0U);
}

TEST_F(HttpDownloadTest, StoppingTheServerLetsGoOfWhoWaitsForRoom) {
  start(quick());
  on_loop([&] {
    handler_.total = std::uint64_t{1} << 40;
    handler_.piece = 65'536;
  });
  tcp::socket socket = raw();
  send(socket, ask("/pump"));
  wait_until([&] { return handler_.pumps.size() == 1 && handler_.pumps[0]->is_waiting; });
  const std::weak_ptr<Pump> pump = handler_.pumps[0];
  on_loop([&] {
    handler_.forget();
    server_.reset();
  });
  wait_until([&] { return pump.expired(); });
}

}  // namespace
}  // namespace hm::http
