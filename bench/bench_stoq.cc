// SPDX-License-Identifier: Apache-2.0
// STOQ between two processes on ::1, one thread each, as nodes use it: round trips, throughput,
// handshakes, memory and CPU. Loopback never segments GSO packets and both ends share the machine,
// so a real network card gives other figures.
//   bench_stoq [--json]
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/identity/key_bundle.h"
#include "platform/quic/quic_transport.h"

namespace {

using namespace std::chrono_literals;
using hm::identity::NodeId;
using hm::ports::Channel;
using hm::ports::SendResult;
using SteadyClock = std::chrono::steady_clock;

constexpr int kRounds = 5'000;
constexpr auto kFlood = 2s;
// Below the burst that a node grants to unknown addresses (core/stoq/limits.h), which would
// otherwise be what is measured.
constexpr std::uint32_t kConnections = 120;

struct WallClock final : hm::ports::Clock {
  hm::MonoTime now() const override { return {}; }
  hm::UnixMillis wall() const override {
    return hm::UnixMillis(
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                       std::chrono::system_clock::now().time_since_epoch())
                                       .count()));
  }
};

hm::crypto::SigningKey key_of(std::uint32_t number) {
  std::array<std::uint8_t, 32> seed{};
  std::memcpy(seed.data(), &number, sizeof number);
  return hm::crypto::SigningKey::from_seed(seed);
}

// What a process has used so far.
struct Usage {
  std::uint64_t cpu_us = 0;
  std::uint64_t rss_kib = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

Usage usage_now() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto micros = [](const timeval& t) {
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(t.tv_usec);
  };
  Usage out;
  out.cpu_us = micros(use.ru_utime) + micros(use.ru_stime);
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  out.rss_kib = resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / 1024;
  return out;
}

hm::quic::TransportConfig config() {
  hm::quic::TransportConfig out;
  out.is_admitted = [](const NodeId&) { return true; };
  return out;
}

// Echoes consensus messages, counts the others, answers 'U' on gossip with its usage.
class Server final : public hm::ports::TransportListener {
 public:
  explicit Server(int port_pipe) {
    const auto key = key_of(0);
    transport_.emplace(loop_, config(), key, *this, clock_);
    if (!transport_->start()) _exit(1);
    const auto port = transport_->local_port();
    if (write(port_pipe, &port, sizeof port) != sizeof port) _exit(1);
    loop_.run();
  }
  void on_peer_up(const NodeId&) override {}
  void on_peer_down(const NodeId&, const std::string&) override {}
  void on_message(const NodeId& from, Channel channel, hm::ByteView payload) override {
    ++messages_;
    bytes_ += payload.size();
    if (channel == Channel::Consensus) {
      (void)transport_->send(from, channel,
                             std::make_shared<const hm::Bytes>(hm::to_bytes(payload)));
    } else if (payload.size() == 1) {
      auto use = usage_now();
      use.messages = messages_;
      use.bytes = bytes_;
      hm::Bytes answer(sizeof use);
      std::memcpy(answer.data(), &use, sizeof use);
      (void)transport_->send(from, Channel::Gossip,
                             std::make_shared<const hm::Bytes>(std::move(answer)));
    }
  }

 private:
  boost::asio::io_context loop_{1};
  WallClock clock_;
  std::optional<hm::quic::QuicTransport> transport_;
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
};

