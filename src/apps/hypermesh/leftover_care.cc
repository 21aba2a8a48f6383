// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/leftover_care.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "apps/hypermesh/container_side.h"
#include "apps/hypermesh/genesis_file.h"
#include "apps/hypermesh/mesh_file.h"
#include "platform/containers_linux/reachable_folder.h"
#include "platform/files/key_file.h"
#include "platform/files/process_lock.h"

namespace hm::cli {
namespace {

namespace fs = std::filesystem;

void add_nodes_of(const std::string& dir, std::vector<NodeFolder>& folders) {
  std::error_code ignored;
  if (fs::exists(NodeFolder{dir}.config(), ignored)) folders.push_back({dir});
  if (const auto mesh = read_mesh_file(dir)) {
    for (const MeshNode& node : mesh->nodes) folders.push_back({node.dir});
  }
}

Result<container_runtime::RuntimeOptions> options_of(const NodeFolder& folder) {
  HM_TRY(const NodeConfig config, read_node_config(folder.config()));
  HM_TRY(const ledger::Genesis genesis,
         read_genesis_file((fs::path(folder.path) / config.genesis).string()));
  HM_TRY(const crypto::SigningKey key, files::read_node_key(folder.node_key()));
  return runtime_options(folder, identity::node_id_of(key.public_key()), ledger::chain_id(genesis));
}

void name_all(const std::vector<std::string>& names, const char* what,
              std::vector<std::string>& found) {
  for (const std::string& name : names) found.push_back(std::string(what) + " " + name);
}

// Ends containers that nobody waits for, through a runtime of its own.
Result<void> end_containers(const container_runtime::RuntimeOptions& options, Care care,
                            NodeLeftovers& left) {
  loop::EventLoop loop(1);
  HM_TRY(const auto runtime,
         container_runtime::open_runtime(loop.context(), loop.workers(), options));
  std::size_t waiting = 0;
  Result<void> result;
  for (const ports::ExistingContainer& container : runtime->existing()) {
    const bool is_kept = container.order.spec.lifetime == containers::Lifetime::Detached &&
                         container.state != ports::ContainerState::Exited;
    if (is_kept) left.running.push_back(container.order.id);
    if (is_kept && care != Care::FixAndStop) continue;
    if (!is_kept) left.found.push_back("container " + container.order.id);
    ++waiting;
    runtime->remove(container.order.id, [&](Result<void> removed) {
      if (!removed) result = std::move(removed);
      if (--waiting == 0) loop.stop();
    });
  }
  if (waiting > 0) loop.run();
  loop.finish_workers();
  return result;
}

}  // namespace

std::vector<NodeFolder> node_folders(const std::string& dir) {
  std::vector<NodeFolder> folders;
  if (!dir.empty()) {
    add_nodes_of(absolute(dir), folders);
  } else {
    add_nodes_of(default_node_folder(), folders);
    add_nodes_of(default_dev_folder(), folders);
  }
  return folders;
}

Result<NodeLeftovers> care_for(const NodeFolder& folder, Care care) {
  NodeLeftovers left{.folder = folder};
  std::error_code ignored;
  if (!fs::exists(folder.containers(), ignored)) return left;
  const auto lock = files::ProcessLock::take(folder.lock());
  if (!lock) {
    left.is_running = true;
    return left;
  }
  HM_TRY(const auto options, options_of(folder));
  HM_TRY(const auto leftovers, container_runtime::find_leftovers(options));
  name_all(leftovers.folders, "half a start", left.found);
  name_all(leftovers.groups, "control group", left.found);
  name_all(leftovers.networks, "network", left.found);
  name_all(leftovers.mounts, "mount", left.found);
  if (care == Care::Look) {
    // Whether they run is not asked: that would take them over.
    for (const auto& entry : fs::directory_iterator(options.state_folder, ignored)) {
      const std::string id = entry.path().filename().string();
      if (std::ranges::find(leftovers.folders, id) == leftovers.folders.end() &&
          fs::exists(entry.path() / "order", ignored)) {
        left.running.push_back(id);
      }
    }
    return left;
  }
  HM_TRY_VOID(container_runtime::remove_leftovers(options, leftovers));
  HM_TRY_VOID(end_containers(options, care, left));
  if (left.running.empty() || care == Care::FixAndStop) {
    HM_TRY(const crypto::SigningKey key, files::read_node_key(folder.node_key()));
    containers_linux::release_folder(container_tag(identity::node_id_of(key.public_key())));
  }
  return left;
}

}  // namespace hm::cli
