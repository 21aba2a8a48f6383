// SPDX-License-Identifier: Apache-2.0
// Whom and what the transport refuses: by name, counted, and without harm to the others.
#include <algorithm>

#include "core/stoq/frame.h"
#include "core/stoq/limits.h"
#include "foundation/crypto/certificate.h"
#include "platform/quic/mesh_fixture.h"
#include "platform/quic/raw_peer.h"

namespace hm::quic::test {
namespace {

using stoq::Incident;

class Refusal : public Mesh {
 protected:
  void SetUp() override {
    node = member(1);
    friend_node = member(2);
    ASSERT_TRUE(connect(*node, *friend_node));
  }
  // The two members still understand each other.
  void TearDown() override {
    const auto before = friend_node->recorder.received;
    EXPECT_TRUE(connected(*node, *friend_node)) << "a refusal hurt a third party";
    EXPECT_EQ(friend_node->recorder.ups, 1U);
    EXPECT_EQ(node->transport->send(friend_node->id, Channel::Gossip, bytes(100, 1)),
              SendResult::Queued);
    EXPECT_TRUE(run_until([&] { return friend_node->recorder.received > before; }));
  }

  std::shared_ptr<const Credentials> credentials(std::uint8_t number) {
    const auto key = key_of(number);
    return *Credentials::issue(key, identity::node_id_of(key.public_key()), node->clock.wall(),
                               std::chrono::hours(1));
  }
  bool pump_until(RawPeer& peer, const std::function<bool()>& claim) {
    return run_until([&] {
      peer.pump();
      return claim();
    });
  }
  std::unique_ptr<RawPeer> hostile_member(RawPeer::Reading reading = RawPeer::Reading::Polite) {
    admitted.insert(identity::node_id_of(key_of(66).public_key()));
    auto peer = std::make_unique<RawPeer>(node->address(), credentials(66), kAlpn, reading);
    EXPECT_TRUE(pump_until(*peer, [&] { return peer->connected(); }));
    return peer;
  }
  Bytes header(std::uint8_t channel) {
    stoq::StreamHeader out;
    out.channel = channel;
    out.chain = chain_of(1);
    out.incarnation = 99;
    const auto encoded = out.encode();
    return {encoded.begin(), encoded.end()};
  }
  void expect_refused(RawPeer& peer, Incident incident) {
    EXPECT_TRUE(pump_until(peer, [&] { return peer.closed(); }));
    EXPECT_EQ(peer.close_reason(), name_of(incident));
    EXPECT_EQ(node->count(incident), 1U);
  }

