// SPDX-License-Identifier: Apache-2.0
// The ledger's state as typed, ordered tables: the only copy in memory. Key and value bytes are
// made from it when something is written, proven or exported.
#pragma once

#include <cstdint>
#include <map>

#include "core/ledger/lending_records.h"
#include "core/ledger/records.h"

namespace hm::ledger {

struct Tables {
  ChainRecord chain;
  caesar::Supply supply;
  caesar::Pools pools;
  std::map<std::uint64_t, BlockRecord> blocks;  // the anchor window, by height
  std::map<identity::OwnerId, OwnerRecord> owners;
  std::map<identity::NodeId, NodeRecord> nodes;
  std::map<identity::NodeId, ValidatorRecord> validators;
  std::map<crypto::Digest, assets::AssetRecord> assets;  // by AssetId::hash
  std::map<assets::Address, crypto::Digest> addresses;
  std::map<identity::OwnerId, OwnerKeyRecord> owner_keys;  // one for each owner
  std::map<GrantKey, GrantRecord> grants;
  std::map<GrantKey, GrantUseRecord> grant_uses;
  std::map<privacy::GroupId, GroupRecord> groups;
  std::map<identity::OwnerId, CertificatesRecord> certificates;  // by subject
  std::map<identity::ChainId, FederationRecord> federations;     // by the other mesh
  std::map<LeaseId, LeaseRecord> leases;
  std::map<crypto::Digest, AssetUseRecord> asset_uses;  // by asset hash, none empty
  std::map<identity::NodeId, trust::Behaviour> behaviours;
  std::map<DelegationKey, DelegationRecord> delegations;
  std::map<identity::OwnerId, UnbondingRecord> unbondings;
  std::map<identity::NodeId, StorageCommitment> storage_commitments;

  bool operator==(const Tables&) const = default;
};

// Calls visit(table, rows of `a`, rows of `b`) for each table of rows but the blocks, in the order
// of their keys. Tables and Layer have the same members.
template <class A, class B, class Visit>
void zip_tables(A& a, B& b, Visit&& visit) {
  visit(Table::Owner, a.owners, b.owners);
  visit(Table::Node, a.nodes, b.nodes);
  visit(Table::Validator, a.validators, b.validators);
  visit(Table::Asset, a.assets, b.assets);
  visit(Table::Address, a.addresses, b.addresses);
  visit(Table::OwnerKeys, a.owner_keys, b.owner_keys);
  visit(Table::Grant, a.grants, b.grants);
  visit(Table::GrantUse, a.grant_uses, b.grant_uses);
  visit(Table::Group, a.groups, b.groups);
  visit(Table::Certificate, a.certificates, b.certificates);
  visit(Table::Federation, a.federations, b.federations);
  visit(Table::Lease, a.leases, b.leases);
  visit(Table::AssetUse, a.asset_uses, b.asset_uses);
  visit(Table::Behaviour, a.behaviours, b.behaviours);
  visit(Table::Delegation, a.delegations, b.delegations);
  visit(Table::Unbonding, a.unbondings, b.unbondings);
  visit(Table::Storage, a.storage_commitments, b.storage_commitments);
}

}  // namespace hm::ledger
