// SPDX-License-Identifier: Apache-2.0
// Makes ready what a process needs and starts its monitor. Calls block and run on workers.
#pragma once

#include <cstdint>
#include <string>

#include "platform/container_runtime/host.h"
#include "platform/container_runtime/monitor_process.h"
#include "platform/container_runtime/state_folder.h"

namespace hm::container_runtime {

enum class StartKind : std::uint8_t { First, Again };

// Root file system, network, configuration, order and monitor of a container. `record` gets its
// network; with StartKind::First nothing may be there. On failure what was made stays, for
// remove_everything().
Result<MonitorProcess> start_container(const Host& host, Record& record, StartKind kind,
                                       FirstClient first_client);

// One more process in a running container, and a folder for it below the container's.
Result<MonitorProcess> start_exec(const Host& host, const Record& record,
                                  const containers::ProcessSpec& process,
                                  const std::string& folder);

// A folder of a container, as it lies on this machine.
struct OuterPlace {
  std::string root;  // of the file system that has it: the container's own, or a volume
  std::string path;  // below that, absolute
  containers::Access access = containers::Access::ReadWrite;
};
// Where `path` lies, by its text alone. Mounts what is not mounted, as after a reboot.
Result<OuterPlace> find_outside(const Host& host, const Record& record, std::string_view path);

}  // namespace hm::container_runtime
