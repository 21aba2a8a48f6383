// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/doctor_trial.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <system_error>

namespace hm::linux {
namespace {

using SteadyClock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// How long a killed child may take to disappear before it is left to init.
constexpr auto kReapGrace = 500ms;

std::string errno_text() { return std::generic_category().message(errno); }

struct Child {
  pid_t pid = -1;
  int output = -1;  // the reading end of what the child writes
};

// Waits for the end of a child; none if it does not end in time.
std::optional<int> reap(pid_t pid, SteadyClock::time_point until) {
  int status = 0;
  while (true) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) return status;
    if (ended < 0 && errno != EINTR) return std::nullopt;
    if (SteadyClock::now() >= until) return std::nullopt;
    ::usleep(1000);
  }
}

// Collects the child's output until it closes it or the deadline; false at the deadline.
bool collect(int fd, SteadyClock::time_point until, std::string& out) {
  std::array<char, 4096> buffer;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now());
    pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::max(left.count(), 0L)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return true;
    const std::size_t room = kMaxProgramOutput - out.size();
    out.append(buffer.data(), std::min(static_cast<std::size_t>(count), room));
  }
}

// Forks; the child runs `body(fd)` with the writing end of a pipe and never returns.
template <class Body>
std::optional<Child> start_child(Body body) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  const pid_t pid = ::fork();
  if (pid < 0) {
    ::close(ends[0]);
    ::close(ends[1]);
    return std::nullopt;
  }
  if (pid == 0) {
    ::close(ends[0]);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // A group of its own, so that grandchildren end with it.
    ::setpgid(0, 0);
    body(ends[1]);
    ::_exit(127);
  }
  ::setpgid(pid, pid);
  ::close(ends[1]);
  return Child{.pid = pid, .output = ends[0]};
}

struct Ending {
  bool in_time = false;
  std::optional<int> status;
  std::string output;
};

Ending wait_for(const Child& child, Duration deadline) {
  Ending ending;
  const auto until = SteadyClock::now() + deadline;
  ending.in_time = collect(child.output, until, ending.output);
  ::close(child.output);
  if (ending.in_time) ending.status = reap(child.pid, until);
  if (!ending.status) {
    ending.in_time = false;
    ::kill(-child.pid, SIGKILL);
    reap(child.pid, SteadyClock::now() + kReapGrace);
  }
  return ending;
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

bool write_file(const char* path, std::string_view text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return written;
}

}  // namespace

Attempt works(std::string text) { return {.outcome = Outcome::Works, .text = std::move(text)}; }

Attempt fails(std::string text) {
  return {.outcome = Outcome::Fails, .text = std::move(text) + ": " + errno_text()};
}

Attempt run_in_child(const std::function<Attempt()>& work, Duration deadline) {
  const auto child = start_child([&work](int out) {
    const Attempt attempt = work();
    write_all(out, attempt.outcome == Outcome::Works ? "+" : "-");
    write_all(out, attempt.text);
    ::_exit(0);
  });
  if (!child) return fails("cannot start a child process");
  Ending ending = wait_for(*child, deadline);
  if (!ending.in_time) return {.outcome = Outcome::TimedOut, .text = "no answer in time"};
  if (ending.output.empty() || !WIFEXITED(*ending.status)) {
    return {.outcome = Outcome::Crashed, .text = "the attempt ended without an answer"};
  }
  const bool worked = ending.output.front() == '+';
  return {.outcome = worked ? Outcome::Works : Outcome::Fails, .text = ending.output.substr(1)};
}

ProgramRun run_program(const std::vector<std::string>& arguments, Duration deadline,
                       const std::function<bool()>& before) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  const auto child = start_child([&pointers, &before](int out) {
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0) ::dup2(null, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    if (!before || before()) ::execv(pointers[0], pointers.data());
  });
  if (!child) return {};
  Ending ending = wait_for(*child, deadline);
  ProgramRun run{.output = std::move(ending.output)};
  if (!ending.in_time) {
    run.outcome = Outcome::TimedOut;
  } else if (!WIFEXITED(*ending.status)) {
    run.outcome = Outcome::Crashed;
  } else {
    run.exit_status = WEXITSTATUS(*ending.status);
    run.outcome = run.exit_status == 0 ? Outcome::Works : Outcome::Fails;
  }
  return run;
}

std::optional<std::string> find_program(std::string_view name,
                                        const std::vector<std::string>& folders) {
  std::vector<std::string> searched = folders;
  if (searched.empty()) {
    const char* path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "";
    while (!rest.empty()) {
      const std::size_t colon = std::min(rest.find(':'), rest.size());
      if (colon > 0) searched.emplace_back(rest.substr(0, colon));
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
    searched.insert(searched.end(), {"/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"});
  }
  for (const std::string& folder : searched) {
    std::string candidate = folder + "/" + std::string(name);
    struct stat info{};
    if (::stat(candidate.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
        ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
  }
  return std::nullopt;
}

std::optional<std::string> enter_namespaces(int flags) {
  const auto uid = std::to_string(::geteuid());
  const auto gid = std::to_string(::getegid());
  if (::unshare(flags) != 0) {
    if (errno != EPERM || ::unshare(flags | CLONE_NEWUSER) != 0) return errno_text();
    write_file("/proc/self/setgroups", "deny");
    if (!write_file("/proc/self/uid_map", "0 " + uid + " 1") ||
        !write_file("/proc/self/gid_map", "0 " + gid + " 1")) {
      return "user mapping: " + errno_text();
    }
  }
  if ((flags & CLONE_NEWNS) != 0 &&
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return "private mounts: " + errno_text();
  }
  return std::nullopt;
}

std::optional<std::string> private_scratch_folder() {
  for (const char* folder : {"/tmp", "/mnt", "/var/tmp"}) {
    // Covers the folder in this mount namespace only; nothing in the real one is touched.
    if (::mount("hypermesh", folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=4m") == 0) return folder;
  }
  return std::nullopt;
}

}  // namespace hm::linux
