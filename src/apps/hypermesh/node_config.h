// SPDX-License-Identifier: Apache-2.0
// The configuration file of one node, `node.toml` in its folder. Relative paths are below that
// folder. docs/guide/cli.md lists the keys.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "apps/hypermesh/folders.h"
#include "core/activity/policy.h"
#include "core/assets/kind.h"
#include "core/identity/ids.h"
#include "core/privacy/grant.h"
#include "core/stoq/address.h"
#include "foundation/base/result.h"

namespace hm::cli {

struct PeerAddress {
  identity::NodeId node;
  std::vector<stoq::Address> addresses;
  bool operator==(const PeerAddress&) const = default;
};

struct NodeConfig {
  std::string name;
  std::string genesis = "genesis.toml";
  std::uint16_t api_port = 8445;                                          // on [::1]
  stoq::Address stoq_bind = stoq::Address::loopback(stoq::kDefaultPort);  // where to listen
  // What peers are told to dial; empty: stoq_bind.
  std::vector<stoq::Address> stoq_advertised;
  std::vector<PeerAddress> peers;
  // Share of each detected quantity that is offered to others, 0 to 100. Sharing starts at nothing.
  std::uint32_t share_percent = 0;
  // Of hardware that is not on the ledger yet: one that shows its record there, or Private.
  assets::PrivacyLevel level = assets::PrivacyLevel::PublicNetwork;
  privacy::NetworkClass widest_network = privacy::NetworkClass::Internet;
  activity::ActivityPolicy activity;
  bool operator==(const NodeConfig&) const = default;
};

std::string format_node_config(const NodeConfig& config);
Result<NodeConfig> parse_node_config(std::string_view text, std::string_view source);

Result<void> write_node_config(const std::string& path, const NodeConfig& config);
Result<NodeConfig> read_node_config(const std::string& path);

}  // namespace hm::cli
