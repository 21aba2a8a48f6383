// SPDX-License-Identifier: Apache-2.0
// Operations: what owners and nodes sign to change the ledger. prepare() is the stateless half of
// validation (decoding, limits, chain, signatures) and safe on any thread; Ledger does the rest.
// docs/protocols/ledger.md §3 is normative for the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>

#include "core/assets/record.h"
#include "core/caesar/amount.h"
#include "core/identity/ids.h"
#include "core/identity/key_bundle.h"
#include "core/identity/key_rotation.h"
#include "core/identity/node_binding.h"
#include "core/ledger/lending_actions.h"
#include "core/ledger/refusal.h"

namespace hm::ledger {

// An owner, or a node acting for its owner: on assets that are on itself, and as a tenant within
// what it is allowed.
using Actor = std::variant<identity::OwnerId, identity::NodeId>;

// A recent final block: the operation was made after it.
struct Anchor {
  std::uint64_t height = 0;
  crypto::Digest hash;
  bool operator==(const Anchor&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.height, self.hash); }
};

// A new owner. Credit and bond come from the acting owner's balance.
struct RegisterOwner {
  std::string name;
  identity::KeyBundle bundle;
  caesar::Amount credit;
  caesar::Amount bond;
  bool operator==(const RegisterOwner&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.name, self.bundle, self.credit, self.bond);
  }
};

// A new node of the acting owner. The binding's context is the chain id.
struct RegisterNode {
  identity::NodeBinding binding;
  bool operator==(const RegisterNode&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.binding); }
};

// A new asset of the acting owner, on one of its nodes.
struct RegisterAsset {
  assets::AssetId id;
  identity::NodeId node;
  assets::AssetTerms terms;
  bool operator==(const RegisterAsset&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.id, self.node, self.terms); }
};

// Replaces the terms as a whole.
struct UpdateAsset {
  assets::AssetId id;
  std::uint64_t expected_version = 0;
  assets::AssetTerms terms;
  bool operator==(const UpdateAsset&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.id, self.expected_version, self.terms);
  }
};

struct TransferAsset {
  assets::AssetId id;
  std::uint64_t expected_version = 0;
  identity::OwnerId to;
  bool operator==(const TransferAsset&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.id, self.expected_version, self.to);
  }
};

struct RetireAsset {
  assets::AssetId id;
  std::uint64_t expected_version = 0;
  bool operator==(const RetireAsset&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.id, self.expected_version); }
};

struct TransferCaes {
  identity::OwnerId to;
  caesar::Amount amount;
  bool operator==(const TransferCaes&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.to, self.amount); }
};

// Replaces the acting owner's keys; its id stays. Signed with the current Ed25519 key.
struct RotateKeys {
  identity::KeyRotation rotation;
  bool operator==(const RotateKeys&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.rotation); }
};

// The order is the wire format: new actions go at the end.
using Action = std::variant<RegisterOwner, RegisterNode, RegisterAsset, UpdateAsset, TransferAsset,
                            RetireAsset, TransferCaes, RotateKeys, AddGrant, RevokeGrant, SetGroup,
                            RecordCertificate, RecordFederation, CommitVault, OpenLease,
                            AcceptLease, DeclineLease, RenewLease, CloseLease, ReclaimLease,
                            MeterLease, SettleLease, Bond, Unbond, Delegate, Undelegate,
                            ReportFault, ReportDisagreement, SetAllowance, CommitStorage>;

// "register_owner", "register_node", "register_asset", …
std::string_view name_of(const Action& action);

struct Operation {
  identity::ChainId chain_id;
  Actor actor;
  std::uint64_t sequence = 0;  // the actor's last applied one + 1; the first is 1
  Anchor anchor;
  std::uint64_t expiry_height = 0;  // the last block that may include it
  Action action;
  assets::CitedRecords proofs;  // PoSpace and PoWork records cited
  bool operator==(const Operation&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.chain_id, self.actor, self.sequence, self.anchor, self.expiry_height,
                    self.action, self.proofs);
  }
};

struct SignedOperation {
  Operation operation;
  crypto::PublicKey key;
  crypto::Signature signature;  // of the operation id
  bool operator==(const SignedOperation&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.operation, self.key, self.signature);
  }
};

// SHA-256 of the operation's BCS bytes under "hm.operation.v1"; the signature signs these 32 bytes.
crypto::Digest operation_id(const Operation& operation);

SignedOperation sign(Operation operation, const crypto::SigningKey& key);

// An operation whose form and signatures were checked. Only prepare() makes one from bytes.
struct PreparedOperation {
  crypto::Digest id;
  Operation operation;
  crypto::PublicKey key;
};

// Decodes strictly, bounds, checks the chain, the signature and every signature inside that needs
// no key from the state: of a node binding the node's and the owner's Ed25519 half (with the
// operation's key as the owner's; Ledger checks that it is), of a rotation those of the new keys,
// of a reading both sides', of results all. Touches no state; any thread. Refusals: those whose
// rule needs none.
Result<PreparedOperation, Refused> prepare(ByteView bytes, const identity::ChainId& chain);

// The same for an operation that is already decoded.
Result<PreparedOperation, Refused> prepare(SignedOperation operation,
                                           const identity::ChainId& chain);

}  // namespace hm::ledger
