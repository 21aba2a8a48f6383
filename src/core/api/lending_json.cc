// SPDX-License-Identifier: Apache-2.0
#include "core/api/lending_json.h"

#include "core/api/text.h"
#include "core/ledger/lease.h"

namespace hm::api {
namespace {

void write_pattern(JsonWriter& json, const privacy::CertificatePattern& pattern) {
  json.begin_object().member("certificate", pattern.name);
  if (pattern.issuer) json.member("issuer", pattern.issuer->to_string());
  json.end_object();
}

struct GranteeWriter {
  JsonWriter& json;
  void operator()(const privacy::ToOwner& to) const {
    json.begin_object().member("owner", to.owner.to_string()).end_object();
  }
  void operator()(const privacy::ToGroup& to) const {
    json.begin_object().member("group", to.group.to_string()).end_object();
  }
  void operator()(const privacy::CertificatePattern& to) const { write_pattern(json, to); }
  void operator()(const privacy::ToAnyone&) const {
    json.begin_object().member("anyone", true).end_object();
  }
};

void write_selector(JsonWriter& json, const privacy::AssetSelector& selector) {
  json.begin_object();
  if (selector.kind) json.member("kind", assets::name_of(*selector.kind));
  if (selector.node) json.member("node", selector.node->to_string());
  if (selector.asset) json.member("asset", selector.asset->to_string());
  json.end_object();
}

void write_limits(JsonWriter& json, const privacy::Limits& limits) {
  json.begin_object();
  if (limits.concurrent) json.member("concurrent", *limits.concurrent);
  if (limits.quantity) json.member("quantity", *limits.quantity);
  if (limits.duration_ms) json.member("duration_ms", *limits.duration_ms);
  if (limits.opened_per_day) json.member("opened_per_day", *limits.opened_per_day);
  json.end_object();
}

void write_root(JsonWriter& json, const privacy::MeshRoot& root) {
  json.begin_object()
      .member("chain_id", root.chain.to_string())
      .member("name", root.name)
      .member("owner", root.owner.to_string())
      .end_object();
}

void write_placement(JsonWriter& json, const ledger::Placement& placement) {
  json.begin_object();
  json.member("asset", placement.choice.asset.to_string());
  if (placement.choice.grant) json.member("grant", placement.choice.grant->to_string());
  json.member("provider", placement.provider.to_string());
  json.member("node", placement.node.to_string());
  json.member("price", caesar::to_string(placement.price));
  json.member("notice_ms", placement.notice_ms);
  json.member("accepted_ms", placement.accepted.value);
  json.member("next_interval", placement.next_interval);
  json.member("counted_intervals", placement.counted_intervals);
  json.member("disputed_intervals", placement.disputed_intervals);
  json.member("provider_ms", placement.provider_ms);
  json.member("tenant_ms", placement.tenant_ms);
  json.member("counted_ms", placement.counted_ms);
  json.member("provider_used", placement.provider_used);
  json.member("tenant_used", placement.tenant_used);
  json.member("used", placement.used());
  json.member("paid", caesar::to_string(placement.paid));
  json.member("fee", caesar::to_string(placement.fee));
  json.member("reward", caesar::to_string(placement.reward));
  json.member("end", ledger::name_of(placement.end));
  if (placement.evidence) json.member("evidence", placement.evidence->to_string());
  json.end_object();
}

}  // namespace

void write_grant(JsonWriter& json, const privacy::Grant& grant) {
  json.begin_object();
  json.member("owner", grant.owner.to_string()).member("issuer", grant.issuer.to_string());
  if (grant.parent) json.member("parent", grant.parent->to_string());
  json.member("number", grant.number);
  std::visit(GranteeWriter{json.key("to")}, grant.to);
  write_selector(json.key("assets"), grant.assets);
  json.member("share_percent", grant.share_percent);
  write_limits(json.key("limits"), grant.limits);
  json.member("network", privacy::name_of(grant.network));
  if (grant.hours) {
    json.key("hours")
        .begin_object()
        .member("from_minute", grant.hours->from)
        .member("to_minute", grant.hours->to)
        .member("utc_offset_minutes", static_cast<std::int64_t>(grant.hours->utc_offset) - 1440)
        .member("weekdays", grant.hours->weekdays)
        .end_object();
  }
  json.member("when", privacy::name_of(grant.when));
  if (grant.price) json.member("price", caesar::to_string(*grant.price));
  if (grant.expiry) json.member("expiry_ms", grant.expiry->value);
  json.member("notice_ms", grant.notice_ms);
  json.member("delegations", grant.delegations);
  json.end_object();
}

void write_members(JsonWriter& json, const std::vector<privacy::GroupMember>& members) {
  json.begin_array();
  for (const privacy::GroupMember& member : members) {
    std::visit(GranteeWriter{json}, member);
  }
  json.end_array();
}

void write_certificate(JsonWriter& json, const privacy::Certificate& certificate) {
  json.begin_object()
      .member("issuer_chain", certificate.issuer_chain.to_string())
      .member("issuer", certificate.issuer.to_string())
      .member("subject", certificate.subject.to_string())
      .member("name", certificate.name)
      .member("expiry_ms", certificate.expiry.value)
      .end_object();
}

void write_federation(JsonWriter& json, const privacy::Federation& federation) {
  json.begin_object();
  write_root(json.key("first"), federation.first);
  write_root(json.key("second"), federation.second);
  json.member("expiry_ms", federation.expiry.value);
  json.end_object();
}

void write_grant_record(JsonWriter& json, const privacy::GrantId& id,
                        const ledger::GrantRecord& record, const ledger::GrantUseRecord* use) {
  json.begin_object();
  json.member("id", id.to_string());
  write_grant(json.key("grant"), record.grant);
  json.member("height", record.height).member("revoked", record.revoked);
  json.key("use").begin_object();
  json.member("open_leases", use != nullptr ? use->open_leases : 0);
  json.key("leased").begin_object();
  if (use != nullptr) {
    for (const auto& [asset, quantity] : use->leased) json.member(asset.to_string(), quantity);
  }
  json.end_object().end_object().end_object();
}

void write_group_record(JsonWriter& json, const privacy::GroupId& id,
                        const ledger::GroupRecord& record) {
  json.begin_object();
  json.member("id", id.to_string());
  json.member("owner", record.group.owner.to_string()).member("name", record.group.name);
  write_members(json.key("members"), record.group.members);
  json.member("version", record.version).member("changed_height", record.changed_height);
  json.end_object();
}

void write_choice(JsonWriter& json, const ledger::LeaseChoice& choice) {
  json.begin_object().member("asset", choice.asset.to_string());
  if (choice.grant) json.member("grant", choice.grant->to_string());
  json.end_object();
}

void write_lease_members(JsonWriter& json, const ledger::LeaseId& id,
                         const ledger::LeaseRecord& lease) {
  json.member("id", id.to_string());
  json.member("state", ledger::name_of(lease.state));
  json.member("tenant", lease.tenant.to_string());
  json.member("quantity", lease.quantity).member("duration_ms", lease.duration_ms);
  json.member("network", privacy::name_of(lease.network));
  json.member("highest_price", caesar::to_string(lease.highest_price));
  if (lease.purpose) json.member("purpose", lease.purpose->to_string());
  json.member("escrow", caesar::to_string(lease.escrow));
  if (lease.opened_by) json.member("opened_by", lease.opened_by->to_string());
  json.member("requested_ms", lease.requested.value);
  json.member("until_ms", lease.until.value).member("ends_ms", lease.ends.value);
  write_placement(json.key("placement"), lease.placement);
  json.key("past").begin_array();
  for (const ledger::Placement& placement : lease.past) write_placement(json, placement);
  json.end_array();
  json.key("choices_left").begin_array();
  for (const ledger::LeaseChoice& choice : lease.choices_left) write_choice(json, choice);
  json.end_array();
  json.member("opened_height", lease.opened_height);
  json.member("changed_height", lease.changed_height);
  json.member("last_operation", lease.last_operation.to_string());
}

void write_lease(JsonWriter& json, const ledger::LeaseId& id, const ledger::LeaseRecord& lease) {
  json.begin_object();
  write_lease_members(json, id, lease);
  json.end_object();
}

void write_lease_change_members(JsonWriter& json, const ledger::LeaseChange& change) {
  json.member("event", ledger::name_of(change.event));
  json.member("lease", change.lease.to_string());
  json.member("state", ledger::name_of(change.state));
  json.member("end", ledger::name_of(change.end));
  if (change.operation) json.member("operation", change.operation->to_string());
}

void write_decision_members(JsonWriter& json, const privacy::Decision& decision) {
  json.member("allowed", static_cast<bool>(decision));
  if (decision) {
    const privacy::Allow& allowed = decision.allowed();
    if (allowed.grant) json.member("grant", allowed.grant->to_string());
    json.member("price", caesar::to_string(allowed.price));
    json.member("notice_ms", allowed.notice_ms);
  } else {
    const privacy::Deny& denied = decision.denied();
    json.member("rule", privacy::name_of(denied.rule));
    if (denied.grant) json.member("grant", denied.grant->to_string());
    json.member("given", denied.given).member("wanted", denied.allowed);
  }
  json.member("message", privacy::explain(decision));
}

void write_supply(JsonWriter& json, const caesar::Supply& supply) {
  json.begin_object()
      .member("minted", caesar::to_string(supply.minted))
      .member("burned", caesar::to_string(supply.burned))
      .member("balances", caesar::to_string(supply.balances))
      .member("escrows", caesar::to_string(supply.escrows))
      .member("bonds", caesar::to_string(supply.bonds))
      .member("pools", caesar::to_string(supply.pools))
      .end_object();
}

void write_pools(JsonWriter& json, const caesar::Pools& pools) {
  json.begin_object()
      .member("validators", caesar::to_string(pools.validators))
      .member("providers", caesar::to_string(pools.providers))
      .member("starter", caesar::to_string(pools.starter))
      .end_object();
}

void write_economy(JsonWriter& json, const caesar::Economy& economy) {
  json.begin_object()
      .member("epoch_blocks", economy.epoch_blocks)
      .member("epoch_emission", caesar::to_string(economy.epoch_emission))
      .member("halving_epochs", economy.halving_epochs)
      .member("provider_ppm", economy.provider_ppm)
      .member("fee_ppm", economy.fee_ppm)
      .member("reward_ppm", economy.reward_ppm)
      .member("commission_ppm", economy.commission_ppm)
      .member("demurrage_ppm_per_day", economy.demurrage_ppm_per_day)
      .member("starter_credit", caesar::to_string(economy.starter_credit))
      .member("starter_pool", caesar::to_string(economy.starter_pool))
      .member("unbonding_ms", economy.unbonding_ms)
      .end_object();
}

void write_trust(JsonWriter& json, const identity::NodeId& node, const trust::Behaviour& behaviour,
                 UnixMillis now) {
  json.begin_object();
  json.member("node", node.to_string());
  json.member("score", trust::score(behaviour, now));
  json.key("terms").begin_array();
  for (const trust::Term& term : trust::explain(behaviour, now)) {
    json.begin_object()
        .member("name", term.name)
        .member("count", term.count)
        .member("contribution", static_cast<std::int64_t>(term.contribution))
        .end_object();
  }
  json.end_array().end_object();
}

}  // namespace hm::api
