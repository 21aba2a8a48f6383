// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/lease_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/asset_terms.h"
#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/quantity.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

const ordered_json& lease_in(const ordered_json& entry) {
  const ordered_json& inner = member_of(entry, "lease");
  return inner.is_object() ? inner : entry;
}

std::string unit_of(const ordered_json& entry) {
  std::string unit = lease_text(entry, "unit");
  if (!unit.empty()) return unit;
  const std::string asset = lease_text(entry, "asset");
  const auto kind = assets::parse_kind(asset.substr(0, asset.find(':')));
  return kind ? new_terms(*kind).quantity.unit : "units";
}

Style style_of_state(std::string_view state) {
  if (state == "active") return Style::Good;
  if (state == "failed") return Style::Bad;
  return state == "closed" ? Style::Dim : Style::Warn;
}

// What a price is for; parts of a core are not rounded away.
std::string priced_quantity(std::uint64_t quantity, std::string_view unit) {
  if (unit != "millicores" || quantity % 100 == 0) return format_quantity(quantity, unit);
  return fmt::format("{} {}", quantity, quantity == 1 ? "millicore" : "millicores");
}

caesar::Amount plus(caesar::Amount sum, const ordered_json& placement, const char* key) {
  return caesar::checked_add(sum, amount_of(placement, key).value_or(caesar::Amount{}))
      .value_or(sum);
}

// Until when it runs, or when it ended.
std::uint64_t last_moment(const ordered_json& entry) {
  const std::uint64_t ends = lease_number(entry, "ends_ms");
  return ends != 0 ? ends : lease_number(entry, "until_ms");
}

std::string readings_in_words(const ordered_json& placement) {
  return fmt::format("{} intervals counted, {} disputed, {} delivered",
                     number_of(placement, "counted_intervals"),
                     number_of(placement, "disputed_intervals"),
                     format_duration(number_of(placement, "counted_ms")));
}

}  // namespace

std::string lease_text(const ordered_json& entry, const char* key) {
  const ordered_json& lease = lease_in(entry);
  for (const ordered_json* object : {&entry, &lease, &member_of(lease, "placement")}) {
    if (member_of(*object, key).is_object()) continue;
    std::string text = text_of(*object, key);
    if (!text.empty()) return text;
  }
  return {};
}

std::uint64_t lease_number(const ordered_json& entry, const char* key) {
  const ordered_json& lease = lease_in(entry);
  for (const ordered_json* object : {&entry, &lease, &member_of(lease, "placement")}) {
    if (const std::uint64_t number = number_of(*object, key); number != 0) return number;
  }
  return 0;
}

bool is_open(const ordered_json& entry) {
  const std::string state = lease_text(entry, "state");
  return state != "closed" && state != "failed";
}

caesar::Amount paid_in_all(const ordered_json& entry) {
  const ordered_json& lease = lease_in(entry);
  caesar::Amount sum = plus({}, member_of(lease, "placement"), "paid");
  for (const ordered_json& placement : list_of(lease, "past")) sum = plus(sum, placement, "paid");
  return sum;
}

std::string lease_quantity(const ordered_json& entry) {
  return priced_quantity(lease_number(entry, "quantity"), unit_of(entry));
}

std::string use_in_words(std::uint64_t used, std::string_view unit) {
  constexpr std::uint64_t kSecondsPerHour = 3'600;
  if (used == 0) return "nothing";
  if (used < kSecondsPerHour) return priced_quantity(used, unit) + " for 1 s";
  return priced_quantity(used / kSecondsPerHour, unit) + " for 1 h";
}

std::string lease_use(const ordered_json& entry) {
  return use_in_words(lease_number(entry, "used"), unit_of(entry));
}

std::string price_in_words(std::string_view price, std::string_view unit) {
  const auto parsed = caesar::parse_price(price);
  if (!parsed) return price.empty() ? "no price" : std::string(price);
  if (parsed->amount == caesar::Amount{}) return "free";
  const std::string amount = caesar::to_string(parsed->amount);
  return fmt::format("{} CAES an hour for {}", amount, priced_quantity(parsed->quantity, unit));
}

std::string lease_price(const ordered_json& entry) {
  return price_in_words(lease_text(entry, "price"), unit_of(entry));
}

std::string_view end_in_words(std::string_view end) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kWords = {
      {{"by_tenant", "the tenant closed it"},
       {"expired", "its time was over"},
       {"by_owner", "the provider reclaimed it"},
       {"declined", "the provider's node declined"},
       {"not_accepted", "the provider's node did not answer in time"},
       {"dark", "no reading was signed by both sides for too long"},
       {"asset_gone", "the asset is no longer there, or less of it is offered"},
       {"wrong_result", "most other runs of the same thing gave another result"}}};
  const auto found = std::ranges::find(kWords, end, &decltype(kWords)::value_type::first);
  return found != kWords.end() ? found->second : end == "none" ? std::string_view{} : end;
}

std::string moment_from_now(std::uint64_t moment_ms, UnixMillis now) {
  if (moment_ms == 0) return "not yet";
  const bool ahead = moment_ms >= now.value;
  const std::uint64_t distance = ahead ? moment_ms - now.value : now.value - moment_ms;
  return fmt::format(fmt::runtime(ahead ? "{} (in {})" : "{} ({} ago)"), format_moment(moment_ms),
                     format_duration(distance));
}

std::string short_lease(const ordered_json& entry) { return short_id(lease_text(entry, "id")); }

