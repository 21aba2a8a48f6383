// SPDX-License-Identifier: Apache-2.0
// Containers in which a tenant means harm: hypermesh-attacker makes one attempt, and the test
// judges what the kernel answered and what the host has afterwards.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <sstream>

#include "platform/container_runtime/runtime_fixture.h"
#include "platform/linux/kernel_text.h"
#include "platform/linux/kernel_tree.h"

namespace hm::container_runtime {
inline constexpr std::uint64_t kMiB = 1U << 20U;

// The host's part is played by a network namespace of the test's own, so that addresses can be
// given to it. Made before the event loop's threads, which then are in it too.
class OwnNetwork {
 public:
  OwnNetwork() : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    if (::geteuid() == 0) (void)::unshare(CLONE_NEWNET);
  }
  ~OwnNetwork() {
    if (::geteuid() == 0) (void)::setns(before_, CLONE_NEWNET);
    ::close(before_);
  }
  OwnNetwork(const OwnNetwork&) = delete;
  OwnNetwork& operator=(const OwnNetwork&) = delete;

 private:
  int before_;
};

// "what: result" lines.
using Told = std::map<std::string, std::string>;
inline Told lines_of(const std::string& out) {
  Told told;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.rfind(": ");
    if (colon != std::string::npos) told[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return told;
}

inline std::uint64_t number_of(const Told& told, const std::string& what) {
  const auto found = told.find(what);
  EXPECT_NE(found, told.end()) << what;
  return found == told.end() ? 0 : linux::parse_u64(found->second).value_or(0);
}

// Empty if it is not there, or goes meanwhile, as a control group's files do.
inline std::string text_of(const fs::path& path) {
  const std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();  // throws nothing, other than an iterator over it
  return out.str();
}

class HostileTest : private OwnNetwork, public RuntimeTest {
 protected:
  void SetUp() override {
    RuntimeTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const auto attacker = fs::read_symlink("/proc/self/exe").parent_path() / "hypermesh-attacker";
    ASSERT_TRUE(fs::exists(attacker));
    const fs::path inside = folder_ / "layer/bin/attacker";
    fs::copy_file(attacker, inside);
    give(inside);
  }

  void give(const fs::path& path) const {
    ASSERT_EQ(::lchown(path.c_str(), options_.uid_shift, options_.uid_shift), 0);
  }

  ports::ContainerOrder attack(
      std::vector<std::string> arguments,
      containers::Isolation isolation = containers::Isolation::Container) const {
    arguments.insert(arguments.begin(), "/bin/attacker");
    ports::ContainerOrder made = order("attack", std::move(arguments));
    made.spec.entrypoint = containers::RunSpec::Entrypoint::Replaced;
    made.spec.isolation = isolation;
    if (isolation == containers::Isolation::ContainerPlus)
      made.spec.root = containers::Access::ReadOnly;
    return made;
  }
  // Runs one attempt to its end and takes the container away again.
  Told attempt(ports::ContainerOrder order) {
    const std::string id = order.id;
    const Recorder recorder = run(std::move(order));
    code_ = recorder.code;
    EXPECT_EQ(recorder.error, "");
    EXPECT_TRUE(remove(id));
    return lines_of(recorder.out);
  }
  Told attempt_to(std::vector<std::string> arguments) {
    return attempt(attack(std::move(arguments)));
  }

  // Starts a program that tells it is there and goes on.
  struct Going {
    Recorder recorder;
    std::unique_ptr<ports::ContainerStream> stream;
  };
  std::unique_ptr<Going> begin(ports::ContainerOrder order) {
    auto going = std::make_unique<Going>();
    auto started = start(std::move(order), &going->recorder);
    EXPECT_TRUE(started) << started.error().message << ": " << started.error().detail;
    if (started) going->stream = std::move(*started);
    EXPECT_TRUE(wait_for([&] { return !going->recorder.out.empty() || going->recorder.ends > 0; }));
    return going;
  }
  std::unique_ptr<Going> exec(const std::string& id, std::vector<std::string> arguments) {
    auto going = std::make_unique<Going>();
    const containers::ProcessSpec process{.arguments = std::move(arguments)};
    auto started = ask<std::unique_ptr<ports::ContainerStream>>(
        [&](auto done) { runtime_->exec(id, process, going->recorder, done); });
    if (!started) {
      going->recorder.problem = started.error().message + ": " + started.error().detail;
      going->recorder.ends = 1;
      return going;
    }
    going->stream = std::move(*started);
    going->stream->allow(kPlenty);
    EXPECT_TRUE(ended(going->recorder));
    return going;
  }
  ports::ContainerUsage usage(const std::string& id) {
    const auto result = ask<ports::ContainerUsage>([&](auto done) { runtime_->usage(id, done); });
    EXPECT_TRUE(result);
    return result.value_or(ports::ContainerUsage{});
  }

  // A file of the container's control groups: `v1` of the controller, or `v2`.
  std::string group_file(const std::string& id, const std::string& controller,
                         const std::string& v1, const std::string& v2) const {
    const auto text = linux::KernelTree("/proc").text("self/mountinfo");
    for (const auto& mount : linux::parse_mountinfo(text.value_or(""))) {
      const bool is_v1 = mount.filesystem == "cgroup" && mount.mount_point.ends_with(controller);
      if (!is_v1 && (mount.filesystem != "cgroup2" || mount.mount_point.ends_with("unified"))) {
        continue;
      }
      return mount.mount_point + "/" + options_.group + "/" + id + "/" + (is_v1 ? v1 : v2);
    }
    return {};
  }

  int code_ = -1;
};

}  // namespace hm::container_runtime
