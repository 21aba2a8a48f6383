// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/node_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <set>
#include <thread>

#include "apps/hypermesh/api_client.h"
#include "platform/files/key_file.h"
#include "platform/files/process_lock.h"

namespace hm::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPoll{10};
// Above the well-known ports and below net.ipv4.ip_local_port_range (32768).
constexpr std::uint16_t kFirstPort = 18000;
constexpr std::uint16_t kLastPort = 32000;
constexpr std::size_t kLogTail = 32 * 1024;  // bytes looked at for the last lines

bool can_bind(int type, std::uint16_t port) {
  const int fd = ::socket(AF_INET6, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  address.sin6_port = htons(port);
  const int yes = 1;
  // What the server does too: connections that linger from an earlier run do not count.
  if (type == SOCK_STREAM) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  bool free = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (free && type == SOCK_STREAM) free = ::listen(fd, 1) == 0;
  ::close(fd);
  return free;
}

bool has_ended(int pid) {
  if (::waitpid(pid, nullptr, WNOHANG) == pid) return true;
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

// What the daemon said last: its log is JSON lines.
Failure died(const NodeFolder& folder) {
  const std::string last = last_lines(folder.log(), 1);
  const auto line = nlohmann::ordered_json::parse(last, nullptr, false);
  const std::string message = text_of(line, "message");
  if (message.empty()) {
    return {ExitCode::Failure, fmt::format("the node in {} ended", folder.path),
            last.empty() ? "it wrote no log" : last, fmt::format("see {}", folder.log())};
  }
  return {ExitCode::Failure, message, text_of(line, "why"), fmt::format("see {}", folder.log())};
}

}  // namespace

Answer<int> spawn_node(const NodeFolder& folder) {
  std::array<char, 4096> program{};
  const ssize_t length = ::readlink("/proc/self/exe", program.data(), program.size() - 1);
  if (length <= 0) return failed(ExitCode::Failure, "cannot find this program's own file");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const std::string log = folder.log();
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);

  std::string config = folder.config();
  std::array<std::string, 4> words = {"hypermesh", "node", "--config", config};
  std::array<char*, 5> argv = {words[0].data(), words[1].data(), words[2].data(), words[3].data(),
                               nullptr};
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, program.data(), &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return failed(ExitCode::Failure, fmt::format("cannot start the node in {}", folder.path),
                  std::strerror(error));
  }
  return static_cast<int>(pid);
}

Answer<std::optional<int>> running_node(const NodeFolder& folder) {
  HM_CLI_TRY(const std::optional<int> holder, files::lock_holder(folder.lock()));
  return holder;
}

Answer<std::vector<StopResult>> stop_nodes(const std::vector<NodeFolder>& folders,
                                           std::chrono::milliseconds patience) {
  std::vector<StopResult> results(folders.size(), StopResult::WasNotRunning);
  std::set<std::size_t> waiting;
  for (std::size_t i = 0; i < folders.size(); ++i) {
    HM_CLI_TRY(const auto pid, running_node(folders[i]));
    if (!pid) continue;
    if (::kill(*pid, SIGTERM) != 0 && errno != ESRCH) {
      return failed(ExitCode::Denied,
                    fmt::format("cannot stop process {} of {}", *pid, folders[i].path),
                    std::strerror(errno), "run as the user who started it");
    }
    results[i] = StopResult::Stopped;
    waiting.insert(i);
  }
  const auto deadline = steady_clock::now() + patience;
  while (!waiting.empty()) {
    for (auto it = waiting.begin(); it != waiting.end();) {
      HM_CLI_TRY(const auto pid, running_node(folders[*it]));
      if (pid) ::waitpid(*pid, nullptr, WNOHANG);  // if it is a child, let it go
      if (pid && steady_clock::now() >= deadline) {
        ::kill(*pid, SIGKILL);
        results[*it] = StopResult::Killed;
      }
      it = pid ? std::next(it) : waiting.erase(it);
    }
    if (!waiting.empty()) std::this_thread::sleep_for(kPoll);
  }
  return results;
}

Answer<bool> is_ready(const NodeFolder& folder, const std::string& api, int pid) {
  HM_CLI_TRY(const auto endpoint, http::parse_endpoint(api));
  const auto status = ApiClient(endpoint).get("/status");
  if (status && number_of(*status, "height") >= 1) return true;
  if (has_ended(pid)) return std::unexpected(died(folder));
  return false;
}

Failure not_ready_failure(const NodeFolder& folder, const std::string& api) {
  const auto endpoint = http::parse_endpoint(api);
  const bool answers = endpoint && ApiClient(*endpoint).get("/status").has_value();
  return {ExitCode::Failure, fmt::format("the node in {} has no final block yet", folder.path),
          answers ? "it answers, but too few validators do" : "its API does not answer",
          fmt::format("see {}", folder.log())};
}

Outcome wait_until_ready(const NodeFolder& folder, const std::string& api, int pid,
                         steady_clock::time_point deadline) {
  while (true) {
    HM_CLI_TRY(const bool ready, is_ready(folder, api, pid));
    if (ready) return {};
    if (steady_clock::now() >= deadline) return std::unexpected(not_ready_failure(folder, api));
    std::this_thread::sleep_for(kPoll);
  }
}

bool is_port_free(std::uint16_t port) {
  return can_bind(SOCK_STREAM, port) && can_bind(SOCK_DGRAM, port);
}

Answer<std::vector<std::uint16_t>> pick_ports(std::size_t count) {
  std::array<std::uint8_t, 2> random{};
  files::fill_random(random);
  constexpr std::size_t kRange = kLastPort - kFirstPort;
  const std::size_t start = (std::size_t{random[0]} * 256 + random[1]) % kRange;
  std::vector<std::uint16_t> ports;
  for (std::size_t i = 0; i < kRange && ports.size() < count; ++i) {
    const auto port = static_cast<std::uint16_t>(kFirstPort + (start + i) % kRange);
    if (is_port_free(port)) ports.push_back(port);
  }
  if (ports.size() < count) {
    return failed(ExitCode::NoCapacity, "no free ports between 18000 and 32000 on ::1",
                  "every node needs two", "name a range with --base-port");
  }
  return ports;
}

std::string last_lines(const std::string& path, std::size_t count) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const auto size = static_cast<std::size_t>(file.tellg());
  const std::size_t start = size > kLogTail ? size - kLogTail : 0;
  file.seekg(static_cast<std::streamoff>(start));
  std::string text(size - start, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  while (text.ends_with('\n')) text.pop_back();
  std::size_t at = text.size();
  for (std::size_t i = 0; i < count && at != std::string::npos && at > 0; ++i) {
    at = text.rfind('\n', at - 1);
  }
  return at == std::string::npos || at == 0 ? text : text.substr(at + 1);
}

}  // namespace hm::cli