class Client final : public hm::ports::TransportListener {
 public:
  Client(boost::asio::io_context& loop, std::uint32_t number, std::uint16_t port) : loop_(loop) {
    const auto key = key_of(number);
    transport_.emplace(loop_, config(), key, *this, clock_);
    if (!transport_->start()) std::exit(1);
    server_ = hm::identity::node_id_of(key_of(0).public_key());
    transport_->set_peers({{server_, {hm::stoq::Address::loopback(port)}}});
  }
  void on_peer_up(const NodeId&) override { up = true; }
  void on_peer_down(const NodeId&, const std::string& reason) override {
    std::fprintf(stderr, "connection lost: %s\n", reason.c_str());
    up = false;
  }
  void on_message(const NodeId&, Channel channel, hm::ByteView payload) override {
    if (channel == Channel::Gossip && payload.size() == sizeof(Usage)) {
      std::memcpy(&server_usage_, payload.data(), sizeof server_usage_);
      answered_ = true;
    } else {
      ++echoes;
    }
  }
  SendResult send(Channel channel, const hm::ports::SharedBytes& payload) {
    return transport_->send(server_, channel, payload);
  }
  void run_until(const std::function<bool()>& claim) {
    while (!claim()) {
      loop_.restart();
      loop_.run_one_for(1s);
    }
  }
  void run_once() {
    loop_.restart();
    loop_.run_one_for(1s);
  }
  Usage server_usage() {
    answered_ = false;
    const auto ask = std::make_shared<const hm::Bytes>(1, std::uint8_t{'U'});
    while (send(Channel::Gossip, ask) != SendResult::Queued) loop_.run_one_for(1ms);
    run_until([this] { return answered_; });
    return server_usage_;
  }
  const hm::quic::QuicTransport& transport() const { return *transport_; }

  bool up = false;
  std::uint64_t echoes = 0;

 private:
  boost::asio::io_context& loop_;
  WallClock clock_;
  std::optional<hm::quic::QuicTransport> transport_;
  NodeId server_;
  Usage server_usage_;
  bool answered_ = false;
};

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

struct RoundTrips {
  double p50_us = 0;
  double p99_us = 0;
};

RoundTrips measure_round_trips(Client& client, std::size_t size) {
  const auto payload = std::make_shared<const hm::Bytes>(size, std::uint8_t{1});
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) {
    const auto start = SteadyClock::now();
    const auto before = client.echoes;
    (void)client.send(Channel::Consensus, payload);
    client.run_until([&] { return client.echoes > before; });
    times.push_back(seconds_since(start) * 1e6);
  }
  std::ranges::sort(times);
  return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

struct Flood {
  double messages_per_s = 0;
  double gbit_per_s = 0;
  double client_us = 0;  // CPU per message
  double server_us = 0;
};

Flood measure_flood(Client& client, std::size_t size) {
  const auto payload = std::make_shared<const hm::Bytes>(size, std::uint8_t{2});
  const auto before = client.server_usage();
  const auto own = usage_now();
  const auto start = SteadyClock::now();
  std::uint64_t sent = 0;
  while (SteadyClock::now() - start < kFlood) {
    // A turn's worth, as a node produces it; then the loop runs.
    for (int i = 0; i < 64 && client.send(Channel::Sync, payload) == SendResult::Queued; ++i) {
      ++sent;
    }
    client.run_once();
  }
  // The question overtakes what is queued: ask until all has arrived.
  auto after = client.server_usage();
  while (after.bytes - before.bytes < sent * size) after = client.server_usage();
  const auto elapsed = seconds_since(start);
  const auto count = static_cast<double>(sent);
  Flood out;
  out.messages_per_s = count / elapsed;
  out.gbit_per_s = static_cast<double>(after.bytes - before.bytes) * 8 / elapsed / 1e9;
  out.client_us = static_cast<double>(usage_now().cpu_us - own.cpu_us) / count;
  out.server_us = static_cast<double>(after.cpu_us - before.cpu_us) / count;
  return out;
}

struct Handshakes {
  double per_s = 0;
  double client_us = 0;
  double server_us = 0;
  double server_kib = 0;  // resident memory per live connection
};

