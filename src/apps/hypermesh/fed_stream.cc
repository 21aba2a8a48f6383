// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/fed_stream.h"

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "apps/hypermesh/byte_pump.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// What the three have in common: a loop, a stream on it, and how it ended.
struct Carriage {
  boost::asio::io_context loop;
  std::shared_ptr<ApiStream> stream;
  std::optional<Answer<ordered_json>> result;
  std::uint64_t moved = 0;

  StreamHandlers handlers(const StreamPurpose& purpose) {
    StreamHandlers handlers;
    handlers.on_word = purpose.on_word;
    handlers.on_end = [this](Answer<ordered_json> last) { end(std::move(last)); };
    return handlers;
  }
  void open(const StreamDoor& door, const StreamPurpose& purpose, StreamHandlers handlers) {
    stream = ApiStream::open(loop, door, purpose.path, purpose.first, std::move(handlers));
  }
  void end(Answer<ordered_json> last) {
    if (!result) result = std::move(last);
    loop.stop();
  }
  Answer<ordered_json> run() {
    loop.run();
    return std::move(*result);
  }
};

}  // namespace

Answer<ordered_json> send_input(const StreamDoor& door, const StreamPurpose& purpose, int fd) {
  Carriage carriage;
  bool is_sent = false;
  std::optional<InputPump> input;
  StreamHandlers handlers = carriage.handlers(purpose);
  handlers.on_drained = [&] {
    if (!is_sent) input->resume();
  };
  carriage.open(door, purpose, std::move(handlers));
  input.emplace(
      carriage.loop, fd,
      [&](std::string_view bytes) {
        carriage.stream->send_bytes(bytes);
        carriage.moved += bytes.size();
        purpose.on_moved(carriage.moved);
        if (carriage.stream->pending() > ApiStream::kHighWater) input->pause();
      },
      [&] {
        is_sent = true;
        carriage.stream->send_word({{"end_of_input", true}});
        purpose.on_all_sent();
      });
  input->resume();
  return carriage.run();
}

Answer<ordered_json> send_archive(const StreamDoor& door, const StreamPurpose& purpose,
                                  ArchiveWriter& archive) {
  Carriage carriage;
  bool is_sent = false;
  const auto go_on = [&] {
    while (!is_sent && !carriage.result && carriage.stream->pending() <= ApiStream::kHighWater) {
      auto piece = archive.next();
      if (!piece) return carriage.end(std::unexpected(std::move(piece.error())));
      is_sent = !*piece;
      if (is_sent) {
        carriage.stream->send_word({{"end_of_input", true}});
        return purpose.on_all_sent();
      }
      carriage.stream->send_bytes(**piece);
      carriage.moved += (*piece)->size();
      purpose.on_moved(carriage.moved);
    }
  };
  StreamHandlers handlers = carriage.handlers(purpose);
  handlers.on_drained = go_on;
  carriage.open(door, purpose, std::move(handlers));
  go_on();
  return carriage.run();
}

Answer<ordered_json> receive_output(const StreamDoor& door, const StreamPurpose& purpose, int fd) {
  Carriage carriage;
  OutputPump output(
      carriage.loop, fd,
      [&](std::size_t bytes) {
        carriage.moved += bytes;
        purpose.on_moved(carriage.moved);
        carriage.stream->allow(bytes);
      },
      [&] {
        if (errno == EPIPE) {
          return carriage.end(
              std::unexpected(Failure{static_cast<ExitCode>(128 + SIGPIPE), {}, {}, {}}));
        }
        carriage.end(failed(ExitCode::Failure, "what came cannot be written", std::strerror(errno),
                            "make room, or name another file"));
      });
  StreamHandlers handlers = carriage.handlers(purpose);
  handlers.on_bytes = [&](StreamLane, std::string_view bytes) { output.write(bytes); };
  handlers.on_end = [&](Answer<ordered_json> last) {
    if (!carriage.result) carriage.result = std::move(last);
    output.when_empty([&] { carriage.loop.stop(); });
  };
  carriage.open(door, purpose, std::move(handlers));
  return carriage.run();
}

}  // namespace hm::cli
