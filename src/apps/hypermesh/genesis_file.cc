// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/genesis_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "apps/hypermesh/toml_keys.h"
#include "platform/files/atomic_file.h"

namespace hm::cli {
namespace {

// Enough for a thousand owners and nodes, each with some 10 KiB of keys and signatures in hex.
constexpr std::size_t kMaxGenesisFile = std::size_t{16} << 20;

Result<ledger::GenesisOwner> read_owner(const toml::table& source, std::string where) {
  TableReader table(source, std::move(where));
  ledger::GenesisOwner owner;
  owner.name = table.text("name");
  owner.bundle = bundle_in(table);
  owner.balance = amount_in(table, "balance");
  owner.bond = amount_in(table, "bond");
  HM_TRY_VOID(table.finish());
  return owner;
}

std::uint32_t ppm_in(TableReader& table, std::string_view name) {
  const std::uint64_t ppm = table.number(name);
  if (ppm > caesar::kPpm) table.refuse(name, "must be at most 1000000 millionths");
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(ppm, caesar::kPpm));
}

Result<caesar::Economy> read_economy(const toml::table& source, std::string where) {
  TableReader table(source, std::move(where));
  caesar::Economy economy;
  economy.epoch_blocks = table.number("epoch_blocks");
  economy.epoch_emission = amount_in(table, "epoch_emission");
  economy.halving_epochs = table.number("halving_epochs");
  economy.provider_ppm = ppm_in(table, "provider_ppm");
  economy.fee_ppm = ppm_in(table, "fee_ppm");
  economy.reward_ppm = ppm_in(table, "reward_ppm");
  economy.commission_ppm = ppm_in(table, "commission_ppm");
  economy.demurrage_ppm_per_day = ppm_in(table, "demurrage_ppm_per_day");
  economy.starter_credit = amount_in(table, "starter_credit");
  economy.starter_pool = amount_in(table, "starter_pool");
  economy.unbonding_ms = table.number("unbonding_ms");
  HM_TRY_VOID(table.finish());
  if (const auto valid = caesar::validate(economy); !valid) {
    return fail(ErrorCode::InvalidArgument, "the economy of the genesis is not valid",
                std::string(caesar::text_of(valid.error())));
  }
  return economy;
}

std::string format_economy(const caesar::Economy& economy) {
  return fmt::format(
      "\n# Amounts in CAES, parts in millionths; docs/protocols/lending.md says what each does.\n"
      "[economy]\nepoch_blocks = {}\nepoch_emission = \"{}\"\nhalving_epochs = {}\n"
      "provider_ppm = {}\nfee_ppm = {}\nreward_ppm = {}\ncommission_ppm = {}\n"
      "demurrage_ppm_per_day = {}\nstarter_credit = \"{}\"\nstarter_pool = \"{}\"\n"
      "unbonding_ms = {}\n",
      economy.epoch_blocks, caesar::to_string(economy.epoch_emission), economy.halving_epochs,
      economy.provider_ppm, economy.fee_ppm, economy.reward_ppm, economy.commission_ppm,
      economy.demurrage_ppm_per_day, caesar::to_string(economy.starter_credit),
      caesar::to_string(economy.starter_pool), economy.unbonding_ms);
}

Result<identity::NodeBinding> read_node(const toml::table& source, std::string where,
                                        const std::map<std::string, identity::OwnerId>& owners) {
  TableReader table(source, std::move(where));
  identity::NodeBinding node;
  node.name = table.text("name");
  node.node_key = key_in(table, "key");
  const std::string owner = table.text("owner");
  if (const auto found = owners.find(owner); found != owners.end()) {
    node.owner = found->second;
  } else {
    table.refuse("owner", fmt::format("names no owner of this file: '{}'", owner));
  }
  node.owner_signature.ed25519 = signature_in(table, "owner_signature");
  node.owner_signature.falcon = falcon_signature_in(table, "owner_falcon_signature");
  node.possession = signature_in(table, "possession");
  HM_TRY_VOID(table.finish());
  return node;
}

Result<ledger::GenesisValidator> read_validator(
    const toml::table& source, std::string where,
    const std::map<std::string, identity::NodeId>& nodes) {
  TableReader table(source, std::move(where));
  ledger::GenesisValidator validator;
  const std::string node = table.text("node");
  if (const auto found = nodes.find(node); found != nodes.end()) {
    validator.node = found->second;
  } else {
    table.refuse("node", fmt::format("names no node of this file: '{}'", node));
  }
  validator.stake = amount_in(table, "stake");
  HM_TRY_VOID(table.finish());
  return validator;
}

}  // namespace