  std::unique_ptr<Node> node;
  std::unique_ptr<Node> friend_node;
};

TEST_F(Refusal, AStrangerIsRefusedInTheHandshake) {
  RawPeer stranger(node->address(), credentials(77));
  expect_refused(stranger, Incident::RefusedUnknownPeer);
}

TEST_F(Refusal, AnotherProtocolIsRefusedInTheHandshake) {
  RawPeer peer(node->address(), credentials(2), "h3");
  EXPECT_TRUE(pump_until(peer, [&] { return peer.closed(); }));
  EXPECT_EQ(node->count(Incident::RefusedWrongAlpn), 1U);
}

TEST_F(Refusal, AnExpiredCertificateIsRefusedInTheHandshake) {
  auto old = credentials(2);
  node->clock.advance(std::chrono::hours(1) + stoq::kClockSkew + std::chrono::seconds(1));
  RawPeer peer(node->address(), old);
  expect_refused(peer, Incident::RefusedCertificateExpired);
}

TEST_F(Refusal, ACertificateIsAcceptedWithinTheAllowedDifferenceOfClocks) {
  admitted.insert(identity::node_id_of(key_of(66).public_key()));
  auto old = credentials(66);
  node->clock.advance(std::chrono::hours(1) + stoq::kClockSkew - std::chrono::seconds(2));
  RawPeer peer(node->address(), old);
  EXPECT_TRUE(pump_until(peer, [&] { return peer.connected() && peer.received() > 0; }));
}

TEST_F(Refusal, ACertificateOfTheFutureIsRefusedInTheHandshake) {
  auto future = credentials(2);
  node->clock.advance(-std::chrono::hours(1));
  RawPeer peer(node->address(), future);
  expect_refused(peer, Incident::RefusedCertificateNotYetValid);
}

TEST_F(Refusal, ACertificateSignedByAnotherKeyIsRefused) {
  // Member 2's name and an own key: the name does not follow from the key.
  const auto key = key_of(77);
  crypto::CertificateSpec spec;
  spec.common_name = friend_node->id.to_string();
  spec.subject_key = key.public_key();
  spec.not_before = node->clock.wall();
  spec.not_after = UnixMillis(spec.not_before.value + 3'600'000);
  const auto der = crypto::issue_certificate(spec, key, spec.common_name);
  RawPeer peer(node->address(), *Credentials::from_der(key, der));
  expect_refused(peer, Incident::RefusedCertificate);
}

TEST_F(Refusal, ACertificateIssuedByAForeignAuthorityIsRefused) {
  const auto key = key_of(2);
  crypto::CertificateSpec spec;
  spec.common_name = friend_node->id.to_string();
  spec.subject_key = key.public_key();
  spec.not_before = node->clock.wall();
  spec.not_after = UnixMillis(spec.not_before.value + 3'600'000);
  const auto der = crypto::issue_certificate(spec, key_of(78), spec.common_name);
  RawPeer peer(node->address(), *Credentials::from_der(key, der));
  expect_refused(peer, Incident::RefusedCertificate);
}

TEST_F(Refusal, ANodeOfAnotherChainIsRefused) {
  auto foreign = start(3, config(2));
  admitted.insert(foreign->id);
  introduce(*foreign, {node.get()});
  EXPECT_TRUE(run_until([&] { return node->count(Incident::RefusedWrongChain) > 0; }));
  EXPECT_TRUE(foreign->recorder.up.empty());
  EXPECT_FALSE(node->recorder.up.contains(foreign->id));
}

TEST_F(Refusal, APeerThatIsNotTheOneDialledIsRefused) {
  auto other = member(3);
  // Node 3 believes that node 2 lives at the address of node 1.
  other->transport->set_peers({{friend_node->id, {node->address()}}});
  EXPECT_TRUE(run_until([&] { return other->count(Incident::RefusedUnexpectedPeer) > 0; }));
  EXPECT_TRUE(other->recorder.up.empty());
}

TEST_F(Refusal, AnotherQuicVersionIsAnsweredWithTheOneSpoken) {
  RawPeer peer(node->address(), credentials(2), kAlpn, RawPeer::Reading::Polite, 0x1a2a3a4a);
  EXPECT_TRUE(pump_until(peer, [&] { return peer.closed(); }));
  EXPECT_EQ(node->count(Incident::RefusedVersion), 1U);
}

TEST_F(Refusal, AnOversizedFrameEndsTheConnectionBeforeItsBytesAreHeld) {
  auto peer = hostile_member();
  auto bytes = header(1);
  const auto prefix = stoq::frame_prefix(stoq::kMaxFrame[1] + 1);
  bytes.insert(bytes.end(), prefix.begin(), prefix.end());
  peer->send_on_new_stream(bytes);
  expect_refused(*peer, Incident::OversizedFrame);
}

TEST_F(Refusal, AnEmptyFrameIsMalformed) {
  auto peer = hostile_member();
  auto bytes = header(0);
  bytes.resize(bytes.size() + stoq::kFramePrefix);
  peer->send_on_new_stream(bytes);
  expect_refused(*peer, Incident::MalformedFrame);
}

TEST_F(Refusal, AStreamWithoutTheMagicIsMalformed) {
  auto peer = hostile_member();
  peer->send_on_new_stream(Bytes(200, 0x41));
  expect_refused(*peer, Incident::MalformedFrame);
}

TEST_F(Refusal, AStreamThatEndsIsMalformed) {
  auto peer = hostile_member();
  auto bytes = header(0);
  const auto prefix = stoq::frame_prefix(10);
  bytes.insert(bytes.end(), prefix.begin(), prefix.end());
  peer->send_on_new_stream(bytes, RawPeer::Finish::Yes);
  expect_refused(*peer, Incident::MalformedFrame);
}

TEST_F(Refusal, ASecondStreamForAChannelIsRefused) {
  auto peer = hostile_member();
  peer->send_on_new_stream(header(0));
  peer->send_on_new_stream(header(0));
  expect_refused(*peer, Incident::UnexpectedStream);
}

TEST_F(Refusal, AnUnknownChannelIsRefused) {
  auto peer = hostile_member();
  peer->send_on_new_stream(header(stoq::kChannels));
  expect_refused(*peer, Incident::UnexpectedStream);
}

TEST_F(Refusal, AMemberThatTheLedgerDropsIsDisconnectedAndNotLetInAgain) {
  auto other = member(3);
  ASSERT_TRUE(connect(*node, *other));
  // Node 1 forgets its friend here, which is not what this test is about.
  introduce(*node, {other.get(), friend_node.get()});
  admitted.erase(other->id);
  node->transport->refresh_admission();
  EXPECT_TRUE(run_until([&] { return other->recorder.up.empty(); }));
  EXPECT_EQ(node->count(Incident::NoLongerAdmitted), 1U);
  ASSERT_EQ(node->recorder.downs.size(), 1U);
  EXPECT_EQ(node->recorder.downs[0].second, "no_longer_admitted");
  introduce(*other, {node.get()});
  EXPECT_TRUE(run_until([&] { return node->count(Incident::RefusedUnknownPeer) > 0; }));
}

TEST_F(Refusal, IPv4MappedAddressesAreRefusedForListeningAndDialling) {
  stoq::Address mapped;
  mapped.ip[10] = mapped.ip[11] = 0xff;
  mapped.ip[12] = 127;
  mapped.ip[15] = 1;
  auto listening = config();
  listening.bind = mapped;
  Node refused(loop, 9, listening);
  const auto started = refused.transport->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::InvalidArgument);
  auto other = member(3);
  other->transport->set_peers({{node->id, {mapped}}});
  EXPECT_EQ(other->count(Incident::RefusedAddress), 1U);
}

TEST_F(Refusal, APortInUseIsNamed) {
  auto taken = config();
  taken.bind = node->address();
  Node second(loop, 9, taken);
  const auto started = second.transport->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::AlreadyExists);
}

}  // namespace
}  // namespace hm::quic::test
