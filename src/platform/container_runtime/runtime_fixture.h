// SPDX-License-Identifier: Apache-2.0
// A runtime over a folder of its own with an image of busybox, for tests. Skips by name what the
// machine lacks, and takes everything down that a failed test left. HYPERMESH_TEST_RUNTIME is the
// path of the OCI runtime to test with, instead of the one that a daemon would choose.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/container_runtime/runtime.h"
#include "platform/containers_linux/cgroups.h"
#include "platform/containers_linux/root_filesystem.h"
#include "platform/linux/doctor_trial.h"
#include "platform/loop/event_loop.h"

namespace hm::container_runtime {

namespace fs = std::filesystem;

// Keeps what comes.
class Recorder final : public ports::ContainerStreamListener {
 public:
  void on_output(Lane lane, ByteView bytes) override {
    (lane == Lane::Out ? out : error) += as_text(bytes);
  }
  void on_taken(std::size_t bytes) override { taken += bytes; }
  void on_end(const Result<ports::ProcessExit>& exit) override {
    ++ends;
    if (exit) {
      code = exit->code;
      out_of_memory = exit->out_of_memory;
    } else {
      problem = exit.error().message;
    }
  }

  std::string out;
  std::string error;
  std::size_t taken = 0;
  int ends = 0;
  int code = -1;
  bool out_of_memory = false;
  std::string problem;
};

class RuntimeTest : public testing::Test {
 protected:
  static constexpr std::size_t kPlenty = 1 << 30;

  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    const auto busybox = find_busybox();
    if (!busybox) GTEST_SKIP() << "needs a static busybox (package busybox-static)";
    std::string pattern = testing::TempDir() + "hm-runtime-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    ASSERT_EQ(::chmod(pattern.c_str(), 0711), 0);
    make_layer(*busybox);
    options_ = {
        .state_folder = folder_ / "state",
        .volume_folder = folder_ / "volumes",
        .monitor_path =
            (fs::read_symlink("/proc/self/exe").parent_path() / "hypermesh-monitor").string(),
        .group = "hm-test-" + std::to_string(::getpid()),
        .network_tag = tag()};
    if (const char* chosen = std::getenv("HYPERMESH_TEST_RUNTIME")) options_.runtime_path = chosen;
    open();
    if (runtime_ && runtime_->facts().runtime.empty()) {
      GTEST_SKIP() << "needs an OCI runtime: " << runtime_->facts().missing.front();
    }
  }

  void TearDown() override {
    if (folder_.empty()) return;
    if (runtime_) {
      for (const auto& one : runtime_->existing()) EXPECT_TRUE(remove(one.order.id));
      runtime_.reset();
    }
    loop_.finish_workers();
    const auto left = find_leftovers(options_);
    EXPECT_TRUE(left && left->empty());
    EXPECT_TRUE(containers_linux::unmount_below(folder_.string()));
    fs::remove_all(folder_);
  }

  // Opens the state folder, as a daemon that begins.
  void open() {
    auto opened = open_runtime(loop_.context(), loop_.workers(), options_);
    ASSERT_TRUE(opened) << opened.error().message << ": " << opened.error().detail;
    runtime_ = std::move(*opened);
    runtime_->on_exit([this](const std::string& id, const ports::ProcessExit& exit) {
      exits_.emplace_back(id, exit.code);
    });
  }

