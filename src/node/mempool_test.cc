// SPDX-License-Identifier: Apache-2.0
#include "node/mempool.h"

#include <gtest/gtest.h>

#include <random>

#include "foundation/codec/writer.h"
#include "node/limits.h"

namespace hm::node {
namespace {

identity::OwnerId owner(std::uint8_t n) {
  identity::OwnerId id;
  id.bytes[0] = n;
  return id;
}

CheckedPtr operation(std::uint8_t actor, std::uint64_t sequence, std::uint64_t expiry = 100,
                     std::uint64_t amount = 1) {
  ledger::SignedOperation op;
  op.operation.actor = owner(actor);
  op.operation.sequence = sequence;
  op.operation.expiry_height = expiry;
  op.operation.action = ledger::TransferCaes{owner(99), caesar::Amount(amount)};
  Bytes bytes = codec::encode(op);
  const crypto::Digest hash = crypto::sha256(bytes);
  return std::make_shared<const CheckedOperation>(CheckedOperation{
      std::move(bytes), hash, {ledger::operation_id(op.operation), op.operation, op.key}});
}

// Selected sequences as "actor:sequence" with every actor's next sequence given by `next`.
std::vector<std::pair<int, std::uint64_t>> select(const Mempool& pool,
                                                  std::map<int, std::uint64_t> next = {}) {
  ledger::PayloadBuilder payload;
  std::vector<CheckedPtr> selected;
  pool.select(
      [&](const ledger::Actor& actor) {
        const auto found = next.find(std::get<identity::OwnerId>(actor).bytes[0]);
        return found == next.end() ? 1 : found->second;
      },
      1 << 20, payload, selected);
  std::vector<std::pair<int, std::uint64_t>> result;
  for (const auto& op : selected) {
    const auto& value = op->prepared.operation;
    result.emplace_back(std::get<identity::OwnerId>(value.actor).bytes[0], value.sequence);
  }
  return result;
}

using Selected = std::vector<std::pair<int, std::uint64_t>>;

TEST(Mempool, LaterSequenceWaitsUntilTheGapIsFilled) {
  Mempool pool;
  EXPECT_EQ(pool.insert(operation(1, 2), 1, {}), Mempool::Insert::Added);
  EXPECT_EQ(pool.waiting(), 0u);
  EXPECT_EQ(select(pool), Selected{});
  EXPECT_EQ(pool.insert(operation(1, 1), 1, {}), Mempool::Insert::Added);
  EXPECT_EQ(pool.waiting(), 2u);
}

TEST(Mempool, RefusesRepeatsUsedSequencesAndSequencesTooFarAhead) {
  Mempool pool;
  pool.insert(operation(1, 5), 5, {});
  EXPECT_EQ(pool.insert(operation(1, 5), 5, {}), Mempool::Insert::Present);
  EXPECT_EQ(pool.insert(operation(1, 5, 100, 2), 5, {}), Mempool::Insert::SlotTaken);
  EXPECT_EQ(pool.insert(operation(1, 4), 5, {}), Mempool::Insert::SequenceUsed);
  EXPECT_EQ(pool.insert(operation(1, 5 + kMaxPooledPerActor), 5, {}), Mempool::Insert::TooFarAhead);
}

TEST(Mempool, OperationsHeldByABlockDoNotCountAsWaitingUntilReleased) {
  Mempool pool;
  const auto first = operation(1, 1);
  pool.insert(first, 1, {});
  pool.insert(operation(1, 2), 1, {});
  pool.hold({first});
  EXPECT_EQ(pool.waiting(), 1u);
  EXPECT_EQ(select(pool, {{1, 2}}), (Selected{{1, 2}}));
  pool.release({first});
  EXPECT_EQ(pool.waiting(), 2u);
}

TEST(Mempool, RefusedOperationLeavesLaterSequencesWaitingForAnotherOne) {
  Mempool pool;
  const auto refused = operation(1, 1);
  pool.insert(refused, 1, {});
  pool.insert(operation(1, 2), 1, {});
  pool.remove(*refused);
  pool.advance(owner(1), 1);
  EXPECT_EQ(pool.ready(), 0u) << "sequence 2 cannot go into a block";
  pool.insert(operation(1, 1, 100, 7), 1, {});
  EXPECT_EQ(pool.ready(), 2u);
}

TEST(Mempool, ExpiredOperationsLeave) {
  Mempool pool;
  pool.insert(operation(1, 1, 10), 1, {});
  pool.insert(operation(2, 1, 20), 1, {});
  EXPECT_EQ(pool.remove_expired(9).size(), 0u);
  EXPECT_EQ(pool.remove_expired(10).size(), 1u);
  EXPECT_EQ(pool.size(), 1u);
}

TEST(Mempool, OneActorCannotFillThePool) {
  Mempool pool;
  for (std::uint64_t i = 0; i < kMaxPooledPerActor; ++i) {
    ASSERT_EQ(pool.insert(operation(1, 1 + i), 1, {}), Mempool::Insert::Added);
  }
  EXPECT_FALSE(pool.full());
  EXPECT_EQ(pool.insert(operation(1, 1 + kMaxPooledPerActor), 1, {}), Mempool::Insert::ActorFull)
      << "a client that runs ahead of the chain is busy, not wrong";
  EXPECT_EQ(pool.insert(operation(2, 1), 1, {}), Mempool::Insert::Added);
}

// The counters against a recount from first principles, over random sequences of calls.
TEST(Mempool, CountersAgreeWithARecountAfterRandomCalls) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    Mempool pool;
    std::map<int, std::uint64_t> next;
    std::vector<CheckedPtr> all;
    std::vector<CheckedPtr> held;
    for (int step = 0; step < 120; ++step) {
      const auto actor = static_cast<std::uint8_t>(random() % 3);
      auto& actor_next = next.try_emplace(actor, 1).first->second;
      switch (random() % 5) {
        case 0:
        case 1: {
          const auto op = operation(actor, actor_next + random() % 4, 50 + random() % 100);
          if (pool.insert(op, actor_next, {}) == Mempool::Insert::Added) all.push_back(op);
          break;
        }
        case 2:
          if (!all.empty()) {
            const auto op = all[random() % all.size()];
            if (pool.find(op->bytes_hash)) {
              pool.hold({op});
              held.push_back(op);
            }
          }
          break;
        case 3:
          actor_next += random() % 2;
          pool.advance(owner(actor), actor_next);
          break;
        case 4:
          if (!all.empty()) {
            pool.remove(*all[random() % all.size()]);
            for (const auto& [a, n] : next) pool.advance(owner(static_cast<std::uint8_t>(a)), n);
          }
          break;
      }
      // What left the pool is held no more, even if it comes back.
      std::erase_if(held, [&](const auto& op) { return !pool.find(op->bytes_hash); });
      EXPECT_EQ(select(pool, next).size(), pool.ready()) << "seed " << seed << " step " << step;
      std::size_t held_and_ready = 0;
      ledger::PayloadBuilder payload;
      std::vector<CheckedPtr> selected;
      pool.select(
          [&](const ledger::Actor& a) { return next[std::get<identity::OwnerId>(a).bytes[0]]; },
          1 << 20, payload, selected);
      for (const auto& op : selected) {
        held_and_ready += std::ranges::any_of(
            held, [&](const auto& h) { return h->bytes_hash == op->bytes_hash; });
      }
      EXPECT_EQ(pool.waiting(), pool.ready() - held_and_ready) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace hm::node
