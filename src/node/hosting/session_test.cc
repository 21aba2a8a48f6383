// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "foundation/codec/writer.h"
#include "node/hosting/session_mux.h"
#include "node/memory_mesh.h"

namespace hm::hosting {
namespace {

struct Ear final : StreamListener {
  std::size_t bytes = 0;
  std::optional<Outcome> outcome;
  void on_data(Lane /*lane*/, ByteView data) override { bytes += data.size(); }
  void on_closed(const Outcome& closed) override { outcome = closed; }
};

class Sessions : public ::testing::Test {
 protected:
  Sessions() : mesh(2), here(mesh.node(0)), there(mesh.node(1)) {
    there.set_acceptor([this](Request, std::shared_ptr<Stream> stream) {
      auto ear = std::make_shared<Ear>();
      stream->set_listener(ear);
      ears.push_back(ear);
      accepted.push_back(std::move(stream));
    });
  }
  std::shared_ptr<Stream> open(const std::shared_ptr<Ear>& ear, Request request = ListRuns{}) {
    auto stream = here.open(mesh.id(1), std::move(request), ear);
    mesh.world().settle();
    return stream;
  }
  // As node 0 would say it, whatever its own rules are.
  void say(const SessionMessage& message) {
    (void)mesh.node(0).send_container_message(mesh.id(1), encode(message));
    mesh.world().settle();
  }

  node::memory::MemoryMesh mesh;
  SessionMux here;
  SessionMux there;
  std::vector<std::shared_ptr<Ear>> ears;
  std::vector<std::shared_ptr<Stream>> accepted;
};

TEST_F(Sessions, EachSideHearsTheEndOnceAndNothingAfter) {
  const auto ear = std::make_shared<Ear>();
  const auto stream = open(ear);
  ASSERT_EQ(accepted.size(), 1U);
  accepted[0]->close(RunExit{.code = 4});
  mesh.world().settle();
  ASSERT_TRUE(ear->outcome);
  EXPECT_EQ(std::get<RunExit>(*ear->outcome).code, 4);
  EXPECT_FALSE(stream->is_open());
  accepted[0]->send(Lane::Main, as_bytes("late"));
  mesh.world().settle();
  EXPECT_EQ(ear->bytes, 0U);
}

TEST_F(Sessions, ADroppedStreamIsAnAbandonedOne) {
  auto stream = open(std::make_shared<Ear>());
  stream.reset();
  mesh.world().settle();
  EXPECT_TRUE(ears[0]->outcome);
  EXPECT_FALSE(accepted[0]->is_open());
}

TEST_F(Sessions, MoreThanTheWindowEndsTheStream) {
  const auto ear = std::make_shared<Ear>();
  const auto stream = open(ear);
  const StreamRef ref{Side::Opener, 1};
  for (std::size_t sent = 0; sent < kWindow; sent += kMaxPiece) {
    say(Data{ref, Lane::Main, Bytes(kMaxPiece, 1)});
  }
  EXPECT_FALSE(ears[0]->outcome);
  say(Data{ref, Lane::Main, Bytes(1, 1)});
  ASSERT_TRUE(ears[0]->outcome);
  EXPECT_TRUE(ear->outcome) << "and the peer is told";
  EXPECT_EQ(there.counters().violations, 1U);
}

TEST_F(Sessions, CreditForWhatWasNeverSentEndsTheStream) {
  (void)open(std::make_shared<Ear>());
  const auto stream = open(std::make_shared<Ear>());
  say(Credit{{Side::Opener, 2}, 1});
  EXPECT_TRUE(ears[1]->outcome);
}

TEST_F(Sessions, ANumberThatWasUsedOpensNothing) {
  const auto stream = open(std::make_shared<Ear>());
  say(Open{1, ListRuns{}});
  EXPECT_EQ(accepted.size(), 1U);
  EXPECT_EQ(there.counters().violations, 1U);
}

TEST_F(Sessions, StreamsAreBoundedInNumber) {
  std::vector<std::shared_ptr<Stream>> streams;
  for (std::size_t i = 0; i < kMaxStreams; ++i) {
    streams.push_back(open(std::make_shared<Ear>()));
    ASSERT_TRUE(streams.back());
  }
  EXPECT_EQ(open(std::make_shared<Ear>()), nullptr) << "this side keeps to it";
  say(Open{1'000, ListRuns{}});
  EXPECT_EQ(accepted.size(), kMaxStreams) << "and the other one insists";
  EXPECT_EQ(there.counters().refused, 1U);
}

TEST_F(Sessions, WhatDoesNotDecodeIsCountedAndLeavesTheRestAlone) {
  const auto stream = open(std::make_shared<Ear>());
  (void)mesh.node(0).send_container_message(mesh.id(1), Bytes(3, 0xff));
  (void)mesh.node(0).send_container_message(mesh.id(1), Bytes(kMaxMessage + 1, 0));
  Bytes trailing = encode(Abandon{1});
  trailing.push_back(0);
  (void)mesh.node(0).send_container_message(mesh.id(1), trailing);
  mesh.world().settle();
  EXPECT_EQ(there.counters().malformed, 3U);
  EXPECT_TRUE(stream->is_open());
}

TEST_F(Sessions, ALostPeerEndsEveryStreamOnBothSides) {
  const auto ear = std::make_shared<Ear>();
  const auto stream = open(ear);
  mesh.disconnect(0, 1);
  ASSERT_TRUE(ear->outcome);
  EXPECT_EQ(std::get<Failure>(*ear->outcome).code, ErrorCode::Unavailable);
  EXPECT_TRUE(ears[0]->outcome);
  mesh.connect(0, 1);
  EXPECT_TRUE(open(std::make_shared<Ear>()));
}

TEST(SessionMessages, ARequestOutOfItsRangeIsRefused) {
  const auto refused = [](Request request) {
    const auto decoded = decode_session_message(encode(Open{1, std::move(request)}));
    return !decoded && decoded.error() == SessionError::BadRequest;
  };
  containers::RunSpec unlimited;
  unlimited.limits.memory_bytes = 0;
  EXPECT_TRUE(refused(StartRun{.spec = unlimited}));
  EXPECT_TRUE(refused(StartRun{.leases = std::vector<ledger::LeaseId>(kMaxRunLeases + 1)}));
  EXPECT_TRUE(refused(CopyFiles{.path = "relative"}));
  EXPECT_TRUE(refused(CopyFiles{.path = std::string("/a\0b", 4)}));
  EXPECT_TRUE(refused(ConnectPort{.port = 0}));
  EXPECT_TRUE(refused(SignalRun{.number = 65}));
  EXPECT_TRUE(refused(StopRun{.grace_ms = kMaxStopGraceMillis + 1}));
  EXPECT_TRUE(refused(ReadLogs{.tail = kMaxLogTail + 1}));
  EXPECT_FALSE(refused(ReadLogs{.tail = 10}));
}

}  // namespace
}  // namespace hm::hosting
