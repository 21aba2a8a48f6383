// SPDX-License-Identifier: Apache-2.0
#include "core/api/ledger_json.h"

#include "core/api/asset_json.h"
#include "core/api/lending_json.h"
#include "core/api/text.h"
#include "foundation/base/hex.h"

namespace hm::api {
namespace {

struct ActionMembers {
  JsonWriter& json;

  void operator()(const ledger::RegisterOwner& action) const {
    json.member("name", action.name);
    json.member("new_owner", identity::owner_id_of(action.bundle).to_string());
    json.member("credit", caesar::to_string(action.credit));
    json.member("bond", caesar::to_string(action.bond));
  }
  void operator()(const ledger::RegisterNode& action) const {
    json.member("name", action.binding.name);
    json.member("new_node", action.binding.node().to_string());
  }
  void operator()(const ledger::RegisterAsset& action) const {
    json.member("asset", action.id.to_string()).member("node", action.node.to_string());
    write_terms(action.terms);
  }
  void operator()(const ledger::UpdateAsset& action) const {
    json.member("asset", action.id.to_string());
    json.member("expected_version", action.expected_version);
    write_terms(action.terms);
  }
  void operator()(const ledger::TransferAsset& action) const {
    json.member("asset", action.id.to_string());
    json.member("expected_version", action.expected_version);
    json.member("to", action.to.to_string());
  }
  void operator()(const ledger::RetireAsset& action) const {
    json.member("asset", action.id.to_string());
    json.member("expected_version", action.expected_version);
  }
  void operator()(const ledger::TransferCaes& action) const {
    json.member("to", action.to.to_string());
    json.member("amount", caesar::to_string(action.amount));
  }
  void operator()(const ledger::RotateKeys& action) const {
    json.member("overlap", action.rotation.overlap);
    json.key("keys").begin_object();
    for (const auto& [algorithm, key] : action.rotation.bundle.keys) {
      json.member(identity::algorithm_name(algorithm), to_base64(key));
    }
    json.end_object();
  }

  void operator()(const ledger::AddGrant& action) const {
    write_grant(json.key("grant"), action.grant);
  }
  void operator()(const ledger::RevokeGrant& action) const {
    json.member("owner", action.owner.to_string()).member("grant", action.grant.to_string());
  }
  void operator()(const ledger::SetGroup& action) const {
    json.member("name", action.name).member("expected_version", action.expected_version);
    write_members(json.key("members"), action.members);
  }
  void operator()(const ledger::RecordCertificate& action) const {
    write_certificate(json.key("certificate"), action.certificate);
  }
  void operator()(const ledger::RecordFederation& action) const {
    write_federation(json.key("federation"), action.federation);
  }
  void operator()(const ledger::CommitVault& action) const {
    json.member("node", action.node.to_string()).member("root", action.root.to_string());
  }
  void operator()(const ledger::OpenLease& action) const {
    json.key("choices").begin_array();
    for (const ledger::LeaseChoice& choice : action.choices) write_choice(json, choice);
    json.end_array();
    json.member("quantity", action.quantity).member("duration_ms", action.duration_ms);
    json.member("network", privacy::name_of(action.network));
    json.member("highest_price", caesar::to_string(action.highest_price));
    if (action.purpose) json.member("purpose", action.purpose->to_string());
  }
  void operator()(const ledger::AcceptLease& action) const { write_lease(action.lease); }
  void operator()(const ledger::DeclineLease& action) const { write_lease(action.lease); }
  void operator()(const ledger::RenewLease& action) const {
    write_lease(action.lease);
    json.member("extra_ms", action.extra_ms);
  }
  void operator()(const ledger::CloseLease& action) const { write_lease(action.lease); }
  void operator()(const ledger::ReclaimLease& action) const {
    write_lease(action.lease);
    json.member("notice", action.notice == ledger::Notice::None ? "none" : "as_granted");
  }
  void operator()(const ledger::MeterLease& action) const {
    const ledger::MeterReading& reading = action.reading;
    write_lease(reading.lease);
    json.member("placement", reading.placement).member("interval", reading.interval);
    json.member("provider_ms", reading.provider.delivered_ms);
    json.member("tenant_ms", reading.tenant.delivered_ms);
    json.member("provider_used", reading.provider.used);
    json.member("tenant_used", reading.tenant.used);
  }
  void operator()(const ledger::SettleLease& action) const { write_lease(action.lease); }
  void operator()(const ledger::Bond& action) const {
    json.member("amount", caesar::to_string(action.amount));
  }
  void operator()(const ledger::Unbond& action) const {
    json.member("amount", caesar::to_string(action.amount));
  }
  void operator()(const ledger::Delegate& action) const {
    json.member("validator", action.validator.to_string());
    json.member("amount", caesar::to_string(action.amount));
  }
  void operator()(const ledger::Undelegate& action) const {
    json.member("validator", action.validator.to_string()).member("shares", action.shares);
  }

