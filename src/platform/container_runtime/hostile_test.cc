// SPDX-License-Identifier: Apache-2.0
// What a container may not do, attempted by a real program in a real container.
#include "platform/container_runtime/hostile_test.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "foundation/crypto/hash.h"
#include "platform/containers_linux/rtnetlink.h"

namespace hm::container_runtime {
namespace {

using testing::HasSubstr;
using testing::Not;

// What the kernel says to what it does not do. Not among them: EFAULT, EINVAL and the like, which
// would mean that it looked at the arguments.
constexpr std::string_view kRefusals[] = {"EPERM",  "EACCES", "ENOSYS",       "EAFNOSUPPORT",
                                          "ENOENT", "EROFS",  "ECONNREFUSED", "ENETUNREACH",
                                          "empty",  "masked"};

void expect_all_refused(const Told& told, std::initializer_list<std::string> allowed = {}) {
  EXPECT_FALSE(told.empty());
  for (const auto& [what, result] : told) {
    if (std::ranges::find(allowed, what) != allowed.end()) {
      EXPECT_EQ(result, "done") << what;
    } else {
      EXPECT_NE(std::ranges::find(kRefusals, result), std::ranges::end(kRefusals))
          << what << ": " << result;
    }
  }
}

// --- what the kernel is asked for ---

TEST_F(HostileTest, NothingIsMounted) { expect_all_refused(attempt_to({"mounts"})); }

TEST_F(HostileTest, NoNamespaceIsMadeOrEntered) {
  const Told told = attempt_to({"namespaces"});
  expect_all_refused(told, {"clone plain"});
  EXPECT_EQ(told.at("clone3"), "ENOSYS");  // so that libraries fall back to clone
  EXPECT_EQ(told.at("clone user"), "EPERM");
}

TEST_F(HostileTest, NoOtherProcessIsLookedInto) { expect_all_refused(attempt_to({"processes"})); }

TEST_F(HostileTest, TheKernelIsNotChanged) {
  utsname before{};
  ::uname(&before);
  const Told told = attempt_to({"kernel"});
  expect_all_refused(told);
  EXPECT_EQ(told.at("io_uring_setup"), "ENOSYS");
  utsname after{};
  ::uname(&after);
  EXPECT_STREQ(before.nodename, after.nodename);
}

TEST_F(HostileTest, NoClockIsSet) { expect_all_refused(attempt_to({"clocks"})); }

TEST_F(HostileTest, NoKeyRingAndNoFileHandleIsUsed) { expect_all_refused(attempt_to({"keys"})); }

TEST_F(HostileTest, OnlyOrdinarySocketsAreMade) {
  expect_all_refused(attempt_to({"sockets"}), {"tcp6", "unix"});
}

TEST_F(HostileTest, NoDeviceIsMadeOrOpenedButThePlainOnes) {
  expect_all_refused(attempt_to({"devices"}), {"/dev/null"});
}

TEST_F(HostileTest, NoRightIsGained) {
  Told told = attempt_to({"rights"});
  EXPECT_EQ(told["setuid"], "EINVAL");  // the user namespace has no such id
  told.erase("setuid");
  expect_all_refused(told);
}

TEST_F(HostileTest, WhatTheKernelShowsCannotBeWritten) {
  expect_all_refused(attempt_to(
      {"write", "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname",
       "/proc/sys/kernel/modprobe", "/proc/sys/vm/drop_caches",
       "/proc/sys/net/ipv6/conf/all/forwarding", "/proc/self/uid_map", "/proc/kcore",
       "/sys/fs/cgroup/cgroup.procs", "/sys/kernel/uevent_helper"}));
}

TEST_F(HostileTest, WhatTellsOfTheHostCannotBeRead) {
  expect_all_refused(
      attempt_to({"read", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug",
                  "/proc/kallsyms", "/proc/kmsg", "/proc/config.gz", "/proc/interrupts",
                  "/sys/class/dmi/id/product_uuid", "/sys/fs/cgroup/cgroup.procs"}));
}

TEST_F(HostileTest, TheStricterClassRefusesAllOfItToo) {
  Told told = attempt(attack({"mounts", "namespaces", "processes", "kernel", "clocks", "keys",
                              "sockets", "devices", "rights"},
                             containers::Isolation::ContainerPlus));
  EXPECT_EQ(told["setuid"], "EINVAL");
  told.erase("setuid");
  EXPECT_GT(told.size(), 60U);
  expect_all_refused(told, {"clone plain", "tcp6", "unix", "/dev/null"});
  EXPECT_EQ(attempt(attack({"write", "/bin/busybox", "/etc", "/proc/sys/kernel/hostname"},
                           containers::Isolation::ContainerPlus))["/bin/busybox"],
            "EROFS");
}

// --- what is left open ---

TEST_F(HostileTest, NoDescriptorOfTheHostIsLeftOpenForAnyProcess) {
  EXPECT_EQ(attempt_to({"descriptors"}).at("descriptors"), "0");
  const auto first = begin(attack({"wait"}));
  const auto second = exec("attack", {"/bin/attacker", "descriptors"});
  EXPECT_EQ(lines_of(second->recorder.out).at("descriptors"), "0");
}

TEST_F(HostileTest, NoWorkingDirectoryLeadsOutOfTheContainer) {
  std::ofstream(folder_ / "secret") << "of the host";
  for (int fd = 3; fd < 13; ++fd) {
    const fs::path link = folder_ / "layer/data" / ("fd" + std::to_string(fd));
    fs::create_symlink("/proc/self/fd/" + std::to_string(fd), link);
    give(link);
  }
  ports::ContainerOrder direct = attack({"wait"});
  direct.spec.process.working_directory = "/proc/self/fd/7";
  EXPECT_FALSE(start(direct, nullptr));
  EXPECT_TRUE(remove("attack"));
  for (int fd = 3; fd < 13; ++fd) {
    ports::ContainerOrder order =
        this->order("cwd", shell("ls -a; ls -a ..; ls -a ../../../../.."));
    order.spec.process.working_directory = "/data/fd" + std::to_string(fd);
    Recorder recorder;
    const auto stream = start(std::move(order), &recorder);
    if (stream) {
      EXPECT_TRUE(ended(recorder));
      EXPECT_THAT(recorder.out, Not(HasSubstr("secret"))) << fd;
      EXPECT_THAT(recorder.out, Not(HasSubstr("config.json"))) << fd;
      EXPECT_THAT(recorder.out, Not(HasSubstr("lost+found"))) << fd;
    }
    EXPECT_TRUE(remove("cwd"));
  }
}

TEST_F(HostileTest, TheRuntimesProgramIsNotOverwrittenThroughProc) {
  const auto program = linux::find_program(
      runtime_->facts().runtime.substr(0, runtime_->facts().runtime.find(' ')), {});
  ASSERT_TRUE(program);
  const auto digest = [](const std::string& path) {
    const std::string text = text_of(path);
    return crypto::sha256(as_bytes(text)).to_string();
  };
  const std::string before = digest(*program);
  const std::string monitor = digest(options_.monitor_path);
  {
    std::ofstream trap(folder_ / "layer/bin/trap");
    trap << "#!/proc/self/exe\n";
  }
  fs::permissions(folder_ / "layer/bin/trap", fs::perms::all);
  give(folder_ / "layer/bin/trap");
  const auto attacker = begin(attack({"overwrite"}));
  for (int round = 0; round < 5; ++round) exec("attack", {"/bin/trap"});
  EXPECT_THAT(attacker->recorder.out, Not(HasSubstr("overwritten")));
  EXPECT_EQ(digest(*program), before);
  EXPECT_EQ(digest(options_.monitor_path), monitor);
  EXPECT_TRUE(remove("attack"));
  EXPECT_EQ(run(order("after", {"/bin/true"})).code, 0);
}

// --- who else is there ---

TEST_F(HostileTest, ProcessesOutsideCannotBeSeenOrEnded) {
  const pid_t outside = ::fork();
  if (outside == 0) {
    ::pause();
    ::_exit(0);
  }
  const auto neighbour = begin([&] {
    ports::ContainerOrder order = attack({"wait"});
    order.id = "neighbour";
    return order;
  }());
  EXPECT_EQ(attempt_to({"kill", std::to_string(outside)}).at("kill"), "ESRCH");
  const Recorder all = run(order("all", shell("kill -9 -1; ls /proc | head -100")));
  EXPECT_THAT(all.out, Not(HasSubstr(std::to_string(outside) + "\n")));
  EXPECT_EQ(::waitpid(outside, nullptr, WNOHANG), 0);
  EXPECT_EQ(existing("neighbour")->state, ports::ContainerState::Running);
  ::kill(outside, SIGKILL);
  ::waitpid(outside, nullptr, 0);
}

TEST_F(HostileTest, ItsControlGroupIsTheRootOfAllItSees) {
  const Recorder seen = run(order("seen", shell("cat /proc/self/cgroup /proc/1/mountinfo")));
  EXPECT_THAT(seen.out, Not(HasSubstr(options_.group)));
  EXPECT_THAT(seen.out, Not(HasSubstr("cgroup2")));
  EXPECT_THAT(seen.out, Not(HasSubstr("sysfs")));
}

// Listens on every address of the host, as a daemon would.
class Listener {
 public:
  Listener() : fd_(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in6 own{};
    own.sin6_family = AF_INET6;
    socklen_t size = sizeof own;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&own), size), 0);
    EXPECT_EQ(::listen(fd_, 8), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &size), 0);
    port = std::to_string(ntohs(own.sin6_port));
  }
  ~Listener() { ::close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  std::string port;

 private:
  int fd_;
};

