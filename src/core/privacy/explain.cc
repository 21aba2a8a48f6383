// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <chrono>

#include "core/privacy/decision.h"
#include "core/privacy/hours.h"

namespace hm::privacy {
namespace {

// How a number of a denial is written.
enum class Unit : std::uint8_t { Count, Caes, Span, Time, Minute, State, Grantee, Level, Network };

struct Entry {
  Rule rule;
  std::string_view name;
  Unit unit;
  // {grant}, {g} and {a} stand for the grant and for the numbers given and allowed.
  std::string_view sentence;
};

// In the order of the enumeration.
constexpr std::array<Entry, static_cast<std::size_t>(kLastRule) + 1> kEntries = {{
    {Rule::NoGrant, "no_grant", Unit::Count,
     "the asset's owner has granted nothing to anybody; ask it for a grant"},
    {Rule::AssetUnavailable, "asset_unavailable", Unit::State,
     "the asset is {g} and cannot be leased; choose another one"},
    {Rule::LevelForbids, "level_forbids", Unit::Level,
     "{grant} is to {g}, which an asset at the level {a} does not admit; its owner can raise the "
     "level"},
    {Rule::NotSelected, "not_selected", Unit::Count,
     "{grant} is for other assets; ask the owner for one that selects this asset"},
    {Rule::NotTheGrantee, "not_the_grantee", Unit::Count,
     "{grant} is to somebody else; ask the owner for a grant, a place in its group, or a "
     "certificate"},
    {Rule::Expired, "expired", Unit::Time,
     "{grant} ends {a}, and this would last until {g}; ask for less time, or the owner for a new "
     "grant"},
    {Rule::OutsideHours, "outside_hours", Unit::Minute,
     "{grant} has hours, and in its local time it is {g}; its next window begins {a}"},
    {Rule::OwnerActive, "owner_active", Unit::Count,
     "{grant} is for when the machine is idle, and its owner is using it; try again later"},
    {Rule::NetworkTooOpen, "network_too_open", Unit::Network,
     "{grant} gives {a}, and {g} is asked for"},
    {Rule::DurationTooLong, "duration_too_long", Unit::Span,
     "{grant} gives leases of at most {a}, renewals included; this one would last {g}"},
    {Rule::TooMuchAtOnce, "too_much_at_once", Unit::Count,
     "{grant} gives at most {a} in one lease; {g} are asked for"},
    {Rule::TooManyLeases, "too_many_leases", Unit::Count,
     "{grant} gives at most {a} leases at one time; this would be number {g}; close one first"},
    {Rule::OpenedTooOften, "opened_too_often", Unit::Count,
     "{grant} lets at most {a} leases be opened in a day (UTC); this would be number {g}; try "
     "again "
     "later"},
    {Rule::ShareExceeded, "share_exceeded", Unit::Count,
     "{grant} gives at most {a} of this asset; with this lease {g} would be in use under it"},
    {Rule::NoPrice, "no_price", Unit::Count,
     "neither {grant} nor the asset names a price; the owner has to set one"},
    {Rule::PriceTooHigh, "price_too_high", Unit::Caes,
     "under {grant} this costs {a} CAES an hour, and at most {g} CAES are accepted; accept more"},
    {Rule::NotEnoughFree, "not_enough_free", Unit::Count,
     "{g} are asked for, and {a} are free; ask for less, or try again later"},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kEntries.size(); ++i) {
    if (static_cast<std::size_t>(kEntries[i].rule) != i) return false;
  }
  return true;
}
static_assert(in_order());

const Entry& entry_of(Rule rule) { return kEntries.at(static_cast<std::size_t>(rule)); }

// Two digits.
std::string padded(std::uint64_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

// In the largest unit that divides it.
std::string span_text(std::uint64_t milliseconds) {
  struct Step {
    std::uint64_t length;
    std::string_view name;
  };
  constexpr std::array<Step, 4> kSteps = {
      {{86'400'000, " d"}, {3'600'000, " h"}, {60'000, " min"}, {1'000, " s"}}};
  for (const auto& [length, name] : kSteps) {
    if (milliseconds != 0 && milliseconds % length == 0) {
      return std::to_string(milliseconds / length) + std::string(name);
    }
  }
  return std::to_string(milliseconds) + " ms";
}

std::string clock_text(std::uint64_t minute_of_day) {
  return padded(minute_of_day / 60) + ":" + padded(minute_of_day % 60);
}

std::string time_text(std::uint64_t unix_millis) {
  constexpr std::uint64_t kMillisPerDay = 86'400'000;
  constexpr std::uint64_t kDaysToYear10000 = 2'932'897;
  const std::uint64_t day = unix_millis / kMillisPerDay;
  if (day >= kDaysToYear10000) return "after the year 9999";
  const std::chrono::year_month_day date(
      std::chrono::sys_days(std::chrono::days(static_cast<int>(day))));
  const std::uint64_t seconds = unix_millis % kMillisPerDay / 1'000;
  return std::to_string(static_cast<int>(date.year())) + "-" +
         padded(static_cast<unsigned>(date.month())) + "-" +
         padded(static_cast<unsigned>(date.day())) + " " + clock_text(seconds / 60) + ":" +
         padded(seconds % 60) + " UTC";
}

std::string minute_text(std::uint64_t minute_of_week) {
  constexpr std::array<std::string_view, 7> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                     "Friday", "Saturday", "Sunday"};
  return std::string(kDays.at(minute_of_week / kMinutesPerDay % kDays.size())) + " " +
         clock_text(minute_of_week % kMinutesPerDay);
}

// The names of a closed vocabulary; of a number that has none the number itself.
template <std::size_t N>
std::string word(const std::array<std::string_view, N>& words, std::uint64_t number) {
  return number < N ? std::string(words.at(number)) : std::to_string(number);
}

constexpr std::array<std::string_view, 6> kStates = {"available", "allocated", "in use",
                                                     "paused",    "failed",    "retired"};
constexpr std::array<std::string_view, 4> kGrantees = {"one owner", "a group",
                                                       "holders of a certificate", "anyone"};
constexpr std::array<std::string_view, 5> kLevels = {"Private", "PrivateNetwork", "P2P",
                                                     "PublicNetwork", "FullPublic"};
constexpr std::array<std::string_view, 3> kNetworks = {"no network", "the mesh's network",
                                                       "the internet"};

std::string text_of(Unit unit, std::uint64_t number) {
  switch (unit) {
    case Unit::Count: return std::to_string(number);
    case Unit::Caes: return caesar::to_string(caesar::Amount{number});
    case Unit::Span: return span_text(number);
    case Unit::Time: return time_text(number);
    case Unit::Minute: return minute_text(number);
    case Unit::State: return word(kStates, number);
    case Unit::Grantee: return word(kGrantees, number);
    case Unit::Level: return word(kLevels, number);
    case Unit::Network: return word(kNetworks, number);
  }
  return std::to_string(number);
}

std::string name_of(const std::optional<GrantId>& grant) {
  constexpr std::size_t kShown = 8;
  return grant ? "grant " + grant->to_string().substr(0, kShown) + "…" : "the grant";
}

void put(std::string& text, std::string_view mark, const std::string& value) {
  if (const std::size_t at = text.find(mark); at != std::string::npos) {
    text.replace(at, mark.size(), value);
  }
}

std::string explain(const Allow& allow) {
  if (!allow.grant) return "it is allowed without a grant, and costs nothing";
  std::string text = name_of(allow.grant) + " allows it";
  if (allow.price.amount.value == 0) {
    text += " for nothing";
  } else {
    text += " for " + caesar::to_string(allow.price.amount) + " CAES an hour for each ";
    text += allow.price.quantity == 1 ? "unit" : std::to_string(allow.price.quantity) + " units";
  }
  if (allow.notice_ms == 0) return text + ", without notice before it is taken back";
  return text + ", with " + span_text(allow.notice_ms) + " of notice before it is taken back";
}

std::string explain(const Deny& deny) {
  const Entry& entry = entry_of(deny.rule);
  const Unit of_given = deny.rule == Rule::LevelForbids ? Unit::Grantee : entry.unit;
  std::string text(entry.sentence);
  put(text, "{grant}", name_of(deny.grant));
  put(text, "{g}", text_of(of_given, deny.given));
  put(text, "{a}", text_of(entry.unit, deny.allowed));
  return text;
}

}  // namespace

std::string_view name_of(Rule rule) { return entry_of(rule).name; }

std::string explain(const Decision& decision) {
  return decision ? explain(decision.allowed()) : explain(decision.denied());
}

}  // namespace hm::privacy
