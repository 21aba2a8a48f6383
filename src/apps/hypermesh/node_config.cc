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

// Limits of pressure are kept in hundredths of a percent and written in percent; 0 leaves one out.
void read_pressure(TableReader& table, std::string_view key, activity::PressureLimits& limits) {
  constexpr std::uint32_t kHundredths = 100;
  const std::uint64_t percent = table.number(key, limits.some.value_or(0) / kHundredths);
  if (percent > 100) table.refuse(key, "must be 0 to 100");
  limits.some.reset();
  if (percent > 0)
    limits.some = static_cast<std::uint32_t>(std::min<std::uint64_t>(percent, 100)) * kHundredths;
}

void read_activity(TableReader& table, activity::ActivityPolicy& policy) {
  using std::chrono::seconds;
  constexpr std::uint32_t kPermilleOfPercent = 10;
  const auto bound = [](auto time) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<seconds>(time).count());
  };
  const std::uint64_t idle_after = table.number("idle_after_seconds", bound(policy.idle_after));
  const std::uint64_t longest = bound(activity::kMaxIdleAfter);
  if (idle_after < bound(activity::kMinIdleAfter) || idle_after > longest) {
    table.refuse("idle_after_seconds", "must be 10 to 86400");
  }
  policy.idle_after = seconds(std::min(idle_after, longest));
  const std::uint64_t load =
      table.number("busy_load_percent", policy.busy_load / kPermilleOfPercent);
  if (load == 0 || load > 100) table.refuse("busy_load_percent", "must be 1 to 100");
  policy.busy_load =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(load, 100)) * kPermilleOfPercent;
  read_pressure(table, "busy_cpu_percent", policy.busy_cpu);
  read_pressure(table, "busy_io_percent", policy.busy_io);
  read_pressure(table, "busy_memory_percent", policy.busy_memory);
  if (table.flag("ignore_input", false)) policy.input = activity::InputUse::Ignored;
  if (table.flag("ignore_battery", false)) policy.battery = activity::BatteryUse::Ignored;
}

std::string format_activity(const activity::ActivityPolicy& policy) {
  return fmt::format(
      "\n[activity]\nidle_after_seconds = {}\nbusy_load_percent = {}\nbusy_cpu_percent = {}\n"
      "busy_io_percent = {}\nbusy_memory_percent = {}\nignore_input = {}\nignore_battery = {}\n",
      policy.idle_after.count() / 1000, policy.busy_load / 10,
      policy.busy_cpu.some.value_or(0) / 100, policy.busy_io.some.value_or(0) / 100,
      policy.busy_memory.some.value_or(0) / 100, policy.input == activity::InputUse::Ignored,
      policy.battery == activity::BatteryUse::Ignored);
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
  text += fmt::format("\n[hardware]\nshare_percent = {}\nlevel = \"{}\"\n", config.share_percent,
                      assets::name_of(config.level));
  text += fmt::format("\n[lending]\nwidest_network = \"{}\"\n",
                      privacy::name_of(config.widest_network));
  text += format_activity(config.activity);
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

  const auto level = assets::parse_level(hardware.text("level", assets::name_of(config.level)));
  // What is concealed on the ledger needs a commitment of the owner's, which is no daemon's matter.
  if (level && (*level == assets::PrivacyLevel::Private || shows_full_record(*level))) {
    config.level = *level;
  } else {
    hardware.refuse("level", "must be private, public_network or full_public");
  }

  TableReader lending(table.table("lending"), where + ": [lending]");
  const auto network = privacy::parse_network(
      lending.text("widest_network", privacy::name_of(config.widest_network)));
  if (network) {
    config.widest_network = *network;
  } else {
    lending.refuse("widest_network", "must be none, mesh or internet");
  }
  TableReader activity(table.table("activity"), where + ": [activity]");
  read_activity(activity, config.activity);

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
  HM_TRY_VOID(lending.finish());
  HM_TRY_VOID(activity.finish());
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
