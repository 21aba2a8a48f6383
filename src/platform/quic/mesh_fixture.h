// SPDX-License-Identifier: Apache-2.0
// Transports on ::1 for tests: real sockets, one io_context, and a listener that remembers. Nothing
// here sleeps for a fixed time; waits end with what they wait for, or after a generous limit.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/identity/key_bundle.h"
#include "platform/quic/quic_transport.h"

namespace hm::quic::test {

using identity::NodeId;
using ports::Channel;
using ports::SendResult;

class FakeClock final : public ports::Clock {
 public:
  MonoTime now() const override { return {}; }
  UnixMillis wall() const override { return wall_; }
  void advance(std::chrono::seconds by) {
    const auto millis = std::chrono::milliseconds(by).count();
    wall_ = UnixMillis(static_cast<std::uint64_t>(static_cast<std::int64_t>(wall_.value) + millis));
  }

 private:
  UnixMillis wall_{1'800'000'000'000};
};

inline crypto::SigningKey key_of(std::uint8_t number) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = number;
  seed[31] = 0x5a;
  return crypto::SigningKey::from_seed(seed);
}

inline identity::ChainId chain_of(std::uint8_t number) {
  identity::ChainId chain;
  chain.bytes[0] = number;
  return chain;
}

class Recorder final : public ports::TransportListener {
 public:
  struct Message {
    NodeId from;
    Channel channel;
    Bytes payload;
  };
  void on_peer_up(const NodeId& peer) override {
    up.insert(peer);
    ++ups;
    if (when_up) when_up(peer);
  }
  void on_peer_down(const NodeId& peer, const std::string& reason) override {
    up.erase(peer);
    downs.emplace_back(peer, reason);
    if (when_down) when_down();
  }
  void on_message(const NodeId& from, Channel channel, ByteView payload) override {
    ++received;
    received_bytes += payload.size();
    if (keep) messages.push_back({from, channel, to_bytes(payload)});
    if (when_message) when_message(from, channel, payload);
  }

  std::set<NodeId> up;
  std::size_t ups = 0;
  std::vector<std::pair<NodeId, std::string>> downs;
  std::vector<Message> messages;
  std::size_t received = 0;
  std::size_t received_bytes = 0;
  bool keep = true;
  std::function<void(const NodeId&)> when_up;
  std::function<void()> when_down;
  std::function<void(const NodeId&, Channel, ByteView)> when_message;
};

struct Node {
  Node(boost::asio::io_context& loop, std::uint8_t number, TransportConfig config)
      : key(key_of(number)),
        id(identity::node_id_of(key.public_key())),
        transport(std::make_unique<QuicTransport>(loop, std::move(config), key, recorder, clock)) {}

  stoq::Address address() const { return stoq::Address::loopback(transport->local_port()); }
  std::uint64_t count(stoq::Incident incident) const {
    return transport->stats().incidents[incident];
  }

  crypto::SigningKey key;
  NodeId id;
  FakeClock clock;
  Recorder recorder;
  std::unique_ptr<QuicTransport> transport;
};

class Mesh : public ::testing::Test {
 protected:
  // Runs the loop until the claim holds; false after the limit.
  bool run_until(const std::function<bool()>& claim,
                 std::chrono::seconds limit = std::chrono::seconds(20)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!claim()) {
      if (std::chrono::steady_clock::now() > end) return false;
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds(20));
    }
    return true;
  }
  void run_for(std::chrono::milliseconds time) {
    loop.restart();
    loop.run_for(time);
  }

  TransportConfig config(std::uint8_t chain = 1) {
    TransportConfig out;
    out.chain = chain_of(chain);
    out.is_admitted = [this](const NodeId& node) { return admitted.contains(node); };
    return out;
  }

  // A started transport of the node with this number, admitted unless told otherwise.
  std::unique_ptr<Node> start(std::uint8_t number, TransportConfig config) {
    auto node = std::make_unique<Node>(loop, number, std::move(config));
    const auto started = node->transport->start();
    EXPECT_TRUE(started) << (started ? "" : started.error().message);
    return node;
  }
  std::unique_ptr<Node> member(std::uint8_t number) {
    auto node = start(number, config());
    admitted.insert(node->id);
    return node;
  }

  static void introduce(Node& from, std::initializer_list<const Node*> to) {
    std::vector<PeerEntry> peers;
    for (const auto* node : to) peers.push_back({node->id, {node->address()}});
    from.transport->set_peers(std::move(peers));
  }
  bool connected(const Node& a, const Node& b) {
    return a.recorder.up.contains(b.id) && b.recorder.up.contains(a.id);
  }
  bool connect(Node& a, Node& b) {
    introduce(a, {&b});
    introduce(b, {&a});
    return run_until([&] { return connected(a, b); });
  }

  static ports::SharedBytes bytes(std::size_t size, std::uint8_t seed) {
    Bytes out(size);
    for (std::size_t i = 0; i < size; ++i) {
      out[i] = static_cast<std::uint8_t>(seed + i * 31 + (i >> 8));
    }
    return std::make_shared<const Bytes>(std::move(out));
  }

  boost::asio::io_context loop{1};
  std::set<NodeId> admitted;
};

}  // namespace hm::quic::test