TEST_F(HostileTest, WithoutANetworkNothingOfTheHostListensForIt) {
  const Listener daemon;
  expect_all_refused(attempt_to({"connect", "::1", daemon.port}));
  expect_all_refused(attempt_to({"connect", "fd00:77::1", daemon.port}));
}

TEST_F(HostileTest, WithTheInternetNothingOfTheHostListensForIt) {
  auto host = containers_linux::RouteSocket::open();
  ASSERT_TRUE(host);
  ASSERT_TRUE(host->set_up(1, {}));
  const auto own = containers_linux::parse_prefix("fd00:77::1/128");
  ASSERT_TRUE(host->add_address(1, own->bytes, 128));
  runtime_.reset();
  options_.container_prefix = containers_linux::parse_prefix("fd00:78::/80");
  open();
  if (!runtime_->facts().has_network) GTEST_SKIP() << "no networks for containers";
  const Listener daemon;
  ports::ContainerOrder order = attack({"connect", "fd00:77::1", daemon.port});
  order.spec.network = privacy::NetworkClass::Internet;
  expect_all_refused(attempt(std::move(order)));
}

TEST_F(HostileTest, ASetuidProgramGivesNoRights) {
  const fs::path program = folder_ / "layer/bin/raise";
  fs::copy_file(folder_ / "layer/bin/attacker", program);
  give(program);
  ASSERT_EQ(::chmod(program.c_str(), 06755), 0);
  ports::ContainerOrder order = attack({"ids"});
  order.spec.process.arguments.front() = "/bin/raise";
  order.spec.process.user = "1000:1001";
  const Told told = attempt(std::move(order));
  EXPECT_EQ(told.at("user"), "1000");
  EXPECT_EQ(told.at("group"), "1001");
}

