// SPDX-License-Identifier: Apache-2.0
#include "platform/loop/event_loop.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace hm::loop {
namespace {

TEST(EventLoop, WorkerJobRunsOffTheLoopAndItsResultOnIt) {
  EventLoop loop(2);
  const auto loop_thread = std::this_thread::get_id();
  std::thread::id job_thread;
  std::thread::id done_thread;
  loop.workers().submit([&] { job_thread = std::this_thread::get_id(); },
                        [&] {
                          done_thread = std::this_thread::get_id();
                          loop.stop();
                        });
  loop.run();
  EXPECT_NE(job_thread, loop_thread);
  EXPECT_EQ(done_thread, loop_thread);
}

TEST(EventLoop, WorkersThatAllWaitLeaveTheOthersAtWork) {
  EventLoop loop(1);
  const auto disk = loop.make_workers(1);
  std::promise<void> others_worked;
  int done = 0;
  const auto count = [&] {
    if (++done == 2) loop.stop();
  };
  disk->submit([worked = others_worked.get_future().share()] { worked.wait(); }, count);
  loop.workers().submit([&] { others_worked.set_value(); }, count);
  loop.run();
  EXPECT_EQ(done, 2);
}

TEST(EventLoop, RearmedTimerFiresOnceAndCancelledTimerNever) {
  EventLoop loop(1);
  int rearmed_fired = 0;
  int cancelled_fired = 0;
  const auto now = loop.clock().now();
  auto rearmed = loop.timers().create([&] { ++rearmed_fired; });
  rearmed->arm(now);
  rearmed->arm(now + std::chrono::milliseconds(1));
  auto cancelled = loop.timers().create([&] { ++cancelled_fired; });
  cancelled->arm(now);
  cancelled->cancel();
  auto last = loop.timers().create([&] { loop.stop(); });
  last->arm(now + std::chrono::milliseconds(20));
  loop.run();
  EXPECT_EQ(rearmed_fired, 1);
  EXPECT_EQ(cancelled_fired, 0);
}

}  // namespace
}  // namespace hm::loop
