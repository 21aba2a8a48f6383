// SPDX-License-Identifier: Apache-2.0
// What nodes have stored with others, as the ledger holds it: one commitment for each node, whose
// generations follow one another.
#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "core/ledger/row_key.h"
#include "core/ledger/rows.h"
#include "core/ledger/sample_lending.h"

namespace hm::ledger {
namespace {

using sample::key;
using sample::Market;
using sample::node_id;
using sample::owner_id;

crypto::Digest digest(std::uint8_t byte) {
  crypto::Digest made;
  made.bytes.fill(byte);
  return made;
}

class StorageCommitments : public ::testing::Test {
 protected:
  CommitStorage commitment(std::uint64_t generation, std::uint8_t byte = 1) const {
    return {node, generation, digest(byte), digest(static_cast<std::uint8_t>(byte + 100))};
  }
  std::optional<Refusal> by_node(std::uint32_t seed, const CommitStorage& action) {
    const auto refused = m.by_node(seed, action);
    return refused ? std::optional(refused->rule) : std::nullopt;
  }
  std::optional<Refusal> by_owner(std::uint32_t seed, const CommitStorage& action) {
    const auto refused = m.by_owner(seed, action);
    return refused ? std::optional(refused->rule) : std::nullopt;
  }
  std::uint64_t generation() const {
    const StorageCommitment* found = m.ledger().storage_commitment(node);
    return found != nullptr ? found->generation : 0;
  }
  bool restores_with(const std::function<void(Tables&)>& change) const {
    Tables tables = m.ledger().tables();
    change(tables);
    return tables_of(entries_of(tables)).has_value();
  }

  Market m;
  identity::NodeId node = node_id(key(1000));
};

TEST_F(StorageCommitments, ANodeHasNoneUntilItCommitsAndThenTheLastOne) {
  EXPECT_EQ(m.ledger().storage_commitment(node), nullptr);
  ASSERT_EQ(by_node(1000, commitment(1, 1)), std::nullopt);
  ASSERT_EQ(by_node(1000, commitment(2, 2)), std::nullopt);
  const StorageCommitment expected{
      2, digest(2), digest(102), m.ledger().height(), {m.last().bytes}};
  ASSERT_NE(m.ledger().storage_commitment(node), nullptr);
  EXPECT_EQ(*m.ledger().storage_commitment(node), expected);
  EXPECT_EQ(m.ledger().storage_commitment(node_id(key(1001))), nullptr);
  EXPECT_EQ(m.ledger().tables().storage_commitments.size(), 1u);
}

TEST_F(StorageCommitments, TheGenerationIsTheLastOneAndOneMore) {
  EXPECT_EQ(by_node(1000, commitment(0)), Refusal::GenerationNotNext);
  EXPECT_EQ(by_node(1000, commitment(2)), Refusal::GenerationNotNext);
  EXPECT_EQ(generation(), 0u);
  for (std::uint64_t next = 1; next <= 5; ++next) {
    EXPECT_EQ(by_node(1000, commitment(next)), std::nullopt);
    EXPECT_EQ(by_node(1000, commitment(next)), Refusal::GenerationNotNext);
    EXPECT_EQ(by_node(1000, commitment(next - 1)), Refusal::GenerationNotNext);
    EXPECT_EQ(by_node(1000, commitment(next + 2)), Refusal::GenerationNotNext);
    EXPECT_EQ(by_node(1000, commitment(UINT64_MAX)), Refusal::GenerationNotNext);
    EXPECT_EQ(generation(), next);
  }
}

TEST_F(StorageCommitments, ARefusalSaysWhichGenerationIsNext) {
  ASSERT_EQ(by_node(1000, commitment(1)), std::nullopt);
  const auto refused = m.by_node(1000, commitment(7));
  ASSERT_TRUE(refused);
  EXPECT_EQ(*refused, (Refused{Refusal::GenerationNotNext, 7, 2}));
  EXPECT_EQ(explain(*refused), "the storage commitment has generation 7; the node's next is 2");
  EXPECT_EQ(proof_of(refused->rule), proofs::ProofKind::Time);
}

TEST_F(StorageCommitments, TheNodeAndItsOwnerCommitAndNobodyElse) {
  EXPECT_EQ(by_node(1001, commitment(1)), Refusal::NotOnThisNode);
  EXPECT_EQ(by_owner(1, commitment(1)), Refusal::NodeNotOwned);
  EXPECT_EQ(by_owner(0, commitment(1)), std::nullopt);
  EXPECT_EQ(by_node(1000, commitment(2)), std::nullopt);
  CommitStorage unknown = commitment(1);
  unknown.node = node_id(key(77));
  EXPECT_EQ(by_owner(0, unknown), Refusal::UnknownNode);
  EXPECT_EQ(generation(), 2u);
}

TEST_F(StorageCommitments, OfTwoForOneGenerationInABlockTheFirstIsTaken) {
  const auto by_node = m.chain().by_node(1000, commitment(1, 1));
  const auto by_owner = m.chain().by_owner(0, commitment(1, 2));
  const auto outcome = m.block({by_node, by_owner});
  EXPECT_FALSE(outcome.receipts[0].refused);
  EXPECT_EQ(outcome.receipts[1].refused, (Refused{Refusal::GenerationNotNext, 1, 2}));
  EXPECT_EQ(m.ledger().storage_commitment(node)->objects, digest(1));
}

TEST_F(StorageCommitments, TheRecordIsProvenUnderTheStateRootAndComesBackFromTheStore) {
  const Bytes row = row_key(Table::Storage, node);
  const StateProof absent = m.ledger().prove(row);
  EXPECT_TRUE(verify_state(m.ledger().root(), row, std::nullopt, absent.path));
  ASSERT_EQ(by_node(1000, commitment(1)), std::nullopt);
  const StateProof proof = m.ledger().prove(row);
  ASSERT_TRUE(proof.value);
  EXPECT_EQ(*proof.value, codec::encode(*m.ledger().storage_commitment(node)));
  EXPECT_TRUE(verify_state(m.ledger().root(), row, proof.value, proof.path));
  const auto restored = Ledger::restore(m.ledger().export_state(), m.ledger().root());
  ASSERT_TRUE(restored.has_value());
  EXPECT_EQ(restored->tables(), m.ledger().tables());
}

TEST_F(StorageCommitments, AStateWithACommitmentOfNobodyOrOfNoGenerationIsRefused) {
  ASSERT_EQ(by_node(1000, commitment(1)), std::nullopt);
  EXPECT_TRUE(restores_with([](Tables&) {}));
  EXPECT_FALSE(restores_with(
      [](Tables& t) { t.storage_commitments[node_id(key(77))] = {.generation = 1}; }));
  EXPECT_FALSE(restores_with([&](Tables& t) { t.storage_commitments.at(node).generation = 0; }));
}

}  // namespace
}  // namespace hm::ledger
