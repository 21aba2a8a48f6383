// SPDX-License-Identifier: Apache-2.0
// `hypermesh dev`: a mesh of several real processes on this machine.
#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/asset_view.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/genesis_file.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/listing.h"
#include "apps/hypermesh/mesh_file.h"
#include "apps/hypermesh/new_mesh.h"
#include "apps/hypermesh/node_process.h"
#include "apps/hypermesh/quantity.h"
#include "core/ledger/genesis.h"
#include "platform/files/atomic_file.h"
#include "platform/files/process_lock.h"

namespace hm::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::uint32_t kDefaultNodes = 4;
// Generous: a healthy mesh takes a second.
constexpr std::chrono::seconds kReadyLimit{60};
constexpr std::chrono::seconds kStopPatience{10};
// A node looks at its hardware right after it started.
constexpr std::chrono::milliseconds kHardwareLimit{1500};
// And registers it in the next block or two.
constexpr std::chrono::seconds kRegisterLimit{5};

std::string folder_of(const std::string& dir) {
  return absolute(dir.empty() ? default_dev_folder() : dir);
}

std::vector<NodeFolder> folders_of(const MeshFile& mesh) {
  std::vector<NodeFolder> folders;
  for (const MeshNode& node : mesh.nodes) folders.push_back({node.dir});
  return folders;
}

Answer<std::vector<std::uint16_t>> ports_for(const Dev& options, std::size_t count) {
  if (!options.base_port) return pick_ports(count);
  std::vector<std::uint16_t> ports;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t port = *options.base_port + i;
    if (port > UINT16_MAX) {
      return failed(ExitCode::Usage, fmt::format("port {} does not exist", port),
                    fmt::format("{} ports are needed from --base-port on", count),
                    "choose a smaller --base-port");
    }
    ports.push_back(static_cast<std::uint16_t>(port));
  }
  return ports;
}

// Keys, genesis and configuration of a mesh that is not there yet.
Answer<MeshFile> create(const std::string& dir, const Dev& options) {
  const std::size_t count = options.nodes.value_or(kDefaultNodes);
  HM_CLI_TRY(const auto ports, ports_for(options, 2 * count));
  std::vector<NewNode> nodes;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = fmt::format("node{}", i + 1);
    nodes.push_back({{dir + "/" + name},
                     name,
                     fmt::format("owner{}", i + 1),
                     ports[2 * i],
                     stoq::Address::loopback(ports[2 * i + 1])});
  }
  // The nodes see the same hardware; together they offer it once.
  const auto share_percent = static_cast<std::uint32_t>(100 / count);
  HM_CLI_TRY(const auto genesis,
             create_mesh("dev", ledger::Preset::Localhost, nodes, share_percent));
  HM_CLI_TRY_VOID(write_genesis_file(dir + "/genesis.toml", genesis));
  MeshFile mesh{ledger::chain_id(genesis).to_string(), {}};
  for (const NewNode& node : nodes) {
    mesh.nodes.push_back({node.name, node.owner, 0, fmt::format("http://[::1]:{}", node.api_port),
                          node.stoq.to_string(), node.folder.path});
  }
  HM_CLI_TRY_VOID(write_mesh_file(dir, mesh));
  return mesh;
}

Answer<MeshFile> open_or_create(const std::string& dir, const Dev& options) {
  auto mesh = read_mesh_file(dir);
  if (!mesh && mesh.error().code == ErrorCode::NotFound) return create(dir, options);
  if (!mesh) return std::unexpected(failure_of(mesh.error()));
  if (options.nodes && *options.nodes != mesh->nodes.size()) {
    return failed(
        ExitCode::Failure,
        fmt::format("the mesh in {} has {} nodes, not {}", dir, mesh->nodes.size(), *options.nodes),
        "its genesis names its validators", "leave out --nodes, or use another --dir");
  }
  return std::move(*mesh);
}

Outcome check_ports(const MeshNode& node) {
  HM_CLI_TRY(const auto api, http::parse_endpoint(node.api));
  const auto stoq = stoq::Address::parse(node.stoq);
  for (const std::uint16_t port : {api.port, stoq ? stoq->port : std::uint16_t{0}}) {
    if (is_port_free(port)) continue;
    return failed(ExitCode::Failure, fmt::format("port {} of {} is in use", port, node.name),
                  "another program listens on [::1] there",
                  "stop it, or start a mesh in another --dir");
  }
  return {};
}

struct Started {
  MeshFile mesh;
  std::size_t count = 0;  // processes started now
};

