// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/node_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "apps/hypermesh/toml_table.h"
#include "core/identity/key_bundle.h"
#include "platform/files/atomic_file.h"

namespace hm::cli {
namespace {

constexpr std::size_t kMaxConfigFile = std::size_t{1} << 20;

std::string quoted_list(const std::vector<stoq::Address>& addresses) {
  std::string text;
  for (const stoq::Address& address : addresses) {
    if (!text.empty()) text += ", ";
    text += fmt::format("\"{}\"", address.to_string());
  }
  return text;
}

std::vector<stoq::Address> addresses_in(TableReader& table, std::string_view key) {
  std::vector<stoq::Address> addresses;
  for (const std::string& text : table.texts(key)) {
    const auto address = stoq::Address::parse(text);
    if (address) {
      addresses.push_back(*address);
    } else {
      table.refuse(key, fmt::format("has '{}': {}", text, stoq::name_of(address.error())));
    }
  }
  return addresses;
}

}  // namespace

std::string format_node_config(const NodeConfig& config) {
  std::string text = fmt::format(
      "# One HyperMesh node. Paths are below this folder.\n"
      "name = \"{}\"\ngenesis = \"{}\"\n\n[api]\nport = {}\n\n[stoq]\nbind = \"{}\"\n",
      config.name, config.genesis, config.api_port, config.stoq_bind.to_string());
  if (!config.stoq_advertised.empty()) {
    text += fmt::format("advertised = [{}]\n", quoted_list(config.stoq_advertised));
  }
  text += fmt::format("\n[hardware]\nshare_percent = {}\n", config.share_percent);
  for (const PeerAddress& peer : config.peers) {
    text += fmt::format("\n[[peer]]\nnode = \"{}\"\naddresses = [{}]\n", peer.node.to_string(),
                        quoted_list(peer.addresses));
  }
  return text;
}

Result<NodeConfig> parse_node_config(std::string_view text, std::string_view source) {
  HM_TRY(const toml::table document, parse_toml(text, source));
  const std::string where(source);
  TableReader table(document, where);
  NodeConfig config;
  config.name = table.text("name");
  if (!identity::is_valid_name(config.name)) {
    table.refuse("name", "must be 1 to 63 of a-z, 0-9, '.', '_' and '-'");
  }
  config.genesis = table.text("genesis", config.genesis);

  TableReader api(table.table("api"), where + ": [api]");
  const std::uint64_t port = api.number("port", config.api_port);
  if (port == 0 || port > UINT16_MAX) api.refuse("port", "must be 1 to 65535");
  config.api_port = static_cast<std::uint16_t>(std::min<std::uint64_t>(port, UINT16_MAX));

  TableReader stoq(table.table("stoq"), where + ": [stoq]");
  const std::string bind_text = stoq.text("bind", config.stoq_bind.to_string());
  if (const auto bind = stoq::Address::parse(bind_text)) {
    config.stoq_bind = *bind;
  } else {
    stoq.refuse("bind", fmt::format("is '{}': {}", bind_text, stoq::name_of(bind.error())));
  }
  config.stoq_advertised = addresses_in(stoq, "advertised");

  TableReader hardware(table.table("hardware"), where + ": [hardware]");
  const std::uint64_t percent = hardware.number("share_percent", config.share_percent);
  if (percent > 100) hardware.refuse("share_percent", "must be 0 to 100");
  config.share_percent = static_cast<std::uint32_t>(std::min<std::uint64_t>(percent, 100));

  for (const toml::table* source_table : table.tables("peer")) {
    TableReader peer(*source_table, where + ": [[peer]]");
    PeerAddress entry;
    const std::string node = peer.text("node");
    if (const auto id = identity::NodeId::parse(node)) {
      entry.node = *id;
    } else {
      peer.refuse("node", "must be a node id of 64 hex digits");
    }
    entry.addresses = addresses_in(peer, "addresses");
    HM_TRY_VOID(peer.finish());
    config.peers.push_back(std::move(entry));
  }
  HM_TRY_VOID(api.finish());
  HM_TRY_VOID(stoq.finish());
  HM_TRY_VOID(hardware.finish());
  HM_TRY_VOID(table.finish());
  return config;
}

Result<void> write_node_config(const std::string& path, const NodeConfig& config) {
  return files::write_file(path, as_bytes(format_node_config(config)), files::Access::Public,
                           files::Existing::Replace);
}

Result<NodeConfig> read_node_config(const std::string& path) {
  HM_TRY(const Bytes content, files::read_file(path, kMaxConfigFile, files::Access::Public));
  return parse_node_config(as_text(content), path);
}

}  // namespace hm::cli
