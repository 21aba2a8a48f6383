// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/records.h"

namespace hm::ledger {
namespace {

Bytes key_of(Table table, ByteView row = {}) {
  Bytes key;
  key.reserve(1 + row.size());
  key.push_back(static_cast<std::uint8_t>(table));
  key.insert(key.end(), row.begin(), row.end());
  return key;
}

}  // namespace

Bytes chain_key() { return key_of(Table::Chain); }
Bytes supply_key() { return key_of(Table::Supply); }

Bytes block_key(std::uint64_t height) {
  // Big-endian, so that the store's order is the order of heights.
  std::array<std::uint8_t, 8> row{};
  for (std::size_t i = 0; i < row.size(); ++i) {
    row[i] = static_cast<std::uint8_t>(height >> (8 * (row.size() - 1 - i)));
  }
  return key_of(Table::Block, row);
}

Bytes owner_key(const identity::OwnerId& owner) { return key_of(Table::Owner, owner.view()); }
Bytes owner_keys_key(const identity::OwnerId& owner) {
  return key_of(Table::OwnerKeys, owner.view());
}
Bytes node_key(const identity::NodeId& node) { return key_of(Table::Node, node.view()); }
Bytes validator_key(const identity::NodeId& node) { return key_of(Table::Validator, node.view()); }
Bytes asset_key(const crypto::Digest& asset_hash) {
  return key_of(Table::Asset, asset_hash.view());
}
Bytes address_key(const assets::Address& address) { return key_of(Table::Address, address.bytes); }

}  // namespace hm::ledger
