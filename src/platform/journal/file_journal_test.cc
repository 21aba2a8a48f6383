// SPDX-License-Identifier: Apache-2.0
#include "platform/journal/file_journal.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "platform/journal/segment.h"

namespace hm::journal {
namespace {

namespace fs = std::filesystem;
using ports::LogSequence;
using Records = std::vector<std::pair<LogSequence, std::string>>;

// Runs posted tasks on the test's thread until a record is durable or the journal has failed.
class TestLoop final : public ports::JournalListener {
 public:
  std::function<void(std::function<void()>)> post() {
    return [this](std::function<void()> task) {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      ready_.notify_one();
    };
  }
  void on_durable(LogSequence sequence) override { durable = sequence; }
  void on_journal_failed(const Error& error) override { failure = error; }

  void run_until_durable(LogSequence sequence) {
    while (durable < sequence && !failure) {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return !tasks_.empty(); });
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

  LogSequence durable = 0;
  std::optional<Error> failure;

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> tasks_;
};

class FileJournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "hm-journal-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::unique_ptr<FileJournal> open(std::uint64_t segment_bytes = 1 << 20) {
    auto journal = FileJournal::open({directory_, segment_bytes}, loop_.post(), loop_);
    EXPECT_TRUE(journal) << journal.error().message;
    return std::move(*journal);
  }

  Records replay(FileJournal& journal, ports::ReplayReport* report = nullptr) {
    Records records;
    const auto done = journal.replay([&](LogSequence sequence, ByteView record) {
      records.emplace_back(sequence, std::string(as_text(record)));
    });
    EXPECT_TRUE(done);
    if (report) *report = *done;
    return records;
  }

  std::string last_segment() const {
    std::string last;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      const std::string path = entry.path().string();
      if (path.ends_with(".journal") && path > last) last = path;
    }
    return last;
  }

  std::string directory_;
  TestLoop loop_;
};

TEST_F(FileJournalTest, DurableRecordsComeBackInOrderWithTheirNumbers) {
  {
    auto journal = open();
    replay(*journal);
    EXPECT_EQ(journal->append(as_bytes("one")), 1u);
    EXPECT_EQ(journal->append(as_bytes("")), 2u);
    EXPECT_EQ(journal->append(as_bytes("three")), 3u);
    loop_.run_until_durable(3);
  }
  auto journal = open();
  EXPECT_EQ(replay(*journal), (Records{{1, "one"}, {2, ""}, {3, "three"}}));
  EXPECT_EQ(journal->append(as_bytes("four")), 4u);
}

TEST_F(FileJournalTest, TornLastWriteIsDroppedAndNumberingGoesOn) {
  {
    auto journal = open();
    replay(*journal);
    journal->append(as_bytes("kept"));
    journal->append(as_bytes("torn away"));
    loop_.run_until_durable(2);
  }
  fs::resize_file(last_segment(), fs::file_size(last_segment()) - 3);
  ports::ReplayReport report;
  {
    auto journal = open();
    EXPECT_EQ(replay(*journal, &report), (Records{{1, "kept"}}));
    EXPECT_EQ(report.tail, ports::ReplayReport::Tail::Clean);
    EXPECT_EQ(journal->append(as_bytes("again")), 2u);
    loop_.durable = 0;
    loop_.run_until_durable(2);
  }
  auto journal = open();
  EXPECT_EQ(replay(*journal, &report), (Records{{1, "kept"}, {2, "again"}}));
}

TEST_F(FileJournalTest, FlippedBitIsReportedAsDamageAndNothingAfterItIsRead) {
  {
    auto journal = open();
    replay(*journal);
    for (int i = 1; i <= 3; ++i) journal->append(as_bytes("record"));
    loop_.run_until_durable(3);
  }
  {
    std::fstream file(last_segment(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(kSegmentHeaderBytes + kRecordHeaderBytes + 6 + kRecordHeaderBytes);
    file.put('R');
  }
  ports::ReplayReport report;
  {
    auto journal = open();
    EXPECT_EQ(replay(*journal, &report), (Records{{1, "record"}}));
    EXPECT_EQ(report.tail, ports::ReplayReport::Tail::Damaged);
  }
  EXPECT_TRUE(fs::exists(last_segment() + ".damaged")) << "the evidence is kept";
  {
    auto journal = open();
    replay(*journal, &report);
    EXPECT_EQ(report.tail, ports::ReplayReport::Tail::Damaged) << "until acknowledged";
    journal->acknowledge_damage();
  }
  auto journal = open();
  replay(*journal, &report);
  EXPECT_EQ(report.tail, ports::ReplayReport::Tail::Clean);
}

TEST_F(FileJournalTest, TrimFreesWholeSegmentsAndKeepsTheRest) {
  {
    auto journal = open(/*segment_bytes=*/64);
    replay(*journal);
    for (LogSequence i = 1; i <= 10; ++i) {
      journal->append(as_bytes(std::string(60, 'x')));
      loop_.run_until_durable(i);
    }
    journal->trim(8);
    journal->append(as_bytes("last"));
    loop_.run_until_durable(11);
  }
  auto journal = open();
  ports::ReplayReport report;
  const Records records = replay(*journal, &report);
  EXPECT_EQ(report.first, 8u);
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records.back().second, "last");
}

TEST_F(FileJournalTest, SecondProcessOnTheSameFolderIsRefused) {
  auto journal = open();
  auto second = FileJournal::open({directory_}, loop_.post(), loop_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::FailedPrecondition);
}

TEST_F(FileJournalTest, EveryRecordReportedDurableSurvivesKillMinusNine) {
  for (int round = 0; round < 5; ++round) {
    int pipe_fds[2];
    ASSERT_EQ(::pipe(pipe_fds), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      TestLoop loop;
      auto journal = FileJournal::open({directory_, 4096}, loop.post(), loop);
      if (!journal || !(*journal)->replay([](LogSequence, ByteView) {})) ::_exit(1);
      for (;;) {
        const LogSequence sequence = (*journal)->append(as_bytes("a record of the child"));
        loop.run_until_durable(sequence);
        if (::write(pipe_fds[1], &sequence, sizeof sequence) != sizeof sequence) ::_exit(1);
      }
    }
    ::close(pipe_fds[1]);
    LogSequence acknowledged = 0;
    for (int i = 0; i < 50 + 37 * round; ++i) {
      ASSERT_EQ(::read(pipe_fds[0], &acknowledged, sizeof acknowledged),
                static_cast<ssize_t>(sizeof acknowledged));
    }
    ::kill(child, SIGKILL);
    while (::read(pipe_fds[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
    }
    ::close(pipe_fds[0]);
    ::waitpid(child, nullptr, 0);

    auto journal = open();
    ports::ReplayReport report;
    replay(*journal, &report);
    EXPECT_EQ(report.tail, ports::ReplayReport::Tail::Clean);
    EXPECT_GE(report.last, acknowledged);
  }
}

}  // namespace
}  // namespace hm::journal
