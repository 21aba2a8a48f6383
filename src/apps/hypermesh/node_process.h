// SPDX-License-Identifier: Apache-2.0
// The daemon of one node folder as a process: start it, find it, stop it. Who runs is asked of the
// kernel through the folder's lock, so a reused pid is never signalled.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/hypermesh/failure.h"
#include "apps/hypermesh/folders.h"

namespace hm::cli {

// Starts `hypermesh node --config …` in a session of its own, its output appended to the folder's
// log. Returns the pid; whether it comes up is for the caller to watch.
Answer<int> spawn_node(const NodeFolder& folder);

// The pid of the daemon that holds the folder.
Answer<std::optional<int>> running_node(const NodeFolder& folder);

enum class StopResult : std::uint8_t { WasNotRunning, Stopped, Killed };

// SIGTERM, and SIGKILL to those that have not ended after `patience`. One result per folder.
Answer<std::vector<StopResult>> stop_nodes(const std::vector<NodeFolder>& folders,
                                           std::chrono::milliseconds patience);

// Whether the node's API answers and a block is final there. Fails with what its log says last if
// the process has ended. `pid` may be a child of this process.
Answer<bool> is_ready(const NodeFolder& folder, const std::string& api, int pid);

// Why a node that still runs is not ready.
Failure not_ready_failure(const NodeFolder& folder, const std::string& api);

// Waits for is_ready().
Outcome wait_until_ready(const NodeFolder& folder, const std::string& api, int pid,
                         std::chrono::steady_clock::time_point deadline);

// True if [::1]:port can be bound for TCP and UDP now.
bool is_port_free(std::uint16_t port);

// `count` ports that are free now, below the range from which the kernel picks by itself, so that
// they are likely still free when the mesh is started again.
Answer<std::vector<std::uint16_t>> pick_ports(std::size_t count);

// The last lines of a file, for a failure; empty if there is none.
std::string last_lines(const std::string& path, std::size_t count);

}  // namespace hm::cli
