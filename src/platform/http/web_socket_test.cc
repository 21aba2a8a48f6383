// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <map>
#include <optional>

#include "platform/http/http_server.h"
#include "platform/http/web_socket_client.h"

namespace hm::http {
namespace {
namespace asio = boost::asio;
using asio::ip::tcp;
using ports::HttpFault;
using ports::HttpRequest;
using ports::HttpResponse;
using ports::WebSocket;
using ports::WebSocketClose;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Keeps what it hears.
struct Ear final : ports::WebSocketListener {
  void on_message(std::string_view payload) override {
    messages.emplace_back(payload);
    bytes += payload.size();
    if (heard) heard();
  }
  void on_drained() override {
    ++drained;
    if (more) more();
  }
  void on_closed(WebSocketClose code, std::string_view reason) override {
    ++closings;
    closed = code;
    words = reason;
  }
  std::vector<std::string> messages;
  std::size_t bytes = 0;
  int drained = 0;
  int closings = 0;
  std::optional<WebSocketClose> closed;
  std::string words;
  std::function<void()> heard;
  std::function<void()> more;
};

struct ServerSide {
  std::shared_ptr<Ear> ear = std::make_shared<Ear>();
  std::shared_ptr<WebSocket> socket;
};

class Handler : public ports::HttpHandler {
 public:
  HttpResponse describe_fault(HttpFault fault) override {
    faults.push_back(fault);
    const std::map<HttpFault, std::uint16_t> status{{HttpFault::TooManyWebSockets, 503},
                                                    {HttpFault::UpgradeRequired, 426},
                                                    {HttpFault::BadUpgrade, 400}};
    const auto found = status.find(fault);
    return {.status = found == status.end() ? std::uint16_t{500} : found->second,
            .content_type = "text/plain",
            .body = "fault"};
  }
  std::optional<HttpResponse> refuse_early(const HttpRequest& head) override {
    if (head.path == "/forbidden") {
      return HttpResponse{.status = 403, .content_type = "text/plain", .body = "no"};
    }
    return std::nullopt;
  }
  void on_request(HttpRequest request, std::unique_ptr<ports::HttpResponder> responder) override {
    if (request.path != "/socket") return responder->send({.body = "plain"});
    ServerSide side;
    side.socket = responder->accept_web_socket("hypermesh.test.v1", side.ear);
    if (!side.socket) return;
    if (allowance > 0) side.socket->allow(allowance);
    sides.push_back(std::move(side));
  }

  std::vector<ServerSide> sides;
  std::vector<HttpFault> faults;
  std::size_t allowance = std::size_t{1} << 30;
};

// Server and clients on one loop, which the test itself turns.
class WebSocketTest : public ::testing::Test {
 protected:
  static HttpServerConfig quick() {
    HttpServerConfig config;
    config.port = 0;
    config.sweep_interval = std::chrono::milliseconds(5);
    return config;
  }

  void start(HttpServerConfig config) {
    auto server = HttpServer::start(loop_, handler_, std::move(config));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

  void turn_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      loop_.restart();
      loop_.run_for(std::chrono::milliseconds(2));
    }
  }

  HttpEndpoint endpoint() { return {.address = "::1", .port = server_->local_port()}; }

  Result<OpenedWebSocket> try_open(std::string target = "/socket", std::string protocol = {}) {
    std::optional<Result<OpenedWebSocket>> result;
    open_web_socket(loop_, endpoint(),
                    {.target = std::move(target), .protocol = std::move(protocol), .headers = {}},
                    ear_, [&](Result<OpenedWebSocket> opened) { result = std::move(opened); });
    turn_until([&] { return result.has_value(); });
    return std::move(*result);
  }

  // Both ends of a WebSocket.
  void open() {
    auto opened = try_open();
    ASSERT_TRUE(opened) << opened.error().message;
    ASSERT_EQ(opened->answer.status, 101);
    client_ = std::move(opened->socket);
    ASSERT_EQ(handler_.sides.size(), 1U);
  }
  ServerSide& side() { return handler_.sides.at(0); }

