// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "node/storing/limits.h"
#include "node/storing/storing_fixture.h"

namespace hm::storing {
namespace {

// A node that answers by hand.
struct Puppet final : node::NodeObserver {
  explicit Puppet(node::Node& at) : node(at) { node.add_observer(*this); }
  ~Puppet() override { node.remove_observer(*this); }
  Puppet(const Puppet&) = delete;
  Puppet& operator=(const Puppet&) = delete;

  void on_final(const node::FinalEvent& /*event*/) override {}
  void on_storage_message(const identity::NodeId& from, ByteView payload) override {
    auto message = decode_shard_message(payload);
    if (!message || !std::holds_alternative<Query>(*message)) return;
    asking = from;
    queries.push_back(std::get<Query>(std::move(*message)));
  }
  void answer(std::size_t which, Reply reply) {
    (void)node.send_storage_message(asking,
                                    encode(Response{queries[which].number, std::move(reply)}));
  }
  std::uint64_t cost() const {
    std::uint64_t sum = 0;
    for (const Query& query : queries) sum += cost_of(query.request);
    return sum;
  }

  node::Node& node;
  identity::NodeId asking;
  std::vector<Query> queries;
};

class ShardClients : public ::testing::Test {
 protected:
  ShardClients() : mesh(3), client(mesh.node(0)), there(mesh.node(1)) {}

  ShardClient::Question put(std::size_t size, const Heard<void>& heard) {
    const auto shard = std::make_shared<const Bytes>(size, std::uint8_t{5});
    return client.put({mesh.id(1), {}, ShardKind::Data, blake3::hash(*shard), shard}, heard.ear());
  }
  Heard<ShardPart> get(std::uint64_t offset, std::uint64_t count) {
    Heard<ShardPart> heard;
    client.get(mesh.id(1), blake3::hash(kShard), offset, count, heard.ear());
    mesh.world().settle();
    return heard;
  }
  void answer(std::size_t which, Reply reply) {
    there.answer(which, std::move(reply));
    mesh.world().settle();
  }

