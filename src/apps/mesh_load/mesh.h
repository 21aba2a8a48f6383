// SPDX-License-Identifier: Apache-2.0
// A mesh of real processes on this machine, started and stopped through the program's own commands
// and seen through its HTTP API: what benchmarks of whole meshes are built from. Not for daemons.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "platform/http/http_client.h"

namespace hm::mesh_load {

struct Member {
  std::string name;
  std::string dir;
  http::HttpEndpoint api;
  int pid = 0;
};

struct Mesh {
  std::string binary;  // of hypermesh
  std::string dir;     // given to `dev --dir`
  std::size_t nodes = 4;
  std::vector<Member> members;  // filled by start()
};

// Starts the nodes that do not run; returns when the program does, which is when a block is final.
Result<void> start(Mesh& mesh);
void stop(const Mesh& mesh);

// The body of a 200 answer of /api/v1`path`.
Result<std::string> get(http::HttpClient& client, const std::string& path);

// What a process has used, from /proc. Zeros if it is gone.
struct Usage {
  double cpu_ms = 0;
  double rss_mib = 0;
};
Usage usage_of(int pid);
// CPU of all processes together, memory of the largest.
Usage usage_of(const Mesh& mesh);

}  // namespace hm::mesh_load
