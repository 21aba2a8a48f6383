// SPDX-License-Identifier: Apache-2.0
#include "apps/mesh_load/mesh.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

namespace hm::mesh_load {

Result<void> start(Mesh& mesh) {
  const std::string command =
      fmt::format("'{}' dev --nodes {} --dir '{}' --detach --json > '{}/dev.out' 2>&1", mesh.binary,
                  mesh.nodes, mesh.dir, mesh.dir);
  if (std::system(command.c_str()) != 0) {
    return fail(ErrorCode::Unavailable, "the mesh does not start", "see " + mesh.dir + "/dev.out");
  }
  std::ifstream file(mesh.dir + "/mesh.json");
  const auto document = nlohmann::json::parse(file, nullptr, false);
  if (document.is_discarded()) return fail(ErrorCode::Corrupt, "mesh.json is no JSON");
  mesh.members.clear();
  for (const auto& node : document["nodes"]) {
    HM_TRY(auto api, http::parse_endpoint(node["api"].get<std::string>()));
    mesh.members.push_back({node["name"], node["dir"], std::move(api), node["pid"]});
  }
  return {};
}

void stop(const Mesh& mesh) {
  const std::string command =
      fmt::format("'{}' dev stop --dir '{}' > /dev/null 2>&1", mesh.binary, mesh.dir);
  (void)std::system(command.c_str());
}

Result<std::string> get(http::HttpClient& client, const std::string& path) {
  HM_TRY(auto answer, client.request({.target = "/api/v1" + path,
                                      .content_type = {},
                                      .body = {},
                                      .headers = {},
                                      .timeout = std::chrono::seconds(5)}));
  if (answer.status != 200) return fail(ErrorCode::FailedPrecondition, answer.body);
  return std::move(answer.body);
}

Usage usage_of(int pid) {
  Usage usage;
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(stat, line);
  // Fields 14 and 15, counted behind the name, which may hold anything but ends at the last ')'.
  unsigned long long user = 0;
  unsigned long long system = 0;
  const std::size_t name_end = line.rfind(')');
  if (name_end != std::string::npos) {
    std::sscanf(line.c_str() + name_end + 1,
                " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system);
  }
  usage.cpu_ms =
      1000.0 * static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  while (std::getline(status, line)) {
    unsigned long long kib = 0;
    if (std::sscanf(line.c_str(), "VmRSS: %llu kB", &kib) == 1) {
      usage.rss_mib = static_cast<double>(kib) / 1024;
    }
  }
  return usage;
}

Usage usage_of(const Mesh& mesh) {
  Usage all;
  for (const Member& member : mesh.members) {
    const Usage one = usage_of(member.pid);
    all.cpu_ms += one.cpu_ms;
    all.rss_mib = std::max(all.rss_mib, one.rss_mib);
  }
  return all;
}

}  // namespace hm::mesh_load
