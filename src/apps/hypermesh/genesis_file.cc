// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/genesis_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "apps/hypermesh/toml_table.h"
#include "foundation/base/hex.h"
#include "platform/files/atomic_file.h"

namespace hm::cli {
namespace {

// Enough for a thousand owners and nodes, each with some 10 KiB of keys and signatures in hex.
constexpr std::size_t kMaxGenesisFile = std::size_t{16} << 20;

// Bytes as hex digits; how many there must be is judged with what they are for.
Bytes bytes_in(TableReader& table, std::string_view name) {
  auto bytes = from_hex(table.text(name));
  if (!bytes) table.refuse(name, "must be lower-case hex digits");
  return bytes.value_or(Bytes{});
}

crypto::PublicKey key_in(TableReader& table, std::string_view name) {
  const auto key = crypto::PublicKey::parse(table.text(name));
  if (!key) table.refuse(name, "must be 64 lower-case hex digits");
  return key.value_or(crypto::PublicKey{});
}

crypto::Signature signature_in(TableReader& table, std::string_view name) {
  crypto::Signature signature;
  if (!from_hex_exact(table.text(name), signature.bytes)) {
    table.refuse(name, "must be 128 lower-case hex digits");
  }
  return signature;
}

caesar::Amount amount_in(TableReader& table, std::string_view name) {
  const auto amount = caesar::parse_amount(table.text(name));
  if (!amount) table.refuse(name, "must be an amount of CAES in quotes, such as \"12.5\"");
  return amount.value_or(caesar::Amount{});
}

Result<ledger::GenesisOwner> read_owner(const toml::table& source, std::string where) {
  TableReader table(source, std::move(where));
  ledger::GenesisOwner owner;
  owner.name = table.text("name");
  owner.bundle.keys = {{identity::kAlgorithmEd25519, bytes_in(table, "ed25519")},
                       {identity::kAlgorithmFalcon1024, bytes_in(table, "falcon_1024")},
                       {identity::kAlgorithmMlKem1024, bytes_in(table, "ml_kem_1024")}};
  owner.balance = amount_in(table, "balance");
  owner.bond = amount_in(table, "bond");
  HM_TRY_VOID(table.finish());
  return owner;
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
  if (!from_hex_exact(table.text("owner_falcon_signature"), node.owner_signature.falcon.bytes)) {
    table.refuse("owner_falcon_signature", "must be 2560 lower-case hex digits");
  }
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
      "# {}\nformat = {}\nchain_name = \"{}\"\npreset = \"{}\"\ntime_ms = {}\n",
      ledger::chain_id(genesis).to_string(), genesis.format, genesis.chain_name,
      ledger::name_of(genesis.preset), genesis.time.value);
  std::map<identity::OwnerId, std::string> owners;
  for (const ledger::GenesisOwner& owner : genesis.owners) {
    owners[identity::owner_id_of(owner.bundle)] = owner.name;
    const auto key = [&](std::uint16_t algorithm) {
      const auto found = owner.bundle.keys.find(algorithm);
      return found == owner.bundle.keys.end() ? std::string() : to_hex(found->second);
    };
    text += fmt::format(
        "\n[[owner]]\nname = \"{}\"\nbalance = \"{}\"\nbond = \"{}\"\ned25519 = \"{}\"\n"
        "falcon_1024 = \"{}\"\nml_kem_1024 = \"{}\"\n",
        owner.name, caesar::to_string(owner.balance), caesar::to_string(owner.bond),
        key(identity::kAlgorithmEd25519), key(identity::kAlgorithmFalcon1024),
        key(identity::kAlgorithmMlKem1024));
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
  const auto owners = table.tables("owner");
  const auto nodes = table.tables("node");
  const auto validators = table.tables("validator");
  HM_TRY_VOID(table.finish());

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
