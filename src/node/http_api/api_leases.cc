// SPDX-License-Identifier: Apache-2.0
// Leases: who has what, and what to ask for; and the two writes of a lease on one asset.
#include <algorithm>
#include <functional>

#include "core/api/ledger_json.h"
#include "core/api/lending_json.h"
#include "core/api/lending_request.h"
#include "core/api/limits.h"
#include "core/ledger/row_key.h"
#include "core/scheduling/placement.h"
#include "foundation/codec/reader.h"
#include "node/http_api/api.h"
#include "node/http_api/lookup.h"
#include "node/http_api/paging.h"
#include "node/lease_market.h"

namespace hm::http_api {
namespace {

using api::ApiError;
using api::JsonWriter;

std::optional<ledger::LeaseState> parse_lease_state(std::string_view name) {
  for (auto state = ledger::LeaseState::Requested; state <= ledger::LeaseState::Failed;
       state = static_cast<ledger::LeaseState>(static_cast<int>(state) + 1)) {
    if (ledger::name_of(state) == name) return state;
  }
  return std::nullopt;
}

struct LeaseFilter {
  std::optional<identity::OwnerId> tenant;
  std::optional<identity::OwnerId> provider;
  std::optional<identity::NodeId> node;
  std::optional<crypto::Digest> asset;
  std::optional<ledger::LeaseState> state;
  std::optional<bool> open;

