// SPDX-License-Identifier: Apache-2.0
// Bodies that a handler takes as they arrive, and the client that sends them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <optional>

#include "platform/http/server_fixture.h"
#include "platform/http/upload_window.h"

namespace hm::http {
namespace {
namespace asio = boost::asio;
using asio::ip::tcp;
using ports::HttpFault;
using ports::HttpMethod;
using ports::HttpRequest;
using ports::HttpResponse;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

char byte_at(std::uint64_t at) { return static_cast<char>((at * 2654435761U) >> 13); }

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = byte_at(i);
  return text;
}

// What one upload brought. It answers with the number of bytes when the body is whole.
struct Heard final : ports::HttpUpload {
  void on_piece(std::string piece) override {
    for (const char c : piece) {
      if (c != byte_at(bytes++)) is_pattern = false;
    }
    ++pieces;
    held += piece.size();
    most_held = std::max(most_held, held);
    if (answer_at && bytes >= *answer_at) {
      return responder->send({.status = 409, .body = "enough"});
    }
    if (takes) take_all();
  }
  void on_end() override {
    ++ends;
    responder->send({.body = std::to_string(bytes)});
  }
  void on_lost() override { ++losses; }
  void take_all() { responder->taken(std::exchange(held, 0)); }

  std::unique_ptr<ports::HttpResponder> responder;
  bool takes = true;
  std::optional<std::uint64_t> answer_at;
  std::uint64_t bytes = 0;
  bool is_pattern = true;
  int pieces = 0;
  std::size_t held = 0;
  std::size_t most_held = 0;
  int ends = 0;
  int losses = 0;
};

class UploadHandler : public ports::HttpHandler {
 public:
  HttpResponse describe_fault(HttpFault fault) override { return fixture::describe(fault); }
  std::optional<HttpResponse> refuse_early(const HttpRequest& head) override {
    if (head.path == "/forbidden") return HttpResponse{.status = 403, .body = "no"};
    return std::nullopt;
  }
  ports::HttpBodyMode body_mode(const HttpRequest& head) override {
    return head.path.starts_with("/up") ? ports::HttpBodyMode::Pieces : ports::HttpBodyMode::Whole;
  }
  void on_request(HttpRequest request, std::unique_ptr<ports::HttpResponder> responder) override {
    if (!request.path.starts_with("/up")) {
      return responder->send({.body = request.path + "|" + request.body});
    }
    EXPECT_EQ(request.body, "");
    if (request.path == "/up/refused") return responder->send({.status = 409, .body = "no"});
    if (request.path == "/up/later") return held.push_back(std::move(responder));
    auto upload = std::make_shared<Heard>();
    upload->takes = request.path != "/up/slow";
    if (request.path == "/up/some") upload->answer_at = 1000;
    begin(std::move(upload), std::move(responder));
  }
  void begin(std::shared_ptr<Heard> upload, std::unique_ptr<ports::HttpResponder> responder) {
    ports::HttpResponder& right = *responder;
    upload->responder = std::move(responder);
    if (right.take_body(upload)) uploads.push_back(std::move(upload));
  }
  void forget() {
    uploads.clear();
    held.clear();
  }

  std::vector<std::shared_ptr<Heard>> uploads;
  std::vector<std::unique_ptr<ports::HttpResponder>> held;
};

// Gives `total` bytes of the pattern, in portions of at most `portion`.
BodySource source_of(std::uint64_t total, std::size_t portion, std::uint64_t* asked = nullptr) {
  return [=, at = std::uint64_t{0}](std::span<char> room) mutable -> Result<std::size_t> {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>({room.size(), portion, total - at}));
    for (std::size_t i = 0; i < count; ++i) room[i] = byte_at(at + i);
    at += count;
    if (asked != nullptr) ++*asked;
    return count;
  };
}

class HttpUploadTest : public fixture::ServerTest<UploadHandler> {
 protected:
  ClientRequest put(std::string target) {
    return {.method = HttpMethod::Put,
            .target = std::move(target),
            .content_type = "application/octet-stream",
            .timeout = std::chrono::seconds(60)};
  }
  Heard& upload(std::size_t index = 0) { return *handler_.uploads.at(index); }

  static constexpr std::string_view kHead = "PUT /up HTTP/1.1\r\nHost: x\r\n";
};

