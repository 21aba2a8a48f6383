// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/hardware_monitor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "platform/linux/hardware_probe.h"

namespace hm::linux {
namespace {

using ports::HardwareChanges;
using ports::HardwareSnapshot;

// Runs each job where it is submitted, or when the test says so.
class InlineWorkers final : public ports::Workers {
 public:
  explicit InlineWorkers(boost::asio::io_context& loop) : loop_(loop) {}
  void submit(std::function<void()> job, std::function<void()> done) override {
    if (!held) {
      job();
      boost::asio::post(loop_, std::move(done));
    } else {
      job();
      pending.push_back(std::move(done));
    }
  }
  bool held = false;
  std::deque<std::function<void()>> pending;

 private:
  boost::asio::io_context& loop_;
};

class CountingProbe final : public ports::HardwareProbe {
 public:
  Result<HardwareSnapshot> snapshot() override {
    ++calls;
    if (broken) return fail(ErrorCode::Unavailable, "planted failure");
    return next;
  }
  HardwareSnapshot next;
  bool broken = false;
  int calls = 0;
};

class Recorder final : public ports::HardwareListener {
 public:
  void on_hardware_changed(const HardwareSnapshot&, const HardwareChanges& changes) override {
    history.push_back(changes);
  }
  void on_hardware_probe_failed(const Error&) override { ++failures; }

  bool saw(const std::vector<ports::HardwareItem> HardwareChanges::* list,
           const std::string& part) const {
    for (const HardwareChanges& changes : history) {
      for (const ports::HardwareItem& item : changes.*list) {
        if (item.key.find(part) != std::string::npos) return true;
      }
    }
    return false;
  }
  std::vector<HardwareChanges> history;
  int failures = 0;
};

// Runs the loop until `reached` or for at most this long; a change is promised within a second,
// a loaded machine gets ten.
bool run_until(boost::asio::io_context& loop, const std::function<bool()>& reached) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!reached() && std::chrono::steady_clock::now() < deadline) {
    loop.run_one_for(std::chrono::milliseconds(50));
  }
  return reached();
}

HardwareSnapshot with(const std::string& key) {
  return {.items = {{.kind = ports::HardwareKind::Memory, .key = key, .detected = 1}}};
}

class MonitorLoop : public ::testing::Test {
 protected:
  boost::asio::io_context loop;
  InlineWorkers workers{loop};
  CountingProbe probe;
  Recorder recorder;
};

TEST_F(MonitorLoop, TheFirstSnapshotArrivesAndSameOnesStaySilent) {
  probe.next = with("a");
  auto monitor =
      make_hardware_monitor(loop, workers, probe, {.reconcile = std::chrono::milliseconds(5)});
  ASSERT_TRUE(monitor->start(recorder).has_value());
  EXPECT_FALSE(monitor->start(recorder).has_value());
  ASSERT_TRUE(run_until(loop, [&] { return probe.calls >= 5; }));
  EXPECT_EQ(recorder.history.size(), 1U);
  EXPECT_TRUE(recorder.saw(&HardwareChanges::appeared, "a"));
  probe.next = with("b");
  ASSERT_TRUE(run_until(loop, [&] { return recorder.history.size() == 2; }));
  EXPECT_TRUE(recorder.saw(&HardwareChanges::vanished, "a"));
  EXPECT_EQ(monitor->current().items[0].key, "b");
}

TEST_F(MonitorLoop, AFailedReadingIsToldAndTriedAgain) {
  probe.broken = true;
  auto monitor =
      make_hardware_monitor(loop, workers, probe, {.reconcile = std::chrono::milliseconds(5)});
  ASSERT_TRUE(monitor->start(recorder).has_value());
  ASSERT_TRUE(run_until(loop, [&] { return recorder.failures >= 2; }));
  EXPECT_TRUE(recorder.history.empty());
  probe.broken = false;
  EXPECT_TRUE(run_until(loop, [&] { return !recorder.history.empty(); }));
}

TEST_F(MonitorLoop, NobodyIsCalledAfterStopEvenIfAWorkerAnswersLate) {
  probe.next = with("a");
  workers.held = true;
  auto monitor = make_hardware_monitor(loop, workers, probe);
  ASSERT_TRUE(monitor->start(recorder).has_value());
  ASSERT_EQ(workers.pending.size(), 1U);
  monitor->stop();
  monitor.reset();
  workers.pending.front()();
  loop.run_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(recorder.history.empty());
}

