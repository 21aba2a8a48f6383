// SPDX-License-Identifier: Apache-2.0
// From the request to the report of the end, for a container that runs `true` of a static busybox:
// the OCI runtime alone, this project's runtime, and podman where it is installed; and the same for
// one more process in a container that runs. The ways take turns, so that a noisy machine is noisy
// for all of them. Clearing away is not measured, and is over before the next turn.
//   bench_containers [--json] [--turns N]
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "apps/mesh_load/timed_program.h"
#include "platform/container_runtime/runtime.h"
#include "platform/containers_linux/root_filesystem.h"
#include "platform/linux/doctor_trial.h"
#include "platform/linux/runtime_trial.h"
#include "platform/loop/event_loop.h"

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using hm::ports::StreamResult;

constexpr std::uint32_t kShift = 100'000;
constexpr hm::Duration kPatience = std::chrono::seconds(30);

double millis_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// What is to be taken down before the program ends, whatever the reason.
std::function<void()> clear_away;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "error: %s\n", why.c_str());
  if (const auto clear = std::exchange(clear_away, nullptr)) clear();
  std::exit(1);
}

struct Series {
  std::string name;
  std::vector<double> millis;
  double at(double part) const {
    std::vector<double> sorted = millis;
    std::ranges::sort(sorted);
    return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
  }
};

class Waiter final : public hm::ports::ContainerStreamListener {
 public:
  void on_output(Lane, hm::ByteView) override {}
  void on_taken(std::size_t) override {}
  void on_end(const hm::Result<hm::ports::ProcessExit>& exit) override {
    if (!exit || exit->code != 0) give_up("the process failed");
    is_over = true;
  }
  bool is_over = false;
};

class Bench {
 public:
  Bench() {
    const auto busybox = hm::linux::find_program("busybox", {});
    if (::geteuid() != 0 || !busybox) give_up("needs root and a static busybox (busybox-static)");
    std::string pattern = (fs::temp_directory_path() / "hm-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) give_up("no temporary folder");
    folder_ = pattern;
    clear_away = [this] { clear(); };
    ::chmod(pattern.c_str(), 0711);
    fs::create_directories(folder_ / "layer/bin");
    fs::create_directories(folder_ / "state");
    fs::copy_file(*busybox, folder_ / "layer/bin/busybox");
    for (const char* name : {"true", "sleep"}) {
      fs::create_symlink("busybox", folder_ / "layer/bin" / name);
    }
    for (const char* path : {"layer", "layer/bin", "layer/bin/busybox"}) {
      if (::lchown((folder_ / path).c_str(), kShift, kShift) != 0) give_up("cannot change owners");
    }
    const std::string pid = std::to_string(::getpid());
    auto runtime = hm::container_runtime::open_runtime(
        loop_.context(), loop_.workers(),
        {.state_folder = folder_ / "state",
         .volume_folder = folder_ / "volumes",
         .group = "hm-bench-" + pid,
         .network_tag = "b" + pid.substr(pid.size() - std::min<std::size_t>(pid.size(), 5)),
         .uid_shift = kShift});
    if (!runtime) give_up(runtime.error().message);
    runtime_ = std::move(*runtime);
    if (runtime_->facts().runtime.empty()) give_up(runtime_->facts().missing.front());
  }
  ~Bench() {
    if (const auto clear = std::exchange(clear_away, nullptr)) clear();
  }
  void clear() {
    if (runtime_) {
      for (const auto& one : runtime_->existing()) remove(one.order.id);
    }
    runtime_.reset();
    loop_.finish_workers();
    (void)hm::containers_linux::unmount_below(folder_.string());
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  std::string runtime() const { return runtime_->facts().runtime; }
  std::string cgroups() const { return runtime_->facts().cgroups; }

  // One container in which `sleep` runs, and a bundle as the runtime itself would be given.
  void prepare() {
    Waiter waiter;
    start("rests", {"/bin/sleep", "100000"}, nullptr);
    const fs::path own = folder_ / "state/rests";
    nlohmann::json config = nlohmann::json::parse(std::ifstream(own / "bundle/config.json"));
    config["process"]["args"] = {"/bin/true"};
    config["linux"]["namespaces"].push_back({{"type", "network"}});
    config["linux"]["cgroupsPath"] = "/hm-bench-" + std::to_string(::getpid()) + "/bare";
    fs::create_directories(folder_ / "bundle");
    std::ofstream(folder_ / "bundle/config.json") << config;
    trial_ = hm::linux::try_runtime(runtime().substr(0, runtime().find(' ')), {}, kPatience);
    if (trial_.hidden_mount.empty()) return;
    const auto made = hm::mesh_load::mount_namespace_without(trial_.hidden_mount);
    if (!made) give_up(made.error().message);
    mounts_ = *made;
  }

  double bare_run() {
    return timed({trial_.path, "--root", folder_ / "bare", "run", "--bundle", folder_ / "bundle",
                  "hm-bench-bare"});
  }
  double bare_exec() {
    return timed(
        {trial_.path, "--root", folder_ / "state/rests/runtime", "exec", "rests", "/bin/true"});
  }
  std::optional<double> podman_run() {
    const auto podman = hm::linux::find_program("podman", {});
    if (!podman) return std::nullopt;
    return timed({*podman, "run", "--rm", "--network", "none", "--ulimit", "nofile=1024:1024",
                  "--ulimit", "nproc=1024:1024", "--runtime", trial_.path, "--rootfs",
                  folder_ / "podman", "/bin/true"});
  }
  void prepare_podman() {
    // podman writes into the folder, and maps no ids.
    fs::copy(folder_ / "layer", folder_ / "podman",
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }

  double own_run() {
    const std::string id = "turn-" + std::to_string(++turn_);
    Waiter waiter;
    const auto begin = Clock::now();
    const auto stream = start(id, {"/bin/true"}, &waiter);
    until([&] { return waiter.is_over; });
    const double took = millis_since(begin);
    remove(id);
    return took;
  }
  double own_exec() {
    Waiter waiter;
    hm::containers::ProcessSpec process;
    process.arguments = {"/bin/true"};
    std::unique_ptr<hm::ports::ContainerStream> stream;
    const auto begin = Clock::now();
    runtime_->exec("rests", process, waiter, [&](StreamResult started) {
      if (!started) give_up(started.error().message + ": " + started.error().detail);
      stream = std::move(*started);
    });
    until([&] { return waiter.is_over; });
    return millis_since(begin);
  }

 private:
  template <class Condition>
  void until(const Condition& condition) {
    while (!condition()) {
      loop_.context().restart();
      loop_.context().run_one_for(std::chrono::seconds(10));
    }
  }

  std::unique_ptr<hm::ports::ContainerStream> start(const std::string& id,
                                                    std::vector<std::string> arguments,
                                                    Waiter* waiter) {
    hm::ports::ContainerOrder order{.id = id};
    order.spec.process.arguments = std::move(arguments);
    const std::string config =
        R"({"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[)"
        R"("sha256:)" +
        std::string(64, '0') + R"("]}})";
    hm::ports::UnpackedImage image{.layers = {(folder_ / "layer").string()},
                                   .config = hm::to_bytes(hm::as_bytes(config)),
                                   .hold = nullptr};
    std::optional<std::unique_ptr<hm::ports::ContainerStream>> stream;
    runtime_->start(std::move(order), std::move(image), waiter, [&](StreamResult started) {
      if (!started) give_up(started.error().message + ": " + started.error().detail);
      stream = std::move(*started);
    });
    until([&] { return stream.has_value(); });
    return std::move(*stream);
  }

  void remove(const std::string& id) {
    bool is_removed = false;
    runtime_->remove(id, [&](hm::Result<void> removed) {
      if (!removed) give_up(removed.error().message);
      is_removed = true;
    });
    until([&] { return is_removed; });
  }

  double timed(const std::vector<std::string>& words) const {
    const auto took = hm::mesh_load::timed_program(words, mounts_);
    if (!took) give_up(took.error().message);
    return *took;
  }

  fs::path folder_;
  hm::loop::EventLoop loop_{2};
  std::unique_ptr<hm::ports::ContainerRuntime> runtime_;
  hm::linux::RuntimeTrial trial_;
  int mounts_ = -1;  // the namespace in which the OCI runtime works
  int turn_ = 0;
};