std::string format_genesis(const ledger::Genesis& genesis) {
  std::string text = fmt::format(
      "# What this chain starts from. Every node must have the same; its hash is the chain id:\n"
      "# {}\nformat = {}\nchain_name = \"{}\"\npreset = \"{}\"\ntime_ms = {}\n"
      "# The owner whose certificates are the mesh's own.\nroot = \"{}\"\n",
      ledger::chain_id(genesis).to_string(), genesis.format, genesis.chain_name,
      ledger::name_of(genesis.preset), genesis.time.value, genesis.root.to_string());
  text += format_economy(genesis.economy);
  std::map<identity::OwnerId, std::string> owners;
  for (const ledger::GenesisOwner& owner : genesis.owners) {
    owners[identity::owner_id_of(owner.bundle)] = owner.name;
    text += fmt::format("\n[[owner]]\nname = \"{}\"\nbalance = \"{}\"\nbond = \"{}\"\n{}",
                        owner.name, caesar::to_string(owner.balance), caesar::to_string(owner.bond),
                        format_bundle(owner.bundle));
  }
  std::map<identity::NodeId, std::string> nodes;
  for (const identity::NodeBinding& node : genesis.nodes) {
    nodes[node.node()] = node.name;
    text += fmt::format(
        "\n[[node]]\nname = \"{}\"\nowner = \"{}\"\nkey = \"{}\"\nowner_signature = \"{}\"\n"
        "owner_falcon_signature = \"{}\"\npossession = \"{}\"\n",
        node.name, owners[node.owner], node.node_key.to_string(),
        to_hex(node.owner_signature.ed25519.bytes), to_hex(node.owner_signature.falcon.bytes),
        to_hex(node.possession.bytes));
  }
  for (const ledger::GenesisValidator& validator : genesis.validators) {
    text += fmt::format("\n[[validator]]\nnode = \"{}\"\nstake = \"{}\"\n", nodes[validator.node],
                        caesar::to_string(validator.stake));
  }
  return text;
}

Result<ledger::Genesis> parse_genesis(std::string_view text, std::string_view source) {
  HM_TRY(const toml::table document, parse_toml(text, source));
  TableReader table(document, std::string(source));
  ledger::Genesis genesis;
  const std::uint64_t format = table.number("format");
  genesis.format = static_cast<std::uint16_t>(std::min<std::uint64_t>(format, UINT16_MAX));
  genesis.chain_name = table.text("chain_name");
  const std::string preset = table.text("preset");
  if (const auto known = ledger::parse_preset(preset)) {
    genesis.preset = *known;
  } else {
    table.refuse("preset", "must be \"localhost\", \"default\" or \"production\"");
  }
  genesis.time = UnixMillis(table.number("time_ms"));
  if (const auto root = identity::OwnerId::parse(table.text("root"))) {
    genesis.root = *root;
  } else {
    table.refuse("root", "must be an owner id: 64 lower-case hex digits");
  }
  const toml::table& economy = table.table("economy");
  const auto owners = table.tables("owner");
  const auto nodes = table.tables("node");
  const auto validators = table.tables("validator");
  HM_TRY_VOID(table.finish());

  HM_TRY(genesis.economy, read_economy(economy, fmt::format("{}: economy", source)));
  std::map<std::string, identity::OwnerId> owner_ids;
  for (std::size_t i = 0; i < owners.size(); ++i) {
    HM_TRY(auto owner, read_owner(*owners[i], fmt::format("{}: owner {}", source, i + 1)));
    owner_ids.emplace(owner.name, identity::owner_id_of(owner.bundle));
    genesis.owners.push_back(std::move(owner));
  }
  std::map<std::string, identity::NodeId> node_ids;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    HM_TRY(auto node, read_node(*nodes[i], fmt::format("{}: node {}", source, i + 1), owner_ids));
    node_ids.emplace(node.name, node.node());
    genesis.nodes.push_back(std::move(node));
  }
  for (std::size_t i = 0; i < validators.size(); ++i) {
    HM_TRY(
        auto validator,
        read_validator(*validators[i], fmt::format("{}: validator {}", source, i + 1), node_ids));
    genesis.validators.push_back(validator);
  }
  if (const auto valid = ledger::validate(genesis); !valid) {
    return fail(ErrorCode::InvalidArgument, fmt::format("{} is not a valid genesis", source),
                ledger::explain(valid.error()));
  }
  return genesis;
}

Result<void> write_genesis_file(const std::string& path, const ledger::Genesis& genesis) {
  return files::write_file(path, as_bytes(format_genesis(genesis)), files::Access::Public,
                           files::Existing::Refuse);
}

Result<ledger::Genesis> read_genesis_file(const std::string& path) {
  HM_TRY(const Bytes content, files::read_file(path, kMaxGenesisFile, files::Access::Public));
  return parse_genesis(as_text(content), path);
}

}  // namespace hm::cli