Handshakes measure_handshakes(boost::asio::io_context& loop, Client& first, std::uint16_t port) {
  const auto before = first.server_usage();
  std::vector<std::unique_ptr<Client>> clients;
  const auto own = usage_now();
  const auto start = SteadyClock::now();
  for (std::uint32_t i = 0; i < kConnections; ++i) {
    clients.push_back(std::make_unique<Client>(loop, 100 + i, port));
    auto& client = *clients.back();
    client.run_until([&] { return client.up; });
  }
  const auto elapsed = seconds_since(start);
  const auto used = usage_now();
  const auto after = first.server_usage();
  Handshakes out;
  out.per_s = kConnections / elapsed;
  out.client_us = static_cast<double>(used.cpu_us - own.cpu_us) / kConnections;
  out.server_us = static_cast<double>(after.cpu_us - before.cpu_us) / kConnections;
  out.server_kib = static_cast<double>(after.rss_kib - before.rss_kib) / kConnections;
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const bool json = argc > 1 && std::string_view(argv[1]) == "--json";
  std::array<int, 2> pipe_ends{};
  if (pipe(pipe_ends.data()) != 0) return 1;
  const auto parent = getpid();
  const auto child = fork();
  if (child == 0) {
    // Ends with its parent, however that ends.
    std::thread([parent] {
      while (getppid() == parent) std::this_thread::sleep_for(200ms);
      _exit(0);
    }).detach();
    Server server(pipe_ends[1]);
    _exit(0);
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4'096);
  setrlimit(RLIMIT_NOFILE, &files);
  std::uint16_t port = 0;
  if (read(pipe_ends[0], &port, sizeof port) != sizeof port) return 1;
  boost::asio::io_context loop{1};
  Client client(loop, 1, port);
  client.run_until([&] { return client.up; });
  (void)measure_round_trips(client, 64);  // warm-up: path MTU, windows
  const auto small = measure_round_trips(client, 200);
  const auto large = measure_round_trips(client, 64 << 10);
  const auto messages = measure_flood(client, 200);
  const auto bulk = measure_flood(client, 256 << 10);
  const auto handshakes = measure_handshakes(loop, client, port);
  const auto stats = client.transport().stats();
  kill(child, SIGTERM);
  waitpid(child, nullptr, 0);
  if (json) {
    std::printf(
        "{\"schema\":1,\"build\":\"%s\",\"rtt_us\":{\"bytes\":200,\"p50\":%.1f,\"p99\":%.1f},"
        "\"rtt_64k_us\":{\"p50\":%.1f,\"p99\":%.1f},\"messages_200\":{\"per_s\":%.0f,"
        "\"sender_us\":%.3f,\"receiver_us\":%.3f},\"bulk_256k\":{\"gbit_per_s\":%.2f,"
        "\"sender_us\":%.1f,\"receiver_us\":%.1f},\"handshakes\":{\"per_s\":%.0f,"
        "\"client_us\":%.0f,\"server_us\":%.0f,\"server_kib\":%.1f},\"gso\":%s,\"gro\":%s}\n",
        HM_BUILD_TYPE, small.p50_us, small.p99_us, large.p50_us, large.p99_us,
        messages.messages_per_s, messages.client_us, messages.server_us, bulk.gbit_per_s,
        bulk.client_us, bulk.server_us, handshakes.per_s, handshakes.client_us,
        handshakes.server_us, handshakes.server_kib, stats.segmentation_offload ? "true" : "false",
        stats.receive_offload ? "true" : "false");
    return 0;
  }
  std::printf("STOQ on ::1, two processes of one thread, %u processors, build %s, GSO %s, GRO %s\n",
              std::thread::hardware_concurrency(), HM_BUILD_TYPE,
              stats.segmentation_offload ? "on" : "off", stats.receive_offload ? "on" : "off");
  std::printf("round trip of one message, %d rounds, one at a time:\n", kRounds);
  std::printf("  200 bytes  p50 %7.1f us  p99 %7.1f us\n", small.p50_us, small.p99_us);
  std::printf("  64 KiB     p50 %7.1f us  p99 %7.1f us\n", large.p50_us, large.p99_us);
  std::printf("one way, as many as the queue takes:\n");
  std::printf("  200 bytes  %9.0f messages/s   CPU per message %.2f us sender, %.2f us receiver\n",
              messages.messages_per_s, messages.client_us, messages.server_us);
  std::printf("  256 KiB    %9.2f Gbit/s       CPU per message %.0f us sender, %.0f us receiver\n",
              bulk.gbit_per_s, bulk.client_us, bulk.server_us);
  std::printf("%u connections one after the other, each kept:\n", kConnections);
  std::printf(
      "  %.0f handshakes/s   CPU each %.0f us client, %.0f us server   %.1f KiB each in the "
      "server\n",
      handshakes.per_s, handshakes.client_us, handshakes.server_us, handshakes.server_kib);
  return 0;
}