// Starts those nodes of the mesh that do not run.
Answer<Started> start_missing(const std::string& dir, MeshFile mesh) {
  std::vector<MeshNode*> missing;
  for (MeshNode& node : mesh.nodes) {
    HM_CLI_TRY(const auto pid, running_node({node.dir}));
    node.pid = pid.value_or(0);
    if (!pid) missing.push_back(&node);
  }
  for (const MeshNode* node : missing) HM_CLI_TRY_VOID(check_ports(*node));
  for (MeshNode* node : missing) {
    HM_CLI_TRY(node->pid, spawn_node({node->dir}));
  }
  HM_CLI_TRY_VOID(write_mesh_file(dir, mesh));
  return Started{std::move(mesh), missing.size()};
}

// Looks at all of them in turn: a process that ended says more than one that waits for it.
Outcome wait_for_all(const MeshFile& mesh, steady_clock::time_point deadline) {
  std::vector<const MeshNode*> waiting;
  for (const MeshNode& node : mesh.nodes) waiting.push_back(&node);
  while (!waiting.empty()) {
    const bool last_call = steady_clock::now() >= deadline;
    for (auto it = waiting.begin(); it != waiting.end();) {
      const MeshNode& node = **it;
      HM_CLI_TRY(const bool ready, is_ready({node.dir}, node.api, node.pid));
      if (!ready && last_call) return std::unexpected(not_ready_failure({node.dir}, node.api));
      it = ready ? waiting.erase(it) : std::next(it);
    }
    if (!waiting.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return {};
}

// What the first node found on this machine, as soon as it has looked; null if it does not say.
nlohmann::ordered_json found_hardware(const MeshFile& mesh) {
  const auto endpoint = http::parse_endpoint(mesh.nodes.front().api);
  if (!endpoint) return {};
  ApiClient client(*endpoint);
  const auto deadline = steady_clock::now() + kHardwareLimit;
  while (true) {
    auto answer = client.get("/system/hardware");
    if (answer && answer->contains("items")) return std::move(*answer);
    if (steady_clock::now() >= deadline) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

// Until the ledger has what every node found, so that whoever lists assets now sees all of them.
void wait_for_assets(const MeshFile& mesh) {
  const auto endpoint = http::parse_endpoint(mesh.nodes.front().api);
  if (!endpoint) return;
  ApiClient client(*endpoint);
  const auto deadline = steady_clock::now() + kRegisterLimit;
  while (steady_clock::now() < deadline) {
    const auto assets = all_pages(client, "/assets", "assets");
    if (!assets) return;
    std::set<std::string> nodes;
    for (const auto& asset : assets->items) nodes.insert(text_of(asset, "node"));
    if (nodes.size() >= mesh.nodes.size()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void tell_hardware(const Terminal& terminal, const nlohmann::ordered_json& hardware) {
  const nlohmann::ordered_json nothing = nlohmann::ordered_json::array();
  for (const auto& item : hardware.is_object() ? hardware["items"] : nothing) {
    if (text_of(item["descriptor"], "virtual") == "true") continue;
    const std::string amount =
        item["detected"].is_null()
            ? "unknown"
            : format_quantity(number_of(item, "detected"), text_of(item, "unit"));
    const std::string line = fmt::format("  found {:<8} {:<12} {}", text_of(item, "kind"), amount,
                                         printable(asset_title(item)));
    terminal.talk(line.substr(0, line.find_last_not_of(' ') + 1));
  }
  for (const auto& note : hardware.is_object() ? hardware["notes"] : nothing) {
    terminal.talk(fmt::format("  {}: {}", text_of(note, "kind"), printable(text_of(note, "text"))));
  }
}

// A node that ran already may have halted; starting it means stopping it first.
void tell_if_halted(const Terminal& terminal, const MeshNode& node) {
  const auto endpoint = http::parse_endpoint(node.api);
  if (!endpoint) return;
  const auto status = ApiClient(*endpoint).get("/status");
  if (!status || text_of(*status, "health") != "halted") return;
  terminal.talk(
      fmt::format("  {} is halted: {}", node.name, printable(text_of(*status, "halted"))));
  terminal.talk("    mend the cause, then 'hypermesh dev stop' and 'hypermesh dev' again");
}

void tell(const Context& context, const std::string& dir, const Started& started,
          std::chrono::milliseconds took) {
  const Terminal& terminal = context.terminal;
  const MeshFile& mesh = started.mesh;
  terminal.talk(fmt::format("{} of {} nodes started in {}; chain {}; ready after {}", started.count,
                            mesh.nodes.size(), dir, mesh.chain_id.substr(0, 12),
                            format_age(static_cast<std::uint64_t>(took.count()))));
  const nlohmann::ordered_json hardware = found_hardware(mesh);
  if (hardware.is_object() && !hardware["items"].empty()) wait_for_assets(mesh);
  tell_hardware(terminal, hardware);
  for (const MeshNode& node : mesh.nodes) {
    terminal.talk(fmt::format("  {:<8} process {:<8} API {}  STOQ {}", node.name, node.pid,
                              node.api, node.stoq));
    if (started.count < mesh.nodes.size()) tell_if_halted(terminal, node);
  }
  const std::string api =
      dir == default_dev_folder() ? "" : fmt::format("--api {} ", mesh.nodes.front().api);
  const std::string where = dir == default_dev_folder() ? "" : fmt::format(" --dir {}", dir);
  terminal.talk("next:");
  terminal.talk(fmt::format("  hypermesh {}assets", api));
  terminal.talk(fmt::format("  hypermesh {}status", api));
  terminal.talk(fmt::format("  hypermesh dev stop{}", where));
  if (context.globals.json) terminal.data(format_mesh_file(mesh));
}

// Foreground: until a signal comes or every node has ended.
Outcome attend(const Context& context, const MeshFile& mesh, const sigset_t& signals) {
  context.terminal.talk("running; Ctrl-C stops the mesh");
  std::size_t alive = mesh.nodes.size();
  while (alive > 0) {
    int signal = 0;
    ::sigwait(&signals, &signal);
    if (signal != SIGCHLD) break;
    int status = 0;
    for (int pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0; --alive) {
      const auto node = std::ranges::find(mesh.nodes, pid, &MeshNode::pid);
      if (node == mesh.nodes.end()) continue;
      context.terminal.talk(
          fmt::format("{} ended; see {}", node->name, NodeFolder{node->dir}.log()));
    }
  }
  HM_CLI_TRY_VOID(stop_nodes(folders_of(mesh), kStopPatience));
  context.terminal.talk("stopped");
  return {};
}

}  // namespace

Outcome run(const Dev& options, const Context& context) {
  const auto begin = steady_clock::now();
  const std::string dir = folder_of(options.dir);
  HM_CLI_TRY_VOID(files::make_folder(dir, 0700));
  HM_CLI_TRY(const auto lock, files::ProcessLock::take(dir + "/dev.lock"));
  HM_CLI_TRY(MeshFile mesh, open_or_create(dir, options));
  sigset_t signals;
  ::sigemptyset(&signals);
  if (!options.detach) {
    for (const NodeFolder& folder : folders_of(mesh)) {
      HM_CLI_TRY(const auto pid, running_node(folder));
      if (!pid) continue;
      return failed(ExitCode::Failure, fmt::format("the mesh in {} runs already", dir),
                    fmt::format("process {} holds {}", *pid, folder.path),
                    "stop it with 'hypermesh dev stop', or use another --dir");
    }
    for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) ::sigaddset(&signals, signal);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  }
  HM_CLI_TRY(const Started started, start_missing(dir, std::move(mesh)));
  const auto ready = wait_for_all(started.mesh, steady_clock::now() + kReadyLimit);
  if (!ready) {
    // What this command started and cannot bring up, it ends.
    if (started.count == started.mesh.nodes.size()) {
      (void)stop_nodes(folders_of(started.mesh), kStopPatience);
    }
    return ready;
  }
  tell(context, dir, started,
       std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin));
  return options.detach ? Outcome{} : attend(context, started.mesh, signals);
}

Outcome run(const DevStop& options, const Context& context) {
  const std::string dir = folder_of(options.dir);
  auto mesh = read_mesh_file(dir);
  if (!mesh) {
    if (mesh.error().code != ErrorCode::NotFound) return std::unexpected(failure_of(mesh.error()));
    return failed(ExitCode::Failure, fmt::format("there is no mesh in {}", dir),
                  "the folder has no mesh.json", "name its folder with --dir");
  }
  HM_CLI_TRY(const auto results, stop_nodes(folders_of(*mesh), kStopPatience));
  nlohmann::ordered_json stopped = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const char* word = results[i] == StopResult::Stopped  ? "stopped"
                       : results[i] == StopResult::Killed ? "killed, it did not end by itself"
                                                          : "was not running";
    context.terminal.talk(fmt::format("{}: {}", mesh->nodes[i].name, word));
    stopped.push_back({{"name", mesh->nodes[i].name}, {"result", word}});
    mesh->nodes[i].pid = 0;
  }
  HM_CLI_TRY_VOID(write_mesh_file(dir, *mesh));
  context.terminal.talk("the data stays; 'hypermesh dev' starts the same mesh again");
  if (context.globals.json) {
    context.terminal.data(nlohmann::ordered_json{{"schema", 1}, {"nodes", stopped}}.dump());
  }
  return {};
}

}  // namespace hm::cli
