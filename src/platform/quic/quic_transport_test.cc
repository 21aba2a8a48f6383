// SPDX-License-Identifier: Apache-2.0
#include "platform/quic/quic_transport.h"

#include "platform/quic/mesh_fixture.h"

namespace hm::quic::test {
namespace {

using stoq::Incident;

class Transport : public Mesh {};

TEST_F(Transport, TwoNodesExchangeMessagesOfAllSizesOnAllChannelsInOrder) {
  auto a = member(1);
  auto b = member(2);
  ASSERT_TRUE(connect(*a, *b));
  std::size_t sent = 0;
  for (const std::size_t size : {1U, 2U, 63U, 1199U, 1200U, 1452U, 16'384U, 65'535U, 1U << 20}) {
    for (const auto channel : {Channel::Consensus, Channel::Gossip, Channel::Sync}) {
      ASSERT_EQ(a->transport->send(b->id, channel, bytes(size, 7)), SendResult::Queued);
      ASSERT_EQ(b->transport->send(a->id, channel, bytes(size, 9)), SendResult::Queued);
      ++sent;
    }
  }
  ASSERT_TRUE(
      run_until([&] { return a->recorder.received == sent && b->recorder.received == sent; }));
  for (const auto* node : {a.get(), b.get()}) {
    std::map<Channel, std::size_t> last;
    for (const auto& message : node->recorder.messages) {
      const auto seed = node == a.get() ? std::uint8_t{9} : std::uint8_t{7};
      EXPECT_EQ(message.payload, *bytes(message.payload.size(), seed));
      EXPECT_GT(message.payload.size(), last[message.channel]) << "out of order";
      last[message.channel] = message.payload.size();
    }
  }
  EXPECT_EQ(a->recorder.ups, 1U) << "one connection per pair, without flapping";
  EXPECT_EQ(b->recorder.ups, 1U);
}

TEST_F(Transport, FourNodesThatAllDialAtOnceEndWithOneConnectionPerPair) {
  std::vector<std::unique_ptr<Node>> nodes;
  for (std::uint8_t i = 1; i <= 4; ++i) nodes.push_back(member(i));
  for (auto& node : nodes) {
    std::vector<PeerEntry> peers;
    for (auto& other : nodes) peers.push_back({other->id, {other->address()}});
    node->transport->set_peers(std::move(peers));
  }
  ASSERT_TRUE(run_until([&] {
    for (auto& node : nodes) {
      if (node->recorder.up.size() != 3) return false;
    }
    return true;
  }));
  for (auto& node : nodes) {
    for (auto& other : nodes) {
      if (node == other) continue;
      EXPECT_EQ(node->transport->send(other->id, Channel::Consensus, bytes(5'000, 1)),
                SendResult::Queued);
    }
  }
  EXPECT_TRUE(run_until([&] {
    for (auto& node : nodes) {
      if (node->recorder.received != 3) return false;
    }
    return true;
  }));
}

TEST_F(Transport, MessagesSentAsSoonAsAPeerIsUpAndAnsweredAtOnceArrive) {
  // Many times, because what comes with the end of the handshake depends on the scheduling.
  for (std::uint8_t round = 0; round < 20; ++round) {
    auto a = member(1);
    auto b = member(2);
    for (auto* node : {a.get(), b.get()}) {
      node->recorder.when_up = [node](const NodeId& peer) {
        EXPECT_EQ(node->transport->send(peer, Channel::Consensus, bytes(2'000, 1)),
                  SendResult::Queued);
      };
      node->recorder.when_message = [node](const NodeId& peer, Channel channel, ByteView) {
        if (channel != Channel::Consensus) return;
        EXPECT_EQ(node->transport->send(peer, Channel::Gossip, bytes(10, 2)), SendResult::Queued);
      };
    }
    introduce(*a, {b.get()});
    introduce(*b, {a.get()});
    ASSERT_TRUE(run_until([&] { return a->recorder.received >= 2 && b->recorder.received >= 2; }))
        << "round " << int{round};
  }
}

TEST_F(Transport, AThousandMessagesInOneTurnArriveInOrder) {
  auto a = member(1);
  auto b = member(2);
  ASSERT_TRUE(connect(*a, *b));
  for (std::size_t i = 1; i <= 1'000; ++i) {
    ASSERT_EQ(a->transport->send(b->id, Channel::Consensus, bytes(i, 0)), SendResult::Queued);
  }
  ASSERT_TRUE(run_until([&] { return b->recorder.received == 1'000; }));
  for (std::size_t i = 0; i < 1'000; ++i) {
    ASSERT_EQ(b->recorder.messages[i].payload.size(), i + 1);
  }
  // They shared packets and system calls.
  EXPECT_LT(a->transport->stats().send_calls, 500U);
}

TEST_F(Transport, ALongTransferDoesNotDelayAVote) {
  auto a = member(1);
  auto b = member(2);
  ASSERT_TRUE(connect(*a, *b));
  std::size_t synced_before_vote = 0;
  bool voted = false;
  b->recorder.keep = false;
  b->recorder.when_message = [&](const NodeId&, Channel channel, ByteView) {
    if (channel == Channel::Consensus) voted = true;
    if (channel == Channel::Sync && !voted) ++synced_before_vote;
  };
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(a->transport->send(b->id, Channel::Sync, bytes(1 << 20, 1)), SendResult::Queued);
  }
  ASSERT_EQ(a->transport->send(b->id, Channel::Consensus, bytes(300, 2)), SendResult::Queued);
  ASSERT_TRUE(run_until([&] { return b->recorder.received == 31; }));
  EXPECT_LT(synced_before_vote, 3U);
}

}  // namespace
}  // namespace hm::quic::test
