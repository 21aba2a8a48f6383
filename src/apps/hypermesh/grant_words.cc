// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/grant_words.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/quantity.h"
#include "core/api/text.h"

namespace hm::cli {
namespace {

constexpr std::string_view kGroup = "group:";
constexpr std::string_view kCertificate = "cert:";

template <class T>
std::optional<T> parse_whole(std::string_view text, T least, T most) {
  T number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number >= least && number <= most ? std::optional(number) : std::nullopt;
}

// What one word must be, for those who wrote it otherwise.
struct Expected {
  std::string_view option;
  std::string_view kind;
  std::string_view why;
  std::string_view example;
};

// Puts what `parse` makes of the word, if there is one, into `target`.
template <class Target, class Parse>
Outcome read(Target& target, const std::optional<std::string>& word, const Expected& expected,
             Parse parse) {
  if (!word) return {};
  const auto value = parse(*word);
  if (!value) {
    return failed(ExitCode::Usage,
                  fmt::format("'{}' is no {} for {}", *word, expected.kind, expected.option),
                  std::string(expected.why),
                  fmt::format("for example {} {}", expected.option, expected.example));
  }
  target = *value;
  return {};
}

constexpr Expected kNetwork = {"--network", "class of network",
                               "the classes are none, mesh and internet", "none"};
constexpr Expected kWhen = {"--when", "condition", "the conditions are always and idle", "idle"};
constexpr Expected kPrice = {"--price", "price",
                             "a price is CAES for a unit, or for so many, during one hour",
                             "0.5, or 0.01/GiB"};
constexpr Expected kHours = {"--hours", "daily window",
                             "it is two unequal times of day, of 24 hours",
                             "20-08, or 20:30-06:00"};
constexpr Expected kDays = {"--days", "weekdays",
                            "the days are mon, tue, wed, thu, fri, sat and sun, each once",
                            "mon-fri, or sat,sun"};
constexpr Expected kOffset = {"--utc-offset", "distance from UTC",
                              "it is a sign, hours and minutes, at most 24 hours", "+02:00"};
constexpr Expected kAtMost = {"--at-most", "number of leases", "a limit is a number from 1", "2"};
constexpr Expected kPerDay = {"--per-day", "number of leases", "a limit is a number from 1", "3"};
constexpr Expected kLargest = {"--largest", "quantity",
                               "a limit is a number above 0, in the unit of the asset", "4GiB"};
constexpr Expected kLongest = {"--longest", "time", "a time is a number with s, m, h or d", "24h"};
constexpr Expected kNotice = {
    "--notice", "time", "a time is a number with s, m, h or d; without notice it is 0", "10m"};
constexpr Expected kUntil = {"--until", "end", "it is a day, a moment, or a time from now",
                             "2030-12-31, 2030-12-31T18:00, or 30d"};
constexpr Expected kDelegate = {"--may-delegate", "number of times", "it is a number from 0 to 4",
                                "1"};

Outcome read_hours(privacy::Grant& grant, const GrantWords& words, const LocalTime& local) {
  if (!words.hours && !words.days && !words.utc_offset) return {};
  if (!words.hours && !words.days) {
    return failed(ExitCode::Usage, "--utc-offset stands without --hours or --days",
                  "it says where the hours are local", "for example --hours 20-08");
  }
  DailyWindow window{0, privacy::kMinutesPerDay};
  std::int32_t offset = local.utc_offset;
  privacy::Hours hours;
  HM_CLI_TRY_VOID(read(window, words.hours, kHours, parse_window));
  HM_CLI_TRY_VOID(read(hours.weekdays, words.days, kDays, parse_days));
  HM_CLI_TRY_VOID(read(offset, words.utc_offset, kOffset, parse_utc_offset));
  hours.from = window.from;
  hours.to = window.to;
  hours.utc_offset = static_cast<std::uint16_t>(privacy::kMinutesPerDay + offset);
  grant.hours = hours;
  return {};
}

Outcome read_limits(privacy::Limits& limits, const GrantWords& words) {
  const auto count = [](std::string_view text) {
    return parse_whole<std::uint32_t>(text, 1, std::numeric_limits<std::uint32_t>::max());
  };
  const auto quantity = [](std::string_view text) {
    const auto number = parse_quantity(text);
    return number && *number > 0 ? number : std::nullopt;
  };
  const auto span = [](std::string_view text) {
    const auto time = parse_duration(text);
    return time && *time > 0 ? time : std::nullopt;
  };
  HM_CLI_TRY_VOID(read(limits.concurrent, words.at_most, kAtMost, count));
  HM_CLI_TRY_VOID(read(limits.opened_per_day, words.per_day, kPerDay, count));
  HM_CLI_TRY_VOID(read(limits.quantity, words.largest, kLargest, quantity));
  return read(limits.duration_ms, words.longest, kLongest, span);
}

Outcome read_expiry(privacy::Grant& grant, const GrantWords& words, const LocalTime& local) {
  HM_CLI_TRY_VOID(read(grant.expiry, words.until, kUntil,
                       [&](std::string_view text) { return parse_until(text, local); }));
  if (words.until && *grant.expiry <= local.now) {
    return failed(ExitCode::Usage, fmt::format("--until {} is in the past", *words.until),
                  "such a grant allows nothing", "name a later day, or a time such as 30d");
  }
  return {};
}

Outcome check(const privacy::Grant& grant) {
  const auto valid = privacy::validate(grant);
  if (valid) return {};
  return failed(ExitCode::Usage, "every node would refuse such a grant",
                std::string(privacy::name_of(valid.error())),
                valid.error() == privacy::GrantError::GrantToSelf
                    ? "what is yours you may use without a grant"
                    : "'hypermesh share --help' tells what is expected");
}

std::string pattern_words(const privacy::CertificatePattern& pattern, const GrantNames& names) {
  std::string text = std::string(kCertificate) + pattern.name;
  if (pattern.issuer) text += "@" + names.owner(*pattern.issuer);
  return text;
}

std::int32_t offset_of(const privacy::Hours& hours) {
  return std::int32_t{hours.utc_offset} - std::int32_t{privacy::kMinutesPerDay};
}

constexpr std::uint8_t kEveryDay = 0x7f;

std::string hours_sentence(const privacy::Hours& hours) {
  std::string text =
      fmt::format(", from {} to {}", format_window({hours.from, hours.to}).substr(0, 5),
                  format_window({hours.from, hours.to}).substr(6));
  if (hours.from == 0 && hours.to == privacy::kMinutesPerDay) text = "";
  if (hours.weekdays != kEveryDay) text += " on " + format_days(hours.weekdays);
  return fmt::format("{} (UTC{})", text, format_utc_offset(offset_of(hours)));
}

std::string network_sentence(privacy::NetworkClass network) {
  switch (network) {
    case privacy::NetworkClass::None: return "without any network";
    case privacy::NetworkClass::Mesh: return "with the network of the mesh";
    case privacy::NetworkClass::Internet: return "with the internet";
  }
  return {};
}

std::string price_sentence(const privacy::Grant& grant) {
  if (!grant.price) return "for the price of the asset";
  if (grant.price->amount.value == 0) return "for nothing";
  return fmt::format(
      "for {} CAES an hour for {}", caesar::to_string(grant.price->amount),
      grant.price->quantity == 1 ? "a unit" : fmt::format("{} units", grant.price->quantity));
}

}  // namespace

Answer<std::uint8_t> parse_share(const std::string& text) {
  std::string_view digits = text;
  if (digits.ends_with('%')) digits.remove_suffix(1);
  const auto percent = parse_whole<std::uint8_t>(digits, 1, privacy::kWholeShare);
  if (percent) return *percent;
  return failed(
      ExitCode::Usage, fmt::format("'{}' is no share", text),
      "a share is a whole number of percent from 1 to 100; sharing nothing needs no grant",
      "for example 50%; 'hypermesh unshare' takes a grant back");
}

Answer<privacy::Grant> apply_words(privacy::Grant base, const GrantWords& words,
                                   const LocalTime& local) {
  HM_CLI_TRY(base.share_percent, parse_share(words.share));
  HM_CLI_TRY_VOID(read(base.network, words.network, kNetwork, privacy::parse_network));
  HM_CLI_TRY_VOID(read_hours(base, words, local));
  HM_CLI_TRY_VOID(read(base.when, words.when, kWhen, privacy::parse_when));
  HM_CLI_TRY_VOID(read(base.price, words.price, kPrice, parse_price));
  HM_CLI_TRY_VOID(read_limits(base.limits, words));
  HM_CLI_TRY_VOID(read(base.notice_ms, words.notice, kNotice, [](std::string_view text) {
    return text == "0" ? std::optional<std::uint64_t>(0) : parse_duration(text);
  }));
  HM_CLI_TRY_VOID(read_expiry(base, words, local));
  HM_CLI_TRY_VOID(read(base.delegations, words.may_delegate, kDelegate, [](std::string_view text) {
    return parse_whole<std::uint8_t>(text, 0, privacy::kMaxDelegations);
  }));
  HM_CLI_TRY_VOID(check(base));
  return base;
}

Answer<GranteeWord> parse_grantee(const std::string& text) {
  const auto refused = [&](std::string why) {
    return failed(ExitCode::Usage, fmt::format("'{}' names nobody", text), std::move(why),
                  "for example bob, group:family, cert:*.lab.example.org or anyone");
  };
  GranteeWord word;
  std::string_view rest = text;
  if (text == "anyone") {
    word.kind = GranteeWord::Kind::Anyone;
    return word;
  }
  if (rest.starts_with(kGroup)) {
    word.kind = GranteeWord::Kind::Group;
    rest.remove_prefix(kGroup.size());
  } else if (rest.starts_with(kCertificate)) {
    word.kind = GranteeWord::Kind::Certificate;
    rest.remove_prefix(kCertificate.size());
  }
  const std::size_t at = rest.find('@');
  word.name = rest.substr(0, at);
  if (at != std::string_view::npos) word.of = rest.substr(at + 1);
  if (at != std::string_view::npos && word.of.empty()) return refused("nothing stands after the @");
  switch (word.kind) {
    case GranteeWord::Kind::Owner:
      // Resolved by the node; a colon is the mark of what was meant to be a group or certificate.
      if (word.name.empty() || !word.of.empty() || word.name.find(':') != std::string::npos) {
        return refused("an owner is named by id, unique prefix or name");
      }
      break;
    case GranteeWord::Kind::Group:
      if (!identity::is_valid_name(word.name)) {
        return refused("a group's name is 1 to 63 of a-z, 0-9, '.', '_' and '-'");
      }
      break;
    case GranteeWord::Kind::Certificate:
      if (!privacy::is_valid_pattern(word.name)) {
        return refused("a pattern is a DNS name in lower case, '*', or '*.' and a name");
      }
      break;
    case GranteeWord::Kind::Anyone: break;
  }
  return word;
}

Answer<privacy::Grantee> grantee_of(const GranteeWord& word, const identity::ChainId& chain,
                                    const identity::OwnerId& self, const FindOwner& find_owner) {
  if (word.kind == GranteeWord::Kind::Anyone) return privacy::ToAnyone{};
  if (word.kind == GranteeWord::Kind::Group) {
    identity::OwnerId keeper = self;
    if (!word.of.empty()) {
      HM_CLI_TRY(keeper, find_owner(word.of));
    }
    return privacy::ToGroup{privacy::group_id(chain, keeper, word.name)};
  }
  HM_CLI_TRY(const privacy::GroupMember member, group_member_of(word, find_owner));
  return std::visit([](const auto& to) { return privacy::Grantee(to); }, member);
}

Answer<privacy::GroupMember> group_member_of(const GranteeWord& word, const FindOwner& find_owner) {
  if (word.kind == GranteeWord::Kind::Owner) {
    HM_CLI_TRY(const identity::OwnerId owner, find_owner(word.name));
    return privacy::ToOwner{owner};
  }
  if (word.kind != GranteeWord::Kind::Certificate) {
    return failed(ExitCode::Usage, "a group's members are owners and certificates",
                  "a group holds no other group, and not everybody", "for example bob cert:*.lab");
  }
  privacy::CertificatePattern pattern{std::nullopt, word.name};
  if (!word.of.empty()) {
    HM_CLI_TRY(pattern.issuer, find_owner(word.of));
  }
  return pattern;
}

std::string grantee_words(const privacy::Grantee& to, const GrantNames& names) {
  if (const auto* owner = std::get_if<privacy::ToOwner>(&to)) return names.owner(owner->owner);
  if (const auto* group = std::get_if<privacy::ToGroup>(&to)) {
    return std::string(kGroup) + names.group(group->group);
  }
  if (const auto* pattern = std::get_if<privacy::CertificatePattern>(&to)) {
    return pattern_words(*pattern, names);
  }
  return "anyone";
}

std::string selector_words(const privacy::AssetSelector& assets, const GrantNames& names) {
  constexpr std::size_t kShown = 8;
  std::string text =
      assets.asset ? fmt::format("one asset ({})", assets.asset->to_string().substr(0, kShown))
                   : "every asset";
  if (!assets.asset && assets.kind) text = fmt::format("every {}", assets::name_of(*assets.kind));
  if (assets.node) text += " on " + names.node(*assets.node);
  return text;
}

std::string limit_words(const privacy::Grant& grant) {
  std::string text;
  const auto add = [&](const std::string& words) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", words);
  };
  const privacy::Limits& limits = grant.limits;
  if (limits.concurrent) add(fmt::format("{} at a time", *limits.concurrent));
  if (limits.quantity) add(fmt::format("{} each", *limits.quantity));
  if (limits.duration_ms) add(fmt::format("for {}", duration_text(*limits.duration_ms)));
  if (limits.opened_per_day) add(fmt::format("{} a day", *limits.opened_per_day));
  if (grant.when == privacy::When::Idle) add("when idle");
  if (grant.hours) {
    const privacy::Hours& hours = *grant.hours;
    add(format_window({hours.from, hours.to}) +
        (hours.weekdays == kEveryDay ? "" : " " + format_days(hours.weekdays)));
  }
  return text;
}

