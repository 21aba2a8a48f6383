// SPDX-License-Identifier: Apache-2.0
// Other people's programs, for tests: run if they are installed.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace hm::oci {

bool is_installed(const std::string& program);

struct ToolResult {
  int status = -1;
  std::string output;  // both streams
};
// No shell: arguments are passed as they are. `environment` is added to this process's own.
ToolResult run_tool(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& environment = {});

// docker-registry on a free port of 127.0.0.1, ended with the object.
class TestRegistry {
 public:
  // `http` is added to the section of that name of its configuration, each line with two spaces.
  explicit TestRegistry(const std::string& folder, const std::string& http = "");
  ~TestRegistry();
  TestRegistry(const TestRegistry&) = delete;
  TestRegistry& operator=(const TestRegistry&) = delete;

  bool is_up() const { return is_up_; }
  std::uint16_t port() const { return port_; }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
  bool is_up_ = false;
};

// An HTTP server of one answer per connection, for what no real one would say; or in front of one.
class TestServer {
 public:
  // Gets a request's head and body, and gives the whole answer, head included.
  using Handler = std::function<std::string(const std::string& request)>;
  explicit TestServer(Handler handler);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> requests() const;  // so far

 private:
  void serve();
  void answer(int client);

  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::atomic<bool> is_ending_ = false;
  std::thread thread_;
};

// Sends a request to a port of 127.0.0.1 and gives the whole answer; it must say that the
// connection closes.
std::string forward(std::uint16_t port, const std::string& request);

}  // namespace hm::oci