std::string machine() {
  utsname name{};
  ::uname(&name);
  return std::string("Linux ") + name.release + ", " +
         std::to_string(std::thread::hardware_concurrency()) + " processors";
}

void print(const Bench& bench, const std::vector<Series>& all, bool as_json) {
  const double run = all[1].at(0.5) / all[0].at(0.5);
  const double exec = all[3].at(0.5) / all[2].at(0.5);
  if (as_json) {
    nlohmann::json series = nlohmann::json::array();
    for (const Series& one : all) {
      series.push_back({{"name", one.name},
                        {"turns", one.millis.size()},
                        {"min", one.at(0)},
                        {"p50", one.at(0.5)},
                        {"p99", one.at(0.99)}});
    }
    const nlohmann::json document = {
        {"schema", 1},          {"build", HM_BUILD_TYPE},     {"unit", "ms"},
        {"machine", machine()}, {"runtime", bench.runtime()}, {"cgroups", bench.cgroups()},
        {"run_ratio", run},     {"exec_ratio", exec},         {"series", series}};
    std::printf("%s\n", document.dump().c_str());
    return;
  }
  std::printf("from request to reported end of `true`, in turns; %s, cgroups %s, build %s\n%s\n",
              bench.runtime().c_str(), bench.cgroups().c_str(), HM_BUILD_TYPE, machine().c_str());
  for (const Series& one : all) {
    std::printf("  %-24s %4zu turns  min %8.2f ms  p50 %8.2f ms  p99 %8.2f ms\n", one.name.c_str(),
                one.millis.size(), one.at(0), one.at(0.5), one.at(0.99));
  }
  std::printf("own run / bare run: %.2f (aim: 2 or less)    own exec / bare exec: %.2f\n", run,
              exec);
}

}  // namespace

int main(int argc, char** argv) {
  bool as_json = false;
  int turns = 100;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json") as_json = true;
    if (argument == "--turns" && i + 1 < argc) turns = std::max(1, std::atoi(argv[++i]));
  }
  Bench bench;
  bench.prepare();
  bench.prepare_podman();
  std::vector<Series> all{{"bare run", {}}, {"own run", {}}, {"bare exec", {}}, {"own exec", {}}};
  Series podman{"podman run", {}};
  for (int turn = 0; turn < turns; ++turn) {
    all[0].millis.push_back(bench.bare_run());
    all[1].millis.push_back(bench.own_run());
    all[2].millis.push_back(bench.bare_exec());
    all[3].millis.push_back(bench.own_exec());
    // Ten times as slow as the others.
    if (turn % 5 == 0) {
      if (const auto took = bench.podman_run()) podman.millis.push_back(*took);
    }
  }
  if (!podman.millis.empty()) all.push_back(std::move(podman));
  print(bench, all, as_json);
}
