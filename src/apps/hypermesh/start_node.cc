// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/start_node.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/node_process.h"
#include "core/identity/key_bundle.h"

namespace hm::cli {
namespace {

// A first block waits for nothing but this node; a node that joined has a chain to fetch.
constexpr std::chrono::seconds kReadyLimit{120};

void tell(const Context& context, const NodeFolder& folder, const NodeConfig& config, int pid,
          bool started) {
  const std::string api = fmt::format("http://[::1]:{}", config.api_port);
  context.terminal.talk(
      fmt::format("{} {} (process {})", config.name, started ? "runs" : "ran already", pid));
  context.terminal.talk(
      fmt::format("  API {}  STOQ {}  log {}", api, config.stoq_bind.to_string(), folder.log()));
  if (context.globals.json) {
    const nlohmann::ordered_json document = {{"schema", 1},
                                             {"name", config.name},
                                             {"pid", pid},
                                             {"api", api},
                                             {"stoq", config.stoq_bind.to_string()},
                                             {"dir", folder.path}};
    context.terminal.data(document.dump());
  }
}

}  // namespace

Answer<std::string> new_node_name(const std::string& wished) {
  if (!wished.empty()) {
    if (identity::is_valid_name(wished)) return wished;
    return failed(ExitCode::Usage, fmt::format("'{}' cannot be a node's name", wished),
                  "a name is 1 to 63 of a-z, 0-9, '.', '_' and '-'", "for example --name east-1");
  }
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  std::string name(host.data());
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  // A name of an owner is made from it, so it stays shorter than a name may be.
  constexpr std::size_t kMaxHostPart = 40;
  name = name.substr(0, kMaxHostPart);
  return identity::is_valid_name(name) ? name : "node";
}

Answer<stoq::Address> listen_address(const std::string& wished) {
  if (wished.empty()) return stoq::Address::loopback(stoq::kDefaultPort);
  const auto address = stoq::Address::parse(wished);
  if (address) return *address;
  return failed(ExitCode::Usage, fmt::format("'{}' is not an address to listen on", wished),
                std::string(stoq::name_of(address.error())),
                "for example --listen [2001:db8::1]:9292");
}

Outcome start_node(const Context& context, const NodeFolder& folder, const NodeConfig& config,
                   bool foreground) {
  HM_CLI_TRY(const auto running, running_node(folder));
  if (running) {
    tell(context, folder, config, *running, false);
    return {};
  }
  for (const std::uint16_t port : {config.api_port, config.stoq_bind.port}) {
    if (is_port_free(port)) continue;
    return failed(ExitCode::Failure, fmt::format("port {} is in use", port),
                  "another program listens there",
                  fmt::format("stop it, or change the port in {}", folder.config()));
  }
  if (foreground) return run(NodeDaemon{folder.config()}, context);
  HM_CLI_TRY(const int pid, spawn_node(folder));
  HM_CLI_TRY_VOID(wait_until_ready(folder, fmt::format("http://[::1]:{}", config.api_port), pid,
                                   std::chrono::steady_clock::now() + kReadyLimit));
  tell(context, folder, config, pid, true);
  return {};
}

}  // namespace hm::cli
