// SPDX-License-Identifier: Apache-2.0
#include "core/api/asset_json.h"

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

}  // namespace

void write_descriptor(JsonWriter& json, const assets::Descriptor& descriptor) {
  json.begin_object();
  for (const auto& [name, entry] : descriptor) {
    json.key(name);
    std::visit([&](const auto& value) { json.value(value); }, entry);
  }
  json.end_object();
}

void write_quantity(JsonWriter& json, const assets::Quantity& quantity) {
  json.begin_object()
      .member("detected", quantity.detected)
      .member("offered", quantity.offered)
      .member("available", quantity.available)
      .member("unit", quantity.unit)
      .end_object();
}

void write_verdicts(JsonWriter& json, const proofs::FourVerdicts& verdicts) {
  json.begin_object();
  write_verdict(json.key("space"), verdicts.space);
  write_verdict(json.key("stake"), verdicts.stake);
  write_verdict(json.key("work"), verdicts.work);
  write_verdict(json.key("time"), verdicts.time);
  json.end_object();
}

void write_asset_members(JsonWriter& json, const assets::AssetRecord& asset,
                         const proofs::FourVerdicts& verdicts) {
  json.member("id", asset.id.to_string());
  json.member("kind", assets::name_of(asset.id.kind));
  json.member("node", asset.node.to_string());
  json.member("owner", asset.owner.to_string());
  json.member("address", asset.address.to_string());
  json.member("state", assets::name_of(asset.terms.state));
  json.member("level", assets::name_of(asset.terms.level));
  write_quantity(json.key("quantity"), asset.terms.quantity);
  write_descriptor(json.key("descriptor"), asset.terms.descriptor);
  write_verdicts(json.key("proofs"), verdicts);
  json.member("version", asset.version);
  if (asset.terms.price) {
    json.member("price", caesar::to_string(asset.terms.price->per_unit_hour));
  }
}

void write_asset(JsonWriter& json, const assets::AssetRecord& asset,
                 const proofs::FourVerdicts& verdicts) {
  json.begin_object();
  write_asset_members(json, asset, verdicts);
  json.end_object();
}

}  // namespace hm::api
