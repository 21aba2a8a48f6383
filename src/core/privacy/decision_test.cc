// SPDX-License-Identifier: Apache-2.0
#include "core/privacy/decision.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <chrono>
#include <limits>
#include <map>
#include <set>

#include "core/privacy/sample_grants.h"

namespace hm::privacy {
namespace {

using assets::AssetState;
using assets::PrivacyLevel;
using sample::Draw;
using sample::kHour;
using sample::kTime;
using sample::open_asset;
using sample::open_grant;
using sample::owner;
using sample::Person;

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

// One question that owner 1 asks under one grant of owner 0; allowed as it stands.
struct Ask {
  Grant grant = open_grant();
  GrantUse use;
  Person person{owner(1)};
  Request request{Action::Lease, 10, kHour, NetworkClass::Mesh, std::nullopt, false, 0};
  AssetFacts asset = open_asset();
  Moment moment{UnixMillis{kTime}, Idleness::Unknown};
  GrantId id = sample::id<GrantId>(1);

  Decision answer() const {
    const std::array<GrantView, 1> views = {{{id, &grant, use, nullptr}}};
    return may(person.requester(), request, asset, views, moment);
  }
};

void expect_allowed(const Ask& ask) {
  const Decision decision = ask.answer();
  EXPECT_TRUE(decision) << explain(decision);
}
void expect_denied(const Ask& ask, Rule rule, std::uint64_t given, std::uint64_t allowed) {
  const Decision decision = ask.answer();
  ASSERT_FALSE(decision);
  EXPECT_EQ(decision.denied(), (Deny{rule, ask.id, given, allowed})) << explain(decision);
}

TEST(May, AllowsWhatAGrantGives) {
  Ask ask;
  ask.grant.notice_ms = 60'000;
  ASSERT_TRUE(ask.answer());
  EXPECT_EQ(ask.answer().allowed(), (Allow{ask.id, *ask.grant.price, 60'000}));
}

TEST(May, DeniesWhatNoGrantGives) {
  const Ask ask;
  EXPECT_EQ(may(ask.person.requester(), ask.request, ask.asset, {}, ask.moment),
            Decision(Deny{Rule::NoGrant, std::nullopt, 0, 0}));
}

TEST(May, TheOwnerNeedsNoGrantButAnAssetThatIsThere) {
  Ask ask;
  ask.person.owner = owner(0);
  ask.asset.level = PrivacyLevel::Private;
  ask.grant.share_percent = 1;
  ask.request.quantity = 100;
  EXPECT_EQ(ask.answer(), Decision(Allow{}));
  ask.request.quantity = 101;
  EXPECT_EQ(ask.answer(), Decision(Deny{Rule::NotEnoughFree, std::nullopt, 101, 100}));
  ask.asset.state = AssetState::Maintenance;
  EXPECT_EQ(ask.answer(), Decision(Deny{Rule::AssetUnavailable, std::nullopt, 3, 0}));
  ask.request.action = Action::Discover;
  EXPECT_EQ(ask.answer(), Decision(Allow{}));
}

TEST(May, OnlyAssetsThatWorkAreLeased) {
  Ask ask;
  for (const auto state : {AssetState::Available, AssetState::Allocated, AssetState::InUse}) {
    ask.asset.state = state;
    expect_allowed(ask);
  }
  for (const auto state : {AssetState::Maintenance, AssetState::Failed, AssetState::Retired}) {
    ask.asset.state = state;
    EXPECT_EQ(ask.answer(), Decision(Deny{Rule::AssetUnavailable, std::nullopt,
                                          static_cast<std::uint64_t>(state), 0}));
  }
}

TEST(May, TheLevelHoldsWhateverTheGrantSays) {
  Ask ask;
  ask.asset.level = PrivacyLevel::Private;
  expect_denied(ask, Rule::LevelForbids, 0, 0);
  ask.asset.level = PrivacyLevel::P2P;
  expect_allowed(ask);
  ask.grant.to = ToAnyone{};
  expect_denied(ask, Rule::LevelForbids, 3, 2);
}

TEST(May, AGrantIsForTheAssetsOfItsOwnerThatHaveAllThatItNames) {
  Ask ask;
  ask.grant.assets = {ask.asset.kind, ask.asset.node, ask.asset.hash};
  expect_allowed(ask);
  Ask other = ask;
  other.asset.kind = assets::AssetKind::Gpu;
  expect_denied(other, Rule::NotSelected, 0, 0);
  other = ask;
  other.asset.node = sample::node(2);
  expect_denied(other, Rule::NotSelected, 0, 0);
  other = ask;
  other.asset.hash = sample::asset_hash(2);
  expect_denied(other, Rule::NotSelected, 0, 0);
  other = ask;
  other.asset.owner = owner(9);
  expect_denied(other, Rule::NotSelected, 0, 0);
}

TEST(May, AGrantIsForItsGrantee) {
  Ask ask;
  ask.person.groups = {sample::group(1), sample::group(3)};
  ask.person.certificates = {{owner(7), false, "a.lab.org"}, {owner(8), true, "b.net"}};
  const auto to = [&](Grantee grantee) {
    Ask one = ask;
    one.grant.to = std::move(grantee);
    const Decision decision = one.answer();
    EXPECT_TRUE(decision || decision.denied().rule == Rule::NotTheGrantee);
    EXPECT_EQ(static_cast<bool>(decision), means(one.grant.to, one.person.requester()));
    return static_cast<bool>(decision);
  };
  EXPECT_TRUE(to(ToOwner{owner(1)}));
  EXPECT_FALSE(to(ToOwner{owner(2)}));
  EXPECT_TRUE(to(ToGroup{sample::group(3)}));
  EXPECT_FALSE(to(ToGroup{sample::group(2)}));
  EXPECT_TRUE(to(CertificatePattern{owner(7), "*.org"}));
  EXPECT_FALSE(to(CertificatePattern{std::nullopt, "*.org"})) << "its issuer is no root";
  EXPECT_TRUE(to(CertificatePattern{std::nullopt, "b.net"}));
  EXPECT_TRUE(to(CertificatePattern{std::nullopt, "*"}));
  EXPECT_FALSE(to(CertificatePattern{owner(7), "b.net"}));
  EXPECT_TRUE(to(ToAnyone{}));
}

TEST(May, CertificatesBeyondTheLargestNumberStillCount) {
  Ask ask;
  for (std::size_t i = 0; i < kMaxCertificatesPerOwner; ++i) {
    ask.person.certificates.push_back({owner(7), true, "x.example"});
  }
  ask.person.certificates.push_back({owner(7), true, "y.another"});
  ask.grant.to = CertificatePattern{std::nullopt, "y.another"};
  expect_allowed(ask);
}

TEST(May, NothingIsOpenedOrLastsBeyondTheExpiry) {
  Ask ask;
  ask.grant.expiry = UnixMillis{kTime + kHour};
  expect_allowed(ask);
  ask.request.duration_ms = kHour + 1;
  expect_denied(ask, Rule::Expired, kTime + kHour + 1, kTime + kHour);
  ask.request.duration_ms = kMost;
  expect_denied(ask, Rule::Expired, kMost, kTime + kHour);
  ask.request = {Action::Discover, 0, 0, NetworkClass::None, std::nullopt, false, 0};
  ask.asset.level = PrivacyLevel::P2P;
  ask.request.duration_ms = kMost;
  expect_allowed(ask);
  ask.moment.now = *ask.grant.expiry;
  expect_denied(ask, Rule::Expired, kTime + kHour, kTime + kHour);
  ask.request.action = Action::Lease;
  ask.request.duration_ms = 0;
  expect_denied(ask, Rule::Expired, kTime + kHour, kTime + kHour);
}

TEST(May, ALeaseWithoutEndIsJudgedWithoutOverflow) {
  Ask ask;
  ask.request.duration_ms = kMost;
  ask.moment.now = UnixMillis{kMost};
  expect_allowed(ask);
  ask.grant.expiry = UnixMillis{kMost};
  expect_denied(ask, Rule::Expired, kMost, kMost);
}

TEST(May, HoursAreJudgedAtTheMomentAndNameTheNextWindow) {
  Ask ask;  // Thursday 08:53 UTC
  ask.grant.hours = Hours{1'200, 480, 1'440, 0x7f};
  ask.request.duration_ms = 24 * kHour;
  expect_denied(ask, Rule::OutsideHours, 3 * 1'440 + 533, 3 * 1'440 + 1'200);
  ask.grant.hours->utc_offset = 1'440 - 60;  // an hour west it is before 08:00
  expect_allowed(ask);
  ask.grant.hours = Hours{480, 481, 1'440, 0x08};
  expect_denied(ask, Rule::OutsideHours, 3 * 1'440 + 533, 3 * 1'440 + 480);
}

TEST(May, IdleOnlyGrantsWaitForTheOwnerWhereItIsMeasured) {
  Ask ask;
  ask.grant.when = When::Idle;
  expect_allowed(ask);
  ask.moment.idleness = Idleness::Idle;
  expect_allowed(ask);
  ask.moment.idleness = Idleness::Active;
  expect_denied(ask, Rule::OwnerActive, 0, 0);
  ask.grant.when = When::Always;
  expect_allowed(ask);
}

TEST(May, EachLimitHasItsRuleAndNumbers) {
  Ask ask;
  ask.grant.network = NetworkClass::None;
  expect_denied(ask, Rule::NetworkTooOpen, 1, 0);
  ask = {};
  ask.grant.limits.duration_ms = kHour;
  expect_allowed(ask);
  ask.request.duration_ms = kHour + 1;
  expect_denied(ask, Rule::DurationTooLong, kHour + 1, kHour);
  ask = {};
  ask.grant.limits.quantity = 10;
  expect_allowed(ask);
  ask.request.quantity = 11;
  expect_denied(ask, Rule::TooMuchAtOnce, 11, 10);
  ask = {};
  ask.grant.limits.concurrent = 3;
  ask.use.open_leases = 2;
  expect_allowed(ask);
  ask.use.open_leases = 3;
  expect_denied(ask, Rule::TooManyLeases, 4, 3);
  ask = {};
  ask.grant.limits.opened_per_day = 3;
  ask.use.opened_today = 2;
  expect_allowed(ask);
  ask.use.opened_today = std::numeric_limits<std::uint32_t>::max();
  expect_denied(ask, Rule::OpenedTooOften, std::uint64_t{1} << 32, 3);
}

TEST(May, ARenewalIsNotCountedTwice) {
  Ask ask;
  ask.grant.limits.concurrent = 1;
  ask.grant.limits.opened_per_day = 1;
  ask.grant.share_percent = 10;
  ask.use = {10, 1, 1};
  expect_denied(ask, Rule::TooManyLeases, 2, 1);
  ask.request.renews = true;
  expect_allowed(ask);
  ask.asset.free = 9;
  expect_denied(ask, Rule::NotEnoughFree, 10, 9);
}

TEST(May, ARenewalLengthensTheLeaseThatTheLimitIsOn) {
  Ask ask;
  ask.request.renews = true;
  ask.request.held_ms = 2 * kHour;
  ask.grant.limits.duration_ms = 3 * kHour;
  ask.grant.expiry = UnixMillis{kTime + kHour};
  expect_allowed(ask);
  ++ask.request.held_ms;
  expect_denied(ask, Rule::DurationTooLong, 3 * kHour + 1, 3 * kHour);
  ask.request.held_ms = kMost;
  expect_denied(ask, Rule::DurationTooLong, kMost, 3 * kHour);
}

TEST(May, TheShareIsOfWhatIsDetectedRoundedDown) {
  Ask ask;
  ask.asset.detected = 199;
  ask.grant.share_percent = 50;
  ask.use.leased = 89;
  expect_allowed(ask);
  ask.use.leased = 90;
  expect_denied(ask, Rule::ShareExceeded, 100, 99);
  ask.grant.share_percent = 0;  // no valid grant
  ask.use.leased = 0;
  expect_denied(ask, Rule::ShareExceeded, 10, 0);
  ask.grant.share_percent = 101;  // no valid grant
  ask.use.leased = 190;
  expect_allowed(ask);
  ask.use.leased = 191;
  expect_denied(ask, Rule::ShareExceeded, 201, 200);
}

TEST(May, SharesOfTheLargestQuantitiesDoNotOverflow) {
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 63;
  Ask ask;
  ask.asset.detected = ask.asset.free = kHuge;
  ask.grant.share_percent = 50;
  ask.request.quantity = kHuge / 2;
  expect_allowed(ask);
  ask.use.leased = 1;
  expect_denied(ask, Rule::ShareExceeded, kHuge / 2 + 1, kHuge / 2);
  ask.asset.detected = ask.asset.free = kMost;
  ask.grant.share_percent = 100;
  ask.use.leased = 0;
  ask.request.quantity = kMost;
  expect_allowed(ask);
  ask.use.leased = 1;
  expect_denied(ask, Rule::ShareExceeded, kMost, kMost);
  ask.use.leased = kMost;
  expect_denied(ask, Rule::ShareExceeded, kMost, kMost);
}

TEST(May, ThePriceIsTheGrantsOrElseTheAssets) {
  Ask ask;
  ask.asset.price = caesar::Price{caesar::caes(3), 1};
  EXPECT_EQ(ask.answer().allowed().price, *ask.grant.price);
  ask.grant.price.reset();
  EXPECT_EQ(ask.answer().allowed().price, *ask.asset.price);
  ask.request.highest_price = caesar::Price{caesar::caes(6), 2};
  expect_allowed(ask);
  ask.request.highest_price = caesar::Price{caesar::caes(5), 2};
  expect_denied(ask, Rule::PriceTooHigh, caesar::caes(25).value, caesar::caes(30).value);
  ask.asset.price.reset();
  expect_denied(ask, Rule::NoPrice, 0, 0);
}

TEST(May, MoreThanIsFreeIsDeniedLast) {
  Ask ask;
  ask.asset.free = 9;
  expect_denied(ask, Rule::NotEnoughFree, 10, 9);
}

TEST(Discover, NeedsOnlyAGrantThatTheLevelAdmitsAndThatHasNotExpired) {
  Ask ask;
  ask.asset.level = PrivacyLevel::P2P;
  ask.asset.state = AssetState::Retired;
  ask.asset.free = 0;
  ask.grant.hours = Hours{0, 1, 1'440, 0x01};
  ask.grant.share_percent = 1;
  ask.grant.price.reset();
  ask.grant.notice_ms = 5;
  ask.grant.limits = {1, 1, 1, 1};
  ask.use = {100, 100, 100};
  ask.grant.network = NetworkClass::None;
  ask.request.action = Action::Discover;
  EXPECT_EQ(ask.answer(), Decision(Allow{ask.id, {}, 0}));
  ask.person.owner = owner(2);
  expect_denied(ask, Rule::NotTheGrantee, 0, 0);
  ask.asset.level = PrivacyLevel::Private;
  expect_denied(ask, Rule::LevelForbids, 0, 0);
}

TEST(Discover, AFullPublicAssetIsSeenByAnyone) {
  Ask ask;
  ask.person.owner = owner(2);
  ask.request.action = Action::Discover;
  EXPECT_EQ(may(ask.person.requester(), ask.request, ask.asset, {}, ask.moment), Decision(Allow{}));
  ask.asset.level = PrivacyLevel::PublicNetwork;
  EXPECT_EQ(may(ask.person.requester(), ask.request, ask.asset, {}, ask.moment), Decision(Deny{}));
}

// Grants 1, 2, … of owner 0 in the order given.
Decision answer(const Ask& ask, const std::vector<Grant>& grants) {
  std::vector<GrantView> views;
  for (const Grant& grant : grants) {
    views.push_back({sample::id<GrantId>(views.size() + 1), &grant, ask.use, nullptr});
  }
  const Decision decision = may(ask.person.requester(), ask.request, ask.asset, views, ask.moment);
  std::ranges::reverse(views);
  EXPECT_EQ(may(ask.person.requester(), ask.request, ask.asset, views, ask.moment), decision)
      << "the order of the grants decides nothing";
  return decision;
}

TEST(May, OfSeveralGrantsTheCheapestThenTheLongestNoticeThenTheSmallestIdIsChosen) {
  const Ask ask;
  Grant dear = open_grant();
  dear.price = caesar::Price{caesar::caes(2), 1};
  dear.notice_ms = 1'000;
  Grant cheap = open_grant();
  cheap.price = caesar::Price{caesar::caes(2), 2};
  cheap.notice_ms = 10;
  EXPECT_EQ(answer(ask, {dear, cheap}).allowed().grant, sample::id<GrantId>(2));
  Grant kinder = open_grant();  // as cheap
  kinder.notice_ms = 20;
  EXPECT_EQ(answer(ask, {dear, cheap, kinder}).allowed(),
            (Allow{sample::id<GrantId>(3), *kinder.price, 20}));
  EXPECT_EQ(answer(ask, {dear, kinder, kinder}).allowed().grant, sample::id<GrantId>(2));
}

TEST(May, GrantsOverlapAndOneThatAllowsIsEnough) {
  Ask ask;
  Grant tight = open_grant();
  tight.share_percent = 1;
  Grant expired = open_grant();
  expired.expiry = UnixMillis{kTime};
  Grant elsewhere = open_grant();
  elsewhere.assets.kind = assets::AssetKind::Gpu;
  EXPECT_FALSE(answer(ask, {tight, expired, elsewhere}));
  EXPECT_EQ(answer(ask, {tight, expired, open_grant(), elsewhere}).allowed().grant,
            sample::id<GrantId>(3));
}

TEST(May, ADenialNamesTheGrantThatCameFurthest) {
  Ask ask;
  Grant expired = open_grant();
  expired.expiry = UnixMillis{kTime};
  Grant tight = open_grant();
  tight.share_percent = 1;
  Grant elsewhere = open_grant();
  elsewhere.assets.kind = assets::AssetKind::Gpu;
  EXPECT_EQ(answer(ask, {elsewhere, expired, tight, tight, elsewhere}),
            Decision(Deny{Rule::ShareExceeded, sample::id<GrantId>(3), 10, 1}));
  EXPECT_EQ(answer(ask, {elsewhere, expired}),
            Decision(Deny{Rule::Expired, sample::id<GrantId>(2), kTime + kHour, kTime}));
}

TEST(May, WhatIsPassedOnIsTakenFromTheGrantAbove) {
  Ask ask;
  Grant parent = open_grant();
  parent.limits.concurrent = 3;
  parent.limits.opened_per_day = 5;
  parent.share_percent = 50;
  GrantView above{sample::id<GrantId>(2), &parent, {0, 0, 0}, nullptr};
  const auto decide = [&] {
    const std::array<GrantView, 1> views = {{{ask.id, &ask.grant, {}, &above}}};
    return may(ask.person.requester(), ask.request, ask.asset, views, ask.moment);
  };
  EXPECT_TRUE(decide());
  above.use.open_leases = 3;
  EXPECT_EQ(decide(), Decision(Deny{Rule::TooManyLeases, above.id, 4, 3}));
  above.use = {0, 0, 5};
  EXPECT_EQ(decide(), Decision(Deny{Rule::OpenedTooOften, above.id, 6, 5}));
  above.use = {41, 0, 0};
  EXPECT_EQ(decide(), Decision(Deny{Rule::ShareExceeded, above.id, 51, 50}));
}

TEST(Hours, BeginAndEndOnTheMinute) {
  const auto at = [](std::uint64_t weekday, std::uint64_t minute, std::uint64_t ms = 0) {
    constexpr std::uint64_t kMonday = 1'759'708'800'000;  // 2025-10-06
    return UnixMillis{kMonday + (weekday * 1'440 + minute) * 60'000 + ms};
  };
  const Hours office{540, 1'020, 1'440, 0x1f};
  EXPECT_FALSE(is_within(office, at(0, 539, 59'999)));
  EXPECT_TRUE(is_within(office, at(0, 540)));
  EXPECT_TRUE(is_within(office, at(4, 1'019, 59'999)));
  EXPECT_FALSE(is_within(office, at(4, 1'020)));
  EXPECT_FALSE(is_within(office, at(5, 600)));
  const Hours sunday_night{1'320, 360, 1'440, 0x40};
  EXPECT_FALSE(is_within(sunday_night, at(6, 359)));
  EXPECT_TRUE(is_within(sunday_night, at(6, 1'320)));
  EXPECT_TRUE(is_within(sunday_night, at(7, 359, 59'999)));
  EXPECT_FALSE(is_within(sunday_night, at(7, 360)));
  EXPECT_FALSE(is_within(sunday_night, at(0, 1'320)));
  const Hours saturday{0, 1'440, 1'440, 0x20};
  EXPECT_FALSE(is_within(saturday, at(4, 1'439, 59'999)));
  EXPECT_TRUE(is_within(saturday, at(5, 0)));
  EXPECT_TRUE(is_within(saturday, at(5, 1'439, 59'999)));
  EXPECT_FALSE(is_within(saturday, at(6, 0)));
  const Hours until_midnight{1'200, 0, 1'440, 0x20};
  EXPECT_TRUE(is_within(until_midnight, at(5, 1'439, 59'999)));
  EXPECT_FALSE(is_within(until_midnight, at(6, 0)));
  const Hours kiritimati{0, 60, 1'440 + 840, 0x01};  // UTC+14: Sunday 10:00 UTC
  EXPECT_TRUE(is_within(kiritimati, at(6, 600)));
  EXPECT_FALSE(is_within(kiritimati, at(0, 600)));
  EXPECT_FALSE(is_within(office, UnixMillis{0})) << "Thursday 00:00";
  EXPECT_TRUE(is_within(office, UnixMillis{600 * 60'000}));
}

// A second, plainer reading of the rules: everything is looked at, nothing is skipped.
namespace plain {

std::vector<std::string_view> labels(std::string_view name) {
  std::vector<std::string_view> all;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t point = std::min(name.find('.', at), name.size());
    all.insert(all.begin(), name.substr(at, point - at));
    at = point + 1;
  }
  return all;  // the last label first
}

bool fits(std::string_view pattern, std::string_view name) {
  const auto wanted = labels(pattern);
  const auto has = labels(name);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (i >= has.size()) return false;
    if (wanted[i] == "*") return true;
    if (wanted[i] != has[i]) return false;
  }
  return wanted.size() == has.size();
}

bool means(const Grantee& to, const Person& person) {
  switch (to.index()) {
    case 0: return std::get<0>(to).owner == person.owner;
    case 1: return std::ranges::count(person.groups, std::get<1>(to).group) > 0;
    case 2: {
      const auto& [issuer, name] = std::get<2>(to);
      for (const CertifiedName& one : person.certificates) {
        const bool issued = issuer.has_value() ? one.issuer == *issuer : one.by_root;
        if (issued && plain::fits(name, one.name)) return true;
      }
      return false;
    }
    default: return true;
  }
}

// By the calendar: is the moment in the window that began today, or in yesterday's?
bool is_within(const Hours& hours, UnixMillis now) {
  using std::chrono::days;
  using std::chrono::minutes;
  const std::chrono::sys_time<std::chrono::milliseconds> utc{std::chrono::milliseconds(now.value)};
  const auto local = utc + minutes(int{hours.utc_offset} - 1'440);
  const auto today = std::chrono::floor<days>(local);
  for (const auto day : {today, today - days(1)}) {
    const unsigned weekday = std::chrono::weekday(day).iso_encoding() - 1;
    if ((hours.weekdays >> weekday & 1) == 0) continue;
    const auto begin = day + minutes(hours.from);
    auto end = day + minutes(hours.to);
    if (end < begin) end += days(1);
    if (local >= begin && local < end) return true;
  }
  return false;
}

constexpr std::array<int, 5> kOpenness = {0, 2, 2, 3, 4};  // of the levels
constexpr std::array<int, 4> kNeeded = {2, 2, 3, 4};       // by the grantees

// The rules that a grant breaks.
std::set<Rule> broken(const GrantView& view, const Ask& ask) {
  const Grant& grant = *view.grant;
  const Request& request = ask.request;
  const Wide end = Wide{ask.moment.now.value} + request.duration_ms;
  const unsigned one = request.renews ? 0 : 1;
  std::set<Rule> rules;
  const auto when = [&](bool is_broken, Rule rule) {
    if (is_broken) rules.insert(rule);
  };
  when(kOpenness.at(static_cast<std::size_t>(ask.asset.level)) < kNeeded.at(grant.to.index()),
       Rule::LevelForbids);
  when(grant.owner != ask.asset.owner ||
           grant.assets.kind.value_or(ask.asset.kind) != ask.asset.kind ||
           grant.assets.node.value_or(ask.asset.node) != ask.asset.node ||
           grant.assets.asset.value_or(ask.asset.hash) != ask.asset.hash,
       Rule::NotSelected);
  when(!plain::means(grant.to, ask.person), Rule::NotTheGrantee);
  const std::uint64_t expiry = grant.expiry.value_or(UnixMillis{kMost}).value;
  when(grant.expiry && ask.moment.now.value >= expiry, Rule::Expired);
  if (request.action == Action::Discover) return rules;
  when(grant.expiry && end > expiry, Rule::Expired);
  when(grant.hours && !plain::is_within(*grant.hours, ask.moment.now), Rule::OutsideHours);
  when(grant.when == When::Idle && ask.moment.idleness == Idleness::Active, Rule::OwnerActive);
  when(static_cast<int>(request.network) > static_cast<int>(grant.network), Rule::NetworkTooOpen);
  when(grant.limits.duration_ms &&
           Wide{request.held_ms} + request.duration_ms > *grant.limits.duration_ms,
       Rule::DurationTooLong);
  when(request.quantity > grant.limits.quantity.value_or(kMost), Rule::TooMuchAtOnce);
  for (const GrantView* link = &view; link != nullptr; link = link->parent) {
    const Limits& limits = link->grant->limits;
    when(limits.concurrent && Wide{link->use.open_leases} + one > *limits.concurrent,
         Rule::TooManyLeases);
    when(limits.opened_per_day && Wide{link->use.opened_today} + one > *limits.opened_per_day,
         Rule::OpenedTooOften);
    const Wide share = Wide{ask.asset.detected} * link->grant->share_percent / 100;
    when(Wide{link->use.leased} + Wide{one} * request.quantity > share, Rule::ShareExceeded);
  }
  const auto price = grant.price.has_value() ? grant.price : ask.asset.price;
  when(!price, Rule::NoPrice);
  when(price && request.highest_price &&
           Wide{price->amount.value} * request.highest_price->quantity >
               Wide{request.highest_price->amount.value} * price->quantity,
       Rule::PriceTooHigh);
  when(request.quantity > ask.asset.free, Rule::NotEnoughFree);
  return rules;
}

struct Answer {
  bool allows = false;
  std::optional<GrantId> grant;
  Rule rule = Rule::NoGrant;
};

// Of what allows: price, then notice, then id. Of what denies: how far, then id.
Answer may(const Ask& ask, const std::vector<GrantView>& views) {
  const bool discovers = ask.request.action == Action::Discover;
  const bool gone = static_cast<int>(ask.asset.state) > 2 && !discovers;
  if (ask.person.owner == ask.asset.owner) {
    if (discovers) return {true, std::nullopt};
    if (gone) return {false, std::nullopt, Rule::AssetUnavailable};
    if (ask.request.quantity <= ask.asset.free) return {true, std::nullopt};
    return {false, std::nullopt, Rule::NotEnoughFree};
  }
  if (discovers && ask.asset.level == PrivacyLevel::FullPublic) return {true, std::nullopt};
  if (views.empty()) return {false, std::nullopt, Rule::NoGrant};
  if (gone) return {false, std::nullopt, Rule::AssetUnavailable};
  std::map<std::tuple<std::uint64_t, std::uint64_t, GrantId>, bool> allowed;
  std::map<std::pair<int, GrantId>, Rule> denied;
  for (const GrantView& view : views) {
    const std::set<Rule> rules = broken(view, ask);
    if (!rules.empty()) {
      denied[{-static_cast<int>(*rules.begin()), view.id}] = *rules.begin();
      continue;
    }
    // Prices in the sample are of 1 to 3 units.
    const caesar::Price price =
        view.grant->price ? *view.grant->price : ask.asset.price.value_or(caesar::Price{});
    const std::uint64_t for_six = price.amount.value * (6 / price.quantity);
    const auto key = discovers ? std::tuple(std::uint64_t{0}, std::uint64_t{0}, view.id)
                               : std::tuple(for_six, kMost - view.grant->notice_ms, view.id);
    allowed[key] = true;
  }
  if (!allowed.empty()) return {true, std::get<2>(allowed.begin()->first)};
  return {false, denied.begin()->first.second, denied.begin()->second};
}

}  // namespace plain

// A question and some grants with their uses, some of them passed on from others.
struct World {
  explicit World(std::uint64_t seed) : draw(seed) {
    ask.person = sample::person(draw);
    ask.request = sample::request(draw);
    ask.asset = sample::asset(draw);
    ask.moment = sample::moment(draw);
    const std::uint64_t count = draw.below(8);
    grants.reserve(count);  // so that the views stay good
    views.reserve(count + 1);
    for (std::uint64_t i = 0; i < count; ++i) add();
    added = sample::grant(draw);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void add() {
    grants.push_back(sample::grant(draw));
    GrantId id = sample::id<GrantId>(grants.size());
    id.bytes[0] = draw.below<std::uint8_t>(3);
    const bool is_passed_on = !views.empty() && draw.one_in(4);
    const GrantView* parent = is_passed_on ? &views[draw.below(views.size())] : nullptr;
    views.push_back({id, &grants.back(), sample::use(draw), parent});
  }
  Decision decide() const {
    return may(ask.person.requester(), ask.request, ask.asset, views, ask.moment);
  }

  Draw draw;
  Ask ask;
  std::vector<Grant> grants;
  std::vector<GrantView> views;
  Grant added;  // another one
};

TEST(MayAlways, AnswersLikeAPlainerReadingOfTheRules) {
  EXPECT_TRUE(rc::check("reference", [](std::uint64_t seed) {
    for (std::uint64_t i = 0; i < 100; ++i) {
      const World world(seed + i * 0x10001);
      const Decision decision = world.decide();
      const plain::Answer expected = plain::may(world.ask, world.views);
      RC_ASSERT(static_cast<bool>(decision) == expected.allows);
      if (decision) {
        RC_ASSERT(decision.allowed().grant == expected.grant);
        continue;
      }
      RC_ASSERT(decision.denied().rule == expected.rule);
      // Of a chain, the link whose number is reached is named.
      const auto named = [&](const GrantView& view) { return view.id == decision.denied().grant; };
      const auto furthest = std::ranges::find(world.views, expected.grant, &GrantView::id);
      bool in_chain = !expected.grant && !decision.denied().grant;
      if (furthest != world.views.end()) {
        for (const GrantView* link = &*furthest; link != nullptr; link = link->parent) {
          in_chain = in_chain || named(*link);
        }
      }
      RC_ASSERT(in_chain);
      RC_ASSERT(!explain(decision).empty());
    }
  }));
}

TEST(MayAlways, TheDrawnWorldsReachEveryRule) {
  std::map<Rule, int> reached;
  int allowed = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    const Decision decision = World(seed).decide();
    if (decision) {
      ++allowed;
    } else {
      ++reached[decision.denied().rule];
    }
  }
  EXPECT_GT(allowed, 1'000);
  for (std::size_t rule = 0; rule <= static_cast<std::size_t>(kLastRule); ++rule) {
    EXPECT_GT(reached[static_cast<Rule>(rule)], 0) << name_of(static_cast<Rule>(rule));
  }
}

TEST(MayAlways, AnotherGrantNeverTurnsAllowIntoDeny) {
  EXPECT_TRUE(rc::check("monotone in grants", [](std::uint64_t seed) {
    for (std::uint64_t i = 0; i < 100; ++i) {
      World world(seed + i * 0x10001);
      const bool allowed = static_cast<bool>(world.decide());
      world.views.push_back({sample::id<GrantId>(99), &world.added, {}, nullptr});
      const Decision after = world.decide();
      RC_ASSERT(!allowed || static_cast<bool>(after));
    }
  }));
}

TEST(MayAlways, AMoreOpenLevelNeverDeniesWhatALessOpenOneAllowed) {
  EXPECT_TRUE(rc::check("monotone in the level", [](std::uint64_t seed) {
    for (std::uint64_t i = 0; i < 100; ++i) {
      World world(seed + i * 0x10001);
      bool allowed = false;
      for (std::uint8_t level = 0; level < 5; ++level) {
        world.ask.asset.level = static_cast<PrivacyLevel>(level);
        const bool allows = static_cast<bool>(world.decide());
        RC_ASSERT(!allowed || allows);
        allowed = allows;
      }
    }
  }));
}

// A grant that passes `parent` on, narrowed here and there; not always within it.
Grant narrowed(Draw& draw, const Grant& parent) {
  Grant child = parent;
  const Grant other = sample::grant(draw);
  child.to = other.to;
  child.delegations = draw.below<std::uint8_t>(parent.delegations + std::uint64_t{1});
  if (draw.one_in(3)) child.assets = other.assets;
  if (draw.one_in(3)) child.share_percent = other.share_percent;
  if (draw.one_in(3)) child.limits = other.limits;
  if (draw.one_in(3)) child.network = other.network;
  if (draw.one_in(3)) child.hours = other.hours;
  if (draw.one_in(3)) child.when = other.when;
  if (draw.one_in(3)) child.price = other.price;
  if (draw.one_in(3)) child.expiry = other.expiry;
  if (draw.one_in(3)) child.notice_ms = other.notice_ms;
  return child;
}

// What the last link of a chain allows, each grant above it would allow the same person.
TEST(MayAlways, WhatIsPassedOnAllowsNoMoreThanWhatWasGiven) {
  int allowed = 0;
  int links = 0;
  EXPECT_TRUE(rc::check("attenuation", [&](std::uint64_t seed) {
    for (std::uint64_t i = 0; i < 20; ++i) {
      World world(seed + i * 0x10001);
      std::vector<Grant> chain = {sample::grant(world.draw)};
      chain.front().delegations = kMaxDelegations;
      for (int attempt = 0; attempt < 30 && chain.size() <= kMaxDelegations; ++attempt) {
        const Grant child = narrowed(world.draw, chain.back());
        if (!excess_over(chain.back(), child)) chain.push_back(child);
      }
      links += static_cast<int>(chain.size()) - 1;
      for (int question = 0; question < 20; ++question) {
        Ask ask;
        ask.person = sample::person(world.draw);
        ask.person.owner = owner(1);
        ask.request = sample::request(world.draw);
        ask.asset = sample::asset(world.draw);
        ask.moment = sample::moment(world.draw);
        ask.use = sample::use(world.draw);
        ask.grant = chain.back();
        const Decision below = ask.answer();
        if (!below) continue;
        ++allowed;
        for (Grant above : chain) {
          above.to = chain.back().to;
          ask.grant = above;
          const Decision decision = ask.answer();
          RC_ASSERT(static_cast<bool>(decision));
          RC_ASSERT(!(caesar::compare(decision.allowed().price, below.allowed().price) > 0));
          RC_ASSERT(decision.allowed().notice_ms >= below.allowed().notice_ms);
        }
      }
    }
  }));
  EXPECT_GT(links, 0);
  EXPECT_GT(allowed, 0);
}

TEST(Explain, SaysTheNumbersAndWhatToDo) {
  GrantId id = sample::id<GrantId>(1);
  const auto said = [&](Rule rule, std::uint64_t given, std::uint64_t allowed) {
    return explain(Deny{rule, id, given, allowed});
  };
  EXPECT_EQ(
      said(Rule::ShareExceeded, 5, 4),
      "grant 22222222… gives at most 4 of this asset; with this lease 5 would be in use under "
      "it");
  EXPECT_EQ(said(Rule::Expired, kTime + kHour, kTime),
            "grant 22222222… ends 2025-10-09 08:53:20 UTC, and this would last until 2025-10-09 "
            "09:53:20 UTC; ask for less time, or the owner for a new grant");
  EXPECT_EQ(said(Rule::OutsideHours, 6 * 1'440 + 61, 1'200),
            "grant 22222222… has hours, and in its local time it is Sunday 01:01; its next window "
            "begins Monday 20:00");
  EXPECT_EQ(said(Rule::DurationTooLong, 90'000, 3'600'000),
            "grant 22222222… gives leases of at most 1 h, renewals included; this one would last "
            "90 s");
  EXPECT_EQ(said(Rule::LevelForbids, 3, 1),
            "grant 22222222… is to anyone, which an asset at the level PrivateNetwork does not "
            "admit; its owner can raise the level");
  EXPECT_EQ(said(Rule::NetworkTooOpen, 2, 0),
            "grant 22222222… gives no network, and the internet is asked for");
  EXPECT_EQ(said(Rule::PriceTooHigh, 1, 2'500'000'000),
            "under grant 22222222… this costs 2.5 CAES an hour, and at most 0.000000001 CAES are "
            "accepted; accept more");
  EXPECT_EQ(explain(Deny{Rule::AssetUnavailable, std::nullopt, 3, 0}),
            "the asset is paused and cannot be leased; choose another one");
  EXPECT_TRUE(said(Rule::Expired, kMost, kTime).find("after the year 9999") != std::string::npos);
  EXPECT_EQ(explain(Allow{}), "it is allowed without a grant, and costs nothing");
  EXPECT_EQ(explain(Allow{id, {caesar::caes(2), 3}, 60'000}),
            "grant 22222222… allows it for 2 CAES an hour for each 3 units, with 1 min of notice "
            "before it is taken back");
}

TEST(Explain, EveryRuleHasASentenceWithoutPlaceholdersAndAName) {
  std::set<std::string> sentences;
  std::set<std::string_view> names;
  for (std::size_t rule = 0; rule <= static_cast<std::size_t>(kLastRule); ++rule) {
    for (const std::uint64_t number : {std::uint64_t{0}, kMost}) {
      const std::string text = explain(Deny{static_cast<Rule>(rule), std::nullopt, number, number});
      EXPECT_EQ(text.find('{'), std::string::npos) << text;
      if (number == 0) sentences.insert(text);
    }
    names.insert(name_of(static_cast<Rule>(rule)));
  }
  EXPECT_EQ(sentences.size(), static_cast<std::size_t>(kLastRule) + 1);
  EXPECT_EQ(names.size(), sentences.size());
}

}  // namespace
}  // namespace hm::privacy
