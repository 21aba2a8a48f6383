// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/new_mesh.h"

#include <array>

#include "apps/hypermesh/genesis_file.h"
#include "apps/hypermesh/wall_clock.h"
#include "foundation/base/hex.h"
#include "platform/files/atomic_file.h"
#include "platform/files/key_file.h"
#include "platform/files/owner_key_file.h"

namespace hm::cli {
namespace {

// What an owner of a new mesh starts with: room for every record it will make, and something to
// pay with.
constexpr std::uint64_t kStartBalanceCaes = 1'000'000;
constexpr std::uint64_t kStartBondCaes = 100'000;
// Stake of each validator, equal for all; above every preset's minimum and within the bond.
constexpr std::uint64_t kStartStakeCaes = 50'000;

// Adds one owner, its node and its validator to the genesis, with keys freshly written.
Outcome add_node(ledger::Genesis& genesis, const NewNode& node) {
  HM_CLI_TRY_VOID(files::make_folder(node.folder.keys(), 0700));
  const identity::OwnerKeys owner = files::generate_owner_keys();
  const crypto::SigningKey node_key = files::generate_node_key();
  // In the clear: nobody is there to be asked for a passphrase.
  HM_CLI_TRY_VOID(files::write_owner_keys(node.folder.owner_key(), owner, std::nullopt,
                                          files::Existing::Refuse));
  HM_CLI_TRY_VOID(files::write_node_key(node.folder.node_key(), node_key));

  const crypto::Digest context =
      identity::genesis_binding_context(genesis.chain_name, genesis.time.value);
  identity::NodeBinding binding =
      identity::bind_node(owner, node_key, context, node.name, files::fresh_falcon_randomness());
  genesis.owners.push_back(
      {node.owner, owner.bundle(), caesar::caes(kStartBalanceCaes), caesar::caes(kStartBondCaes)});
  genesis.validators.push_back({binding.node(), caesar::caes(kStartStakeCaes)});
  genesis.nodes.push_back(std::move(binding));
  return {};
}

NodeConfig config_of(const std::vector<NewNode>& nodes, const ledger::Genesis& genesis,
                     std::size_t self, std::uint32_t share_percent) {
  NodeConfig config;
  config.name = nodes[self].name;
  config.api_port = nodes[self].api_port;
  config.stoq_bind = nodes[self].stoq;
  config.share_percent = share_percent;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (i != self) config.peers.push_back({genesis.nodes[i].node(), {nodes[i].stoq}});
  }
  return config;
}

}  // namespace

Answer<ledger::Genesis> create_mesh(const std::string& chain_name, ledger::Preset preset,
                                    const std::vector<NewNode>& nodes,
                                    std::uint32_t share_percent) {
  ledger::Genesis genesis;
  genesis.chain_name = chain_name;
  genesis.preset = preset;
  genesis.time = wall_now();
  genesis.economy = ledger::economy_of(preset);
  for (const NewNode& node : nodes) HM_CLI_TRY_VOID(add_node(genesis, node));
  genesis.root = identity::owner_id_of(genesis.owners.front().bundle);
  if (const auto valid = ledger::validate(genesis); !valid) {
    return failed(ExitCode::Failure, "the new mesh has no valid genesis",
                  ledger::explain(valid.error()));
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    HM_CLI_TRY_VOID(create_admin_token(nodes[i].folder));
    HM_CLI_TRY_VOID(write_genesis_file(nodes[i].folder.genesis(), genesis));
    HM_CLI_TRY_VOID(
        write_node_config(nodes[i].folder.config(), config_of(nodes, genesis, i, share_percent)));
  }
  return genesis;
}

Outcome create_admin_token(const NodeFolder& folder) {
  std::array<std::uint8_t, 32> random{};
  files::fill_random(random);
  HM_CLI_TRY_VOID(files::write_file(folder.admin_token(), as_bytes(to_hex(random) + "\n"),
                                    files::Access::Secret, files::Existing::Refuse));
  return {};
}

}  // namespace hm::cli
