// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/monitor/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace hm::container_runtime {
namespace {

// The move into control groups of its own can cost the whole machine some 10 ms, once: a monitor
// that is gone by then saves it.
constexpr std::uint64_t kLeaveGroupsAfterMillis = 1000;

std::uint64_t millis_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

std::uint8_t code_of(int status) {
  const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return static_cast<std::uint8_t>(code);
}

// The runtime writes it whole and renames it into place.
pid_t read_pid(int folder) {
  const Descriptor file(::openat(folder, kPidFile, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::array<char, 32> text{};
  if (!file || ::read(file.get(), text.data(), text.size() - 1) <= 0) return -1;
  const long pid = std::strtol(text.data(), nullptr, 10);
  return pid > 0 ? static_cast<pid_t>(pid) : -1;
}

std::string read_reason(int fd) {
  std::string text(kMaxReason, '\0');
  const ssize_t got = ::read(fd, text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

}  // namespace

Supervisor::Supervisor(MonitorOptions options, int folder, int signals, Descriptor client)
    : options_(std::move(options)),
      folder_(folder),
      signals_(signals),
      network_(::open(options_.network.c_str(), O_RDONLY | O_CLOEXEC)),
      client_(std::move(client)) {
  Launch started = launch({.command = options_.runtime,
                           .console = options_.console,
                           .folder = folder,
                           .network = network_.get(),
                           .hidden_mount = options_.hidden_mount});
  // While the runtime comes up.
  if (options_.mode == Mode::Run) {
    listener_ = listen_for_clients();
    log_.emplace(folder);
    sent_ = log_->end();
    leave_groups_at_ = millis_of(CLOCK_MONOTONIC) + kLeaveGroupsAfterMillis;
  }
  runtime_ = started.pid;
  input_ = std::move(started.streams.input);
  console_ = std::move(started.streams.console);
  if (options_.console == Console::Pipes) {
    sources_.push_back({.fd = std::move(started.streams.output), .lane = 0});
    sources_.push_back({.fd = std::move(started.streams.errors), .lane = 1});
  } else {
    errors_ = std::move(started.streams.errors);
  }
  if (started.pid < 0) fail(std::move(started.reason));
}

void Supervisor::run() {
  while (true) {
    flush();
    replay();
    close_empty_sources();
    flush();
    if (is_served_ && !client_.is_there()) lose_client();
    if (is_over()) return;
    wait();
  }
}

bool Supervisor::is_over() const {
  if (phase_ == Phase::Failed) return !client_.is_there() || !tell_start_;
  if (phase_ == Phase::Exited) return !client_.is_there() || told_end_;
  return false;
}

void Supervisor::wait() {
  std::vector<pollfd> polled;
  const auto want = [&polled](int fd, short events) {
    if (fd >= 0) polled.push_back({.fd = fd, .events = events, .revents = 0});
  };
  want(signals_, POLLIN);
  want(listener_.get(), POLLIN);
  want(console_.get(), POLLIN);
  want(client_.descriptor(), client_.is_full() ? POLLIN | POLLOUT : POLLIN);
  if (!unwritten_.empty()) want(input_.get(), POLLOUT);
  const bool reads = wants_output();
  for (const Source& source : sources_) {
    if (reads) want(source.fd.get(), POLLIN);
  }
  int timeout = -1;
  if (leave_groups_at_) {
    const std::uint64_t now = millis_of(CLOCK_MONOTONIC);
    timeout = *leave_groups_at_ > now ? static_cast<int>(*leave_groups_at_ - now) : 0;
  }
  const int ready = ::poll(polled.data(), polled.size(), timeout);
  if (ready == 0) leave_groups();
  if (ready <= 0) return;
  const auto is_ready = [&polled](int fd) {
    for (const pollfd& one : polled) {
      if (fd >= 0 && one.fd == fd && one.revents != 0) return one.revents;
    }
    return short{0};
  };
  if (is_ready(console_.get()) != 0) take_terminal();
  if (const short events = is_ready(client_.descriptor()); events != 0) {
    if ((events & POLLOUT) != 0) client_.on_writable();
    while (const auto frame = client_.receive()) handle_frame(*frame);
  }
  if (is_ready(input_.get()) != 0) write_input();
  for (Source& source : sources_) {
    if (is_ready(source.fd.get()) != 0 && wants_output()) read_source(source);
  }
  if (is_ready(listener_.get()) != 0) take_client();
  if (is_ready(signals_) != 0) reap();
}

// Best effort: what ends the daemon's group (a service manager's stop) must not end this.
void Supervisor::leave_groups() {
  leave_groups_at_.reset();
  for (const std::string& group : options_.groups) {
    ::mkdir(group.c_str(), 0755);
    const Descriptor file(::open((group + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (file && ::write(file.get(), "0", 1) < 0) continue;
  }
}

// ---- beginning and end ----

void Supervisor::reap() {
  signalfd_siginfo info;
  while (::read(signals_, &info, sizeof(info)) > 0) {
  }
  int status = 0;
  bool runtime_ended = false;
  int runtime_status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid == runtime_) {
      runtime_ended = true;
      runtime_status = status;
    } else {
      ended_early_[pid] = status;
    }
  }
  if (runtime_ended) on_runtime_ended(runtime_status);
  const auto ended = ended_early_.find(process_);
  if (phase_ == Phase::Running && ended != ended_early_.end()) on_process_ended(ended->second);
  if (phase_ != Phase::Launching) ended_early_.clear();
}

void Supervisor::on_runtime_ended(int status) {
  runtime_ = -1;
  const bool worked = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  process_ = worked ? read_pid(folder_) : -1;
  if (process_ < 0) {
    const int from = errors_ ? errors_.get() : sources_.back().fd.get();
    std::string reason = read_reason(from);
    if (reason.empty()) reason = "the OCI runtime ended with status " + std::to_string(status);
    fail(std::move(reason));
    return;
  }
  if (!is_in_network()) {
    ::kill(process_, SIGKILL);
    fail("the OCI runtime started the process in another network namespace");
    return;
  }
  // The terminal's connection may wait still: it was made before the runtime ended.
  if (console_) take_terminal();
  errors_.reset();
  phase_ = Phase::Running;
  tell_start_ = true;
  if (!is_served_ && options_.mode == Mode::Exec) end_orphan();
}

// The configuration names no network namespace, so it had better be the one that the runtime was
// started in. A process that has ended already is in none.
bool Supervisor::is_in_network() const {
  struct stat wanted{};
  struct stat found{};
  const std::string path = "/proc/" + std::to_string(process_) + "/ns/net";
  if (::fstat(network_.get(), &wanted) != 0) return false;
  if (::stat(path.c_str(), &found) != 0) return errno == ENOENT;
  return wanted.st_ino == found.st_ino && wanted.st_dev == found.st_dev;
}

void Supervisor::fail(std::string reason) {
  phase_ = Phase::Failed;
  reason_ = std::move(reason);
  tell_start_ = true;
  sources_.clear();
}

void Supervisor::on_process_ended(int status) {
  phase_ = Phase::Exited;
  exit_ = {.code = code_of(status), .unix_millis = millis_of(CLOCK_REALTIME)};
  input_.reset();
  slave_.reset();
  unwritten_.clear();
  listener_.reset();
  leave_groups_at_.reset();
  if (log_) {
    drain();
    write_exit_file();
  }
  // After the output that may go: who removes the container when it has ended cuts off none of it.
  tell_exit_ = true;
}

// Where a client stopped goes with it, so that a later one can go on there.
void Supervisor::write_exit_file() const {
  std::array<char, 96> text{};
  const int size = std::snprintf(text.data(), text.size(), "%u %llu %llu\n", unsigned{exit_.code},
                                 static_cast<unsigned long long>(exit_.unix_millis),
                                 static_cast<unsigned long long>(sent_));
  const std::string unfinished = std::string(kExitFile) + ".new";
  const Descriptor file(
      ::openat(folder_, unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file && ::write(file.get(), text.data(), static_cast<std::size_t>(size)) == size) {
    ::renameat(folder_, unfinished.c_str(), folder_, kExitFile);
  }
}

void Supervisor::lose_client() {
  is_served_ = false;
  detach();
  if (options_.mode == Mode::Exec) end_orphan();
}

// One more process in a container is its client's alone.
void Supervisor::end_orphan() {
  if (phase_ == Phase::Launching) ::kill(runtime_, SIGKILL);
  if (phase_ == Phase::Running) {
    // The runtime made it the leader of a session and so of a group.
    ::kill(-process_, SIGKILL);
    ::kill(process_, SIGKILL);
  }
}

void Supervisor::take_client() {
  Descriptor peer = accept_client(listener_.get());
  if (!peer) return;
  detach();
  client_.replace(std::move(peer));
  is_served_ = true;
  tell_start_ = phase_ == Phase::Running;
  tell_taken_ = 0;
}

void Supervisor::take_terminal() {
  Terminal terminal = accept_terminal(console_.get());
  if (!terminal.master) return;
  console_.reset();
  ::unlink(kConsoleSocket);
  slave_ = std::move(terminal.slave);
  input_ = Descriptor(::fcntl(terminal.master.get(), F_DUPFD_CLOEXEC, 0));
  sources_.push_back({.fd = std::move(terminal.master), .lane = 0});
  if (rows_ != 0) resize(rows_, columns_);
}

}  // namespace hm::container_runtime
