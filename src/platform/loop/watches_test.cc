// SPDX-License-Identifier: Apache-2.0
#include "platform/loop/watches.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <optional>
#include <string>

namespace hm::loop {
namespace {

using Wants = FdWatch::Wants;

class FdWatchTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe(pipe_.data()), 0); }
  void TearDown() override {
    for (const int fd : pipe_) ::close(fd);
  }
  void put(std::string_view text) {
    ASSERT_EQ(::write(pipe_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string take(int fd, std::size_t most = 64) {
    std::string text(most, '\0');
    const ssize_t got = ::read(fd, text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }

  boost::asio::io_context loop_{1};
  std::array<int, 2> pipe_{};
};

TEST_F(FdWatchTest, CallsForEachArrivalAndForTheEnd) {
  std::vector<std::string> got;
  std::optional<FdWatch> watch;
  watch.emplace(loop_, pipe_[0], Wants::Reading, [&] {
    got.push_back(take(pipe_[0]));
    if (got.size() == 1) put("two");
    if (got.size() == 2) {
      ::close(pipe_[1]);
      pipe_[1] = ::dup(pipe_[0]);
    }
    if (got.back().empty()) watch.reset();
  });
  put("one");
  watch->resume();
  loop_.run();
  EXPECT_EQ(got, (std::vector<std::string>{"one", "two", ""}));
}

TEST_F(FdWatchTest, SaysNothingWhilePaused) {
  int calls = 0;
  FdWatch watch(loop_, pipe_[0], Wants::Reading, [&] {
    ++calls;
    watch.pause();
  });
  put("bytes that stay unread");
  loop_.run();
  EXPECT_EQ(calls, 0);
  watch.resume();
  loop_.restart();
  loop_.run();
  EXPECT_EQ(calls, 1);
}

TEST_F(FdWatchTest, AFullPipeIsReadyAgainWhenItWasRead) {
  ASSERT_EQ(::fcntl(pipe_[1], F_SETFL, O_NONBLOCK), 0);
  const std::string block(4096, 'x');
  while (::write(pipe_[1], block.data(), block.size()) > 0) {
  }
  int calls = 0;
  FdWatch writing(loop_, pipe_[1], Wants::Writing, [&] {
    ++calls;
    writing.pause();
  });
  writing.resume();
  loop_.poll();
  EXPECT_EQ(calls, 0);
  take(pipe_[0], 1 << 16);
  loop_.run();
  EXPECT_EQ(calls, 1);
}

TEST_F(FdWatchTest, AFileIsAlwaysReadyAndTheDescriptorStaysTheCallers) {
  const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  std::size_t calls = 0;
  {
    std::optional<FdWatch> watch;
    watch.emplace(loop_, file, Wants::Reading, [&] {
      EXPECT_EQ(take(file).size(), 64U);
      if (++calls == 3) watch.reset();
    });
    watch->resume();
    loop_.run();
  }
  EXPECT_EQ(calls, 3U);
  EXPECT_EQ(take(file).size(), 64U);
  ::close(file);
}

TEST_F(FdWatchTest, OneDescriptorIsWatchedForBoth) {
  int reads = 0;
  int writes = 0;
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  FdWatch reading(loop_, null, Wants::Reading, [&] {
    ++reads;
    reading.pause();
  });
  FdWatch writing(loop_, null, Wants::Writing, [&] {
    ++writes;
    writing.pause();
  });
  reading.resume();
  writing.resume();
  loop_.run();
  EXPECT_EQ(reads, 1);
  EXPECT_EQ(writes, 1);
  ::close(null);
}

TEST(SignalWatch, CallsForEverySignalUntilItEnds) {
  boost::asio::io_context loop{1};
  std::vector<int> got;
  std::optional<SignalWatch> watch;
  watch.emplace(loop, std::vector<int>{SIGUSR1, SIGWINCH}, [&](int signal) {
    got.push_back(signal);
    if (got.size() == 3) {
      watch.reset();
    } else {
      std::raise(got.size() == 1 ? SIGWINCH : SIGUSR1);
    }
  });
  std::raise(SIGUSR1);
  loop.run();
  EXPECT_EQ(got, (std::vector<int>{SIGUSR1, SIGWINCH, SIGUSR1}));
}

}  // namespace
}  // namespace hm::loop