  const Bytes kShard = Bytes(1'000, 9);
  node::memory::MemoryMesh mesh;
  ShardClient client;
  Puppet there;
};

TEST_F(ShardClients, NoMoreThanTheWindowIsOnItsWay) {
  constexpr std::size_t kSize = 3 << 20;
  std::vector<Heard<void>> heard(6);
  for (const auto& each : heard) put(kSize, each);
  mesh.world().settle();
  EXPECT_EQ(there.queries.size(), 2U);
  EXPECT_EQ(client.waiting_bytes(mesh.id(1)), 6 * kSize);
  answer(1, Done{});
  EXPECT_EQ(there.queries.size(), 3U);
  EXPECT_TRUE(heard[1].is_good());
  EXPECT_EQ(client.waiting_bytes(mesh.id(1)), 5 * kSize);
  for (std::size_t i : {0U, 2U, 3U, 4U, 5U}) answer(i, Done{});
  for (const auto& each : heard) EXPECT_TRUE(each.is_good());
  EXPECT_EQ(client.waiting_bytes(mesh.id(1)), 0U);
  EXPECT_EQ(client.counters().put_bytes, 6 * kSize);
}

TEST_F(ShardClients, SmallQuestionsAreBoundedInNumber) {
  for (std::size_t i = 0; i < 1'000; ++i) {
    client.usage(mesh.id(1), {}, Heard<ports::HolderUsage>().ear());
  }
  mesh.world().settle();
  EXPECT_EQ(there.queries.size(), kWindowBytes / kPlainCost);
}

TEST_F(ShardClients, ReadsOvertakePutsThatWaitAndBothHaveTheirTurn) {
  constexpr std::size_t kSize = 4 << 20;
  std::vector<Heard<void>> puts(5);
  for (const auto& each : puts) put(kSize, each);
  std::vector<Heard<ShardPart>> gets;
  for (int i = 0; i < 4; ++i) gets.push_back(get(0, kSize));
  std::string order;
  for (std::size_t i = 0; i < 9; ++i) {
    const bool is_put = std::holds_alternative<PutShard>(there.queries.at(i).request);
    order += is_put ? 'p' : 'g';
    if (is_put) {
      answer(i, Done{});
    } else {
      answer(i, Refused{});
    }
  }
  EXPECT_EQ(order, "ppgpgpgpg");
}

TEST_F(ShardClients, QuestionsOfOneLaneAreSentInTheirOrder) {
  for (std::size_t i = 1; i <= 20; ++i) put(i << 17, Heard<void>());
  mesh.world().settle();
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(std::get<PutShard>(there.queries.at(i).request).shard->size(), (i + 1) << 17);
    answer(i, Done{});
  }
}

TEST_F(ShardClients, WhoAsksIsAnsweredLaterAlsoByNobody) {
  Heard<void> unknown;
  const auto shard = std::make_shared<const Bytes>(10, std::uint8_t{1});
  client.put({identity::NodeId{}, {}, ShardKind::Data, {}, shard}, unknown.ear());
  Heard<void> empty;
  client.put({mesh.id(1), {}, ShardKind::Data, {}, std::make_shared<const Bytes>()}, empty.ear());
  Heard<void> none;
  client.put({mesh.id(1), {}, ShardKind::Data, {}, nullptr}, none.ear());
  Heard<std::vector<std::optional<ports::ShardState>>> too_many;
  client.has(mesh.id(1), std::vector<ports::ShardRoot>(kMaxRoots + 1), too_many.ear());
  Heard<void> local;
  client.put({mesh.id(0), {}, ShardKind::Data, {}, shard}, local.ear());
  EXPECT_EQ(unknown.times() + empty.times() + none.times() + too_many.times(), 0U);
  EXPECT_FALSE(client.is_reachable(mesh.id(0))) << "it keeps none";
  EXPECT_TRUE(client.is_reachable(mesh.id(1)));
  mesh.world().settle();
  EXPECT_EQ(unknown.code(), ErrorCode::Unavailable);
  EXPECT_EQ(local.code(), ErrorCode::Unavailable);
  EXPECT_EQ(empty.code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(none.code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(too_many.code(), ErrorCode::InvalidArgument);
  EXPECT_TRUE(there.queries.empty());
}

TEST_F(ShardClients, ASilentNodeIsGivenUpWithAllThatWaitsForIt) {
  std::vector<Heard<void>> heard(4);
  for (const auto& each : heard) put(4 << 20, each);
  mesh.run(19'000);
  EXPECT_EQ(heard[0].times(), 0U);
  mesh.run(3'000);
  for (const auto& each : heard) EXPECT_EQ(each.code(), ErrorCode::Unavailable);
  EXPECT_EQ(heard[3].message(), "the node said nothing");
  EXPECT_EQ(client.counters().silent, 4U);
  answer(0, Done{});  // too late
  EXPECT_EQ(heard[0].times(), 1U);
}

TEST_F(ShardClients, AnAnswerBeginsThePatienceAnewButNotForEver) {
  Heard<void> slow;
  put(1'000, slow);
  std::vector<Heard<void>> others(20);
  for (std::size_t i = 0; i < 10; ++i) {
    put(1'000, others[i]);
    mesh.run(11'000);
    answer(i + 1, Done{});
    EXPECT_TRUE(others[i].is_good());
  }
  EXPECT_EQ(slow.times(), 0U);
  for (std::size_t i = 10; i < 12; ++i) {
    put(1'000, others[i]);
    mesh.run(11'000);
    answer(i + 1, Done{});
  }
  EXPECT_EQ(slow.code(), ErrorCode::Unavailable);
}

TEST_F(ShardClients, ALostNodeAnswersEveryQuestionAtOnceAndThoseOfOthersGoOn) {
  std::vector<Heard<void>> heard(4);
  for (const auto& each : heard) put(4 << 20, each);
  Heard<ports::HolderUsage> elsewhere;
  client.usage(mesh.id(2), {}, elsewhere.ear());
  mesh.world().settle();
  mesh.disconnect(0, 1);
  for (const auto& each : heard) EXPECT_EQ(each.code(), ErrorCode::Unavailable);
  EXPECT_EQ(client.waiting_bytes(mesh.id(1)), 0U);
  EXPECT_EQ(elsewhere.times(), 0U);
  EXPECT_EQ(client.counters().lost, 4U);
  mesh.connect(0, 1);
  there.queries.clear();
  Heard<void> again;
  put(10, again);
  mesh.world().settle();
  answer(0, Done{});
  EXPECT_TRUE(again.is_good());
}

TEST_F(ShardClients, ACancelledQuestionIsNotAnsweredAndKeepsItsPlaceOnTheWay) {
  std::vector<Heard<void>> heard(4);
  std::vector<ShardClient::Question> questions;
  for (const auto& each : heard) questions.push_back(put(4 << 20, each));
  mesh.world().settle();
  client.cancel(questions[0]);
  client.cancel(questions[2]);
  mesh.world().settle();
  EXPECT_EQ(there.queries.size(), 2U);
  EXPECT_EQ(client.waiting_bytes(mesh.id(1)), std::uint64_t{3} * (4 << 20));
  answer(0, Done{});
  EXPECT_EQ(there.queries.size(), 3U);
  answer(1, Done{});
  answer(2, Done{});
  EXPECT_TRUE(heard[1].is_good());
  EXPECT_TRUE(heard[3].is_good());
  EXPECT_EQ(heard[0].times() + heard[2].times(), 0U);
  client.cancel(questions[1]);  // long answered
}

TEST_F(ShardClients, ACallbackMayAskAgain) {
  Heard<void> second;
  const auto shard = std::make_shared<const Bytes>(10, std::uint8_t{1});
  const PutOrder made{mesh.id(1), {}, ShardKind::Data, {}, shard};
  client.put(made, [&](const Result<void>&) { client.put(made, second.ear()); });
  mesh.world().settle();
  mesh.disconnect(0, 1);
  EXPECT_EQ(second.code(), ErrorCode::Unavailable);
}

TEST_F(ShardClients, BytesThatDoNotLeadToTheRootAreNotHandedOn) {
  const auto whole = get(0, 1'000);
  Bytes wrong = kShard;
  wrong[999] ^= 1;
  answer(0, ShardPart{1'000, wrong});
  EXPECT_EQ(whole.code(), ErrorCode::Corrupt);
  Heard<ports::ProvenPage> page;
  client.prove(mesh.id(1), blake3::hash(kShard), 0, page.ear());
  mesh.world().settle();
  answer(1, ports::ProvenPage{1'000, wrong, {}});
  EXPECT_EQ(page.code(), ErrorCode::Corrupt);
  EXPECT_EQ(client.counters().corrupt, 2U);
  const auto right = get(0, 1'000);
  answer(2, ShardPart{1'000, kShard});
  EXPECT_TRUE(right.is_good());
}

TEST_F(ShardClients, AnAnswerThatIsNoneToWhatWasAskedIsCorrupt) {
  const std::vector<Reply> none = {Done{}, ShardPart{1'000, Bytes(99)},  // too few
                                   ShardPart{1'000, Bytes(101)},         // too many
                                   ShardPart{100, Bytes(100)},           // begins behind the end
                                   ports::ShardList{}};
  for (std::size_t i = 0; i < none.size(); ++i) {
    const auto heard = get(500, 100);
    answer(i, none[i]);
    EXPECT_EQ(heard.code(), ErrorCode::Corrupt) << i;
  }
  EXPECT_EQ(client.counters().violations, none.size());
  there.queries.clear();
  Heard<std::vector<std::optional<ports::ShardState>>> states;
  client.has(mesh.id(1), std::vector<ports::ShardRoot>(2), states.ear());
  Heard<ports::ShardList> list;
  client.list(mesh.id(1), {}, ShardKind::Data, blake3::hash(kShard), list.ear());
  mesh.world().settle();
  answer(0, ShardStates{std::vector<std::optional<ports::ShardState>>(3)});
  // A list that would never end.
  answer(1, ports::ShardList{{}, blake3::hash(kShard)});
  EXPECT_EQ(states.code(), ErrorCode::Corrupt);
  EXPECT_EQ(list.code(), ErrorCode::Corrupt);
}

TEST_F(ShardClients, OnlyTheNodeThatWasAskedMayAnswer) {
  const auto heard = get(0, 1'000);
  (void)mesh.node(2).send_storage_message(
      mesh.id(0), encode(Response{there.queries[0].number, ShardPart{1'000, kShard}}));
  mesh.world().settle();
  EXPECT_EQ(heard.times(), 0U);
  (void)mesh.node(1).send_storage_message(mesh.id(0), encode(Response{1, Done{}}));
  Bytes malformed = encode(Response{there.queries[0].number, Done{}});
  malformed.push_back(1);
  (void)mesh.node(1).send_storage_message(mesh.id(0), malformed);
  mesh.world().settle();
  EXPECT_EQ(heard.times(), 0U);
  EXPECT_EQ(client.counters().violations, 1U);
  answer(0, ShardPart{1'000, kShard});
  EXPECT_TRUE(heard.is_good());
}

TEST_F(ShardClients, ARefusalIsHandedOn) {
  const auto heard = get(0, 10);
  answer(0, Refused{ErrorCode::NotFound, "it is not here", "look elsewhere"});
  EXPECT_EQ(heard.code(), ErrorCode::NotFound);
  EXPECT_EQ(heard.message(), "it is not here");
}

}  // namespace
}  // namespace hm::storing
