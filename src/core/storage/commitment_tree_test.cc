// SPDX-License-Identifier: Apache-2.0
// The roots of a node's storage commitment. The constants come from an independent program
// (Python's hashlib over bytes put together by hand).
#include "core/storage/commitment_tree.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/storage/limits.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::storage {
namespace {

using crypto::Digest;

template <class Id>
Id filled(std::size_t byte) {
  Id id;
  id.bytes.fill(static_cast<std::uint8_t>(byte));
  return id;
}

ObjectEntry object(std::size_t i) {
  return {to_bytes(as_bytes("object-" + std::to_string(i))), i + 1, filled<Digest>(i)};
}
ShardEntry shard(std::size_t i) {
  return {filled<Id32<ledger::LeaseIdTag>>(i / 2), filled<Digest>(0x80 + i)};
}

// The first `count`, fewer than ten of them: after those their ids do not ascend.
template <class Entry>
std::vector<Entry> first(std::size_t count, Entry (*make)(std::size_t)) {
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < count; ++i) entries.push_back(make(i));
  return entries;
}
Digest root_of_objects(std::size_t count) { return root_of(first(count, object)); }
Digest root_of_shards(std::size_t count) { return root_of(first(count, shard)); }

TEST(CommitmentTree, HasTheRootsOfTheDocument) {
  EXPECT_EQ(root_of_objects(0).to_string(),
            "7a454913afe57fde3e04e5a5ca446a8889a31010262eb12bc920b45a1a702f5a");
  EXPECT_EQ(root_of_objects(1).to_string(),
            "899fe6a327c565eaa5d168bdb0c6ba217ed6bdf121b59dc59234b5d9a2101b5c");
  EXPECT_EQ(root_of_objects(2).to_string(),
            "eb72454897ef6ad58b76f6e4254be93495c5029ed8b7002c4e6e7ea0be25ee94");
  EXPECT_EQ(root_of_objects(3).to_string(),
            "c090d3dfdff91b87002cbfbb953d161a0cad5c15a8b2bc1783a50e46ec848380");
  EXPECT_EQ(root_of_objects(7).to_string(),
            "7b6eae982dad56461aee8a9bf8c07d9ff898af3d3b7f90877ff49b611cf0b0ef");
  EXPECT_EQ(root_of_shards(0).to_string(),
            "ef0c2c45c0d67cb8a31e501f5e64298c2efb7073c3af04d5c7fd74f0126cd1f7");
  EXPECT_EQ(root_of_shards(1).to_string(),
            "bd4216287fa4f7751382755a70a03b306ff3a366b80287d6d0cc47f49dccf46e");
  EXPECT_EQ(root_of_shards(2).to_string(),
            "ac25df39e82c4eba1a33d3a7088e0fa1d78276d6017750a80d00513cf3d42f07");
  EXPECT_EQ(root_of_shards(3).to_string(),
            "5357ec4bfbcea5cf021181826abcc651357924f18cb25cf619daea72f3a0da05");
  EXPECT_EQ(root_of_shards(7).to_string(),
            "8284bd5a715449a2699d3aad953aa88e435633bd1de78fed0791d26178bb116b");
}

TEST(CommitmentTree, TheLonelyEntryIsItsOwnRootAndHasAnEmptyPath) {
  const auto entries = first(1, object);
  const CommitmentPath path = prove(entries, 0);
  EXPECT_TRUE(path.siblings.empty());
  EXPECT_TRUE(verify(root_of(entries), entries[0], path));
}

TEST(CommitmentTree, ANodeInsideIsNoEntryAndAnEntryOfOneKindNoneOfTheOther) {
  // An object's entry whose bytes are those of the shard's: 32 bytes of lease begin with a length.
  const ShardEntry shard{filled<Id32<ledger::LeaseIdTag>>(23), filled<Digest>(9)};
  const Bytes bytes = codec::encode(shard);
  ASSERT_EQ(bytes.size(), 64u);
  const auto twin = codec::decode<ObjectEntry>(bytes);
  ASSERT_TRUE(twin);
  const std::vector<ShardEntry> shards{shard};
  const std::vector<ObjectEntry> objects{*twin};
  EXPECT_NE(root_of(shards), root_of(objects));
  EXPECT_TRUE(verify(root_of(shards), shard, {}));
  EXPECT_FALSE(verify(root_of(shards), *twin, {}));

  // And one whose bytes are two hashes.
  const auto both = first(2, object);
  const ShardEntry pair{{root_of(std::span(both).first(1)).bytes},
                        root_of(std::span(both).subspan(1))};
  EXPECT_FALSE(verify(root_of(both), pair, {}));
}

TEST(CommitmentTree, APathThatIsTooLongOrSaysMoreThanItHasSiblingsIsRefused) {
  const auto entries = first(5, object);
  const Digest root = root_of(entries);
  CommitmentPath path = prove(entries, 3);
  ASSERT_TRUE(verify(root, entries[3], path));
  path.left |= std::uint64_t{1} << path.siblings.size();
  EXPECT_FALSE(verify(root, entries[3], path));
  path.left = 0;
  path.siblings.resize(kMaxCommitmentPath);
  EXPECT_FALSE(verify(root, entries[3], path));
  path.siblings.resize(kMaxCommitmentPath + 100);
  path.left = UINT64_MAX;
  EXPECT_FALSE(verify(root, entries[3], path));

  // The longest path that counts, under the root that follows from it.
  CommitmentPath longest{0, std::vector<Digest>(kMaxCommitmentPath)};
  Digest node = root_of(std::span(entries).first(1));
  for (const Digest& sibling : longest.siblings) node = crypto::hash_pair(node, sibling);
  EXPECT_TRUE(verify(node, entries[0], longest));
  longest.siblings.emplace_back();
  EXPECT_FALSE(verify(crypto::hash_pair(node, {}), entries[0], longest));
}