  // A client that is bytes on a socket.
  tcp::socket raw() {
    tcp::socket socket(own_);
    socket.connect({asio::ip::address_v6::loopback(), server_->local_port()});
    return socket;
  }
  static void put(tcp::socket& socket, std::string_view bytes) {
    boost::system::error_code ignored;
    asio::write(socket, asio::buffer(bytes), ignored);
  }
  // What the server sends until it closes.
  std::string take_all(tcp::socket& socket) {
    std::string text;
    socket.non_blocking(true);
    bool ended = false;
    turn_until([&] {
      boost::system::error_code error;
      std::array<char, 4096> part{};
      const std::size_t got = socket.read_some(asio::buffer(part), error);
      text.append(part.data(), got);
      ended = error && error != asio::error::would_block;
      return ended;
    });
    return text;
  }
  // Reads exactly that many bytes.
  std::string take(tcp::socket& socket, std::size_t count) {
    std::string text;
    socket.non_blocking(true);
    turn_until([&] {
      boost::system::error_code error;
      std::string part(count - text.size(), '\0');
      const std::size_t got = socket.read_some(asio::buffer(part), error);
      text.append(part, 0, got);
      return text.size() == count || (error && error != asio::error::would_block);
    });
    return text;
  }
  static std::string upgrade(std::string_view extra = {}, std::string_view target = "/socket") {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: [::1]\r\n" + std::string(extra) +
           "\r\n";
  }
  static constexpr std::string_view kAsk =
      "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  // The handshake of RFC 6455 §1.3, done; the answer is returned.
  std::string shake(tcp::socket& socket) {
    put(socket, upgrade(kAsk));
    std::string head;
    while (!head.ends_with("\r\n\r\n") && !HasFatalFailure()) head += take(socket, 1);
    return head;
  }
  // RFC 6455 §5.2, masked with zeros as a client may.
  static std::string frame(std::uint8_t first, std::string_view payload) {
    std::string text(1, static_cast<char>(first));
    if (payload.size() < 126) {
      text.push_back(static_cast<char>(0x80 | payload.size()));
    } else {
      text.push_back(static_cast<char>(0x80 | 127));
      for (int shift = 56; shift >= 0; shift -= 8) {
        text.push_back(static_cast<char>(payload.size() >> shift & 0xff));
      }
    }
    text.append(4, '\0');
    return text.append(payload);
  }
  static constexpr std::uint8_t kFin = 0x80;
  static constexpr std::uint8_t kText = 1;
  static constexpr std::uint8_t kBinary = 2;
  static constexpr std::uint8_t kClose = 8;
  static constexpr std::uint8_t kPing = 9;
  static std::string closing(std::uint16_t code) {
    return {static_cast<char>(kFin | kClose), 2, static_cast<char>(code >> 8),
            static_cast<char>(code & 0xff)};
  }

  void TearDown() override {
    client_.reset();
    handler_.sides.clear();
    server_.reset();
  }

