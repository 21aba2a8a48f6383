// SPDX-License-Identifier: Apache-2.0
// This machine as the runtime uses it: found out once, then only read, from any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/containers/runtime_config.h"
#include "platform/container_runtime/runtime.h"
#include "platform/container_runtime/state_folder.h"
#include "platform/containers_linux/cgroups.h"

namespace hm::container_runtime {

struct Host {
  RuntimeOptions options;
  StateFolder state{""};
  std::optional<containers_linux::Cgroups> cgroups;  // none: nothing can be started
  std::unique_ptr<containers_linux::ContainerNetworks> networks;
  containers::MachineFacts machine;
  std::vector<std::uint32_t> processors;  // that this process may use
  std::string runtime_path;               // empty: none works
  std::string hidden_mount;               // from the OCI runtime; empty: none
  ports::RuntimeFacts facts;
  std::string why_none;                     // no runtime
  std::vector<std::string> monitor_groups;  // folders of control groups for monitors
  mutable std::mutex volumes;               // while their files are made, mounted or removed
};

// Io if the folders cannot be made.
Result<std::shared_ptr<Host>> look_at_host(RuntimeOptions options);
// The part of it that finding leftovers needs.
Result<std::shared_ptr<Host>> look_at_folders(RuntimeOptions options);

// Everything that a container has on this machine but its volumes. Blocks. Fine if there is none.
Result<void> remove_everything(const Host& host, const std::string& id);

// What no container of the state folder accounts for. Blocks.
Leftovers look_for_leftovers(const Host& host);
Result<void> sweep(const Host& host, const Leftovers& leftovers);

// When there is no container any more: what they shared.
void leave_nothing(const Host& host);

}  // namespace hm::container_runtime
