// SPDX-License-Identifier: Apache-2.0
// One WebSocket of the node's API about a container or an image, as docs/guide/containers.md has
// it: JSON words and lanes of bytes in both directions, and one last word with which it ends.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/failure.h"
#include "ports/web_socket.h"

namespace boost::asio {
class io_context;
}
namespace hm::http {
struct OpenedWebSocket;
}

namespace hm::cli {

enum class StreamLane : std::uint8_t { Data = 1, Error = 2 };

// All on the loop; none is called from within a call to the stream.
struct StreamHandlers {
  // Anything but the last word.
  std::function<void(const nlohmann::ordered_json& word)> on_word = [](const auto&) {};
  // The bytes count against what was allowed, and are borrowed.
  std::function<void(StreamLane lane, std::string_view bytes)> on_bytes = [](auto, auto) {};
  // pending() has become small: a good time to go on sending.
  std::function<void()> on_drained = [] {};
  // Once, the last call: the last word, or why there is none. An error that the node told is a
  // Failure with its exit code.
  std::function<void(Answer<nlohmann::ordered_json> last)> on_end = [](const auto&) {};
};

// Where streams begin, and the right to open them.
struct StreamDoor {
  http::HttpEndpoint endpoint;
  std::string token;  // the node's admin token
};

class ApiStream : public std::enable_shared_from_this<ApiStream> {
 public:
  // Opens /api/v1`path` and says `first`. Words and bytes may be sent at once; they wait for the
  // connection. Lives as long as someone holds it; letting go of it closes it.
  static std::shared_ptr<ApiStream> open(boost::asio::io_context& loop, const StreamDoor& door,
                                         const std::string& path,
                                         const nlohmann::ordered_json& first,
                                         StreamHandlers handlers);
  ~ApiStream();
  ApiStream(const ApiStream&) = delete;
  ApiStream& operator=(const ApiStream&) = delete;

  void send_word(const nlohmann::ordered_json& word);
  void send_bytes(std::string_view bytes);
  // Bytes that wait to be sent. Above kHighWater the sender should pause until on_drained.
  std::size_t pending() const;
  static constexpr std::size_t kHighWater = std::size_t{256} << 10;
  // Bytes that came are done with, and as many more may come. kWindow are allowed from the start.
  void allow(std::size_t bytes);
  static constexpr std::size_t kWindow = std::size_t{256} << 10;
  // Nothing is heard of it any more.
  void close();

 private:
  class Listener;
  explicit ApiStream(StreamHandlers handlers) : handlers_(std::move(handlers)) {}

  void opened(Result<http::OpenedWebSocket> result);
  void take(std::string_view message);
  void take_word(std::string_view text);
  void send(std::string message);
  void end(Answer<nlohmann::ordered_json> last);

  StreamHandlers handlers_;
  std::shared_ptr<ports::WebSocket> socket_;
  std::vector<std::string> waiting_;  // for the connection
  std::size_t waiting_bytes_ = 0;
  std::size_t held_ = 0;  // bytes that were handed on and not allowed again yet
  std::size_t owed_ = 0;  // what came beside them, to be allowed with them
  bool ended_ = false;
};

}  // namespace hm::cli
