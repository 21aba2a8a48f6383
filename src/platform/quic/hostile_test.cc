// SPDX-License-Identifier: Apache-2.0
// Floods, noise, slow readers and vanishing peers: bounded, counted, and harmless to the others.
#include <algorithm>
#include <random>
#include <utility>

#include "core/stoq/frame.h"
#include "core/stoq/limits.h"
#include "platform/quic/mesh_fixture.h"
#include "platform/quic/raw_peer.h"

namespace hm::quic::test {
namespace {

using stoq::Incident;

class Hostile : public Mesh {
 protected:
  void SetUp() override {
    a = member(1);
    b = member(2);
    ASSERT_TRUE(connect(*a, *b));
  }
  std::shared_ptr<const Credentials> credentials(std::uint8_t number) {
    const auto key = key_of(number);
    return *Credentials::issue(key, identity::node_id_of(key.public_key()), a->clock.wall(),
                               std::chrono::hours(1));
  }
  bool exchange() {
    const auto before = b->recorder.received;
    if (a->transport->send(b->id, Channel::Consensus, bytes(500, 3)) != SendResult::Queued) {
      return false;
    }
    return run_until([&] { return b->recorder.received > before; });
  }

  std::unique_ptr<Node> a;
  std::unique_ptr<Node> b;
};

TEST_F(Hostile, TenThousandHalfOpenHandshakesAreHarmless) {
  const auto stranger = credentials(77);
  std::size_t most = 0;
  for (int i = 0; i < 10'000; ++i) {
    RawPeer flood(a->address(), stranger);
    flood.write();
    if (i % 50 != 0) continue;
    loop.restart();
    loop.poll();
    most = std::max(most, a->transport->stats().half_open);
    if (i % 1'000 == 0) {
      EXPECT_TRUE(exchange());
    }
  }
  EXPECT_TRUE(exchange());
  EXPECT_LE(most, stoq::kRetryAboveHalfOpen) << "forged addresses cost no state";
  EXPECT_GT(a->count(Incident::RetrySent), 0U);
  EXPECT_TRUE(connected(*a, *b));
  // A member that comes now is let in.
  auto late = member(3);
  EXPECT_TRUE(connect(*late, *a));
}

TEST_F(Hostile, HalfOpenHandshakesFromProvenAddressesAreBoundedAndLeaveRoomForMembers) {
  const auto stranger = credentials(77);
  std::vector<std::unique_ptr<RawPeer>> flood;
  std::size_t most = 0;
  for (int i = 0; i < 600; ++i) {
    auto peer = std::make_unique<RawPeer>(a->address(), stranger);
    peer->write();
    loop.restart();
    loop.poll();
    // The first ones keep the door guarded; the others prove their address and then fall silent.
    if (std::cmp_greater_equal(i, stoq::kRetryAboveHalfOpen)) {
      peer->read();
      peer->write();
      loop.restart();
      loop.poll();
    }
    most = std::max(most, a->transport->stats().half_open);
    flood.push_back(std::move(peer));
  }
  EXPECT_GT(most, stoq::kRetryAboveHalfOpen) << "the flood proved its addresses";
  EXPECT_LE(most, stoq::kMaxHalfOpen);
  EXPECT_GT(a->count(Incident::HandshakeRateLimit) + a->count(Incident::HalfOpenLimit), 0U);
  auto late = member(3);
  introduce(*a, {b.get(), late.get()});
  introduce(*late, {a.get()});
  EXPECT_TRUE(run_until([&] { return connected(*a, *late); }));
  EXPECT_TRUE(exchange());
}

TEST_F(Hostile, RandomBytesAtThePortAreDroppedAndCounted) {
  std::mt19937_64 random(42);
  auto socket = UdpSocket::open(stoq::Address::loopback(0));
  ASSERT_TRUE(socket);
  const auto target = to_sockaddr(a->address());
  for (int i = 0; i < 20'000; ++i) {
    Bytes noise(1 + random() % 1'500);
    std::ranges::generate(noise, [&] { return static_cast<std::uint8_t>(random()); });
    // Half of them pretend to be initial packets of version 1.
    if (i % 2 == 0 && noise.size() > 20) {
      const std::array<std::uint8_t, 6> head = {0xc3, 0, 0, 0, 1, 8};
      std::ranges::copy(head, noise.begin());
    }
    (void)socket->send(target, std::nullopt, noise, noise.size());
    if (i % 100 != 0) continue;
    loop.restart();
    loop.poll();
  }
  EXPECT_TRUE(exchange());
  EXPECT_GT(a->count(Incident::MalformedPacket), 1'000U);
  EXPECT_LE(a->transport->stats().half_open, stoq::kRetryAboveHalfOpen);
  EXPECT_EQ(a->recorder.ups, 1U);
}

TEST_F(Hostile, ASlowReaderFillsItsOwnQueueOnlyAndIsDropped) {
  admitted.insert(identity::node_id_of(key_of(66).public_key()));
  auto quick = config();
  quick.slow_reader_limit = std::chrono::milliseconds(300);
  auto node = start(3, quick);
  admitted.insert(node->id);
  introduce(*b, {a.get(), node.get()});
  ASSERT_TRUE(run_until([&] { return connected(*b, *node); }));
  RawPeer slow(node->address(), credentials(66), kAlpn, RawPeer::Reading::Never);
  ASSERT_TRUE(run_until([&] {
    slow.pump();
    return slow.connected();
  }));
  stoq::StreamHeader header;
  header.chain = chain_of(1);
  slow.send_on_new_stream(header.encode());
  const auto id = identity::node_id_of(key_of(66).public_key());
  ASSERT_TRUE(run_until([&] {
    slow.pump();
    return node->recorder.up.contains(id);
  }));
  std::size_t queued = 0;
  while (node->transport->send(id, Channel::Sync, bytes(1 << 20, 1)) == SendResult::Queued) {
    ++queued;
    ASSERT_LE(queued << 20, stoq::kMaxQueue[2]);
  }
  EXPECT_EQ(node->transport->send(id, Channel::Sync, bytes(1 << 20, 1)), SendResult::QueueFull);
  EXPECT_GT(node->count(Incident::QueueFull), 0U);
  EXPECT_EQ(node->transport->send(id, Channel::Consensus, bytes(100, 1)), SendResult::Queued)
      << "each channel has its own queue";
  EXPECT_TRUE(run_until([&] {
    slow.pump();
    return !node->recorder.up.contains(id);
  }));
  EXPECT_EQ(node->count(Incident::SlowReader), 1U);
  EXPECT_TRUE(node->recorder.up.contains(b->id)) << "others are not affected";
}

TEST_F(Hostile, APeerThatVanishesIsNoticedWhileThereIsTraffic) {
  const auto id = identity::node_id_of(key_of(66).public_key());
  admitted.insert(id);
  RawPeer peer(a->address(), credentials(66));
  ASSERT_TRUE(run_until([&] {
    peer.pump();
    return peer.connected();
  }));
  stoq::StreamHeader header;
  header.chain = chain_of(1);
  peer.send_on_new_stream(header.encode());
  ASSERT_TRUE(run_until([&] {
    peer.pump();
    return a->recorder.up.contains(id);
  }));
  peer.vanish();
  EXPECT_EQ(a->transport->send(id, Channel::Consensus, bytes(100, 1)), SendResult::Queued);
  EXPECT_TRUE(run_until([&] { return !a->recorder.up.contains(id); }));
  EXPECT_EQ(a->count(Incident::PeerUnreachable) + a->count(Incident::PeerSilent), 1U);
}

// The peer's packets are GnuTLS's, ours may be those of another library.
TEST_F(Hostile, APeerMayChangeItsKeysAgainAndAgain) {
  const auto id = identity::node_id_of(key_of(66).public_key());
  admitted.insert(id);
  RawPeer peer(a->address(), credentials(66));
  ASSERT_TRUE(run_until([&] {
    peer.pump();
    return peer.connected();
  }));
  stoq::StreamHeader header;
  header.chain = chain_of(1);
  peer.send_on_new_stream(header.encode());
  ASSERT_TRUE(run_until([&] {
    peer.pump();
    return a->recorder.up.contains(id);
  }));
  for (int change = 0; change < 3; ++change) {
    ASSERT_TRUE(run_until([&] {
      peer.pump();
      return peer.change_keys();
    })) << change;
    const auto before = peer.received();
    ASSERT_EQ(a->transport->send(id, Channel::Sync, bytes(1 << 20, 1)), SendResult::Queued);
    ASSERT_TRUE(run_until([&] {
      peer.pump();
      return peer.received() >= before + (1 << 20);
    })) << change;
  }
  EXPECT_TRUE(a->recorder.up.contains(id));
}

TEST_F(Hostile, APeerThatRestartsIsBackAtOnceAndTheOldConnectionIsReplaced) {
  const auto address = b->address();
  auto again = config();
  again.bind = address;
  // Killed: no word of farewell. The loop does not run in between, so nothing is sent.
  b.reset();
  loop.restart();
  loop.poll();
  b = start(2, again);
  introduce(*b, {a.get()});
  EXPECT_TRUE(run_until([&] { return a->recorder.ups == 2 && connected(*a, *b); }));
  EXPECT_TRUE(exchange());
}

TEST_F(Hostile, ACleanStopIsHeardAtOnceWithItsReason) {
  b->transport->stop();
  EXPECT_TRUE(run_until([&] { return a->recorder.up.empty(); }));
  ASSERT_EQ(a->recorder.downs.size(), 1U);
  EXPECT_EQ(a->recorder.downs[0].second, "closed_by_peer: stopped");
}

TEST_F(Hostile, StoppingInsideAMessageIsSafe) {
  b->recorder.when_message = [this](const NodeId&, Channel, ByteView) { b->transport->stop(); };
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(a->transport->send(b->id, Channel::Gossip, bytes(10, 1)), SendResult::Queued);
  }
  EXPECT_TRUE(run_until([&] { return a->recorder.up.empty(); }));
  EXPECT_EQ(b->recorder.received, 1U) << "after stop() the listener hears nothing";
}

TEST_F(Hostile, ACertificateIsRenewedWhileConnectionsLive) {
  const auto before = b->transport->peer_status();
  ASSERT_EQ(before.size(), 1U);
  // A day passes: the certificate of the live connection is long expired.
  for (auto* node : {a.get(), b.get()}) {
    node->clock.advance(std::chrono::hours(48));
    ASSERT_TRUE(node->transport->renew_certificate());
  }
  EXPECT_TRUE(exchange());
  EXPECT_EQ(a->recorder.ups, 1U) << "the live connection stays";
  EXPECT_EQ(b->transport->peer_status()[0].certificate, before[0].certificate);
  // The next handshake shows the new one.
  auto late = member(3);
  late->clock.advance(std::chrono::hours(48));
  ASSERT_TRUE(late->transport->renew_certificate());
  ASSERT_TRUE(connect(*late, *a));
  EXPECT_NE(late->transport->peer_status()[0].certificate, before[0].certificate);
}

}  // namespace
}  // namespace hm::quic::test