TEST_F(HostileTest, NoIdOfTheHostIsInTheContainer) {
  const Recorder map = run(order("map", shell("cat /proc/self/uid_map /proc/self/gid_map")));
  std::istringstream words(map.out);
  for (int line = 0; line < 2; ++line) {
    std::uint64_t inside = 1;
    std::uint64_t outside = 0;
    std::uint64_t count = 0;
    words >> inside >> outside >> count;
    EXPECT_EQ(inside, 0U);
    EXPECT_EQ(outside, options_.uid_shift);
    EXPECT_EQ(count, 65536U);
  }
}

// --- links ---

TEST_F(HostileTest, AMountPointBehindALinkStaysInTheContainer) {
  const fs::path outside = folder_ / "outside";
  fs::create_directories(outside);
  const fs::path link = folder_ / "layer/out";
  fs::create_symlink("/../../../../../../.." + outside.string(), link);
  give(link);
  const auto run_in = [&](const std::string& id) {
    ports::ContainerOrder order = this->order(id, shell("echo x > /out/deep/file; ls /out/deep"));
    order.spec.scratch = {{.path = "/out/deep", .bytes = kMiB}};
    return order;
  };
  EXPECT_FALSE(start(run_in("nowhere"), nullptr));
  fs::create_directories(folder_ / "layer" / outside.relative_path());
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "layer")) give(entry.path());
  EXPECT_EQ(run(run_in("inside")).out, "file\n");
  EXPECT_TRUE(fs::is_empty(outside));
}

TEST_F(HostileTest, NothingIsMountedOverWhatTheKernelShows) {
  const fs::path link = folder_ / "layer/inproc";
  fs::create_symlink("/proc", link);
  give(link);
  for (const char* path : {"/inproc/self", "/inproc", "/proc/self", "/dev/null", "/sys"}) {
    ports::ContainerOrder order = this->order("into", shell("true"));
    order.spec.scratch = {{.path = path, .bytes = kMiB}};
    const auto started = start(std::move(order), nullptr);
    ASSERT_FALSE(started) << path;
    EXPECT_THAT(started.error().message, HasSubstr(path));
    EXPECT_NE(started.error().detail, "");
  }
}

TEST_F(HostileTest, AnImageCannotPlaceItsProcElsewhere) {
  const fs::path link = folder_ / "layer/proc";
  fs::create_symlink("data", link);
  give(link);
  const auto started = start(order("elsewhere", shell("ls /data")), nullptr);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("/proc"));
}

}  // namespace
}  // namespace hm::container_runtime
