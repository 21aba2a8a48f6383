// SPDX-License-Identifier: Apache-2.0
// The store does what a map would do, whatever is done in which order, by one thread or by several,
// and also when it is opened anew in between.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "platform/shard_store/store_fixture.h"

namespace hm::shard_store::test {
namespace {

constexpr std::size_t kPage = blake3::kPageSize;
constexpr std::uint64_t kLog = 128 << 10;
constexpr std::uint64_t kShards = 24;
constexpr std::uint8_t kHolders = 3;

std::size_t size_of(std::uint64_t number) {
  constexpr std::size_t kSizes[] = {1, 33, 700, 4'096, 10'000, kPage, kPage + 1, 2 * kPage + 5};
  return kSizes[number % std::size(kSizes)] + number / std::size(kSizes);
}

// All shards with their roots, made once.
struct Sample {
  Bytes bytes;
  ShardRoot root;
};
const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = [] {
    std::vector<Sample> made;
    for (std::uint64_t i = 0; i < kShards; ++i) {
      Bytes bytes = shard_bytes(i, size_of(i));
      const ShardRoot root = root_of(bytes);
      made.push_back({std::move(bytes), root});
    }
    return made;
  }();
  return all;
}

struct Step {
  enum class Kind : std::uint8_t { Put, Drop, DropHolder, Read, Compact, Scrub, Reopen };
  Kind kind = Kind::Put;
  std::uint64_t shard = 0;
  std::uint8_t holder = 0;
  std::uint64_t offset = 0;
  std::uint64_t count = 0;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << "{kind " << static_cast<int>(step.kind) << " shard " << step.shard << " holder "
             << static_cast<int>(step.holder) << " at " << step.offset << "+" << step.count << "}";
}

rc::Gen<Step> any_step() {
  using Kind = Step::Kind;
  return rc::gen::build<Step>(
      rc::gen::set(&Step::kind, rc::gen::weightedElement<Kind>({{8, Kind::Put},
                                                                {6, Kind::Drop},
                                                                {1, Kind::DropHolder},
                                                                {4, Kind::Read},
                                                                {4, Kind::Compact},
                                                                {1, Kind::Scrub},
                                                                {1, Kind::Reopen}})),
      rc::gen::set(&Step::shard, rc::gen::inRange<std::uint64_t>(0, kShards)),
      rc::gen::set(&Step::holder, rc::gen::inRange<std::uint8_t>(1, kHolders + 1)),
      rc::gen::set(&Step::offset, rc::gen::inRange<std::uint64_t>(0, 3 * kPage)),
      rc::gen::set(&Step::count, rc::gen::inRange<std::uint64_t>(0, 3 * kPage)));
}

class World {
 public:
  World() { reopen(); }

  void run(const Step& step) {
    const Sample& sample = samples()[step.shard];
    switch (step.kind) {
      case Step::Kind::Put:
        RC_ASSERT(store_->put(sample.root, holder(step.holder), sample.bytes, kUnlimited));
        model_[step.shard].insert(step.holder);
        return;
      case Step::Kind::Drop:
        RC_ASSERT(store_->drop(std::array{sample.root}, holder(step.holder)));
        drop(step.shard, step.holder);
        return;
      case Step::Kind::DropHolder: {
        std::uint64_t held = 0;
        for (std::uint64_t i = 0; i < kShards; ++i) held += drop(i, step.holder) ? 1 : 0;
        RC_ASSERT(*store_->drop_holder(holder(step.holder)) == held);
        return;
      }
      case Step::Kind::Read: return read(sample, step);
      case Step::Kind::Compact: RC_ASSERT(store_->compact(step.count)); return;
      case Step::Kind::Scrub: RC_ASSERT(store_->scrub(step.count)->damaged.empty()); return;
      case Step::Kind::Reopen: reopen(); return;
    }
  }

  void check() {
    ports::ShardStoreUsage expected;
    std::map<std::uint8_t, ports::HolderUsage> usages;
    for (std::uint64_t i = 0; i < kShards; ++i) {
      const Sample& sample = samples()[i];
      const auto found = model_.find(i);
      const auto got = store_->read(sample.root, 0, kUnlimited);
      RC_ASSERT(got.has_value() == (found != model_.end()));
      if (!got) continue;
      RC_ASSERT(*got == sample.bytes);
      ++expected.shards;
      expected.shard_bytes += sample.bytes.size();
      for (const std::uint8_t each : found->second) {
        ++usages[each].shards;
        usages[each].shard_bytes += sample.bytes.size();
        usages[each].counted_bytes += ports::counted_bytes(sample.bytes.size());
      }
    }
    const auto usage = store_->usage();
    RC_ASSERT(usage.shards == expected.shards);
    RC_ASSERT(usage.shard_bytes == expected.shard_bytes);
    RC_ASSERT(usage.holders == usages.size());
    RC_ASSERT(usage.damaged == 0u);
    for (std::uint8_t each = 1; each <= kHolders; ++each) {
      RC_ASSERT(store_->usage(holder(each)) == usages[each]);
      RC_ASSERT(store_->list(holder(each), {}).shards.size() == usages[each].shards);
    }
  }

