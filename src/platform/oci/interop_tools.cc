// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/interop_tools.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <utility>

#include "foundation/base/check.h"
#include "platform/oci/test_images.h"

extern char** environ;

namespace hm::oci {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kStartTime{60};
constexpr std::chrono::milliseconds kPoll{20};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A listener on a free port.
std::pair<int, std::uint16_t> listen_anywhere() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  HM_CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  HM_CHECK(::listen(fd, 16) == 0);
  HM_CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return {fd, ntohs(address.sin_port)};
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

void send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Starts a program with both its streams into `output`.
pid_t spawn(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
            int output) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (const std::string& variable : environment) {
    envp.push_back(const_cast<char*>(variable.c_str()));
  }
  for (char** at = environ; *at != nullptr; ++at) envp.push_back(*at);
  envp.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), envp.data());
  ::posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -1;
}

}  // namespace

bool is_installed(const std::string& program) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

ToolResult run_tool(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& environment) {
  int ends[2] = {};
  HM_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
  ToolResult result;
  const pid_t pid = spawn(arguments, environment, ends[1]);
  ::close(ends[1]);
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    result.output.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  if (pid > 0 && ::waitpid(pid, &status, 0) == pid && WIFEXITED(status)) {
    result.status = WEXITSTATUS(status);
  }
  return result;
}

TestRegistry::TestRegistry(const std::string& folder, const std::string& http) {
  const auto [listener, port] = listen_anywhere();
  port_ = port;
  ::close(listener);
  std::filesystem::create_directories(folder);
  write_text(folder + "/config.yml",
             fmt::format("version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}/data\n"
                         "http:\n  addr: 127.0.0.1:{}\n{}",
                         folder, port_, http));
  const int log = ::open((folder + "/log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  pid_ = spawn({"docker-registry", "serve", folder + "/config.yml"}, {}, log);
  ::close(log);
  const auto deadline = Clock::now() + kStartTime;
  while (pid_ > 0 && Clock::now() < deadline && ::waitpid(pid_, nullptr, WNOHANG) == 0) {
    const int fd = connect_to(port_);
    if (fd >= 0) {
      ::close(fd);
      is_up_ = true;
      return;
    }
    std::this_thread::sleep_for(kPoll);
  }
}

TestRegistry::~TestRegistry() {
  if (pid_ <= 0 || !is_up_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

TestServer::TestServer(Handler handler) : handler_(std::move(handler)) {
  std::tie(listener_, port_) = listen_anywhere();
  thread_ = std::thread([this] { serve(); });
}

TestServer::~TestServer() {
  is_ending_ = true;
  const int wake = connect_to(port_);
  thread_.join();
  if (wake >= 0) ::close(wake);
  ::close(listener_);
}

std::vector<std::string> TestServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void TestServer::serve() {
  while (true) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (is_ending_) {
      if (client >= 0) ::close(client);
      return;
    }
    if (client < 0) continue;
    answer(client);
    ::close(client);
  }
}

void TestServer::answer(int client) {
  std::string request;
  char buffer[65536];
  std::size_t wanted = std::string::npos;
  while (request.size() < wanted) {
    const ssize_t n = ::recv(client, buffer, sizeof buffer, 0);
    if (n <= 0) break;
    request.append(buffer, static_cast<std::size_t>(n));
    const std::size_t head = request.find("\r\n\r\n");
    if (wanted != std::string::npos || head == std::string::npos) continue;
    constexpr std::string_view kLength = "Content-Length: ";
    std::size_t body = 0;
    if (const auto at = request.find(kLength); at < head) {
      std::from_chars(request.data() + at + kLength.size(), request.data() + head, body);
    }
    wanted = head + 4 + body;
  }
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  send_all(client, handler_(request));
  // Read out what is left, so that the end of the connection does not destroy the answer.
  ::shutdown(client, SHUT_WR);
  while (::recv(client, buffer, sizeof buffer, 0) > 0) {
  }
}

std::string forward(std::uint16_t port, const std::string& request) {
  const int fd = connect_to(port);
  if (fd < 0) return {};
  send_all(fd, request);
  std::string answer;
  char buffer[65536];
  for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  return answer;
}

}  // namespace hm::oci
