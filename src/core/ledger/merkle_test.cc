// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/merkle.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <random>

namespace hm::ledger {
namespace {

using Entries = std::map<std::uint16_t, std::uint8_t>;

Bytes key_bytes(std::uint16_t key) {
  return {static_cast<std::uint8_t>(key >> 8), static_cast<std::uint8_t>(key)};
}
Bytes value_bytes(std::uint8_t value) { return {value, 0xaa}; }

MerkleUpdate put(std::uint16_t key, std::uint8_t value) {
  return {crypto::sha256(key_bytes(key)), crypto::sha256(value_bytes(value))};
}
MerkleUpdate remove(std::uint16_t key) { return {crypto::sha256(key_bytes(key)), std::nullopt}; }

MerkleTree tree_of(const Entries& entries) {
  std::vector<MerkleUpdate> updates;
  for (const auto& [key, value] : entries) updates.push_back(put(key, value));
  MerkleTree tree;
  tree.update(std::move(updates));
  return tree;
}

TEST(Merkle, EmptyTreeHasTheZeroRootAndProvesAbsence) {
  const MerkleTree tree;
  EXPECT_TRUE(tree.root().is_zero());
  const auto proof = tree.prove(crypto::sha256(key_bytes(1)));
  EXPECT_TRUE(verify_state(tree.root(), key_bytes(1), std::nullopt, proof));
  EXPECT_FALSE(verify_state(tree.root(), key_bytes(1), value_bytes(1), proof));
}

TEST(Merkle, RootDependsOnTheEntriesAndNotOnTheirHistory) {
  EXPECT_TRUE(rc::check("any history to the same entries",
                        [](const Entries& entries, const Entries& noise, std::uint32_t seed) {
                          std::vector<MerkleUpdate> puts;
                          for (const auto& [key, value] : entries) puts.push_back(put(key, value));
                          std::mt19937 random(seed);
                          std::ranges::shuffle(puts, random);
                          MerkleTree tree;
                          // Noise goes in first, is overwritten or removed, and the rest comes one
                          // by one.
                          for (const auto& [key, value] : noise) tree.update({put(key, value)});
                          for (const MerkleUpdate& update : puts) tree.update({update});
                          for (const auto& [key, value] : noise) {
                            if (!entries.contains(key)) tree.update({remove(key)});
                          }
                          RC_ASSERT(tree.root() == tree_of(entries).root());
                          RC_ASSERT(tree.size() == entries.size());
                        }));
}

TEST(Merkle, BatchesAndSingleUpdatesAgree) {
  EXPECT_TRUE(rc::check("batches of puts and removals", [](const std::vector<Entries>& batches) {
    MerkleTree together;
    MerkleTree apart;
    for (const Entries& batch : batches) {
      std::vector<MerkleUpdate> updates;
      for (const auto& [key, value] : batch) {
        updates.push_back(value % 3 == 0 ? remove(key) : put(key, value));
        apart.update({updates.back()});
      }
      std::ranges::reverse(updates);
      together.update(std::move(updates));
      RC_ASSERT(together.root() == apart.root());
      RC_ASSERT(together.size() == apart.size());
    }
  }));
}

TEST(Merkle, DifferentEntriesHaveDifferentRoots) {
  EXPECT_TRUE(rc::check("one changed entry changes the root",
                        [](Entries entries, std::uint16_t key, std::uint8_t value) {
                          const auto before = tree_of(entries).root();
                          const auto found = entries.find(key);
                          RC_PRE(found == entries.end() || found->second != value);
                          entries[key] = value;
                          RC_ASSERT(tree_of(entries).root() != before);
                        }));
}

TEST(Merkle, ProvesPresenceAndAbsenceAndNothingElse) {
  EXPECT_TRUE(
      rc::check("proofs", [](const Entries& entries, std::uint16_t key, std::uint8_t value) {
        const MerkleTree tree = tree_of(entries);
        const auto proof = tree.prove(crypto::sha256(key_bytes(key)));
        const auto found = entries.find(key);
        std::optional<Bytes> truth;
        if (found != entries.end()) truth = value_bytes(found->second);
        RC_ASSERT(verify_state(tree.root(), key_bytes(key), truth, proof));
        const std::optional<Bytes> other = value_bytes(value);
        RC_ASSERT(verify_state(tree.root(), key_bytes(key), other, proof) == (other == truth));
        if (truth) RC_ASSERT(!verify_state(tree.root(), key_bytes(key), std::nullopt, proof));
      }));
}

TEST(Merkle, AProofAlteredAnywhereFails) {
  Entries entries;
  for (std::uint16_t i = 0; i < 64; ++i) entries[i] = static_cast<std::uint8_t>(i);
  const MerkleTree tree = tree_of(entries);
  const auto root = tree.root();
  const auto proof = tree.prove(crypto::sha256(key_bytes(7)));
  ASSERT_TRUE(verify_state(root, key_bytes(7), value_bytes(7), proof));
  for (std::size_t i = 0; i < proof.siblings.size(); ++i) {
    auto bad = proof;
    bad.siblings[i].bytes[31] ^= 1;
    EXPECT_FALSE(verify_state(root, key_bytes(7), value_bytes(7), bad));
    bad = proof;
    bad.siblings.erase(bad.siblings.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(verify_state(root, key_bytes(7), value_bytes(7), bad));
  }
  // Another key's place does not show that this one is absent.
  const auto foreign = tree.prove(crypto::sha256(key_bytes(8)));
  EXPECT_FALSE(verify_state(root, key_bytes(7), std::nullopt, foreign));
  auto endless = proof;
  endless.siblings.resize(257);
  EXPECT_FALSE(verify_state(root, key_bytes(7), value_bytes(7), endless));
}

TEST(Merkle, AnInteriorNodeCannotPoseAsALeaf) {
  const MerkleTree tree = tree_of({{1, 1}, {2, 2}});
  // Cutting the path short and offering the two children as a leaf's halves must not verify.
  auto proof = tree.prove(crypto::sha256(key_bytes(1)));
  while (!proof.siblings.empty()) proof.siblings.pop_back();
  EXPECT_FALSE(verify_state(tree.root(), key_bytes(1), value_bytes(1), proof));
  proof.leaf.reset();
  EXPECT_FALSE(verify_state(tree.root(), key_bytes(1), std::nullopt, proof));
}

TEST(Merkle, TheNormativeExampleHasThisRoot) {
  // docs/protocols/ledger.md §6: keys 0x00 and 0x01 with values "a" and "b".
  MerkleTree tree;
  tree.update({{crypto::sha256(Bytes{0}), crypto::sha256(as_bytes("a"))},
               {crypto::sha256(Bytes{1}), crypto::sha256(as_bytes("b"))}});
  EXPECT_EQ(tree.root().to_string(),
            "ae3c86ae3123a7a7ca9535f44887f186d68e35d3bae85de4bb5b06faf71cd692");
}

}  // namespace
}  // namespace hm::ledger
