// SPDX-License-Identifier: Apache-2.0
// Long bodies through the HTTP server and client over loopback, each way, with and without a length
// that is known before; beside it what plain sockets do with the same pieces.
//   bench_http [--json] [--mib SIZE]
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "foundation/base/check.h"
#include "platform/http/http_client.h"
#include "platform/http/http_server.h"
#include "platform/linux/allocation.h"

namespace {

using namespace hm;
namespace asio = boost::asio;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr int kRounds = 5;

struct Row {
  std::string name;
  std::string method;
  std::vector<double> megabytes_per_second;

  double best() const { return *std::ranges::max_element(megabytes_per_second); }
  double median() const {
    auto sorted = megabytes_per_second;
    std::ranges::sort(sorted);
    return sorted[sorted.size() / 2];
  }
};

// Is done with each piece at once, and answers when it has all.
class Sponge final : public ports::HttpUpload {
 public:
  explicit Sponge(std::unique_ptr<ports::HttpResponder> responder)
      : responder_(std::move(responder)) {}
  ports::HttpResponder& responder() { return *responder_; }
  void on_piece(std::string piece) override {
    bytes_ += piece.size();
    responder_->taken(piece.size());
  }
  void on_end() override { responder_->send({.body = std::to_string(bytes_)}); }
  void on_lost() override {}

 private:
  std::unique_ptr<ports::HttpResponder> responder_;
  std::uint64_t bytes_ = 0;
};

// Writes pieces, each a string of its own, while there is room.
class Spring : public std::enable_shared_from_this<Spring> {
 public:
  Spring(std::shared_ptr<ports::HttpStream> stream, std::uint64_t bytes)
      : stream_(std::move(stream)), left_(bytes) {}
  void go_on() {
    static const std::string piece(kPiece, 'x');
    while (left_ > 0) {
      if (!stream_->is_open()) return;
      if (stream_->room() < kPiece) {
        return stream_->when_room([self = shared_from_this()] { self->go_on(); });
      }
      (void)stream_->write(piece);
      left_ -= kPiece;
    }
    stream_->finish();
  }

 private:
  std::shared_ptr<ports::HttpStream> stream_;
  std::uint64_t left_;
};

class Handler final : public ports::HttpHandler {
 public:
  explicit Handler(std::uint64_t bytes) : bytes_(bytes) {}
  ports::HttpResponse describe_fault(ports::HttpFault) override { return {.status = 500}; }
  std::optional<ports::HttpResponse> refuse_early(const ports::HttpRequest&) override {
    return std::nullopt;
  }
  ports::HttpBodyMode body_mode(const ports::HttpRequest&) override {
    return ports::HttpBodyMode::Pieces;
  }
  void on_request(ports::HttpRequest request,
                  std::unique_ptr<ports::HttpResponder> responder) override {
    if (request.method == ports::HttpMethod::Put) {
      auto sponge = std::make_shared<Sponge>(std::move(responder));
      HM_CHECK(sponge->responder().take_body(sponge));
      return;
    }
    const auto length = request.path == "/counted" ? std::optional(bytes_) : std::nullopt;
    auto stream = responder->start_stream({.content_type = "application/octet-stream"}, length);
    HM_CHECK(stream != nullptr);
    std::make_shared<Spring>(std::move(stream), bytes_)->go_on();
  }