  // What is left after compaction is needed for the most part, and counted like it is.
  void check_room() {
    while (!store_->compact(1 << 20)->is_done) continue;
    const auto usage = store_->usage();
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::directory_iterator(folder_.path() / "shards")) {
      if (entry.path().extension() == ".log") bytes += entry.file_size();
    }
    RC_ASSERT(usage.disk_bytes == bytes);
    RC_ASSERT(usage.needless_bytes <= usage.disk_bytes / 2 + kLog / kOpenLogShare);
    reopen();
    RC_ASSERT(store_->usage().needless_bytes == usage.needless_bytes);
  }

 private:
  bool drop(std::uint64_t shard, std::uint8_t from) {
    const auto found = model_.find(shard);
    if (found == model_.end() || found->second.erase(from) == 0) return false;
    if (found->second.empty()) model_.erase(found);
    return true;
  }

  void read(const Sample& sample, const Step& step) {
    const auto got = store_->read(sample.root, step.offset, step.count);
    if (!model_.contains(step.shard)) {
      RC_ASSERT(got.error().code == ErrorCode::NotFound);
    } else if (step.offset > sample.bytes.size()) {
      RC_ASSERT(got.error().code == ErrorCode::InvalidArgument);
    } else {
      const auto part = ByteView(sample.bytes).subspan(step.offset);
      RC_ASSERT(*got == to_bytes(part.first(std::min<std::size_t>(part.size(), step.count))));
    }
  }

  void reopen() {
    store_.reset();
    auto opened = open_shard_store({(folder_.path() / "shards").string(), 0, kLog});
    RC_ASSERT(opened.has_value());
    RC_ASSERT(opened->report.damages == 0u);
    RC_ASSERT(opened->report.torn_bytes == 0u);
    store_ = std::move(opened->store);
  }

  TestFolder folder_;
  std::unique_ptr<ShardStore> store_;
  std::map<std::uint64_t, std::set<std::uint8_t>> model_;
};

TEST(ShardModel, TheStoreDoesWhatAMapDoes) {
  EXPECT_TRUE(rc::check([] {
    World world;
    const auto steps = *rc::gen::scale(4, rc::gen::container<std::vector<Step>>(any_step()));
    for (const Step& step : steps) world.run(step);
    world.check();
    world.check_room();
    world.check();
  }));
}

// Each thread has shards of its own, some shards are everybody's, and one thread compacts.
TEST_F(StoreTest, ManyThreadsDoWhatEachWouldDoAlone) {
  constexpr std::uint8_t kThreads = 6;
  constexpr std::uint64_t kRounds = 60;
  open(kLog);
  std::atomic<bool> is_over = false;
  std::atomic<std::uint64_t> failures = 0;
  const auto must = [&](const auto& result) { failures += result ? 0u : 1u; };
  std::vector<std::thread> threads;
  for (std::uint8_t thread = 1; thread <= kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::uint64_t round = 0; round < kRounds; ++round) {
        const Bytes own = shard_bytes(1'000 * thread + round, 2'000 + 997 * (round % 80));
        const Sample& shared = samples()[round % kShards];
        must(store_->put(root_of(own), holder(thread), own, kUnlimited));
        must(store_->put(shared.root, holder(thread), shared.bytes, kUnlimited));
        const auto got = store_->read(root_of(own), 0, own.size());
        failures += got && *got == own ? 0 : 1;
        const auto also = store_->read(shared.root, 0, shared.bytes.size());
        failures += also && *also == shared.bytes ? 0 : 1;
        if (round % 3 != 0) must(store_->drop(std::array{root_of(own)}, holder(thread)));
        must(store_->drop(std::array{shared.root}, holder(thread)));
        if (round == kRounds / 2) must(store_->drop_holder(holder(thread)));
      }
    });
  }
  std::thread keeper([&] {
    while (!is_over) {
      must(store_->compact(64 << 10));
      must(store_->scrub(64 << 10));
    }
  });
  for (std::thread& thread : threads) thread.join();
  is_over = true;
  keeper.join();
  EXPECT_EQ(failures, 0u);
  for (const bool again : {false, true}) {
    if (again) open(kLog);
    EXPECT_EQ(report_.damages, 0u);
    std::uint64_t shards = 0;
    for (std::uint8_t thread = 1; thread <= kThreads; ++thread) {
      for (std::uint64_t round = kRounds / 2 + 1; round < kRounds; ++round) {
        if (round % 3 != 0) continue;
        expect_whole(1'000 * thread + round, 2'000 + 997 * (round % 80));
        ++shards;
      }
    }
    EXPECT_EQ(store_->usage().shards, shards);
  }
}

// Of two that want the last room of a holder one gets it.
TEST_F(StoreTest, ThreadsCannotPassAQuotaTogether) {
  open();
  constexpr std::uint64_t kFit = 10;
  std::atomic<std::uint64_t> taken = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::uint64_t i = 0; i < kFit; ++i) {
        const Bytes bytes = shard_bytes(100 * thread + i, ports::kMinCountedBytes);
        const auto done =
            store_->put(root_of(bytes), holder(1), bytes, kFit * ports::kMinCountedBytes);
        if (done) ++taken;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, kFit);
  EXPECT_EQ(store_->usage(holder(1)).shards, kFit);
}

}  // namespace
}  // namespace hm::shard_store::test