std::string price_words(const privacy::Grant& grant) {
  if (!grant.price) return "the asset's";
  return grant.price->amount.value == 0 ? "0" : caesar::to_string(*grant.price) + " CAES/h";
}

std::string describe(const privacy::Grant& grant, const GrantNames& names) {
  std::string text = fmt::format("{} may lease up to {} % of {} of {}",
                                 grantee_words(grant.to, names), grant.share_percent,
                                 selector_words(grant.assets, names), names.owner(grant.owner));
  if (grant.when == privacy::When::Idle) text += ", while nobody uses the machine";
  if (grant.hours) text += hours_sentence(*grant.hours);
  const privacy::Limits& limits = grant.limits;
  if (limits.concurrent)
    text += fmt::format(", in at most {} leases at one time", *limits.concurrent);
  if (limits.quantity) text += fmt::format(", at most {} in one lease", *limits.quantity);
  if (limits.duration_ms) {
    text += fmt::format(", for at most {} in one lease", duration_text(*limits.duration_ms));
  }
  if (limits.opened_per_day) {
    text += fmt::format(", in at most {} new leases a day", *limits.opened_per_day);
  }
  text += fmt::format(", {}, {}", network_sentence(grant.network), price_sentence(grant));
  if (grant.expiry) text += ", until " + format_moment(grant.expiry->value);
  text += grant.notice_ms == 0 ? ", and may lose it without notice"
                               : fmt::format(", and has {} of notice before it is taken back",
                                             duration_text(grant.notice_ms));
  if (grant.delegations > 0) {
    text += fmt::format("; it may be passed on {} time{}", grant.delegations,
                        grant.delegations == 1 ? "" : "s");
  }
  return text;
}

