// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/lease_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/asset_terms.h"
#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/lease_view.h"
#include "apps/hypermesh/quantity.h"
#include "core/ledger/limits.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;
using scheduling::Filter;

std::unexpected<Failure> twice(std::string_view option, std::string_view key) {
  return failed(ExitCode::Usage,
                fmt::format("{} and {}= in the filter say different things", option, key),
                "it is not clear which of them is meant", "leave one of them out");
}

// What the filter says, if it says it: then it does not depend on the default.
template <class T>
std::optional<T> said(std::string_view text, T Filter::* member, const T& one, const T& other) {
  Filter first;
  Filter second;
  first.*member = one;
  second.*member = other;
  const auto a = scheduling::parse_filter(text, first);
  const auto b = scheduling::parse_filter(text, second);
  if (!a || !b || (*a).*member != (*b).*member) return std::nullopt;
  return (*a).*member;
}

// The option's value, else the filter's, else the default. Refused if both are there and differ.
template <class T>
Answer<T> settled(std::string_view option, std::string_view key, const std::optional<T>& given,
                  const std::optional<T>& in_filter, const T& otherwise) {
  if (given && in_filter && *given != *in_filter) return twice(option, key);
  return given ? *given : in_filter.value_or(otherwise);
}

std::unexpected<Failure> bad_plan(std::string_view why) {
  return failed(ExitCode::Failure, "the node's plan is not one that can be signed",
                std::string(why), "nothing was signed; ask another node: --api URL");
}

Answer<std::vector<ledger::LeaseChoice>> choices_of(const ordered_json& plan,
                                                    const identity::ChainId& chain) {
  std::vector<ledger::LeaseChoice> choices;
  for (const ordered_json& item : list_of(plan, "choices")) {
    const auto asset = assets::AssetId::parse(chain, text_of(item, "asset"));
    if (!asset)
      return bad_plan(fmt::format("it names an asset {}", assets::name_of(asset.error())));
    ledger::LeaseChoice choice{*asset, std::nullopt};
    if (const std::string grant = text_of(item, "grant"); !grant.empty()) {
      choice.grant = privacy::GrantId::parse(grant);
      if (!choice.grant) return bad_plan("it names a grant that is no grant id");
    }
    choices.push_back(choice);
  }
  return choices;
}

std::string rtt_in_words(std::uint64_t micros) {
  return micros < 10'000 ? fmt::format("{} us", micros) : fmt::format("{} ms", micros / 1000);
}

std::string unit_of_asset(const std::string& asset) {
  const auto kind = assets::parse_kind(asset.substr(0, asset.find(':')));
  return kind ? new_terms(*kind).quantity.unit : "units";
}

}  // namespace

std::optional<std::uint64_t> parse_lease_quantity(std::string_view text) {
  std::optional<std::uint64_t> quantity;
  if (text.ends_with("cores") || text.ends_with("core")) {
    const std::string_view number = text.substr(0, text.rfind("core"));
    const bool bare = !number.empty() && number.back() >= '0' && number.back() <= '9';
    if (bare) quantity = parse_quantity(fmt::format("{}k", number));
  } else {
    quantity = parse_quantity(text);
  }
  return quantity && *quantity > 0 ? quantity : std::nullopt;
}

Answer<LeaseWish> wish_of(const LeaseOpen& options) {
  const std::string& text = options.filter;
  const auto filter = scheduling::parse_filter(text);
  if (!filter) {
    return failed(ExitCode::Usage, "the filter of --on cannot be understood",
                  scheduling::explain(filter.error(), text),
                  "for example --on kind=cpu,logical_cores>=8,trust>=600");
  }
  LeaseWish wish{.filter = text, .choices = filter->choices, .explain = options.explain};
  std::optional<std::uint64_t> quantity;
  if (options.quantity) {
    quantity = parse_lease_quantity(*options.quantity);
    if (!quantity) {
      return failed(ExitCode::Usage,
                    fmt::format("--quantity: '{}' is no quantity", *options.quantity),
                    "it is a number above 0 in the asset's unit, without a space",
                    "for example --quantity 2cores, 4GiB, 10G or 1");
    }
  }
  std::optional<std::uint64_t> duration;
  if (options.duration) {
    HM_CLI_TRY(duration, duration_of("--for", *options.duration));
  }
  std::optional<privacy::NetworkClass> network;
  if (options.network) network = privacy::parse_network(*options.network);
  HM_CLI_TRY(wish.quantity, settled<std::uint64_t>("--quantity", "quantity", quantity,
                                                   said(text, &Filter::quantity, {1}, {2}), 1));
  HM_CLI_TRY(wish.duration_ms, settled<std::uint64_t>("--for", "duration", duration,
                                                      said(text, &Filter::duration_ms, {1}, {2}),
                                                      scheduling::kDefaultDurationMs));
  using enum privacy::NetworkClass;
  HM_CLI_TRY(wish.network,
             settled<privacy::NetworkClass>("--network", "network", network,
                                            said(text, &Filter::network, None, Mesh), None));
  wish.highest_price = filter->highest_price;
  if (options.highest_price) {
    const auto price = parse_price(*options.highest_price);
    if (!price) {
      return failed(ExitCode::Usage,
                    fmt::format("--highest-price: '{}' is no price", *options.highest_price),
                    "a price is CAES for a unit (or so many) during one hour",
                    "for example --highest-price 0.5 or 0.01/GiB");
    }
    if (filter->highest_price && compare(*filter->highest_price, *price) != 0) {
      return twice("--highest-price", "price<");
    }
    wish.highest_price = price;
  }
  if (options.choices) {
    const auto in_filter = said<std::size_t>(text, &Filter::choices, 1, 2);
    if (in_filter && *in_filter != *options.choices) return twice("--choices", "choices");
    wish.choices = *options.choices;
    if (!in_filter) {
      wish.filter += fmt::format("{}choices={}", text.empty() ? "" : ",", *options.choices);
    }
  }
  return wish;
}

