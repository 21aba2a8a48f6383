// SPDX-License-Identifier: Apache-2.0
// Who may use what: grants, groups, certificates, federation, and the question itself.
#include <algorithm>
#include <functional>

#include "core/api/lending_json.h"
#include "core/api/lending_request.h"
#include "core/api/limits.h"
#include "core/ledger/layer.h"
#include "core/ledger/membership.h"
#include "node/http_api/api.h"
#include "node/http_api/lookup.h"
#include "node/http_api/paging.h"
#include "node/lending_view.h"

namespace hm::http_api {
namespace {

using api::ApiError;

constexpr auto kNoName = [](const auto&) -> std::string_view { return {}; };

struct GrantFilter {
  std::optional<identity::OwnerId> owner;
  std::optional<identity::OwnerId> issuer;
  std::optional<identity::OwnerId> to;  // whom it means, by name or otherwise

  bool admits(const ledger::Layer& layer, const ledger::Frame& frame,
              const privacy::Grant& grant) const {
    if ((owner && grant.owner != *owner) || (issuer && grant.issuer != *issuer)) return false;
    if (!to) return true;
    const ledger::MembershipOf membership(layer, frame, grant.to, *to);
    return privacy::means(grant.to, membership.requester());
  }
};

void write_grant_row(api::JsonWriter& json, const ledger::Ledger& ledger,
                     const ledger::GrantKey& key, const ledger::GrantRecord& record) {
  const auto use = ledger.tables().grant_uses.find(key);
  api::write_grant_record(json, key.second, record,
                          use != ledger.tables().grant_uses.end() ? &use->second : nullptr);
}

}  // namespace

UnixMillis Api::lending_now() const {
  return std::max(node_.ledger().head().time, node_.ports().clock.wall());
}

void Api::list_grants(Call call) {
  GrantFilter filter;
  const auto read = [&](const char* name, std::optional<identity::OwnerId>& into) {
    const auto text = call.request.query_value(name);
    if (!text) return std::optional<ApiError>{};
    const auto owner = named_owner(*text);
    if (!owner) return std::optional(owner.error());
    into = *owner;
    return std::optional<ApiError>{};
  };
  if (const auto error = read("owner", filter.owner)) return answer(call, *error);
  if (const auto error = read("issuer", filter.issuer)) return answer(call, *error);
  if (const auto error = read("to", filter.to)) return answer(call, *error);
  const auto page = Page<ledger::GrantKey>::of(call.request);
  if (!page) return answer(call, page.error());
  const ledger::Ledger& ledger = node_.ledger();
  const ledger::Layer layer(ledger.tables());
  const ledger::Frame frame{.height = ledger.height() + 1, .time = lending_now()};
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  write_page(
      json, "grants", ledger.tables().grants, *page, ledger.height(),
      [&](const auto&, const auto& row) { return filter.admits(layer, frame, row.grant); },
      [&](const auto& key, const auto& row) { write_grant_row(json, ledger, key, row); });
  json.end_object();
  answer(call, std::move(json));
}

void Api::show_grant(Call call) {
  const ledger::Ledger& ledger = node_.ledger();
  const auto& grants = ledger.tables().grants;
  const auto key = find_row(
      call.parameter, grants, "grant", [](const auto& row) { return row.second; }, kNoName);
  if (!key) return answer(call, key.error());
  api::JsonWriter json;
  write_grant_row(json, ledger, *key, grants.at(*key));
  answer(call, std::move(json));
}

void Api::list_groups(Call call) {
  std::optional<identity::OwnerId> of;
  if (const auto text = call.request.query_value("owner")) {
    const auto owner = named_owner(*text);
    if (!owner) return answer(call, owner.error());
    of = *owner;
  }
  const auto page = Page<privacy::GroupId>::of(call.request);
  if (!page) return answer(call, page.error());
  const ledger::Ledger& ledger = node_.ledger();
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  write_page(
      json, "groups", ledger.tables().groups, *page, ledger.height(),
      [&](const auto&, const auto& row) { return !of || row.group.owner == *of; },
      [&](const auto& id, const auto& row) { api::write_group_record(json, id, row); });
  json.end_object();
  answer(call, std::move(json));
}

void Api::show_group(Call call) {
  const auto& groups = node_.ledger().tables().groups;
  const auto id = find_row(call.parameter, groups, "group", std::identity{}, kNoName);
  if (!id) return answer(call, id.error());
  api::JsonWriter json;
  api::write_group_record(json, *id, groups.at(*id));
  answer(call, std::move(json));
}

void Api::show_certificates(Call call) {
  const auto owner = named_owner(call.parameter);
  if (!owner) return answer(call, owner.error());
  const ledger::Ledger& ledger = node_.ledger();
  const ledger::Layer layer(ledger.tables());
  const auto counting = ledger::certified_names(layer, *owner, lending_now());
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("owner", owner->to_string());
  json.key("certificates").begin_array();
  if (const auto* record = layer.certificates.find(*owner)) {
    for (const auto& [issuer, row] : record->by_issuer) {
      const auto counted = std::ranges::find(counting, issuer, &privacy::CertifiedName::issuer);
      json.begin_object();
      api::write_certificate(json.key("certificate"), row.certificate);
      json.member("height", row.height).member("expired", counted == counting.end());
      json.member("by_root", counted != counting.end() && counted->by_root).end_object();
    }
  }
  json.end_array().member("height", ledger.height()).end_object();
  answer(call, std::move(json));
}

void Api::list_federations(Call call) {
  const ledger::Ledger& ledger = node_.ledger();
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema).key("federations").begin_array();
  for (const auto& [chain, record] : ledger.tables().federations) {
    json.begin_object().member("chain_id", chain.to_string());
    api::write_federation(json.key("federation"), record.federation);
    json.member("height", record.height);
    json.member("expired", record.federation.expiry <= lending_now()).end_object();
  }
  json.end_array().member("height", ledger.height()).end_object();
  answer(call, std::move(json));
}

void Api::decide(Call call) {
  const auto question = api::decode_decide(call.request.body);
  if (!question) return answer(call, bad_body(question.error()));
  const auto requester = named_owner(question->requester);
  if (!requester) return answer(call, requester.error());
  const auto asset = find_asset(question->asset);
  if (!asset) return answer(call, asset.error());
  node::LendingView view(node_.ledger(), *requester, lending_now());
  const privacy::Decision decision = view.decide(**asset, question->request);
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  json.member("requester", requester->to_string()).member("asset", (*asset)->id.to_string());
  api::write_decision_members(json, decision);
  json.member("height", node_.ledger().height()).end_object();
  answer(call, std::move(json));
}

}  // namespace hm::http_api