std::vector<std::string> options_of(const privacy::Grant& grant, const GrantNames& names) {
  std::vector<std::string> words = {fmt::format("{}%", grant.share_percent), "--with",
                                    grantee_words(grant.to, names)};
  const auto add = [&](std::string_view option, std::string value) {
    words.emplace_back(option);
    words.push_back(std::move(value));
  };
  if (grant.network != privacy::NetworkClass::None) {
    add("--network", std::string(privacy::name_of(grant.network)));
  }
  if (grant.hours) {
    const privacy::Hours& hours = *grant.hours;
    add("--hours", format_window({hours.from, hours.to}));
    if (hours.weekdays != kEveryDay) add("--days", format_days(hours.weekdays));
    add("--utc-offset", format_utc_offset(offset_of(hours)));
  }
  if (grant.when == privacy::When::Idle) add("--when", "idle");
  if (grant.price) add("--price", caesar::to_string(*grant.price));
  const privacy::Limits& limits = grant.limits;
  if (limits.concurrent) add("--at-most", std::to_string(*limits.concurrent));
  if (limits.quantity) add("--largest", std::to_string(*limits.quantity));
  if (limits.duration_ms) add("--longest", duration_text(*limits.duration_ms));
  if (limits.opened_per_day) add("--per-day", std::to_string(*limits.opened_per_day));
  if (grant.notice_ms > 0) add("--notice", duration_text(grant.notice_ms));
  if (grant.expiry) add("--until", api::to_rfc3339(*grant.expiry));
  if (grant.delegations > 0) add("--may-delegate", std::to_string(grant.delegations));
  return words;
}

}  // namespace hm::cli
