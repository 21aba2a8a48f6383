// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "platform/container_runtime/host.h"
#include "platform/container_runtime/runtime.h"
#include "platform/containers_linux/root_filesystem.h"

namespace hm::container_runtime {
namespace {

// Of paths below <state>/: the id of the container that they belong to, or nothing.
std::string id_of(std::string_view path, std::string_view state_folder) {
  if (!path.starts_with(state_folder)) return {};
  path.remove_prefix(std::min(state_folder.size() + 1, path.size()));
  return std::string(path.substr(0, path.find('/')));
}

}  // namespace

Leftovers look_for_leftovers(const Host& host) {
  Leftovers found;
  std::set<std::string> known;
  for (std::string& id : host.state.ids()) {
    const auto order = host.state.read_order(id);
    if (!order && order.error().code == ErrorCode::NotFound) {
      found.folders.push_back(id);
    } else {
      known.insert(std::move(id));
    }
  }
  const auto is_unknown = [&known](const std::string& id) { return !known.contains(id); };
  if (host.cgroups)
    std::ranges::copy_if(host.cgroups->list(), std::back_inserter(found.groups), is_unknown);
  std::ranges::copy_if(host.networks->list(), std::back_inserter(found.networks), is_unknown);
  for (std::string& mount : containers_linux::mounts_below(host.state.path())) {
    const std::string id = id_of(mount, host.state.path());
    // Namespaces are mounts too, and are found by their network.
    if (is_id(id) && is_unknown(id)) found.mounts.push_back(std::move(mount));
  }
  return found;
}

Result<void> sweep(const Host& host, const Leftovers& leftovers) {
  std::set<std::string> ids(leftovers.folders.begin(), leftovers.folders.end());
  ids.insert(leftovers.groups.begin(), leftovers.groups.end());
  ids.insert(leftovers.networks.begin(), leftovers.networks.end());
  for (const std::string& mount : leftovers.mounts) ids.insert(id_of(mount, host.state.path()));
  // One that does not go keeps none of the others.
  Result<void> result;
  for (const std::string& id : ids) {
    if (auto removed = remove_everything(host, id); !removed) result = std::move(removed);
  }
  return result;
}

Result<Leftovers> find_leftovers(const RuntimeOptions& options) {
  HM_TRY(const auto host, look_at_folders(options));
  Leftovers found = look_for_leftovers(*host);
  // Looking made them, if no daemon had.
  if (host->state.ids().empty()) leave_nothing(*host);
  return found;
}

Result<void> remove_leftovers(const RuntimeOptions& options, const Leftovers& leftovers) {
  HM_TRY(const auto host, look_at_folders(options));
  auto result = sweep(*host, leftovers);
  if (host->state.ids().empty()) leave_nothing(*host);
  return result;
}

}  // namespace hm::container_runtime
