// SPDX-License-Identifier: Apache-2.0
#include "core/api/lending_request.h"

#include <utility>

#include "core/api/json_members.h"
#include "core/api/text.h"

namespace hm::api {
namespace {

Decoded<std::string> needed_text(Members& members, const char* name) {
  HM_TRY(auto text, members.text(name));
  if (!text) return bad(name, "is missing");
  return std::move(*text);
}

Decoded<std::optional<privacy::NetworkClass>> take_network(Members& members) {
  HM_TRY(const auto name, members.text("network"));
  if (!name) return std::optional<privacy::NetworkClass>{};
  const auto network = privacy::parse_network(*name);
  if (!network) return bad("network", "is none of 'none', 'mesh' and 'internet'");
  return network;
}

Decoded<std::optional<caesar::Price>> take_highest_price(Members& members) {
  HM_TRY(const auto text, members.text("highest_price"));
  if (!text) return std::optional<caesar::Price>{};
  const auto price = caesar::parse_price(*text);
  if (!price) {
    return bad("highest_price", "is not a price in a text, such as \"0.25\" or \"0.25/1024\"");
  }
  return price;
}

// What a question about a lease can say of it; absent stays as it is.
struct Wanted {
  std::optional<std::uint64_t> quantity;
  std::optional<std::uint64_t> duration_ms;
  std::optional<privacy::NetworkClass> network;
  std::optional<caesar::Price> highest_price;

  static Decoded<Wanted> take(Members& members) {
    Wanted wanted;
    HM_TRY(wanted.quantity, members.number("quantity"));
    if (wanted.quantity == 0) return bad("quantity", "is 0");
    HM_TRY(wanted.duration_ms, members.number("duration_ms"));
    if (wanted.duration_ms == 0) return bad("duration_ms", "is 0");
    HM_TRY(wanted.network, take_network(members));
    HM_TRY(wanted.highest_price, take_highest_price(members));
    return wanted;
  }
};

Decoded<privacy::Action> take_action(Members& members) {
  HM_TRY(const auto name, members.text("action"));
  if (!name || *name == "lease") return privacy::Action::Lease;
  if (*name == "discover") return privacy::Action::Discover;
  return bad("action", "is neither 'lease' nor 'discover'");
}

}  // namespace

Result<DecideRequest, BadRequest> decode_decide(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  DecideRequest decide;
  HM_TRY(decide.requester, needed_text(members, "requester"));
  HM_TRY(decide.asset, needed_text(members, "asset"));
  HM_TRY(decide.request.action, take_action(members));
  HM_TRY(const Wanted wanted, Wanted::take(members));
  HM_TRY_VOID(members.finish());
  const scheduling::Filter usual;
  decide.request.quantity = wanted.quantity.value_or(usual.quantity);
  decide.request.duration_ms = wanted.duration_ms.value_or(usual.duration_ms);
  decide.request.network = wanted.network.value_or(usual.network);
  decide.request.highest_price = wanted.highest_price;
  return decide;
}

Result<PlanRequest, BadRequest> decode_plan(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  PlanRequest plan;
  HM_TRY(plan.tenant, needed_text(members, "tenant"));
  HM_TRY(const auto text, members.text("filter", scheduling::kMaxFilterText));
  HM_TRY(const Wanted wanted, Wanted::take(members));
  HM_TRY(plan.explain, members.flag("explain"));
  HM_TRY_VOID(members.finish());
  scheduling::Filter base;
  base.quantity = wanted.quantity.value_or(base.quantity);
  base.duration_ms = wanted.duration_ms.value_or(base.duration_ms);
  base.network = wanted.network.value_or(base.network);
  base.highest_price = wanted.highest_price;
  auto filter = scheduling::parse_filter(text.value_or(""), std::move(base));
  if (!filter) return bad("filter", "is refused: " + scheduling::explain(filter.error(), *text));
  plan.filter = std::move(*filter);
  return plan;
}

Result<SignedRequest, BadRequest> decode_signed(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  HM_TRY(const auto text, members.text("signed", kMaxSealedOperationText));
  HM_TRY_VOID(members.finish());
  if (!text) return bad("signed", "is missing");
  auto bytes = bytes_of_text(*text);
  if (!bytes) return bad("signed", "is not base64 or hex of a signed operation");
  return SignedRequest{std::move(*bytes)};
}

Result<LevelRequest, BadRequest> decode_level(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  LevelRequest request;
  HM_TRY(request.asset, needed_text(members, "asset"));
  HM_TRY(const std::string name, needed_text(members, "level"));
  HM_TRY_VOID(members.finish());
  const auto level = assets::parse_level(name);
  if (!level) return bad("level", "is not a privacy level");
  request.level = *level;
  return request;
}

Result<PauseRequest, BadRequest> decode_pause(std::string_view body) {
  if (body.empty()) return PauseRequest{};
  HM_TRY(Members members, parse_members(body));
  PauseRequest request;
  HM_TRY(request.asset, members.text("asset"));
  HM_TRY_VOID(members.finish());
  return request;
}

Result<RevokeRequest, BadRequest> decode_revoke(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  RevokeRequest request;
  HM_TRY(request.lease, members.text("lease"));
  HM_TRY(const bool all, members.flag("all"));
  HM_TRY(request.now, members.flag("now"));
  HM_TRY_VOID(members.finish());
  if (all == request.lease.has_value()) return bad("lease", "or \"all\": true is needed, not both");
  return request;
}

}  // namespace hm::api