  // Lets the loop run until `condition` holds; false if it does not for long.
  template <class Condition>
  bool wait_for(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      loop_.context().restart();
      loop_.context().run_one_for(std::chrono::milliseconds(50));
    }
    return true;
  }

  ports::ContainerOrder order(const std::string& id, std::vector<std::string> arguments) const {
    ports::ContainerOrder made{.id = id};
    made.spec.process.arguments = std::move(arguments);
    made.spec.limits.memory_bytes = 64 << 20;
    made.label = {1, 2, 3};
    return made;
  }
  static std::vector<std::string> shell(std::string script) {
    return {"/bin/sh", "-c", std::move(script)};
  }
  ports::UnpackedImage image() const {
    const std::string config =
        R"({"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["/bin/sh"]},)"
        R"("rootfs":{"type":"layers","diff_ids":["sha256:)" +
        std::string(64, '0') + R"("]}})";
    return {.layers = {(folder_ / "layer").string()},
            .config = to_bytes(as_bytes(config)),
            .hold = nullptr};
  }

  ports::StreamResult start(ports::ContainerOrder order, Recorder* recorder,
                            std::size_t allowance = kPlenty) {
    std::optional<ports::StreamResult> result;
    runtime_->start(std::move(order), image(), recorder,
                    [&result](ports::StreamResult started) { result = std::move(started); });
    EXPECT_TRUE(wait_for([&] { return result.has_value(); }));
    if (*result && **result) (**result)->allow(allowance);
    return std::move(*result);
  }
  bool ended(const Recorder& recorder) {
    return wait_for([&] { return recorder.ends > 0; });
  }
  // Runs to its end.
  Recorder run(ports::ContainerOrder order) {
    Recorder recorder;
    const auto stream = start(std::move(order), &recorder);
    EXPECT_TRUE(stream) << stream.error().message << ": " << stream.error().detail;
    EXPECT_TRUE(!stream || ended(recorder));
    return recorder;
  }

  // Calls `request(done)` and returns what `done` was told.
  template <class T, class Request>
  Result<T> ask(const Request& request) {
    std::optional<Result<T>> result;
    request([&result](Result<T> told) { result = std::move(told); });
    EXPECT_TRUE(wait_for([&] { return result.has_value(); }));
    return std::move(*result);
  }
  Result<void> remove(const std::string& id) {
    return ask<void>([&](auto done) { runtime_->remove(id, done); });
  }
  ports::StreamResult attach(const std::string& id, Recorder& recorder) {
    return ask<std::unique_ptr<ports::ContainerStream>>(
        [&](auto done) { runtime_->attach(id, recorder, done); });
  }
  std::optional<ports::ExistingContainer> existing(const std::string& id) const {
    for (auto& one : runtime_->existing()) {
      if (one.order.id == id) return one;
    }
    return std::nullopt;
  }
  bool has_exited(const std::string& id) {
    return wait_for([&] {
      const auto found = existing(id);
      return found && found->state == ports::ContainerState::Exited;
    });
  }

  fs::path folder_;
  RuntimeOptions options_;
  loop::EventLoop loop_{2};
  std::unique_ptr<ports::ContainerRuntime> runtime_;
  std::vector<std::pair<std::string, int>> exits_;

 private:
  static std::optional<std::string> find_busybox() {
    const auto path = linux::find_program("busybox", {"/bin", "/usr/bin"});
    if (!path) return std::nullopt;
    const auto run = linux::run_program({*path, "--list"}, std::chrono::seconds(5));
    return run.outcome == linux::Outcome::Works ? path : std::nullopt;
  }
  static std::string tag() {
    std::string text;
    for (auto number = static_cast<unsigned>(::getpid()); number > 0; number /= 36) {
      text += "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
    }
    return "t" + text.substr(0, 5);
  }
  void make_layer(const std::string& busybox) {
    const fs::path layer = folder_ / "layer";
    for (const char* name : {"bin", "etc", "tmp", "data"}) fs::create_directories(layer / name);
    fs::copy_file(busybox, layer / "bin/busybox");
    for (const char* name :
         {"cat",      "dd", "echo",   "env",  "false", "head", "id",   "kill", "ls", "nc", "ps",
          "readlink", "sh", "setsid", "grep", "sleep", "stty", "true", "tty",  "wc", "yes"}) {
      fs::create_symlink("busybox", layer / "bin" / name);
    }
    for (const auto& entry : fs::recursive_directory_iterator(layer)) own(entry.path());
    own(layer);
  }
  void own(const fs::path& path) const {
    ASSERT_EQ(::lchown(path.c_str(), options_.uid_shift, options_.uid_shift), 0);
  }
};

}  // namespace hm::container_runtime