ordered_json plan_request(const LeaseWish& wish, const identity::OwnerId& tenant) {
  ordered_json body = {{"tenant", tenant.to_string()},
                       {"filter", wish.filter},
                       {"quantity", wish.quantity},
                       {"duration_ms", wish.duration_ms},
                       {"network", privacy::name_of(wish.network)},
                       {"explain", wish.explain}};
  if (wish.highest_price) body["highest_price"] = caesar::to_string(*wish.highest_price);
  return body;
}

Answer<PlannedLease> planned_lease(const ordered_json& plan, const LeaseWish& wish,
                                   const identity::ChainId& chain) {
  if (list_of(plan, "choices").empty()) {
    const std::string message = text_of(plan, "message");
    return failed(ExitCode::NoCapacity, "no asset fits that may be leased now",
                  message.empty() ? "the node names no choice" : message,
                  "ask for less, or see 'hypermesh lease open … --explain'");
  }
  PlannedLease planned;
  ledger::OpenLease& action = planned.action;
  HM_CLI_TRY(action.choices, choices_of(plan, chain));
  if (action.choices.size() > std::min(wish.choices, ledger::kMaxLeaseChoices)) {
    return bad_plan("it names more assets than were asked for");
  }
  if (number_of(plan, "quantity") != wish.quantity ||
      number_of(plan, "duration_ms") != wish.duration_ms) {
    return bad_plan("it is for another quantity or time than was asked for");
  }
  const auto price = caesar::parse_price(text_of(plan, "highest_price"));
  if (!price) return bad_plan("it names no highest price");
  if (wish.highest_price && compare(*price, *wish.highest_price) > 0) {
    return bad_plan(fmt::format("it costs up to {}, more than the {} allowed",
                                caesar::to_string(*price), caesar::to_string(*wish.highest_price)));
  }
  action.quantity = wish.quantity;
  action.duration_ms = wish.duration_ms;
  action.network = wish.network;
  action.highest_price = *price;
  const auto escrow = caesar::cost(*price, wish.quantity, wish.duration_ms);
  if (!escrow) return bad_plan("so much for so long at this price is more than all CAES there are");
  planned.escrow = *escrow;
  return planned;
}

std::vector<std::string> choice_heads() {
  return {"#", "ASSET", "NODE", "GRANT", "PRICE", "COST", "TRUST", "RTT"};
}

std::vector<std::vector<Terminal::Cell>> choice_rows(const ordered_json& plan) {
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& choice : list_of(plan, "choices")) {
    const std::string asset = text_of(choice, "asset");
    const std::string grant = text_of(choice, "grant");
    const std::string rtt = text_of(choice, "rtt_us");
    rows.push_back(
        {{std::to_string(rows.size() + 1), Style::Plain},
         {short_id(asset), Style::Bold},
         {text_of(choice, "node_name"), Style::Plain},
         {grant.empty() ? "own" : short_id(grant), Style::Plain},
         {price_in_words(text_of(choice, "price"), unit_of_asset(asset)), Style::Plain},
         {text_of(choice, "cost") + " CAES", Style::Plain},
         {text_of(choice, "trust"), Style::Plain},
         {rtt.empty() ? "unknown" : rtt_in_words(number_of(choice, "rtt_us")), Style::Plain}});
  }
  return rows;
}

std::vector<std::string> rejected_heads() { return {"ASSET", "NODE", "RULE", "WHY NOT"}; }

std::vector<std::vector<Terminal::Cell>> rejected_rows(const ordered_json& plan) {
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& item : list_of(plan, "rejected")) {
    const std::string rule = text_of(item, "rule");
    rows.push_back({{short_id(text_of(item, "asset")), Style::Plain},
                    {text_of(item, "node_name"), Style::Plain},
                    {rule.empty() ? text_of(item, "reason") : rule, Style::Warn},
                    {text_of(item, "message"), Style::Plain}});
  }
  return rows;
}

}  // namespace hm::cli
