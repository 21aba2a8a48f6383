// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/api_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "apps/hypermesh/json_fields.h"
#include "platform/http/web_socket_client.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kPrefix = "/api/v1";
// The first byte of a message that is JSON; of others it is the lane.
constexpr char kJson = '\0';
// Of bytes in one message: small enough that words between them are heard soon.
constexpr std::size_t kPiece = std::size_t{32} << 10;
// A word of the server is a list of images at most.
constexpr std::size_t kMaxWord = std::size_t{256} << 10;

constexpr std::array<const char*, 3> kLastWords{"exit", "done", "images"};

// The port's error, as the node tells it.
Failure failure_of_word(const ordered_json& error) {
  Error told{ErrorCode::Io, text_of(error, "message"), text_of(error, "detail")};
  std::string code = text_of(error, "code");
  std::ranges::transform(code, code.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  for (auto each = ErrorCode::InvalidArgument; each <= ErrorCode::Io;
       each = static_cast<ErrorCode>(static_cast<std::uint8_t>(each) + 1)) {
    if (name_of(each) == code) told.code = each;
  }
  if (told.message.empty()) told.message = "the node ended the stream: " + code;
  // Another node's absence is no reason to start one here.
  if (told.code == ErrorCode::Unavailable) {
    return failure_of(told,
                      "'hypermesh nodes' lists who is there, 'hypermesh ps --all' what became "
                      "of runs");
  }
  return failure_of(told);
}

Failure lost(std::string_view reason) {
  return {ExitCode::NotReachable, "the connection to the node was lost",
          reason.empty() ? "it ended without a last word" : std::string(reason),
          "'hypermesh status' tells whether the node runs; 'hypermesh ps --all' what became of the "
          "run"};
}

}  // namespace

class ApiStream::Listener final : public ports::WebSocketListener {
 public:
  explicit Listener(std::weak_ptr<ApiStream> stream) : stream_(std::move(stream)) {}

  void on_message(std::string_view payload) override {
    if (const auto stream = stream_.lock()) stream->take(payload);
  }
  void on_drained() override {
    const auto stream = stream_.lock();
    if (stream && !stream->ended_) stream->handlers_.on_drained();
  }
  void on_closed(ports::WebSocketClose /*code*/, std::string_view reason) override {
    if (const auto stream = stream_.lock()) stream->end(std::unexpected(lost(reason)));
  }

 private:
  std::weak_ptr<ApiStream> stream_;
};

std::shared_ptr<ApiStream> ApiStream::open(boost::asio::io_context& loop, const StreamDoor& door,
                                           const std::string& path, const ordered_json& first,
                                           StreamHandlers handlers) {
  const std::shared_ptr<ApiStream> stream(new ApiStream(std::move(handlers)));
  stream->send_word(first);
  http::WebSocketRequest request;
  request.target = std::string(kPrefix) + path;
  request.headers.push_back({"Authorization", "Bearer " + door.token});
  http::open_web_socket(loop, door.endpoint, std::move(request), std::make_shared<Listener>(stream),
                        [weak = std::weak_ptr(stream)](Result<http::OpenedWebSocket> result) {
                          if (const auto held = weak.lock()) held->opened(std::move(result));
                        });
  return stream;
}

ApiStream::~ApiStream() { close(); }

void ApiStream::opened(Result<http::OpenedWebSocket> result) {
  if (ended_) return;
  if (!result) return end(std::unexpected(failure_of(result.error())));
  if (!result->socket) {
    return end(std::unexpected(refusal_of_answer(result->answer.status, result->answer.body)));
  }
  socket_ = std::move(result->socket);
  socket_->allow(kWindow);
  for (std::string& message : std::exchange(waiting_, {})) send(std::move(message));
  waiting_bytes_ = 0;
}

void ApiStream::take(std::string_view message) {
  if (ended_) return;
  if (message.empty()) return end(std::unexpected(lost("it sent an empty message")));
  const char lane = message.front();
  message.remove_prefix(1);
  // Any allowance at all lets a whole message in, so nothing is given while bytes are held.
  if (lane == kJson) {
    owed_ += message.size() + 1;
    if (held_ == 0) allow(0);
    return take_word(message);
  }
  if (lane != static_cast<char>(StreamLane::Data) && lane != static_cast<char>(StreamLane::Error)) {
    return end(std::unexpected(lost("it sent a message of an unknown kind")));
  }
  owed_ += 1;
  held_ += message.size();
  handlers_.on_bytes(static_cast<StreamLane>(lane), message);
}

void ApiStream::take_word(std::string_view text) {
  const ordered_json word = text.size() > kMaxWord ? ordered_json(ordered_json::value_t::discarded)
                                                   : ordered_json::parse(text, nullptr, false);
  if (word.is_discarded() || !word.is_object()) {
    return end(std::unexpected(lost("it sent a message that is no JSON object")));
  }
  if (word.contains("error")) return end(std::unexpected(failure_of_word(word["error"])));
  const bool is_last =
      std::ranges::any_of(kLastWords, [&](const char* name) { return word.contains(name); });
  if (is_last) return end(word);
  handlers_.on_word(word);
}

void ApiStream::send_word(const ordered_json& word) {
  send(std::string(1, kJson) + word.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

void ApiStream::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    bytes.remove_prefix(piece.size());
    std::string message(1, static_cast<char>(StreamLane::Data));
    message += piece;
    send(std::move(message));
  }
}

void ApiStream::send(std::string message) {
  if (ended_) return;
  if (!socket_) {
    waiting_bytes_ += message.size();
    waiting_.push_back(std::move(message));
    return;
  }
  // Who heeds pending() is never too slow, and pieces are never too large; a closed socket tells
  // its listener.
  (void)socket_->send(std::move(message));
}

std::size_t ApiStream::pending() const { return socket_ ? socket_->pending() : waiting_bytes_; }

void ApiStream::allow(std::size_t bytes) {
  held_ -= std::min(held_, bytes);
  if (!ended_ && socket_) socket_->allow(bytes + std::exchange(owed_, 0));
}

void ApiStream::end(Answer<ordered_json> last) {
  if (std::exchange(ended_, true)) return;
  if (socket_) socket_->close(ports::WebSocketClose::Normal, {});
  const auto handler = std::move(handlers_.on_end);
  handler(std::move(last));
}

void ApiStream::close() {
  if (std::exchange(ended_, true)) return;
  if (socket_) socket_->close(ports::WebSocketClose::Normal, {});
}

}  // namespace hm::cli
