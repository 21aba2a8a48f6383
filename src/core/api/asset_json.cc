// SPDX-License-Identifier: Apache-2.0
#include "core/api/asset_json.h"

#include <algorithm>

#include "core/api/text.h"

namespace hm::api {
namespace {

void write_verdict(JsonWriter& json, const proofs::ProofVerdict& verdict) {
  json.begin_object();
  json.member("verdict", proofs::name_of(verdict.verdict)).member("reason", verdict.reason);
  if (verdict.record) json.member("record", verdict.record->to_string());
  if (verdict.interval) {
    json.member("not_before", to_rfc3339(verdict.interval->not_before));
    json.member("not_after", to_rfc3339(verdict.interval->not_after));
  }
  json.end_object();
}

// `leased`: taken off what is available.
void write_quantity(JsonWriter& json, const assets::Quantity& quantity, std::uint64_t leased) {
  json.begin_object()
      .member("detected", quantity.detected)
      .member("offered", quantity.offered)
      .member("available", quantity.available - std::min(quantity.available, leased))
      .member("leased", leased)
      .member("unit", quantity.unit)
      .end_object();
}

}  // namespace

void write_descriptor(JsonWriter& json, const assets::Descriptor& descriptor) {
  json.begin_object();
  for (const auto& [name, entry] : descriptor) {
    json.key(name);
    std::visit([&](const auto& value) { json.value(value); }, entry);
  }
  json.end_object();
}

void write_verdicts(JsonWriter& json, const proofs::FourVerdicts& verdicts) {
  json.begin_object();
  write_verdict(json.key("space"), verdicts.space);
  write_verdict(json.key("stake"), verdicts.stake);
  write_verdict(json.key("work"), verdicts.work);
  write_verdict(json.key("time"), verdicts.time);
  json.end_object();
}

assets::AssetState state_now(const ledger::Ledger& ledger, const assets::AssetRecord& asset) {
  if (asset.terms.state != assets::AssetState::Available) return asset.terms.state;
  const auto use = ledger.tables().asset_uses.find(asset.id.hash);
  if (use == ledger.tables().asset_uses.end()) return assets::AssetState::Available;
  const bool runs = std::ranges::any_of(use->second.leases, [&](const ledger::LeaseId& id) {
    return ledger.lease(id)->state != ledger::LeaseState::Requested;
  });
  return runs ? assets::AssetState::InUse : assets::AssetState::Allocated;
}

void write_asset_members(JsonWriter& json, const ledger::Ledger& ledger,
                         const assets::AssetRecord& asset) {
  const auto use = ledger.tables().asset_uses.find(asset.id.hash);
  json.member("id", asset.id.to_string());
  json.member("kind", assets::name_of(asset.id.kind));
  json.member("node", asset.node.to_string());
  json.member("owner", asset.owner.to_string());
  json.member("address", asset.address.to_string());
  json.member("state", assets::name_of(state_now(ledger, asset)));
  json.member("level", assets::name_of(asset.terms.level));
  write_quantity(json.key("quantity"), asset.terms.quantity,
                 use != ledger.tables().asset_uses.end() ? use->second.leased : 0);
  write_descriptor(json.key("descriptor"), asset.terms.descriptor);
  write_verdicts(json.key("proofs"), ledger.verdicts(asset));
  json.member("version", asset.version);
  if (asset.terms.commitment) json.member("commitment", asset.terms.commitment->to_string());
  if (asset.terms.price) json.member("price", caesar::to_string(*asset.terms.price));
}

void write_asset(JsonWriter& json, const ledger::Ledger& ledger, const assets::AssetRecord& asset) {
  json.begin_object();
  write_asset_members(json, ledger, asset);
  json.end_object();
}

}  // namespace hm::api