std::string_view role_of(const ordered_json& entry, const std::string& owner) {
  const bool tenant = lease_text(entry, "tenant") == owner;
  const bool provider = lease_text(entry, "provider") == owner;
  if (tenant && provider) return "own";
  return tenant ? "tenant" : provider ? "provider" : "";
}

std::vector<std::string> lease_heads() {
  return {"LEASE",    "ROLE",  "STATE", "WITH", "NODE",  "ASSET",
          "QUANTITY", "UNTIL", "PRICE", "PAID", "ESCROW"};
}

std::vector<Terminal::Cell> lease_row(const ordered_json& entry, const LeaseNames& names,
                                      const std::string& owner, UnixMillis now) {
  const std::string state = lease_text(entry, "state");
  const std::string_view role = role_of(entry, owner);
  const std::string others = role == "tenant"     ? names.provider
                             : role == "provider" ? names.tenant
                             : role == "own"      ? std::string()
                                                  : names.tenant + " / " + names.provider;
  const std::uint64_t end = last_moment(entry);
  const bool runs = is_open(entry) && end > now.value;
  return {{short_lease(entry), Style::Plain},
          {std::string(role), Style::Plain},
          {state, style_of_state(state)},
          {others, Style::Plain},
          {names.node, Style::Plain},
          {short_id(lease_text(entry, "asset")), Style::Plain},
          {lease_quantity(entry), Style::Plain},
          {end == 0 ? "not yet"
           : runs   ? "in " + format_duration(end - now.value)
                    : format_moment(end),
           Style::Plain},
          {lease_price(entry), Style::Plain},
          {caesar::to_string(paid_in_all(entry)), Style::Plain},
          {lease_text(entry, "escrow"), Style::Plain}};
}

std::vector<std::pair<std::string, std::string>> lease_lines(const ordered_json& entry,
                                                             const LeaseNames& names,
                                                             UnixMillis now) {
  const ordered_json& lease = lease_in(entry);
  const ordered_json& placement = member_of(lease, "placement");
  const std::string id = lease_text(entry, "id");
  std::vector<std::pair<std::string, std::string>> lines = {
      {"lease", id},
      {"state", lease_text(entry, "state")},
      {"tenant", fmt::format("{} ({})", names.tenant, lease_text(entry, "tenant"))},
      {"provider", fmt::format("{} ({})", names.provider, lease_text(entry, "provider"))},
      {"node", fmt::format("{} ({})", names.node, lease_text(entry, "node"))},
      {"asset", lease_text(entry, "asset")},
      {"grant", lease_text(entry, "grant").empty() ? "none: an asset of its own"
                                                   : lease_text(entry, "grant")},
      {"quantity", lease_quantity(entry)},
      {"network", lease_text(entry, "network")},
      {"since", moment_from_now(number_of(placement, "accepted_ms"), now)},
      {"until", moment_from_now(lease_number(entry, "until_ms"), now)},
      {"price", lease_price(entry)},
      {"notice", format_duration(lease_number(entry, "notice_ms"))},
      {"readings", readings_in_words(placement)},
      {"used", lease_use(entry) + "; what is reserved is paid"},
      {"paid", fmt::format("{} CAES in all, of it {} fee here",
                           caesar::to_string(paid_in_all(entry)), text_of(placement, "fee"))},
      {"escrow", lease_text(entry, "escrow") + " CAES"}};
  if (const std::uint64_t ends = lease_number(entry, "ends_ms"); ends != 0) {
    lines.emplace_back(is_open(entry) ? "ends" : "ended", moment_from_now(ends, now));
  }
  if (const auto why = end_in_words(text_of(placement, "end")); !why.empty()) {
    lines.emplace_back("because", why);
  }
  for (const ordered_json& past : list_of(lease, "past")) {
    lines.emplace_back("before",
                       fmt::format("on {}, paid {} CAES: {}", text_of(past, "asset"),
                                   text_of(past, "paid"), end_in_words(text_of(past, "end"))));
  }
  for (const ordered_json& choice : list_of(lease, "choices_left")) {
    lines.emplace_back("fallback", text_of(choice, "asset"));
  }
  const std::string opener = text_of(lease, "opened_by");
  lines.emplace_back("opened", fmt::format("in block {}{}", number_of(lease, "opened_height"),
                                           opener.empty() ? "" : " by node " + short_id(opener)));
  if (const std::string key = text_of(entry, "state_key"); !key.empty()) {
    lines.emplace_back("record", key);
  }
  return lines;
}

std::vector<std::string> use_heads() {
  return {"WHO", "WHAT", "OF", "STATE", "SINCE", "UNTIL", "PAYING", "EARNED", "END IT WITH"};
}

std::vector<Terminal::Cell> use_row(const ordered_json& use, UnixMillis now) {
  const std::string name = text_of(use, "tenant_name");
  const std::string state = text_of(use, "state");
  return {
      {name.empty() ? short_id(text_of(use, "tenant")) : name, Style::Bold},
      {lease_quantity(use), Style::Plain},
      {short_id(text_of(use, "asset")), Style::Plain},
      {state, style_of_state(state)},
      {moment_from_now(number_of(use, "since_ms"), now), Style::Plain},
      {moment_from_now(number_of(use, "until_ms"), now), Style::Plain},
      {lease_price(use), Style::Plain},
      {text_of(use, "earned"), Style::Plain},
      {fmt::format("hypermesh revoke {} --now", short_id(text_of(use, "lease"))), Style::Plain}};
}

}  // namespace hm::cli
