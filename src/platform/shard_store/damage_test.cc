// SPDX-License-Identifier: Apache-2.0
// Logs that are not as they were written: cut, changed, gone. Whatever is read is right or refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "platform/shard_store/store_fixture.h"

namespace hm::shard_store::test {
namespace {

constexpr std::size_t kPage = blake3::kPageSize;
constexpr std::size_t kHeader = 96;
constexpr std::size_t kFirst = kFirstRecord;

struct Kept {
  std::uint64_t number;
  std::size_t size;
  Bytes bytes() const { return shard_bytes(number, size); }
  ShardRoot root() const { return root_of(bytes()); }
};

// Where a bit is flipped in a log of a few short shards and a long one, whose body is alike
// everywhere.
bool is_sample(std::size_t at, std::size_t size) {
  const bool is_in_long_body = at > 1'500 && at + 1'200 < size;
  return at % (is_in_long_body ? 4'999 : 3) == 0;
}

class DamageTest : public StoreTest {
 protected:
  void put_all(const std::vector<Kept>& all) {
    for (const Kept& each : all) put(each.number, each.size);
  }

  // What is still read of them; never a wrong byte.
  std::size_t count_whole(const std::vector<Kept>& all) {
    std::size_t whole = 0;
    for (const Kept& each : all) {
      const Bytes right = each.bytes();
      const auto got = store_->read(each.root(), 0, each.size);
      if (got) {
        EXPECT_EQ(*got, right);
      }
      if (!got) {
        EXPECT_NE(got.error().code, ErrorCode::Io);
      }
      whole += got ? 1 : 0;
      for (std::uint64_t page = 0; page < blake3::page_count(each.size); ++page) {
        const auto proven = store_->prove(each.root(), page);
        if (!proven) continue;
        EXPECT_TRUE(blake3::verify_page(each.root(), each.size, page, proven->page, proven->proof));
      }
    }
    return whole;
  }

  // Whether the store says of it what is true: damaged, or not here.
  bool is_missed(const Kept& each) {
    const ShardRoot roots[] = {each.root()};
    const auto state = store_->has(roots).front();
    return !state || state->is_damaged;
  }

  void flip(const fs::path& path, std::uint64_t at, std::uint8_t bits = 0x10) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(file.get() ^ bits);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  }
};

TEST_F(DamageTest, AnEndThatIsTornAtAnyByteIsCutAndTheRestIsWhole) {
  const std::vector<Kept> kept = {{1, 300}, {2, 1}, {3, kPage + 1}};
  const Kept last{4, 333};
  open();
  put_all(kept);
  const auto begin = fs::file_size(log(1));
  put_all({last});
  store_.reset();
  const Bytes whole = file_bytes(log(1));
  for (std::size_t end = begin; end < whole.size(); ++end) {
    write_bytes(log(1), ByteView(whole).first(end));
    open();
    // What fills the last unit up says nothing, but was written with the rest.
    EXPECT_EQ(report_.torn_bytes, end - begin);
    EXPECT_EQ(report_.damages, 0u);
    EXPECT_EQ(fs::file_size(log(1)), begin);
    if (end % 16 == 0) {
      EXPECT_EQ(count_whole(kept), kept.size());
    }
    expect_gone(last.root());
  }
  put_all({last});
  open();
  EXPECT_EQ(count_whole({kept[0], kept[1], kept[2], last}), 4u);
}

TEST_F(DamageTest, AnEndOfWhichPartsWereNotWrittenIsCut) {
  const std::vector<Kept> kept = {{1, 300}, {2, 1}};
  const std::vector<Kept> torn = {{3, 3 * kPage}, {4, 5'000}};
  open();
  put_all(kept);
  const auto begin = fs::file_size(log(1));
  put_all(torn);
  store_.reset();
  Bytes bytes = file_bytes(log(1));
  // The disk had the new length and a middle part, but neither beginning nor end.
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
            bytes.begin() + static_cast<std::ptrdiff_t>(begin + 500), std::uint8_t{0});
  std::fill(bytes.end() - kBlockBytes, bytes.end(), std::uint8_t{0});
  write_bytes(log(1), bytes);
  open();
  EXPECT_EQ(report_.torn_bytes, bytes.size() - begin);
  EXPECT_EQ(report_.damages, 0u);
  EXPECT_EQ(count_whole(kept), 2u);
  for (const Kept& each : torn) expect_gone(each.root());
}

// Of a write of several records the first ones may be there. They were never reported durable, but
// cannot be told from those that were and lost what stood behind them.
TEST_F(DamageTest, ALogThatEndsWithinABlockIsNotWrittenToAgain) {
  const std::vector<Kept> kept = {{1, 300}, {2, 1}};
  open();
  put_all(kept);
  const auto begin = fs::file_size(log(1));
  std::vector<ShardRoot> roots;
  for (const Kept& each : kept) roots.push_back(each.root());
  ASSERT_TRUE(store_->drop(roots, holder(1)));  // two records in one write
  ASSERT_EQ(fs::file_size(log(1)), begin + kBlockBytes);
  for (const std::uint64_t left : {kHeader, kHeader + 1, 2 * kHeader, kBlockBytes - 1}) {
    store_.reset();
    fs::remove(folder() / "00000001.index");
    fs::remove(log(2));
    fs::resize_file(log(1), begin + left);
    open();
    EXPECT_EQ(report_.damages, 0u);
    EXPECT_EQ(report_.torn_bytes, left - kHeader);
    EXPECT_EQ(fs::file_size(log(1)), begin + kHeader);
    ASSERT_TRUE(fs::exists(log(2)));
    EXPECT_EQ(count_whole(kept), 1u);
    open();
    EXPECT_EQ(report_.read_logs, 1u);  // the new one
    EXPECT_EQ(count_whole(kept), 1u);
  }
  put_all(kept);
  EXPECT_EQ(fs::file_size(log(1)), begin + kHeader);
  EXPECT_EQ(count_whole(kept), 2u);
}

TEST_F(DamageTest, AFlippedBitAnywhereInTheOpenLogCostsOneShardAtMost) {
  const std::vector<Kept> kept = {{1, 300}, {2, 1}, {3, kPage + 40}, {4, 700}};
  open();
  put_all(kept);
  put(4, 700, 2);
  store_.reset();
  const Bytes whole = file_bytes(log(1));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    if (!is_sample(at, whole.size())) continue;
    Bytes changed = whole;
    changed[at] ^= static_cast<std::uint8_t>(1u << (at % 8));
    write_bytes(log(1), changed);
    open();
    const std::size_t read = count_whole(kept);
    EXPECT_GE(read, kept.size() - 1) << at;
    // The end of the log apart, where damage looks like a torn write.
    if (read < kept.size()) {
      EXPECT_GT(report_.damages + report_.torn_bytes, 0u) << at;
    }
    store_.reset();
  }
}

TEST_F(DamageTest, AFlippedBitAnywhereInASealedLogCostsOneShardAtMost) {
  const std::vector<Kept> kept = {{1, 300}, {2, 1}, {3, 700}, {4, kPage + 40}};
  const std::vector<Kept> later = {{5, 10}};
  for (const bool has_index : {true, false}) {
    fs::remove_all(folder());
    open(kPage);
    put_all(kept);
    put_all(later);
    store_.reset();
    const Bytes whole = file_bytes(log(1));
    const fs::path index = folder() / "00000001.index";
    ASSERT_TRUE(fs::exists(index));
    for (std::size_t at = 0; at < whole.size(); ++at) {
      if (!is_sample(at, whole.size())) continue;
      Bytes changed = whole;
      changed[at] ^= static_cast<std::uint8_t>(1u << (at % 8));
      write_bytes(log(1), changed);
      if (!has_index) fs::remove(index);
      open(kPage);
      EXPECT_EQ(report_.read_logs, has_index ? 1u : 2u);
      const std::size_t before = count_whole(kept);
      EXPECT_GE(before, kept.size() - 1) << at;
      EXPECT_EQ(count_whole(later), 1u);
      while (!store_->scrub(1 << 20)->is_round_done) continue;
      for (const Kept& each : kept) {
        const bool is_whole = store_->read(each.root(), 0, each.size).has_value();
        if (!is_whole) {
          EXPECT_TRUE(is_missed(each)) << at;
        }
      }
      // Whoever has the shard makes the store whole again.
      put_all(kept);
      EXPECT_EQ(count_whole(kept), kept.size());
      EXPECT_EQ(store_->usage().damaged, 0u);
      store_.reset();
      for (unsigned number = 2; fs::exists(log(number)); ++number) fs::remove(log(number));
      write_bytes(log(1), whole);
      open(kPage);
      put_all(later);
      store_.reset();
    }
  }
}

TEST_F(DamageTest, AnIndexThatIsDamagedOrMissingIsMadeAnew) {
  const std::vector<Kept> kept = {{1, 300}, {2, 1}, {3, kPage + 40}};
  open(kPage);
  put_all(kept);
  put(5, 10);
  store_.reset();
  const fs::path index = folder() / "00000001.index";
  const Bytes right = file_bytes(index);
  for (std::size_t at = 0; at < right.size(); ++at) {
    Bytes changed = right;
    changed[at] ^= 1;
    if (at % 3 == 1) changed.resize(at);
    if (at % 3 == 2) changed.push_back(0);
    write_bytes(index, changed);
    open(kPage);
    EXPECT_EQ(report_.read_logs, 2u);
    EXPECT_EQ(report_.damages, 0u);
    EXPECT_EQ(store_->usage().shards, 4u);
    EXPECT_EQ(file_bytes(index), right);
    store_.reset();
  }
}

TEST_F(DamageTest, TheKeyIsFoundInALogAndNotMadeAnewWhileThereAreShards) {
  const std::vector<Kept> kept = {{1, 300}, {2, 1}};
  open();
  put_all(kept);
  store_.reset();
  const fs::path key = folder() / "key";
  const Bytes right = file_bytes(key);
  for (std::size_t at = 0; at < right.size(); ++at) {
    flip(key, at);
    open();
    EXPECT_EQ(count_whole(kept), 2u);
    EXPECT_EQ(file_bytes(key), right);
    store_.reset();
  }
  fs::remove(key);
  flip(log(1), 20);
  const auto opened = open_shard_store({folder().string(), 0});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::Corrupt);
  EXPECT_FALSE(fs::exists(key));
  write_bytes(key, right);
  open();
  EXPECT_EQ(report_.damages, 1u);
  EXPECT_EQ(count_whole(kept), 2u);
  open();
  EXPECT_EQ(report_.damages, 0u);  // the header was written anew
}

// Whoever sees its own shard on the disk must not be able to write records with it.
TEST_F(DamageTest, ARecordInsideAShardIsNoRecord) {
  open();
  const ShardRoot victim = put(1, 200);
  store_.reset();
  const Bytes before = file_bytes(log(1));
  const Bytes record(before.begin() + kFirst, before.end());
  open();
  Bytes forged;
  for (int i = 0; i < 50; ++i) forged.insert(forged.end(), record.begin(), record.end());
  ASSERT_TRUE(store_->put(root_of(forged), holder(3), forged, kUnlimited));
  const ShardRoot after = put(2, 100);
  store_.reset();
  flip(log(1), before.size() + 10);  // the header of the shard with records in it
  open();
  EXPECT_EQ(report_.damages, 1u);
  EXPECT_EQ(report_.damage.front().offset, before.size());
  EXPECT_EQ(store_->usage().shards, 2u);
  EXPECT_TRUE(store_->read(victim, 0, 1));
  EXPECT_TRUE(store_->read(after, 0, 1));
}

TEST_F(DamageTest, DamageIsToldByRootAndPageAndOtherPagesAreRead) {
  const Kept shard{1, 5 * kPage};
  open();
  put_all({shard});
  flip(log(1), kFirst + kHeader + 5 * 32 + 3 * kPage + 7);
  const auto got = store_->read(shard.root(), 3 * kPage + 20'000, 1);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::Corrupt);
  EXPECT_NE(got.error().message.find("page 3"), std::string::npos);
  EXPECT_NE(got.error().message.find(shard.root().to_string()), std::string::npos);
  EXPECT_TRUE(is_missed(shard));
  EXPECT_EQ(store_->usage().damaged, 1u);
  EXPECT_EQ(store_->prove(shard.root(), 3).error().code, ErrorCode::Corrupt);
  EXPECT_TRUE(store_->prove(shard.root(), 4));
  EXPECT_TRUE(store_->read(shard.root(), 0, 3 * kPage));
  put_all({shard});
  EXPECT_EQ(store_->usage().damaged, 0u);
  EXPECT_EQ(store_->usage(holder(1)).shards, 1u);
  open();
  EXPECT_EQ(count_whole({shard}), 1u);
}

TEST_F(DamageTest, ScrubbingFindsWhatIsWrongInBoundedSteps) {
  open();
  std::vector<Kept> kept;
  for (std::uint64_t i = 0; i < 40; ++i) kept.push_back({i, kPage});
  put_all(kept);
  const std::uint64_t record = block_up(kHeader + kPage);
  flip(log(1), kFirst + 7 * record + kHeader + 100);  // a body
  flip(log(1), kFirst + 21 * record + 3);             // a header, which is not needed for reading
  std::vector<ShardRoot> found;
  std::uint64_t bytes = 0;
  std::size_t steps = 0;
  for (bool is_done = false; !is_done; ++steps) {
    const auto step = store_->scrub(4 * kPage);
    ASSERT_TRUE(step);
    EXPECT_LE(step->bytes, 4 * kPage);
    bytes += step->bytes;
    for (const auto& each : step->damaged) found.push_back(each.root);
    is_done = step->is_round_done;
  }
  EXPECT_EQ(bytes, 40 * kPage);
  EXPECT_GE(steps, 10u);
  std::ranges::sort(found);
  std::vector<ShardRoot> expected = {kept[7].root(), kept[21].root()};
  std::ranges::sort(expected);
  EXPECT_EQ(found, expected);
  EXPECT_EQ(store_->usage().damaged, 2u);
  put_all(kept);
  EXPECT_EQ(store_->usage().damaged, 0u);
  EXPECT_TRUE(store_->scrub(kUnlimited)->damaged.empty());
}

TEST_F(DamageTest, CompactionKeepsWhatIsLeftOfADamagedShard) {
  constexpr std::uint64_t kLog = 1 << 20;
  open(kLog);
  const Kept broken{1, 3 * kPage};
  const Kept lost{2, 100};
  put_all({broken, lost});
  for (std::uint64_t i = 10; i < 26; ++i) put(i, kPage, 2);
  flip(log(1), kFirst + kHeader + 3 * 32 + kPage + 7);
  flip(log(1), kFirst + block_up(kHeader + 3 * 32 + 3 * kPage) + kHeader + 7);
  ASSERT_TRUE(store_->drop_holder(holder(2)));
  const auto done = compact();
  EXPECT_FALSE(fs::exists(log(1)));
  EXPECT_EQ(done.lost, std::vector{lost.root()});
  for (const bool again : {false, true}) {
    if (again) open(kLog);
    EXPECT_TRUE(store_->prove(broken.root(), 0));
    EXPECT_FALSE(store_->prove(broken.root(), 1));
    EXPECT_TRUE(store_->prove(broken.root(), 2));
    EXPECT_TRUE(is_missed(lost));
    EXPECT_EQ(store_->read(lost.root(), 0, 1).error().code, ErrorCode::Corrupt);
    EXPECT_EQ(store_->usage(holder(1)).shards, 2u);
  }
  put_all({broken, lost});
  EXPECT_EQ(count_whole({broken, lost}), 2u);
}

TEST_F(DamageTest, ALogThatIsCutOrGoneWhileItIsUsedIsDamageAndIsCompactedAway) {
  const std::vector<Kept> kept = {{1, 300}, {2, 1}, {3, kPage + 40}};
  open(kPage);
  put_all(kept);
  put(9, 10);
  fs::resize_file(log(1), kFirst + 416);  // the first record without its padding
  EXPECT_EQ(count_whole(kept), 1u);
  fs::remove(log(1));
  EXPECT_EQ(count_whole(kept), 0u);
  EXPECT_EQ(store_->usage().damaged, 3u);
  for (const Kept& each : kept) ASSERT_TRUE(store_->drop(std::array{each.root()}, holder(1)));
  compact();
  EXPECT_FALSE(fs::exists(log(1)));
  EXPECT_EQ(store_->usage().shards, 1u);
}

// Compaction reads a log whose index and headers were damaged after the store was opened.
TEST_F(DamageTest, CompactionMovesWhatTheIndexKnowsAndTheLogDoesNotSayAnyMore) {
  open(kPage);
  const Kept kept{1, 300};
  put_all({kept});
  put(2, kPage, 2);
  put(9, 10);
  flip(log(1), 20);
  fs::remove(folder() / "00000001.index");
  ASSERT_TRUE(store_->drop_holder(holder(2)));
  compact();
  EXPECT_FALSE(fs::exists(log(1)));
  open(kPage);
  EXPECT_EQ(count_whole({kept}), 1u);
}

}  // namespace
}  // namespace hm::shard_store::test
