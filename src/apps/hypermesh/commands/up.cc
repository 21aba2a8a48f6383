// SPDX-License-Identifier: Apache-2.0
// `hypermesh up` and `down`: this machine's node for real use, a mesh of one until others join.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/new_mesh.h"
#include "apps/hypermesh/node_process.h"
#include "apps/hypermesh/start_node.h"
#include "core/identity/key_bundle.h"
#include "platform/files/atomic_file.h"

namespace hm::cli {
namespace {

constexpr std::chrono::seconds kStopPatience{15};

NodeFolder folder_of(const std::string& dir) {
  return {absolute(dir.empty() ? default_node_folder() : dir)};
}

Answer<NodeConfig> create(const NodeFolder& folder, const Up& options) {
  NewNode node;
  node.folder = folder;
  HM_CLI_TRY(node.name, new_node_name(options.name));
  node.owner = node.name + ".owner";
  node.api_port = options.api_port.value_or(http::HttpEndpoint{}.port);
  HM_CLI_TRY(node.stoq, listen_address(options.listen));
  HM_CLI_TRY_VOID(files::make_folder(folder.path, 0700));
  // Sharing starts at nothing: the owner raises it in node.toml.
  HM_CLI_TRY_VOID(create_mesh(node.name, ledger::Preset::Default, {node}, 0));
  HM_CLI_TRY(auto config, read_node_config(folder.config()));
  return config;
}

}  // namespace

Outcome run(const Up& options, const Context& context) {
  const NodeFolder folder = folder_of(options.dir);
  auto config = read_node_config(folder.config());
  const bool is_new = !config && config.error().code == ErrorCode::NotFound;
  if (!config && !is_new) return std::unexpected(failure_of(config.error()));
  if (is_new) {
    HM_CLI_TRY(config, create(folder, options));
    context.terminal.talk(
        fmt::format("made a new node '{}' and a mesh of one in {}", config->name, folder.path));
  } else if (options.api_port || !options.listen.empty() || !options.name.empty()) {
    return failed(ExitCode::Usage, fmt::format("there is a node in {} already", folder.path),
                  "--name, --api-port and --listen are for a new one",
                  fmt::format("change {} instead", folder.config()));
  }
  return start_node(context, folder, *config, options.foreground);
}

Outcome run(const Down& options, const Context& context) {
  const NodeFolder folder = folder_of(options.dir);
  HM_CLI_TRY(const auto results, stop_nodes({folder}, kStopPatience));
  const bool was_running = results.front() != StopResult::WasNotRunning;
  context.terminal.talk(was_running
                            ? fmt::format("the node in {} is stopped; its data stays", folder.path)
                            : fmt::format("no node runs in {}", folder.path));
  if (context.globals.json) {
    context.terminal.data(
        nlohmann::ordered_json{{"schema", 1}, {"dir", folder.path}, {"was_running", was_running}}
            .dump());
  }
  return {};
}

}  // namespace hm::cli
