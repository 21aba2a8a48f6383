// SPDX-License-Identifier: Apache-2.0
// Containers by an OCI runtime (runc or crun) and one monitor process for each container
// (docs/decisions/0013-a-monitor-per-container.md), which is the parent of the container's process
// and outlives this daemon: what ran when the daemon ended still runs when the next one begins.
//
// Promises: a container is confined as core/containers/runtime_config.h says or does not start;
// remove() leaves nothing but volumes; what a killed daemon or monitor left behind is found and
// removed when the state folder is opened again. Latency: one exec of the OCI runtime and one of
// the monitor lie between start() and the first instruction, and no flush but that of a detached
// container's order; the end is told before anything is cleaned up.
//
// What it does not do: it keeps no output beyond the last few MiB of each container's log; the
// integral of memory over time is sampled while a daemon runs, and begins anew after a machine's
// fall; output that was on its way to a daemon when that was killed is in the log only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "platform/containers_linux/container_network.h"
#include "ports/container_runtime.h"
#include "ports/workers.h"

namespace boost::asio {
class io_context;
}

namespace hm::container_runtime {

struct RuntimeOptions {
  // Of this daemon alone, absolute; every folder above must be searchable by others.
  std::string state_folder;
  std::string volume_folder;  // <volume_folder>/<tenant>/<name>
  // Empty: the first that works, of crun and runc.
  std::string runtime_path;
  std::string monitor_path;  // empty: hypermesh-monitor beside this program
  // One folder name in each control group hierarchy, and up to six letters or digits for
  // interfaces: each unique among the daemons of this machine.
  std::string group = "hypermesh";
  std::string network_tag = "hm";
  std::optional<containers_linux::Prefix> container_prefix;  // none: only network class none
  std::optional<containers_linux::Prefix> mesh_prefix;
  std::uint32_t uid_shift = 100'000;
  // Called for each container found at opening: keeps the layers under its root from being
  // collected. May be empty.
  std::function<std::shared_ptr<void>(const crypto::Digest& manifest)> hold_image;
};

// Blocks: it tries the OCI runtimes, adopts what runs and removes what is left over. On a machine
// where no OCI runtime works there is a runtime whose facts() say so and whose starts fail with
// Unsupported. Io if the state folder cannot be made.
Result<std::unique_ptr<ports::ContainerRuntime>> open_runtime(boost::asio::io_context& context,
                                                              ports::Workers& workers,
                                                              RuntimeOptions options);

// What no container of the state folder accounts for, or half of one.
struct Leftovers {
  std::vector<std::string> folders;   // without an order: starts that were cut off
  std::vector<std::string> groups;    // ids of control groups
  std::vector<std::string> networks;  // ids of network namespaces and interfaces
  std::vector<std::string> mounts;    // mount points below the state folder
  bool empty() const {
    return folders.empty() && groups.empty() && networks.empty() && mounts.empty();
  }
};
// While no daemon has the state folder open. Blocks.
Result<Leftovers> find_leftovers(const RuntimeOptions& options);
Result<void> remove_leftovers(const RuntimeOptions& options, const Leftovers& leftovers);

}  // namespace hm::container_runtime
