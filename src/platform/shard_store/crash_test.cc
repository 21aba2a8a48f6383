// SPDX-License-Identifier: Apache-2.0
// A process that is killed at any moment: what it was told is durable is there afterwards, what it
// was told is gone is gone, and nothing else takes room.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <random>
#include <thread>

#include "platform/shard_store/store_fixture.h"

namespace hm::shard_store::test {
namespace {

constexpr std::uint64_t kLog = 96 << 10;
constexpr std::size_t kKills = 250;
constexpr std::size_t kKillsOnDisk = 12;
constexpr std::uint32_t kShards = 40;
constexpr std::uint32_t kThreads = 2;

std::size_t size_of(std::uint32_t shard) { return 50 + (shard * 2'459) % 30'000; }

// What the child says over the pipe, before and after each change.
struct Word {
  enum class Kind : std::uint32_t { PutBegins, PutDone, DropBegins, DropDone };
  Kind kind;
  std::uint32_t shard;
};

void say(int pipe, Word word) {
  if (::write(pipe, &word, sizeof word) != sizeof word) ::_exit(3);
}

// Changes shards whose number leaves `part` when divided by the number of threads, until it dies.
void change_forever(ShardStore& store, int pipe, std::uint32_t part, std::uint64_t seed) {
  std::minstd_rand random(static_cast<std::uint32_t>(seed * kThreads + part + 1));
  for (;;) {
    const auto shard =
        static_cast<std::uint32_t>(random() % (kShards / kThreads)) * kThreads + part;
    const Bytes bytes = shard_bytes(shard, size_of(shard));
    if (random() % 2 == 0) {
      say(pipe, {Word::Kind::PutBegins, shard});
      if (!store.put(root_of(bytes), holder(1), bytes, kUnlimited)) ::_exit(4);
      say(pipe, {Word::Kind::PutDone, shard});
    } else {
      say(pipe, {Word::Kind::DropBegins, shard});
      if (!store.drop(std::array{root_of(bytes)}, holder(1))) ::_exit(5);
      say(pipe, {Word::Kind::DropDone, shard});
    }
  }
}

[[noreturn]] void be_killed(const std::string& folder, int pipe, std::uint64_t seed) {
  auto opened = open_shard_store({folder, 0, kLog});
  if (!opened) ::_exit(2);
  ShardStore& store = *opened->store;
  std::vector<std::thread> threads;
  for (std::uint32_t part = 0; part < kThreads; ++part) {
    threads.emplace_back([&, part] { change_forever(store, pipe, part, seed); });
  }
  for (;;) {
    const auto step = store.compact(20'000);
    if (!step) ::_exit(6);
    if (step->is_done) ::usleep(100);
  }
}

class CrashTest : public StoreTest {
 protected:
  explicit CrashTest(Medium medium = Medium::Memory) : StoreTest(medium) {}

  void kill_often(std::size_t kills);
  enum class Fate : std::uint8_t { Absent, Held, Open };  // open: it died while changing it

  void take(const Word& word) {
    ASSERT_LT(word.shard, kShards);
    switch (word.kind) {
      case Word::Kind::PutBegins:
        if (fates_[word.shard] == Fate::Absent) fates_[word.shard] = Fate::Open;
        return;
      case Word::Kind::DropBegins:
        if (fates_[word.shard] == Fate::Held) fates_[word.shard] = Fate::Open;
        return;
      case Word::Kind::PutDone: fates_[word.shard] = Fate::Held; return;
      case Word::Kind::DropDone: fates_[word.shard] = Fate::Absent; return;
    }
  }

  // Kills the child some time after it has said `words` words, and hears it out.
  void run_and_kill(std::uint64_t seed, std::size_t words, std::uint32_t micros) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      be_killed(folder().string(), ends[1], seed);
    }
    ::close(ends[1]);
    Word word;
    std::size_t heard = 0;
    for (; heard < words && ::read(ends[0], &word, sizeof word) == sizeof word; ++heard) {
      take(word);
    }
    ::usleep(micros);
    ::kill(child, SIGKILL);
    while (::read(ends[0], &word, sizeof word) == sizeof word) take(word);
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "exit " << WEXITSTATUS(status);
    ASSERT_EQ(heard, words);
  }

  // Afterwards nothing is open any more.
  void check() {
    std::uint64_t held = 0;
    for (std::uint32_t shard = 0; shard < kShards; ++shard) {
      const Bytes bytes = shard_bytes(shard, size_of(shard));
      const auto got = store_->read(root_of(bytes), 0, bytes.size());
      if (got) {
        ASSERT_EQ(*got, bytes) << shard;
        ASSERT_NE(fates_[shard], Fate::Absent) << shard << " was dropped and is back";
        ++held;
      } else {
        ASSERT_EQ(got.error().code, ErrorCode::NotFound) << shard;
        ASSERT_NE(fates_[shard], Fate::Held) << shard << " was put and is not there";
      }
      fates_[shard] = got ? Fate::Held : Fate::Absent;
    }
    EXPECT_EQ(store_->usage().shards, held);
    EXPECT_EQ(store_->usage().damaged, 0u);
    EXPECT_EQ(report_.damages, 0u);
  }

  std::array<Fate, kShards> fates_{};
};

class CrashOnDiskTest : public CrashTest {
 protected:
  CrashOnDiskTest() : CrashTest(Medium::Disk) {}
};

void CrashTest::kill_often(std::size_t kills) {
  std::minstd_rand random(7);
  std::uint64_t torn = 0;
  std::uint64_t open_ones = 0;
  for (std::size_t kill = 0; kill < kills; ++kill) {
    const std::size_t words = random() % 60;
    ASSERT_NO_FATAL_FAILURE(
        run_and_kill(kill, words, static_cast<std::uint32_t>(random() % 2'000)));
    open_ones += static_cast<std::uint64_t>(std::ranges::count(fates_, Fate::Open));
    open(kLog);
    torn += report_.torn_bytes > 0 ? 1 : 0;
    ASSERT_NO_FATAL_FAILURE(check());
    store_.reset();
  }
  // Otherwise this was no test.
  EXPECT_GT(open_ones, 0u);
  RecordProperty("torn_ends", std::to_string(torn));

  open(kLog);
  ASSERT_TRUE(store_->drop_holder(holder(1)));
  compact();
  EXPECT_EQ(store_->usage().shards, 0u);
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder())) bytes += entry.file_size();
  EXPECT_LT(bytes, 64 + kFirstRecord + kLog / kOpenLogShare);  // key, log
}

TEST_F(CrashTest, WhatWasAcknowledgedOutlivesAKillAtAnyMoment) { kill_often(kKills); }

// Past the page cache, where the file system allows that.
TEST_F(CrashOnDiskTest, WhatWasAcknowledgedOutlivesAKillAtAnyMoment) { kill_often(kKillsOnDisk); }

}  // namespace
}  // namespace hm::shard_store::test