TEST(UploadWindow, ManyTinyPiecesFillItAsFewLargeOnesDo) {
  UploadWindow window(64 * kUploadPieceCost);
  std::size_t pieces = 0;
  for (; window.room() > 0; ++pieces) window.give(1);
  EXPECT_EQ(pieces, 64U);
  window.take(1);
  EXPECT_EQ(window.room(), kUploadPieceCost);
  window.take(1000);
  EXPECT_EQ(window.room(), 64 * kUploadPieceCost);
}

TEST(UploadWindow, APartThatIsDoneWithMakesRoomForAsMuch) {
  UploadWindow window(kUploadPiece);
  window.give(kUploadPiece);
  EXPECT_EQ(window.room(), 0U);
  window.take(kUploadPiece / 2);
  EXPECT_EQ(window.room(), kUploadPiece / 2);
  window.take(kUploadPiece / 2);
  EXPECT_EQ(window.room(), kUploadPiece);
}

TEST_F(HttpUploadTest, ABodyArrivesByteForByteWhateverThePieces) {
  start(quick());
  HttpClient http = client();
  std::uint64_t runs = 0;
  EXPECT_TRUE(rc::check("every body arrives", [&] {
    const auto total = *rc::gen::inRange<std::uint64_t>(0, 700'000);
    const auto portion = *rc::gen::elementOf(
        std::vector<std::size_t>{std::size_t{1} << 20, 65'536, 16'383, total / 50 + 1});
    const auto length = *rc::gen::arbitrary<bool>() ? std::optional(total) : std::nullopt;
    const auto answer = http.upload(put("/up"), length, source_of(total, portion));
    RC_ASSERT(answer.has_value());
    RC_ASSERT(answer->status == 200);
    RC_ASSERT(answer->body == std::to_string(total));
    RC_ASSERT(on_loop([&] { return handler_.uploads.back()->is_pattern; }));
    ++runs;
  }));
  EXPECT_EQ(counters().accepted, 1U);
  EXPECT_EQ(counters().requests, runs);
  EXPECT_EQ(counters().open_uploads, 0U);
}

TEST_F(HttpUploadTest, ChunksOfEverySizeAreTakenApartWhereverTheyAreCut) {
  start(quick());
  EXPECT_TRUE(rc::check("chunks", [&] {
    const auto body = pattern(*rc::gen::inRange<std::size_t>(1, 5'000));
    std::string wire = std::string(kHead) + "Transfer-Encoding: chunked\r\n\r\n";
    for (std::size_t at = 0; at < body.size();) {
      const auto size = std::min(body.size() - at, *rc::gen::inRange<std::size_t>(1, 900));
      std::array<char, 16> hex{};
      std::snprintf(hex.data(), hex.size(), "%zX", size);
      wire += std::string(hex.data()) + ";name=value\r\n" + body.substr(at, size) + "\r\n";
      at += size;
    }
    wire += "0\r\nTrailer: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    tcp::socket socket = raw();
    const auto cut = *rc::gen::inRange<std::size_t>(1, wire.size());
    send(socket, wire.substr(0, cut));
    send(socket, wire.substr(cut));
    const std::string answers = read_all(socket);
    RC_ASSERT(answers.find("\r\n\r\n" + std::to_string(body.size()) + "HTTP/1.1 200") !=
              std::string::npos);
    RC_ASSERT(answers.ends_with("/next|"));
    RC_ASSERT(on_loop([&] { return handler_.uploads.back()->is_pattern; }));
  }));
}

TEST_F(HttpUploadTest, AHandlerThatIsDoneWithNothingHoldsTheClientAtTheWindow) {
  HttpServerConfig config = quick();
  config.upload_window = 3 * kUploadPiece;
  start(config);
  for (const bool chunked : {false, true}) {
    // More than the kernel keeps for both sides.
    constexpr std::uint64_t kTotal = std::uint64_t{48} << 20;
    std::thread sender([&] {
      const auto answer =
          client().upload(put("/up/slow"), chunked ? std::nullopt : std::optional(kTotal),
                          source_of(kTotal, kUploadPiece));
      ASSERT_TRUE(answer) << answer.error().message;
      EXPECT_EQ(answer->body, std::to_string(kTotal));
    });
    wait_until([&] { return handler_.uploads.size() == (chunked ? 2U : 1U); });
    const std::size_t index = chunked ? 1 : 0;
    wait_until([&] { return upload(index).held > 2 * kUploadPiece; });
    while (!on_loop([&] { return upload(index).ends == 1; })) {
      on_loop([&] {
        if (upload(index).ends == 0) upload(index).take_all();
      });
    }
    sender.join();
    EXPECT_TRUE(upload(index).is_pattern);
    EXPECT_LE(upload(index).most_held, config.upload_window);
  }
}

TEST_F(HttpUploadTest, TheClientIsAskedForTheBodyOnlyWhenTheHandlerTakesIt) {
  start(quick());
  tcp::socket socket = raw();
  send(socket,
       "PUT /up/later HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-Continue\r\n"
       "Content-Length: 3\r\n\r\n");
  wait_until([&] { return handler_.held.size() == 1; });
  EXPECT_EQ(socket.available(), 0U);
  on_loop([&] { handler_.begin(std::make_shared<Heard>(), std::move(handler_.held[0])); });
  std::string interim(25, '\0');
  asio::read(socket, asio::buffer(interim));
  EXPECT_EQ(interim, "HTTP/1.1 100 Continue\r\n\r\n");
  send(socket, "abc");
  EXPECT_THAT(read_all(socket), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpUploadTest, ARefusalFromTheHeadAsksTheSourceForNothing) {
  start(quick());
  HttpClient http = client();
  for (const auto& [path, status] : {std::pair{"/up/refused", 409}, std::pair{"/forbidden", 403}}) {
    std::uint64_t asked = 0;
    const auto answer = http.upload(put(path), std::nullopt, source_of(1 << 30, 1 << 20, &asked));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(asked, 0U);
  }
  EXPECT_EQ(counters().open_uploads, 0U);
}

TEST_F(HttpUploadTest, AnAnswerBeforeTheEndStopsTheClientAndClosesTheConnection) {
  start(quick());
  HttpClient http = client();
  for (const auto length :
       {std::optional(std::uint64_t{1} << 40), std::optional<std::uint64_t>()}) {
    const auto answer =
        http.upload(put("/up/some"), length, source_of(std::uint64_t{1} << 40, 1 << 20));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 409);
    EXPECT_EQ(answer->body, "enough");
  }
  EXPECT_EQ(counters().accepted, 2U);
  wait_until([&] { return server_->counters().open_connections == 0; });
  for (const auto& each : handler_.uploads) EXPECT_EQ(each->ends + each->losses, 0);
}

TEST_F(HttpUploadTest, RequestsFollowAnUploadOnItsConnection) {
  start(quick());
  tcp::socket socket = raw();
  send(socket, std::string(kHead) +
                   "Content-Length: 5\r\n\r\n12345"
                   "POST /plain HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" +
                   std::string(kHead) +
                   "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                   "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string all = read_all(socket);
  EXPECT_THAT(all, HasSubstr("\r\n\r\n5HTTP"));
  EXPECT_THAT(all, HasSubstr("/plain|abcHTTP"));
  EXPECT_THAT(all, HasSubstr("\r\n\r\n3HTTP"));
  EXPECT_THAT(all, HasSubstr("/last|"));
}

TEST_F(HttpUploadTest, ABodyOfNothingIsWholeAtOnce) {
  start(quick());
  for (const char* framing : {"", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n"}) {
    tcp::socket socket = raw();
    const bool chunked = std::string_view(framing).starts_with("T");
    send(socket,
         std::string(kHead) + framing + "Connection: close\r\n\r\n" + (chunked ? "0\r\n\r\n" : ""));
    EXPECT_THAT(read_all(socket), HasSubstr("\r\n\r\n0")) << framing;
  }
  on_loop([&] {
    for (const auto& each : handler_.uploads) {
      EXPECT_EQ(each->pieces, 0);
      EXPECT_EQ(each->ends, 1);
    }
  });
}

TEST_F(HttpUploadTest, ABodyThatEndsEarlyIsLost) {
  start(quick());
  std::size_t count = 0;
  for (const char* rest :
       {"Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\na\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"}) {
    {
      tcp::socket socket = raw();
      send(socket, std::string(kHead) + rest);
      wait_until([&] { return handler_.uploads.size() == count + 1; });
      wait_until([&] { return upload(count).bytes == 3; });
    }
    wait_until([&] { return upload(count).losses == 1; });
    on_loop([&] {
      EXPECT_EQ(upload(count).ends, 0);
      upload(count).responder->send({});
    });
    ++count;
  }
  EXPECT_EQ(counters().open_uploads, 0U);
  EXPECT_EQ(counters().open_connections, 0U);
  EXPECT_EQ(counters().lost_uploads, 3U);
}

TEST_F(HttpUploadTest, ABodyThatStopsArrivingIsLostAndTheClientTold) {
  HttpServerConfig config = quick();
  config.stall_time = std::chrono::milliseconds(30);
  start(config);
  tcp::socket socket = raw();
  send(socket, std::string(kHead) + "Content-Length: 10\r\n\r\nabc");
  EXPECT_THAT(read_all(socket), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(on_loop([&] { return upload().losses; }), 1);
  EXPECT_EQ(counters().open_uploads, 0U);
}

TEST_F(HttpUploadTest, AHandlerThatTakesNothingForTooLongLosesTheBody) {
  HttpServerConfig config = quick();
  config.answer_time = std::chrono::milliseconds(50);
  config.upload_window = kUploadPieceCost;
  start(config);
  tcp::socket socket = raw();
  send(socket, "PUT /up/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" +
                   pattern(2 * kUploadPieceCost));
  EXPECT_THAT(read_all(socket), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(on_loop([&] { return upload().losses; }), 1);
  EXPECT_EQ(on_loop([&] { return upload().bytes; }), kUploadPieceCost);
}

TEST_F(HttpUploadTest, BoundsTheNumberOfUploads) {
  HttpServerConfig config = quick();
  config.max_uploads = 1;
  start(config);
  tcp::socket first = raw();
  send(first, std::string(kHead) + "Content-Length: 10\r\n\r\nabc");
  wait_until([&] { return handler_.uploads.size() == 1; });
  const auto answer = client().upload(put("/up"), 10, source_of(10, 10));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(handler_.uploads.size(), 1U);
  send(first, "defghij");
  wait_until([&] { return upload().ends == 1; });
  const auto next = client().upload(put("/up"), 10, source_of(10, 10));
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->status, 200);
}

TEST_F(HttpUploadTest, AHandlerThatGivesUpMidwayIsAnsweredFor) {
  start(quick());
  tcp::socket socket = raw();
  send(socket, std::string(kHead) + "Content-Length: 10\r\n\r\nabc");
  wait_until([&] { return handler_.uploads.size() == 1 && upload().bytes == 3; });
  on_loop([&] { upload().responder.reset(); });
  EXPECT_THAT(read_all(socket), StartsWith("HTTP/1.1 500 "));
  EXPECT_EQ(on_loop([&] { return upload().losses; }), 0);
}

TEST_F(HttpUploadTest, StoppingTheServerLosesItsUploads) {
  start(quick());
  tcp::socket socket = raw();
  send(socket, std::string(kHead) + "Content-Length: 10\r\n\r\nabc");
  wait_until([&] { return handler_.uploads.size() == 1; });
  on_loop([&] { server_.reset(); });
  EXPECT_EQ(on_loop([&] { return upload().losses; }), 1);
}

TEST_F(HttpUploadTest, ASourceThatFailsOrEndsEarlyIsTheError) {
  start(quick());
  HttpClient http = client();
  const auto broken = http.upload(put("/up"), std::nullopt, [](std::span<char>) {
    return Result<std::size_t>(fail(ErrorCode::Io, "the disk is gone"));
  });
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message, "the disk is gone");
  const auto shorter = http.upload(put("/up"), 100, source_of(99, 50));
  ASSERT_FALSE(shorter);
  EXPECT_EQ(shorter.error().code, ErrorCode::FailedPrecondition);
  wait_until([&] {
    return handler_.uploads.size() == 2 && upload(0).losses == 1 && upload(1).losses == 1;
  });
  const auto longer = http.upload(put("/up"), 98, source_of(99, 50));
  ASSERT_TRUE(longer) << longer.error().message;
  EXPECT_EQ(longer->body, "98");
}

TEST_F(HttpUploadTest, AnUploadFindsThatItsKeptConnectionIsGoneBeforeItAsksTheSource) {
  HttpServerConfig config = quick();
  config.idle_time = std::chrono::milliseconds(20);
  start(config);
  HttpClient http = client();
  ASSERT_TRUE(http.request({.target = "/"}));
  wait_until([&] { return server_->counters().open_connections == 0; });
  const auto answer = http.upload(put("/up"), std::nullopt, source_of(1'000'000, 1'000));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "1000000");
}

// What has no single meaning is refused for every handler, and none hears of a whole body.
TEST_F(HttpUploadTest, RefusesFramingThatAnotherReaderMightUnderstandOtherwise) {
  start(quick());
  const std::string chunks = "\r\n3\r\nabc\r\n0\r\n\r\n";
  const std::vector<std::string> requests = {
      "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n" + chunks,
      "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n" + chunks,
      "Transfer-Encoding: gzip\r\n" + chunks,
      "Transfer-Encoding: gzip, chunked\r\n" + chunks,
      "Transfer-Encoding: chunked, chunked\r\n" + chunks,
      "Transfer-Encoding: chunked, identity\r\n" + chunks,
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" + chunks,
      "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n" + chunks,
      "Transfer-Encoding:\r\n" + chunks,
      "Content-Length: -3\r\n\r\nabc",
      "Content-Length: +3\r\n\r\nabc",
      "Content-Length: 0x3\r\n\r\nabc",
      "Content-Length: 3 3\r\n\r\nabc",
      "Content-Length: 3, 3\r\n\r\nabc",
      "Content-Length:\r\n\r\nabc",
      "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
      "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
      "Content-Length: 18446744073709551616\r\n\r\nabc",
      "Content-Length : 3\r\n\r\nabc",
  };
  for (const char* path : {"/up", "/whole"}) {
    for (const std::string& request : requests) {
      tcp::socket socket = raw();
      send(socket, std::string("PUT ") + path + " HTTP/1.1\r\nHost: x\r\n" + request);
      EXPECT_THAT(read_all(socket), StartsWith("HTTP/1.1 400 ")) << path << " " << request;
    }
    tcp::socket older = raw();
    send(older,
         std::string("PUT ") + path + " HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" + chunks);
    EXPECT_THAT(read_all(older), StartsWith("HTTP/1.1 400 "));
  }
  EXPECT_TRUE(handler_.uploads.empty());
}

TEST_F(HttpUploadTest, ChunksThatBreakTheRulesLoseTheBody) {
  start(quick());
  const std::map<std::string, std::string> bodies = {
      {"-3\r\nabc\r\n0\r\n\r\n", "400"},
      {"0x3\r\nabc\r\n0\r\n\r\n", "400"},
      {"\r\n\r\n\r\n", "400"},
      {" 3\r\nabc\r\n0\r\n\r\n", "400"},
      {"g\r\nabc\r\n0\r\n\r\n", "400"},
      {"10000000000000000\r\nabc", "400"},
      {"3\r\nabcd\r\n0\r\n\r\n", "400"},
      {"3\r\nab\r\n0\r\n\r\n", "400"},
      {"3;\x01\r\nabc\r\n0\r\n\r\n", "400"},
      {"3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n", "400"},
      {"3\r\nabc\r\n0\r\nno colon\r\n\r\n", "400"},
      {"3;" + std::string(kMaxHeaderBytes + 1, 'x'), "431"},
      {"0\r\nA: " + std::string(kMaxHeaderBytes + 1, 'x'), "431"},
  };
  std::size_t count = 0;
  for (const auto& [body, status] : bodies) {
    tcp::socket socket = raw();
    send(socket, std::string(kHead) + "Transfer-Encoding: chunked\r\n\r\n" + body);
    EXPECT_THAT(read_all(socket), StartsWith("HTTP/1.1 " + status)) << body.substr(0, 40);
    on_loop([&] {
      ASSERT_EQ(handler_.uploads.size(), count + 1);
      EXPECT_EQ(upload(count).losses, 1) << body.substr(0, 40);
      EXPECT_EQ(upload(count).ends, 0);
    });
    ++count;
  }
  EXPECT_EQ(counters().open_uploads, 0U);
}

// A chunk may be announced as long as no disk is: nothing is taken for it before it is there.
TEST_F(HttpUploadTest, AnnouncedLengthsTakeNoMemory) {
  start(quick());
  std::vector<tcp::socket> sockets;
  for (const char* framing : {"Content-Length: 9223372036854775807\r\n\r\nab",
                              "Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nab"}) {
    sockets.push_back(raw());
    send(sockets.back(), std::string(kHead) + framing);
    wait_until([&] {
      return handler_.uploads.size() == sockets.size() && handler_.uploads.back()->bytes == 2;
    });
  }
  EXPECT_EQ(counters().open_uploads, 2U);
}

// A new byte of body counts as life, a byte of framing does not.
TEST_F(HttpUploadTest, EndlessExtensionsAreNoProgress) {
  HttpServerConfig config = quick();
  config.stall_time = std::chrono::milliseconds(100);
  start(config);
  tcp::socket socket = raw();
  send(socket, std::string(kHead) + "Transfer-Encoding: chunked\r\n\r\n3");
  std::thread sender([&] {
    while (!on_loop([&] { return !handler_.uploads.empty() && upload().losses == 1; })) {
      send(socket, ";a");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  EXPECT_THAT(read_all(socket), StartsWith("HTTP/1.1 4"));
  sender.join();
}

}  // namespace
}  // namespace hm::http