  // As it now lies: where a lease was before does not count.
  bool admits(const ledger::LeaseRecord& lease) const {
    const ledger::Placement& placement = lease.placement;
    return (!tenant || lease.tenant == *tenant) && (!provider || placement.provider == *provider) &&
           (!node || placement.node == *node) &&
           (!asset || placement.choice.asset.hash == *asset) && (!state || lease.state == *state) &&
           (!open || lease.is_open() == *open);
  }
};

void write_choices(JsonWriter& json, const scheduling::Plan& plan,
                   std::span<const scheduling::Candidate> candidates) {
  json.key("choices").begin_array();
  for (const scheduling::Choice& choice : plan.choices) {
    const scheduling::Candidate& candidate = candidates[choice.candidate];
    json.begin_object().member("asset", choice.asset.to_string());
    if (choice.grant) json.member("grant", choice.grant->to_string());
    json.member("owner", candidate.facts.owner.to_string());
    json.member("owner_name", candidate.owner_name);
    json.member("node", candidate.facts.node.to_string());
    json.member("node_name", candidate.node_name);
    json.member("price", caesar::to_string(choice.price));
    json.member("cost", caesar::to_string(choice.cost));
    json.member("notice_ms", choice.notice_ms).member("trust", choice.trust);
    if (choice.rtt_us) json.member("rtt_us", *choice.rtt_us);
    json.member("free", candidate.facts.free).end_object();
  }
  json.end_array();
}

// What OpenLease has to say so that every choice can be taken.
void write_highest_price(JsonWriter& json, const scheduling::Plan& plan,
                         const scheduling::Filter& filter) {
  const auto dearest = std::ranges::max_element(plan.choices, [](const auto& a, const auto& b) {
    return caesar::compare(a.price, b.price) < 0;
  });
  if (dearest == plan.choices.end()) {
    json.key("highest_price").null().key("escrow").null();
    return;
  }
  json.member("highest_price", caesar::to_string(dearest->price));
  json.member("escrow",
              caesar::to_string(caesar::cost(dearest->price, filter.quantity, filter.duration_ms)
                                    .value_or(caesar::kMaxSupply)));
}

void write_rejected(JsonWriter& json, const scheduling::Plan& plan,
                    std::span<const scheduling::Candidate> candidates,
                    const scheduling::Filter& filter) {
  json.key("rejected").begin_array();
  for (std::size_t i = 0; i < plan.rejections.size() && i < api::kMaxPage; ++i) {
    const scheduling::Rejection& rejection = plan.rejections[i];
    const scheduling::Candidate& candidate = candidates[rejection.candidate];
    json.begin_object().member("asset", rejection.asset.to_string());
    json.member("node", candidate.facts.node.to_string());
    json.member("node_name", candidate.node_name);
    json.member("reason", scheduling::name_of(rejection.reason));
    if (rejection.deny) json.member("rule", privacy::name_of(rejection.deny->rule));
    json.member("message", scheduling::explain(rejection, filter)).end_object();
  }
  json.end_array();
}

void write_totals(JsonWriter& json, const scheduling::Totals& totals,
                  const scheduling::Filter& filter) {
  json.key("totals").begin_object();
  json.member("assets", totals.assets).member("free", totals.free);
  json.member("largest_asset", totals.largest_asset);
  json.member("largest_node", totals.largest_node);
  json.member("fragmented", scheduling::is_fragmented(totals, filter)).end_object();
  json.member("message", scheduling::explain(totals, filter));
}

ApiError other_operation(const char* wanted) {
  return api::bad_request("the signed operation is not " + std::string(wanted) + " of this asset",
                          "signed");
}

}  // namespace

Result<ledger::LeaseId, ApiError> Api::find_lease(std::string_view text) const {
  return find_row(text, node_.ledger().tables().leases, "lease", std::identity{},
                  [](const auto&) -> std::string_view { return {}; });
}

void Api::list_leases(Call call) {
  LeaseFilter filter;
  const auto named = [&](const char* name, auto find, auto& into) -> std::optional<ApiError> {
    const auto text = call.request.query_value(name);
    if (!text) return std::nullopt;
    const auto found = (this->*find)(*text);
    if (!found) return found.error();
    into = *found;
    return std::nullopt;
  };
  if (const auto error = named("tenant", &Api::named_owner, filter.tenant)) {
    return answer(call, *error);
  }
  if (const auto error = named("provider", &Api::named_owner, filter.provider)) {
    return answer(call, *error);
  }
  if (const auto error = named("node", &Api::find_node, filter.node)) return answer(call, *error);
  if (const auto text = call.request.query_value("asset")) {
    const auto asset = find_asset(*text);
    if (!asset) return answer(call, asset.error());
    filter.asset = (*asset)->id.hash;
  }
  if (const auto text = call.request.query_value("state")) {
    filter.state = parse_lease_state(*text);
    if (!filter.state) return answer(call, api::bad_request("no state is called so", "state"));
  }
  if (const auto text = call.request.query_value("open")) {
    if (*text != "true" && *text != "false") {
      return answer(call, api::bad_request("open is 'true' or 'false'", "open"));
    }
    filter.open = *text == "true";
  }
  const auto page = Page<ledger::LeaseId>::of(call.request);
  if (!page) return answer(call, page.error());
  const ledger::Ledger& ledger = node_.ledger();
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  write_page(
      json, "leases", ledger.tables().leases, *page, ledger.height(),
      [&](const auto&, const auto& lease) { return filter.admits(lease); },
      [&](const auto& id, const auto& lease) { api::write_lease(json, id, lease); });
  json.end_object();
  answer(call, std::move(json));
}

void Api::show_lease(Call call) {
  const auto id = find_lease(call.parameter);
  if (!id) return answer(call, id.error());
  const ledger::Ledger& ledger = node_.ledger();
  const Bytes key = ledger::row_key(ledger::Table::Lease, *id);
  JsonWriter json;
  json.begin_object();
  api::write_lease_members(json, *id, *ledger.lease(*id));
  json.member("state_key", to_hex(key));
  if (call.request.query_value("proof") == "1") {
    json.member("state_height", ledger.height()).key("state_proof");
    api::write_state_proof(json, key, ledger.prove(key));
  }
  json.end_object();
  answer(call, std::move(json));
}

void Api::plan_lease(Call call) {
  const auto request = api::decode_plan(call.request.body);
  if (!request) return answer(call, bad_body(request.error()));
  const auto tenant = named_owner(request->tenant);
  if (!tenant) return answer(call, tenant.error());
  const scheduling::Filter& filter = request->filter;
  const UnixMillis now = lending_now();
  node::LendingView view(node_.ledger(), *tenant, now);
  const node::LeaseMarket market(node_, filter, view, round_trips(), now);
  if (!market.is_whole()) {
    return answer(call, api::bad_request("there are more grants for this than can be weighed at "
                                         "once; name owners",
                                         "filter"));
  }
  const auto candidates = market.candidates();
  const scheduling::Plan plan = scheduling::place(filter, view.requester(), candidates, now);
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("tenant", tenant->to_string());
  json.member("filter", scheduling::to_string(filter));
  json.member("quantity", filter.quantity).member("duration_ms", filter.duration_ms);
  json.member("network", privacy::name_of(filter.network));
  write_choices(json, plan, candidates);
  write_highest_price(json, plan, filter);
  if (request->explain) write_rejected(json, plan, candidates, filter);
  write_totals(json, scheduling::totals(plan, candidates), filter);
  json.member("height", node_.ledger().height()).end_object();
  answer(call, std::move(json));
}

void Api::who(Call call) {
  const ledger::Ledger& ledger = node_.ledger();
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("node", node_.id().to_string());
  json.key("leases").begin_array();
  for (const ledger::LeaseId& id : ledger.lease_index().on_node(node_.id())) {
    const ledger::LeaseRecord& lease = *ledger.lease(id);
    if (!lease.is_open()) continue;
    const ledger::Placement& placement = lease.placement;
    const assets::AssetRecord& asset = *ledger.asset(placement.choice.asset.hash);
    json.begin_object();
    json.member("lease", id.to_string()).member("state", ledger::name_of(lease.state));
    json.member("tenant", lease.tenant.to_string());
    json.member("tenant_name", ledger.owner(lease.tenant)->name);
    json.member("asset", asset.id.to_string()).member("kind", assets::name_of(asset.id.kind));
    json.member("quantity", lease.quantity).member("unit", asset.terms.quantity.unit);
    json.member("since_ms", placement.accepted.value).member("until_ms", lease.until.value);
    json.member("price", caesar::to_string(placement.price));
    json.member("paid", caesar::to_string(placement.paid));
    json.member("earned",
                caesar::to_string(caesar::Amount{placement.paid.value - placement.fee.value +
                                                 placement.reward.value}));
    if (placement.choice.grant) json.member("grant", placement.choice.grant->to_string());
    json.end_object();
  }
  json.end_array().member("height", ledger.height()).end_object();
  answer(call, std::move(json));
}

void Api::allocate(Call call) {
  const auto asset = find_asset(call.parameter);
  if (!asset) return answer(call, asset.error());
  auto request = api::decode_signed(call.request.body);
  if (!request) return answer(call, bad_body(request.error()));
  const auto sealed = codec::decode<ledger::SignedOperation>(request->operation);
  if (!sealed) return answer(call, api::refused({.rule = ledger::Refusal::Malformed}));
  const auto* open = std::get_if<ledger::OpenLease>(&sealed->operation.action);
  if (open == nullptr || open->choices.empty() ||
      open->choices.front().asset.hash != (*asset)->id.hash) {
    return answer(call, other_operation("an open_lease with, as its first choice, a lease"));
  }
  const ledger::LeaseId id{ledger::operation_id(sealed->operation).bytes};
  write_lease_operation(std::move(call), std::move(request->operation), id, 201);
}

void Api::release(Call call) {
  const auto asset = find_asset(call.parameter);
  if (!asset) return answer(call, asset.error());
  auto request = api::decode_signed(call.request.body);
  if (!request) return answer(call, bad_body(request.error()));
  const auto sealed = codec::decode<ledger::SignedOperation>(request->operation);
  if (!sealed) return answer(call, api::refused({.rule = ledger::Refusal::Malformed}));
  const ledger::Action& action = sealed->operation.action;
  std::optional<ledger::LeaseId> id;
  if (const auto* close = std::get_if<ledger::CloseLease>(&action)) id = close->lease;
  if (const auto* reclaim = std::get_if<ledger::ReclaimLease>(&action)) id = reclaim->lease;
  const ledger::LeaseRecord* lease = id ? node_.ledger().lease(*id) : nullptr;
  if (lease == nullptr || lease->placement.choice.asset.hash != (*asset)->id.hash) {
    return answer(call, other_operation("a close_lease or reclaim_lease of a lease"));
  }
  write_lease_operation(std::move(call), std::move(request->operation), *id, 200);
}

void Api::write_lease_operation(Call call, Bytes operation, const ledger::LeaseId& id,
                                std::uint16_t status) {
  auto shared = std::make_shared<Call>(std::move(call));
  std::vector<Bytes> operations;
  operations.push_back(std::move(operation));
  submit_and_wait(std::move(operations), [this, shared, id, status](const auto& outcomes) {
    answer_outcome(*shared, outcomes.front(), [&](JsonWriter& json) {
      const ledger::LeaseRecord* lease = node_.ledger().lease(id);
      if (lease != nullptr) api::write_lease_members(json, id, *lease);
      return status;
    });
  });
}

}  // namespace hm::http_api