  asio::io_context loop_{1};
  asio::io_context own_;
  Handler handler_;
  std::unique_ptr<HttpServer> server_;
  std::shared_ptr<Ear> ear_ = std::make_shared<Ear>();
  std::shared_ptr<WebSocket> client_;
};

TEST_F(WebSocketTest, CarriesMessagesBothWays) {
  start(quick());
  open();
  client_->allow(1000);
  EXPECT_EQ(client_->send("hello"), WebSocket::WriteResult::Queued);
  EXPECT_EQ(client_->send(""), WebSocket::WriteResult::Queued);
  EXPECT_EQ(side().socket->send(std::string("a\0b", 3)), WebSocket::WriteResult::Queued);
  turn_until([&] { return side().ear->messages.size() == 2 && ear_->messages.size() == 1; });
  EXPECT_EQ(side().ear->messages, (std::vector<std::string>{"hello", ""}));
  EXPECT_EQ(ear_->messages.at(0), std::string("a\0b", 3));
  EXPECT_EQ(server_->counters().open_web_sockets, 1U);
  EXPECT_EQ(server_->counters().open_connections, 0U);
}

TEST_F(WebSocketTest, ASlowReaderHoldsTheOtherSideBackAndNothingIsLost) {
  handler_.allowance = 100'000;
  start(quick());
  open();
  // More than the kernel's buffers on the way there and back hold.
  constexpr std::size_t kTotal = 40'000'000;
  constexpr std::size_t kPart = 50'000;
  constexpr std::size_t kMost = 600'000;
  // The server's side echoes, and lets no more in than it could send on.
  WebSocket& echo = *side().socket;
  Ear& echo_ear = *side().ear;
  std::size_t owed = 0;
  std::size_t most_pending = 0;
  echo_ear.heard = [&] {
    owed += echo_ear.messages.back().size();
    EXPECT_EQ(echo.send(std::move(echo_ear.messages.back())), WebSocket::WriteResult::Queued);
    echo_ear.messages.clear();
    most_pending = std::max(most_pending, echo.pending());
    if (echo.pending() <= kWebSocketLowMark) echo.allow(std::exchange(owed, 0));
  };
  echo_ear.more = [&] { echo.allow(std::exchange(owed, 0)); };
  std::size_t sent = 0;
  const auto letter = [](std::size_t at) { return static_cast<char>('a' + at / kPart % 26); };
  const auto fill = [&] {
    for (; sent < kTotal && client_->pending() < kMost; sent += kPart) {
      EXPECT_EQ(client_->send(std::string(kPart, letter(sent))), WebSocket::WriteResult::Queued);
    }
  };
  ear_->more = fill;
  fill();
  // The client does not read until nothing moves any more.
  std::size_t before = 0;
  for (int still = 0; still < 20; still = sent == before ? still + 1 : 0) {
    before = sent;
    loop_.restart();
    loop_.run_for(std::chrono::milliseconds(2));
  }
  EXPECT_LT(sent, kTotal);
  EXPECT_EQ(ear_->bytes, 0U);
  std::size_t allowed = 0;
  while (ear_->bytes < kTotal && !HasFailure()) {
    client_->allow(200'000);
    allowed += 200'000;
    turn_until([&] { return ear_->bytes >= allowed || !client_->is_open(); });
  }
  ASSERT_EQ(ear_->messages.size(), kTotal / kPart);
  for (std::size_t at = 0; at < kTotal; at += kPart) {
    EXPECT_EQ(ear_->messages[at / kPart], std::string(kPart, letter(at)));
  }
  EXPECT_LE(most_pending, kWebSocketLowMark + 100'000 + kPart);
  EXPECT_GT(ear_->drained, 0);
  EXPECT_GT(echo_ear.drained, 0);
}

TEST_F(WebSocketTest, WithoutAllowanceNothingIsDeliveredAndTheSenderIsHeldBack) {
  handler_.allowance = 0;
  start(quick());
  open();
  // Far more than the kernel's buffers hold.
  constexpr std::size_t kEnough = 64'000'000;
  std::size_t sent = 0;
  int still = 0;
  turn_until([&] {
    const std::size_t before = sent;
    while (client_->pending() < 900'000 && sent < kEnough) {
      EXPECT_EQ(client_->send(std::string(60'000, 'x')), WebSocket::WriteResult::Queued);
      sent += 60'000;
    }
    still = sent == before ? still + 1 : 0;
    return still > 20 || sent >= kEnough;
  });
  EXPECT_LT(sent, kEnough);
  EXPECT_TRUE(side().ear->messages.empty());
  side().socket->allow(60'001);
  turn_until([&] { return side().ear->messages.size() == 2; });
  loop_.restart();
  loop_.poll();
  EXPECT_EQ(side().ear->messages.size(), 2U);
}

TEST_F(WebSocketTest, WhoIgnoresWhatIsPendingIsCutOff) {
  HttpServerConfig config = quick();
  config.max_web_socket_pending = 1'000'000;
  start(config);
  open();
  auto result = WebSocket::WriteResult::Queued;
  while (result == WebSocket::WriteResult::Queued) {
    result = side().socket->send(std::string(100'000, 'x'));
  }
  EXPECT_EQ(result, WebSocket::WriteResult::TooSlow);
  EXPECT_EQ(side().socket->send("x"), WebSocket::WriteResult::Closed);
  EXPECT_FALSE(side().socket->is_open());
  EXPECT_EQ(side().ear->closings, 0);
  turn_until([&] { return side().ear->closings == 1 && ear_->closings == 1; });
  EXPECT_EQ(side().ear->closed, WebSocketClose::Abnormal);
  EXPECT_EQ(server_->counters().slow_web_sockets, 1U);
  EXPECT_EQ(server_->counters().open_web_sockets, 0U);
}

TEST_F(WebSocketTest, AMessageAboveTheLimitIsNotSentAndNotTaken) {
  HttpServerConfig config = quick();
  config.max_web_socket_message = 1000;
  start(config);
  open();
  EXPECT_EQ(side().socket->send(std::string(1001, 'x')), WebSocket::WriteResult::TooLarge);
  EXPECT_EQ(client_->send(std::string(kMaxWebSocketMessage + 1, 'x')),
            WebSocket::WriteResult::TooLarge);
  EXPECT_EQ(client_->send(std::string(1000, 'x')), WebSocket::WriteResult::Queued);
  EXPECT_EQ(client_->send(std::string(1001, 'x')), WebSocket::WriteResult::Queued);
  turn_until([&] { return side().ear->closings == 1 && ear_->closings == 1; });
  EXPECT_EQ(side().ear->messages.size(), 1U);
  EXPECT_EQ(side().ear->closed, WebSocketClose::TooBig);
  EXPECT_EQ(ear_->closed, WebSocketClose::TooBig);
}

TEST_F(WebSocketTest, BothSidesLearnWhyItWasClosed) {
  start(quick());
  open();
  client_->allow(100);
  side().socket->send("last words");
  side().socket->close(static_cast<WebSocketClose>(4003), "the container ended");
  EXPECT_EQ(side().socket->send("more"), WebSocket::WriteResult::Closed);
  turn_until([&] { return side().ear->closings == 1 && ear_->closings == 1; });
  EXPECT_EQ(ear_->messages, std::vector<std::string>{"last words"});
  EXPECT_EQ(ear_->closed, static_cast<WebSocketClose>(4003));
  EXPECT_EQ(ear_->words, "the container ended");
  EXPECT_EQ(side().ear->closed, static_cast<WebSocketClose>(4003));
  EXPECT_EQ(server_->counters().open_web_sockets, 0U);
}

TEST_F(WebSocketTest, LettingGoClosesAsNormalBehindWhatWasSent) {
  start(quick());
  open();
  client_->send("bye");
  client_.reset();
  turn_until([&] { return side().ear->closings == 1; });
  EXPECT_EQ(side().ear->messages, std::vector<std::string>{"bye"});
  EXPECT_EQ(side().ear->closed, WebSocketClose::Normal);
  EXPECT_EQ(ear_->closings, 0);
}

TEST_F(WebSocketTest, ASideMayLetGoWhileItIsToldSomething) {
  start(quick());
  open();
  side().ear->heard = [&] { handler_.sides.clear(); };
  client_->send("one");
  client_->send("two");
  turn_until([&] { return ear_->closings == 1; });
  EXPECT_EQ(ear_->closed, WebSocketClose::Normal);
}

TEST_F(WebSocketTest, StoppingTheServerEndsOpenSockets) {
  start(quick());
  open();
  const auto ear = side().ear;
  server_.reset();
  EXPECT_EQ(ear->closings, 1);
  EXPECT_EQ(ear->words, "the server stopped");
  EXPECT_EQ(side().socket->send("x"), WebSocket::WriteResult::Closed);
  turn_until([&] { return ear_->closings == 1; });
  EXPECT_EQ(ear_->closed, WebSocketClose::Abnormal);
}

TEST_F(WebSocketTest, ALongReasonIsCutBetweenCharacters) {
  start(quick());
  open();
  std::string reason;
  while (reason.size() < 200) reason += "ü";
  client_->close(WebSocketClose::GoingAway, "x" + reason);
  turn_until([&] { return side().ear->closings == 1; });
  EXPECT_EQ(side().ear->closed, WebSocketClose::GoingAway);
  EXPECT_EQ(side().ear->words, "x" + reason.substr(0, 122));
}

TEST_F(WebSocketTest, AnswersTheExampleOfTheStandardAndNamesOnlyAnOfferedProtocol) {
  start(quick());
  tcp::socket plain = raw();
  const std::string head = shake(plain);
  EXPECT_THAT(head, StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(head, HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Sec-WebSocket-Protocol")));
  EXPECT_THAT(head, Not(HasSubstr("Extensions")));
  auto opened = try_open("/socket", "hypermesh.token.c2VjcmV0, hypermesh.test.v1");
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->answer.status, 101);
  EXPECT_EQ(opened->answer.header("sec-websocket-protocol"), "hypermesh.test.v1");
}

TEST_F(WebSocketTest, RefusesWhatIsNoUpgradeByName) {
  start(quick());
  const auto ask = [&](std::string_view extra) {
    tcp::socket socket = raw();
    put(socket, upgrade(extra));
    return take_all(socket);
  };
  constexpr std::string_view kKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const std::string plain = ask("");
  EXPECT_THAT(plain, StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(plain, HasSubstr("\r\nUpgrade: websocket\r\n"));
  EXPECT_THAT(plain, HasSubstr("\r\nSec-WebSocket-Version: 13\r\n"));
  EXPECT_THAT(ask("Connection: Upgrade\r\nUpgrade: h2c\r\n"), StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(ask("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" + std::string(kKey)),
              StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(ask("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n" +
                  std::string(kKey)),
              StartsWith("HTTP/1.1 426 "));
  constexpr std::string_view kAsks =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  for (const char* key : {"", "Sec-WebSocket-Key: \r\n", "Sec-WebSocket-Key: dGhl\r\n",
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n",
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"}) {
    EXPECT_THAT(ask(std::string(kAsks) + key), StartsWith("HTTP/1.1 400 ")) << key;
  }
  EXPECT_THAT(ask(std::string(kAsk) + "Content-Length: 1\r\n\r\nx"), StartsWith("HTTP/1.1 400 "));
  // Speaking before the answer.
  EXPECT_THAT(ask(std::string(kAsk) + "\r\n" + frame(kFin | kBinary, "x")),
              StartsWith("HTTP/1.1 400 "));
  tcp::socket old = raw();
  put(old, "GET /socket HTTP/1.0\r\nHost: [::1]\r\n" + std::string(kAsk) + "\r\n");
  EXPECT_THAT(take_all(old), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(server_->counters().refused_upgrades, 12U);
  EXPECT_TRUE(handler_.sides.empty());
}

TEST_F(WebSocketTest, ARefusedClientGetsTheAnswer) {
  start(quick());
  const auto forbidden = try_open("/forbidden");
  ASSERT_TRUE(forbidden) << forbidden.error().message;
  EXPECT_EQ(forbidden->answer.status, 403);
  EXPECT_EQ(forbidden->answer.body, "no");
  EXPECT_EQ(forbidden->socket, nullptr);
  const auto plain = try_open("/plain");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->answer.status, 200);
  EXPECT_EQ(plain->socket, nullptr);
  EXPECT_EQ(ear_->closings, 0);
}

TEST_F(WebSocketTest, NobodyThereIsUnavailable) {
  start(quick());
  const HttpEndpoint where = endpoint();
  server_.reset();
  std::optional<Result<OpenedWebSocket>> result;
  open_web_socket(loop_, where, {.target = "/"}, ear_,
                  [&](Result<OpenedWebSocket> opened) { result = std::move(opened); });
  EXPECT_FALSE(result);
  turn_until([&] { return result.has_value(); });
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().code, ErrorCode::Unavailable);
}

TEST_F(WebSocketTest, AServerThatNeverAnswersIsGivenUp) {
  tcp::acceptor silent(loop_, {asio::ip::address_v6::loopback(), 0});
  std::optional<Result<OpenedWebSocket>> result;
  open_web_socket(loop_, {.address = "::1", .port = silent.local_endpoint().port()},
                  {.target = "/", .timeout = std::chrono::milliseconds(20)}, ear_,
                  [&](Result<OpenedWebSocket> opened) { result = std::move(opened); });
  turn_until([&] { return result.has_value(); });
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().code, ErrorCode::Unavailable);
  EXPECT_EQ(ear_->closings, 0);
}

TEST_F(WebSocketTest, BoundsTheNumberOfOpenSockets) {
  HttpServerConfig config = quick();
  config.max_web_sockets = 1;
  start(config);
  open();
  const auto second = try_open();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->answer.status, 503);
  client_.reset();
  turn_until([&] { return server_->counters().open_web_sockets == 0; });
  handler_.sides.clear();
  open();
}

TEST_F(WebSocketTest, PutsFragmentsTogetherWithinTheLimit) {
  HttpServerConfig config = quick();
  config.max_web_socket_message = 1000;
  config.web_socket_close_time = std::chrono::milliseconds(30);
  start(config);
  tcp::socket socket = raw();
  shake(socket);
  put(socket,
      frame(kBinary, "one ") + frame(kFin | kPing, "p") + frame(0, "two ") + frame(kFin, "three"));
  EXPECT_EQ(take(socket, 3), std::string("\x8a\x01p", 3));
  turn_until([&] { return side().ear->messages.size() == 1; });
  EXPECT_EQ(side().ear->messages.at(0), "one two three");
  for (int i = 0; i < 11; ++i) put(socket, frame(i == 0 ? kBinary : 0, std::string(100, 'x')));
  EXPECT_EQ(take(socket, 4), closing(1009));
  turn_until([&] { return !side().socket->is_open(); });
}

TEST_F(WebSocketTest, ClosesOnWhatTheProtocolForbids) {
  start(quick());
  const auto code_for = [&](std::string bytes) {
    tcp::socket socket = raw();
    shake(socket);
    put(socket, bytes);
    return take(socket, 4);
  };
  EXPECT_EQ(code_for(frame(kFin | kText, "text")).substr(2), closing(1003).substr(2));
  std::string unmasked = frame(kFin | kBinary, "x");
  unmasked[1] = 1;
  for (const std::string& bad :
       {unmasked, frame(kFin | 3, "reserved"), frame(kFin | 0x40 | kBinary, "extension bit"),
        frame(kFin, "continues nothing"), frame(kPing, "a fragmented ping"),
        frame(kFin | kPing, std::string(126, 'x'))}) {
    EXPECT_EQ(code_for(bad), closing(1002));
  }
}

TEST_F(WebSocketTest, APeerThatVanishedIsTimedOut) {
  HttpServerConfig config = quick();
  config.web_socket_ping_interval = std::chrono::milliseconds(10);
  config.web_socket_pong_time = std::chrono::milliseconds(30);
  start(config);
  tcp::socket silent = raw();
  shake(silent);
  turn_until([&] { return side().ear->closings == 1; });
  EXPECT_EQ(side().ear->closed, WebSocketClose::Abnormal);
  EXPECT_EQ(side().ear->words, "the other side does not answer");
  EXPECT_EQ(server_->counters().timed_out, 1U);
  EXPECT_EQ(server_->counters().open_web_sockets, 0U);
}

TEST_F(WebSocketTest, APeerThatTakesNothingIsTimedOutAndOneThatNeverClosesToo) {
  HttpServerConfig config = quick();
  config.web_socket_stall_time = std::chrono::milliseconds(30);
  config.web_socket_close_time = std::chrono::milliseconds(30);
  config.web_socket_ping_interval = std::chrono::milliseconds(10);
  config.web_socket_pong_time = std::chrono::milliseconds(30);
  start(config);
  tcp::socket stalled = raw();
  shake(stalled);
  turn_until([&] {
    while (side().socket->is_open() && side().socket->pending() < 900'000) {
      side().socket->send(std::string(60'000, 'x'));
    }
    return side().ear->closings == 1;
  });
  EXPECT_EQ(side().ear->closed, WebSocketClose::Abnormal);

  config.web_socket_ping_interval = std::chrono::hours(1);
  server_.reset();
  handler_.sides.clear();
  start(config);
  tcp::socket lingering = raw();
  shake(lingering);
  side().socket->close(WebSocketClose::Normal, "");
  turn_until([&] { return side().ear->closings == 1; });
  EXPECT_EQ(side().ear->closed, WebSocketClose::Normal);
  EXPECT_EQ(server_->counters().open_web_sockets, 0U);
}

TEST_F(WebSocketTest, PingsKeepAQuietPairOpenAlsoWhenOneSideHasStoppedReading) {
  HttpServerConfig config = quick();
  config.web_socket_ping_interval = std::chrono::milliseconds(10);
  config.web_socket_pong_time = std::chrono::seconds(30);
  handler_.allowance = 0;
  start(config);
  tcp::socket socket = raw();
  shake(socket);
  EXPECT_EQ(take(socket, 2), std::string("\x89\x00", 2));  // asked whether it lives
  put(socket, frame(kFin | 10, ""));
  put(socket, frame(kFin | kBinary, "held back"));
  turn_until([&] { return take(socket, 2) == std::string("\x8a\x00", 2); });
  EXPECT_TRUE(side().socket->is_open());
  EXPECT_EQ(side().ear->closings, 0);
}

}  // namespace
}  // namespace hm::http