  void operator()(const ledger::ReportFault& action) const {
    json.member("evidence", to_base64(action.evidence));
  }

  void operator()(const ledger::ReportDisagreement& action) const {
    json.key("results").begin_array();
    for (const ledger::SignedResult& result : action.results) {
      json.begin_object();
      write_lease(result.lease);
      json.member("node", identity::node_id_of(result.key).to_string());
      json.member("commitment", result.commitment.to_string());
      json.member("output", result.output.to_string());
      json.member("exit_code", result.exit_code);
      json.end_object();
    }
    json.end_array().member("quorum", action.quorum);
  }

  void operator()(const ledger::SetAllowance& action) const {
    json.member("node", action.node.to_string());
    json.member("amount", caesar::to_string(action.amount));
  }

  void operator()(const ledger::CommitStorage& action) const {
    json.member("node", action.node.to_string()).member("generation", action.generation);
    json.member("objects", action.objects.to_string()).member("shards", action.shards.to_string());
  }

  void write_lease(const ledger::LeaseId& lease) const { json.member("lease", lease.to_string()); }
  void write_terms(const assets::AssetTerms& terms) const {
    json.member("state", assets::name_of(terms.state));
    json.member("level", assets::name_of(terms.level));
    json.key("quantity").begin_object();
    json.member("detected", terms.quantity.detected).member("offered", terms.quantity.offered);
    json.member("available", terms.quantity.available).member("unit", terms.quantity.unit);
    json.end_object();
  }
};

}  // namespace

void write_actor(JsonWriter& json, const ledger::Actor& actor) {
  json.begin_object();
  if (const auto* owner = std::get_if<identity::OwnerId>(&actor)) {
    json.member("owner", owner->to_string());
  } else {
    json.member("node", std::get<identity::NodeId>(actor).to_string());
  }
  json.end_object();
}

void write_refused(JsonWriter& json, const ledger::Refused& refused) {
  json.begin_object();
  json.member("rule", ledger::name_of(refused.rule));
  if (const auto proof = ledger::proof_of(refused.rule)) {
    json.member("proof", proofs::name_of(*proof));
  }
  json.member("message", ledger::explain(refused));
  if (refused.given != 0 || refused.wanted != 0) {
    json.member("given", refused.given).member("wanted", refused.wanted);
  }
  json.end_object();
}

void write_operation_members(JsonWriter& json, const ledger::PreparedOperation& prepared) {
  const ledger::Operation& operation = prepared.operation;
  json.member("id", prepared.id.to_string());
  json.member("action", ledger::name_of(operation.action));
  write_actor(json.key("actor"), operation.actor);
  json.member("sequence", operation.sequence);
  json.member("anchor_height", operation.anchor.height);
  json.member("expiry_height", operation.expiry_height);
  json.key("arguments").begin_object();
  std::visit(ActionMembers{json}, operation.action);
  json.end_object();
}

void write_state_proof(JsonWriter& json, ByteView key, const ledger::StateProof& proof) {
  json.begin_object();
  json.member("root", proof.root.to_string());
  json.member("key", to_hex(key));
  json.key("value");
  if (proof.value) {
    json.value(to_base64(*proof.value));
  } else {
    json.null();
  }
  json.key("leaf");
  if (proof.path.leaf) {
    json.begin_object()
        .member("key_hash", proof.path.leaf->key_hash.to_string())
        .member("value_hash", proof.path.leaf->value_hash.to_string())
        .end_object();
  } else {
    json.null();
  }
  json.key("siblings").begin_array();
  for (const crypto::Digest& sibling : proof.path.siblings) json.value(sibling.to_string());
  json.end_array().end_object();
}

void write_account_members(JsonWriter& json, const caesar::Account& account) {
  json.member("balance", caesar::to_string(account.balance));
  json.member("balance_units", std::to_string(account.balance.value));
  json.member("bond", caesar::to_string(account.bond));
  json.member("bond_units", std::to_string(account.bond.value));
  json.member("unbonding", caesar::to_string(account.unbonding));
  json.member("unbonding_units", std::to_string(account.unbonding.value));
}

}  // namespace hm::api