int run_program(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// In a thread of its own, because a network namespace belongs to the thread that enters it.
void watch_a_link(std::string& skipped) {
  if (::unshare(CLONE_NEWNET) != 0) {
    skipped = "the right to make a network namespace";
    return;
  }
  if (run_program("ip link show >/dev/null 2>&1") != 0) {
    skipped = "the program ip";
    return;
  }
  boost::asio::io_context loop;
  InlineWorkers workers(loop);
  Recorder recorder;
  auto probe = make_hardware_probe({}, nullptr);
  auto monitor = make_hardware_monitor(loop, workers, *probe);
  ASSERT_TRUE(monitor->start(recorder).has_value());
  ASSERT_TRUE(run_until(loop, [&] { return !recorder.history.empty(); }));
  if (run_program("ip link add hmt0 type veth peer name hmt1 2>/dev/null") != 0) {
    skipped = "veth pairs";
    return;
  }
  EXPECT_TRUE(run_until(loop, [&] { return recorder.saw(&HardwareChanges::appeared, "hmt0"); }));
  ASSERT_EQ(run_program("ip link set hmt0 up && ip -6 addr add fd00::1/64 dev hmt0 nodad"), 0);
  EXPECT_TRUE(run_until(loop, [&] { return recorder.saw(&HardwareChanges::changed, "hmt0"); }));
  ASSERT_EQ(run_program("ip link del hmt0"), 0);
  EXPECT_TRUE(run_until(loop, [&] { return recorder.saw(&HardwareChanges::vanished, "hmt0"); }));
}

TEST(RealMonitor, SeesALinkComeChangeAndGo) {
  std::string skipped;
  std::thread(watch_a_link, std::ref(skipped)).join();
  if (!skipped.empty()) GTEST_SKIP() << "missing: " << skipped;
}

// A loop device over a small file, detached at the latest with this object.
class LoopDevice {
 public:
  bool attach() {
    std::string name = (std::filesystem::temp_directory_path() / "hm-loop-XXXXXX").string();
    file_ = ::mkstemp(name.data());
    if (file_ < 0) return false;
    ::unlink(name.c_str());
    if (::ftruncate(file_, 1 << 20) != 0) return false;
    // Another test run may take the free device first, so a few are tried.
    for (int attempt = 0; attempt < 5 && !attached_; ++attempt) attach_free();
    return attached_;
  }
  void detach() {
    if (attached_) ::ioctl(device_, LOOP_CLR_FD, 0);
    attached_ = false;
    if (device_ >= 0) ::close(device_);
    device_ = -1;
  }
  ~LoopDevice() {
    detach();
    if (file_ >= 0) ::close(file_);
  }
  const std::string& key() const { return key_; }

 private:
  void attach_free() {
    const int control = ::open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) return;
    const std::string number = std::to_string(::ioctl(control, LOOP_CTL_GET_FREE));
    ::close(control);
    device_ = ::open(("/dev/loop" + number).c_str(), O_RDWR | O_CLOEXEC);
    attached_ = device_ >= 0 && ::ioctl(device_, LOOP_SET_FD, file_) == 0;
    if (!attached_ && device_ >= 0) ::close(device_);
    key_ = "disk:loop" + number;
  }

  int file_ = -1;
  int device_ = -1;
  bool attached_ = false;
  std::string key_;
};

TEST(RealMonitor, SeesADiskComeAndGo) {
  boost::asio::io_context loop;
  InlineWorkers workers(loop);
  Recorder recorder;
  auto probe = make_hardware_probe({}, nullptr);
  auto monitor = make_hardware_monitor(loop, workers, *probe);
  ASSERT_TRUE(monitor->start(recorder).has_value());
  ASSERT_TRUE(run_until(loop, [&] { return !recorder.history.empty(); }));
  LoopDevice device;
  if (!device.attach()) GTEST_SKIP() << "missing: loop devices";
  EXPECT_TRUE(
      run_until(loop, [&] { return recorder.saw(&HardwareChanges::appeared, device.key()); }));
  device.detach();
  EXPECT_TRUE(
      run_until(loop, [&] { return recorder.saw(&HardwareChanges::vanished, device.key()); }));
}

}  // namespace
}  // namespace hm::linux