 private:
  std::uint64_t bytes_;
};

template <class Transfer>
Row measure(std::string name, std::string method, std::uint64_t bytes, Transfer transfer) {
  Row row{std::move(name), std::move(method), {}};
  for (int i = 0; i < kRounds; ++i) {
    const auto start = Clock::now();
    transfer();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    row.megabytes_per_second.push_back(static_cast<double>(bytes) / seconds / 1e6);
  }
  return row;
}

void plain_transfer(std::uint64_t bytes) {
  asio::io_context loop;
  tcp::acceptor acceptor(loop, {asio::ip::address_v6::loopback(), 0});
  std::thread writer([&] {
    tcp::socket socket(loop);
    socket.connect(acceptor.local_endpoint());
    const std::string piece(kPiece, 'x');
    for (std::uint64_t sent = 0; sent < bytes; sent += kPiece) {
      asio::write(socket, asio::buffer(piece));
    }
  });
  tcp::socket socket = acceptor.accept();
  std::string piece(kPiece, '\0');
  std::uint64_t got = 0;
  boost::system::error_code error;
  while (!error) got += socket.read_some(asio::buffer(piece), error);
  writer.join();
  HM_CHECK(got == bytes);
}

std::vector<Row> measure_all(std::uint64_t bytes) {
  std::vector<Row> rows;
  rows.push_back(measure("plain sockets", "blocking writes and reads, no HTTP", bytes,
                         [&] { plain_transfer(bytes); }));
  asio::io_context loop{1};
  auto work = asio::make_work_guard(loop);
  Handler handler(bytes);
  auto server = http::HttpServer::start(loop, handler, {.port = 0});
  HM_CHECK(server.has_value());
  std::thread thread([&] { loop.run(); });
  http::HttpClient client({.port = (*server)->local_port()});
  const auto upload = [&](std::optional<std::uint64_t> length) {
    const auto answer = client.upload(
        {.method = ports::HttpMethod::Put}, length, [left = bytes](std::span<char> room) mutable {
          const auto count = std::min<std::uint64_t>(left, room.size());
          left -= count;
          return Result<std::size_t>(count);
        });
    HM_CHECK(answer && answer->body == std::to_string(bytes));
  };
  const auto download = [&](const char* target) {
    std::uint64_t got = 0;
    const auto answer = client.download({.target = target}, std::nullopt,
                                        [&](std::string_view piece) -> Result<void> {
                                          got += piece.size();
                                          return {};
                                        });
    HM_CHECK(answer && got == bytes);
  };
  rows.push_back(measure("upload, counted", "Content-Length; the source fills nothing in", bytes,
                         [&] { upload(bytes); }));
  rows.push_back(measure("upload, chunked", "chunks of one piece; the source fills nothing in",
                         bytes, [&] { upload(std::nullopt); }));
  rows.push_back(measure("download, counted", "Content-Length; each piece is a copy by the handler",
                         bytes, [&] { download("/counted"); }));
  rows.push_back(measure("download, chunked",
                         "chunks of one piece; each piece is a copy by the handler", bytes,
                         [&] { download("/chunked"); }));
  asio::post(loop, [&] {
    server->reset();
    work.reset();
  });
  thread.join();
  return rows;
}

std::string machine() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line)) {
    if (!line.starts_with("model name")) continue;
    const std::string model = line.substr(line.find(':') + 2);
    return model + ", " + std::to_string(std::thread::hardware_concurrency()) + " threads";
  }
  return "unknown";
}

constexpr std::string_view kMethod =
    "one body over [::1] in pieces of 256 KiB, server and client on a thread each, one connection, "
    "5 rounds; the allocator set as hypermesh sets it; wall clock; MB of 10^6 bytes; best and "
    "median round";

}  // namespace

int main(int argc, char** argv) {
  bool is_json = false;
  std::uint64_t mib = 2048;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--json") {
      is_json = true;
    } else if (word == "--mib" && i + 1 < argc && std::atoll(argv[i + 1]) > 0) {
      mib = static_cast<std::uint64_t>(std::atoll(argv[++i]));
    } else {
      std::fprintf(stderr, "usage: bench_http [--json] [--mib SIZE]\n");
      return 2;
    }
  }
  hm::linux::keep_large_buffers();  // as hypermesh does
  const auto rows = measure_all(mib << 20);
  const std::string size = std::to_string(mib) + " MiB";
  if (!is_json) {
    std::printf("bench http: %s\nbody: %s\nmachine: %s\nbuild: %s\n", kMethod.data(), size.c_str(),
                machine().c_str(), HM_BUILD_TYPE);
    for (const Row& row : rows) {
      std::printf("%-18s best %8.0f MB/s   median %8.0f MB/s   %s\n", row.name.c_str(), row.best(),
                  row.median(), row.method.c_str());
    }
    return 0;
  }
  std::printf(
      R"({"schema":1,"bench":"http","method":"%s","body":"%s","machine":"%s","build":"%s",)",
      kMethod.data(), size.c_str(), machine().c_str(), HM_BUILD_TYPE);
  std::printf(R"("results":[)");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::printf(R"(%s{"name":"%s","method":"%s","value":%.1f,"median":%.1f,"unit":"MB/s"})",
                i == 0 ? "" : ",", rows[i].name.c_str(), rows[i].method.c_str(), rows[i].best(),
                rows[i].median());
  }
  std::printf("]}\n");
  return 0;
}