TEST(CommitmentTreeDeathTest, EntriesOutOfOrderOrTwiceAreABug) {
  auto twice = first(3, object);
  twice[1].object = twice[0].object;
  EXPECT_DEATH(root_of(twice), "");
  auto swapped = first(3, shard);
  std::swap(swapped[0], swapped[1]);
  EXPECT_DEATH(root_of(swapped), "");
  EXPECT_DEATH(prove(swapped, 0), "");
  EXPECT_DEATH(prove(first(3, shard), 3), "");
}

// Any set of entries, in order.
std::vector<ObjectEntry> any_objects() {
  const auto ids = *rc::gen::arbitrary<std::set<Bytes>>();
  std::vector<ObjectEntry> entries;
  for (const Bytes& id : ids) {
    entries.push_back({id, *rc::gen::arbitrary<std::uint64_t>(),
                       filled<Digest>(*rc::gen::arbitrary<std::uint8_t>())});
  }
  return entries;
}
std::vector<ShardEntry> any_shards() {
  const auto pairs = *rc::gen::arbitrary<std::set<std::pair<std::uint8_t, std::uint8_t>>>();
  std::vector<ShardEntry> entries;
  for (const auto& [lease, root] : pairs) {
    entries.push_back({filled<Id32<ledger::LeaseIdTag>>(lease), filled<Digest>(root)});
  }
  return entries;
}

void change(ObjectEntry& entry) {
  switch (*rc::gen::inRange(0, 3)) {
    case 0: entry.object.push_back(0); break;
    case 1: ++entry.version; break;
    default: entry.commitment.bytes[*rc::gen::inRange(0, 32)] ^= 1;
  }
}
void change(ShardEntry& entry) {
  auto& bytes = *rc::gen::arbitrary<bool>() ? entry.lease.bytes : entry.root.bytes;
  bytes[*rc::gen::inRange(0, 32)] ^= 1;
}

template <class Entry>
void every_entry_is_shown_and_nothing_else(const std::vector<Entry>& entries) {
  const Digest root = root_of(entries);
  std::size_t longest = 0;
  while ((std::size_t{1} << longest) < entries.size()) ++longest;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const CommitmentPath path = prove(entries, i);
    RC_ASSERT(path.siblings.size() <= longest);
    RC_ASSERT(verify(root, entries[i], path));
    RC_ASSERT(codec::decode<CommitmentPath>(codec::encode(path)).value() == path);
    Entry other = entries[i];
    change(other);
    RC_ASSERT(!verify(root, other, path));
    if (path.siblings.empty()) continue;
    const auto at = *rc::gen::inRange<std::size_t>(0, path.siblings.size());
    CommitmentPath bent = path;
    bent.left ^= std::uint64_t{1} << at;
    RC_ASSERT(!verify(root, entries[i], bent));
    bent = path;
    bent.siblings[at].bytes[5] ^= 1;
    RC_ASSERT(!verify(root, entries[i], bent));
    bent = path;
    bent.siblings.erase(bent.siblings.begin() + static_cast<std::ptrdiff_t>(at));
    bent.left &= (std::uint64_t{1} << bent.siblings.size()) - 1;
    RC_ASSERT(!verify(root, entries[i], bent));
  }
}

template <class Entry>
void another_set_has_another_root(const std::vector<Entry>& entries) {
  RC_PRE(!entries.empty());
  const Digest root = root_of(entries);
  const auto at = *rc::gen::inRange<std::size_t>(0, entries.size());
  auto fewer = entries;
  fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at));
  RC_ASSERT(root_of(fewer) != root);
  auto changed = entries;
  change(changed[at]);
  // What it is now may stand elsewhere in the order, or be there already.
  const auto key = [](const Entry& entry) {
    if constexpr (requires { entry.object; }) {
      return entry.object;
    } else {
      return entry;
    }
  };
  std::ranges::sort(changed, {}, key);
  RC_PRE(std::ranges::adjacent_find(changed, {}, key) == changed.end());
  RC_ASSERT(root_of(changed) != root);
}

TEST(CommitmentTree, ShowsEveryEntryAndNothingElse) {
  EXPECT_TRUE(rc::check("objects", [] { every_entry_is_shown_and_nothing_else(any_objects()); }));
  EXPECT_TRUE(rc::check("shards", [] { every_entry_is_shown_and_nothing_else(any_shards()); }));
}

TEST(CommitmentTree, AnotherSetHasAnotherRoot) {
  EXPECT_TRUE(rc::check("objects", [] { another_set_has_another_root(any_objects()); }));
  EXPECT_TRUE(rc::check("shards", [] { another_set_has_another_root(any_shards()); }));
}

}  // namespace
}  // namespace hm::storage
