// SPDX-License-Identifier: Apache-2.0
#include "core/privacy/grant.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <numeric>
#include <set>

#include "core/privacy/decision.h"
#include "core/privacy/level.h"
#include "core/privacy/sample_grants.h"
#include "foundation/codec/reader.h"

namespace hm::privacy {
namespace {

using assets::PrivacyLevel;
using sample::Draw;
using sample::open_grant;

identity::ChainId chain() {
  identity::ChainId id;
  std::iota(id.bytes.begin(), id.bytes.end(), std::uint8_t{0});
  return id;
}

// Everything named in it.
Grant full_grant() {
  Grant grant = open_grant();
  grant.number = 7;
  grant.to = CertificatePattern{sample::owner(2), "*.lab.example.org"};
  grant.assets = {assets::AssetKind::Gpu, sample::node(3), sample::asset_hash(4)};
  grant.share_percent = 50;
  grant.limits = {2, 8, 86'400'000, 10};
  grant.network = NetworkClass::Mesh;
  grant.hours = Hours{1'200, 480, 1'500, 0x1f};
  grant.when = When::Idle;
  grant.price = caesar::Price{caesar::caes(1), 4};
  grant.expiry = UnixMillis{sample::kTime};
  grant.notice_ms = 60'000;
  grant.delegations = 1;
  return grant;
}

// Whatever the change, the grant is refused for this reason.
template <class Change>
void expect_refused(GrantError error, Change change) {
  Grant grant = full_grant();
  ASSERT_TRUE(validate(grant));
  change(grant);
  const auto judged = validate(grant);
  ASSERT_FALSE(judged) << name_of(error);
  EXPECT_EQ(judged.error(), error) << name_of(judged.error());
}

TEST(Grant, BytesAndIdAreThoseOfTheDocument) {
  EXPECT_EQ(codec::encode(open_grant()).size(), 144U);
  EXPECT_EQ(codec::encode(full_grant()).size(), 267U);
  EXPECT_EQ(grant_id(chain(), open_grant()).to_string(),
            "2f055d69b281e1c284746da9885f336923dd0f926e6b86fe327d69d8960cb465");
  EXPECT_EQ(grant_id(chain(), full_grant()).to_string(),
            "c8b276c132fe4d24f2b2a70ba991bba086f7cc197023844ff1e80391b61bf3c0");
  EXPECT_EQ(grant_statement(grant_id(chain(), full_grant())).to_string(),
            "8c2347fb2f9194d4b77ad605f06c99e9388d639d87840d1573e0571ffad0f2c4");
  EXPECT_EQ(group_id(chain(), sample::owner(1), "friends").to_string(),
            "15c0a1d0ae67b6049b1fbfc25d4390fdae740e9f914b9c6304a7704a09c6f52a");
}

TEST(Grant, IdCoversTheChainAndEveryField) {
  std::set<GrantId> ids;
  ids.insert(grant_id(chain(), full_grant()));
  ids.insert(grant_id(identity::ChainId{}, full_grant()));
  const auto with = [&](auto change) {
    Grant grant = full_grant();
    change(grant);
    ids.insert(grant_id(chain(), grant));
  };
  with([](Grant& g) { g.owner = sample::owner(9); });
  with([](Grant& g) { g.issuer = sample::owner(9); });
  with([](Grant& g) { g.parent = GrantId{}; });
  with([](Grant& g) { g.number = 8; });
  with([](Grant& g) { g.to = ToAnyone{}; });
  with([](Grant& g) { g.assets.asset.reset(); });
  with([](Grant& g) { g.share_percent = 51; });
  with([](Grant& g) { g.limits.opened_per_day = 11; });
  with([](Grant& g) { g.network = NetworkClass::None; });
  with([](Grant& g) { g.hours->weekdays = 0x3f; });
  with([](Grant& g) { g.when = When::Always; });
  with([](Grant& g) { g.price.reset(); });
  with([](Grant& g) { g.expiry.reset(); });
  with([](Grant& g) { g.notice_ms = 0; });
  with([](Grant& g) { g.delegations = 0; });
  EXPECT_EQ(ids.size(), 17U);
}

TEST(Grant, GroupIdCoversChainOwnerAndName) {
  const std::set<GroupId> ids = {
      group_id(chain(), sample::owner(1), "friends"), group_id(chain(), sample::owner(1), "friend"),
      group_id(chain(), sample::owner(2), "friends"), group_id({}, sample::owner(1), "friends")};
  EXPECT_EQ(ids.size(), 4U);
}

TEST(Grant, ShareIsOneToAHundredPercent) {
  expect_refused(GrantError::ShareOutOfRange, [](Grant& g) { g.share_percent = 0; });
  expect_refused(GrantError::ShareOutOfRange, [](Grant& g) { g.share_percent = 101; });
  Grant grant = full_grant();
  for (const std::uint8_t share : {std::uint8_t{1}, std::uint8_t{100}}) {
    grant.share_percent = share;
    EXPECT_TRUE(validate(grant));
  }
}

TEST(Grant, HoursNeedMinutesOffsetAndWeekdaysThatExist) {
  expect_refused(GrantError::BadHours, [](Grant& g) { g.hours->from = 1'440; });
  expect_refused(GrantError::BadHours, [](Grant& g) { g.hours->to = 1'441; });
  expect_refused(GrantError::BadHours, [](Grant& g) { g.hours->to = g.hours->from; });
  expect_refused(GrantError::BadHours, [](Grant& g) { g.hours->utc_offset = 2'881; });
  expect_refused(GrantError::BadHours, [](Grant& g) { g.hours->weekdays = 0; });
  expect_refused(GrantError::BadHours, [](Grant& g) { g.hours->weekdays = 0x80; });
  Grant grant = full_grant();
  grant.hours = Hours{0, 1'440, 2'880, 0x40};
  EXPECT_TRUE(validate(grant));
}

TEST(Grant, NothingThatAllowsNothingIsValid) {
  expect_refused(GrantError::BadLimit, [](Grant& g) { g.limits.concurrent = 0; });
  expect_refused(GrantError::BadLimit, [](Grant& g) { g.limits.quantity = 0; });
  expect_refused(GrantError::BadLimit, [](Grant& g) { g.limits.duration_ms = 0; });
  expect_refused(GrantError::BadLimit, [](Grant& g) { g.limits.opened_per_day = 0; });
  expect_refused(GrantError::BadPrice, [](Grant& g) { g.price->quantity = 0; });
  expect_refused(GrantError::GrantToSelf, [](Grant& g) { g.to = ToOwner{g.owner}; });
}

TEST(Grant, OnlyADelegatedGrantHasAParentAndAnotherIssuer) {
  expect_refused(GrantError::ParentMismatch, [](Grant& g) { g.parent = GrantId{}; });
  expect_refused(GrantError::ParentMismatch, [](Grant& g) { g.issuer = sample::owner(5); });
  expect_refused(GrantError::TooManyDelegations,
                 [](Grant& g) { g.delegations = kMaxDelegations + 1; });
  Grant grant = full_grant();
  grant.issuer = sample::owner(5);
  grant.parent = GrantId{};
  EXPECT_TRUE(validate(grant));
}

TEST(Grant, PatternsAreDnsNamesWithAtMostOneAsteriskInFront) {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + label.substr(0, 61);
  for (const std::string& good : {std::string("a"), std::string("a-1.b"), longest}) {
    EXPECT_TRUE(is_valid_name(good)) << good;
    EXPECT_TRUE(is_valid_pattern(good)) << good;
  }
  EXPECT_TRUE(is_valid_pattern("*"));
  EXPECT_TRUE(is_valid_pattern("*.org"));
  EXPECT_FALSE(is_valid_pattern("*." + longest));
  for (const std::string& bad :
       {std::string(), std::string("."), std::string("a."), std::string(".a"), std::string("a..b"),
        std::string("A"), std::string("-a"), std::string("a-"), std::string("a_b"), label + "a",
        longest + "a", std::string("**"), std::string("a.*"), std::string("*a"), std::string("*."),
        std::string("*.*.org"), std::string("ä")}) {
    EXPECT_FALSE(is_valid_name(bad)) << bad;
    EXPECT_FALSE(is_valid_pattern(bad)) << bad;
    expect_refused(GrantError::BadPattern,
                   [&](Grant& g) { g.to = CertificatePattern{std::nullopt, bad}; });
  }
  EXPECT_FALSE(is_valid_name("*"));
  EXPECT_FALSE(is_valid_name("*.org"));
}

TEST(Grant, AnAsteriskStandsForWholeLabelsAndAtLeastOne) {
  EXPECT_TRUE(fits("*.lab.org", "a.lab.org"));
  EXPECT_TRUE(fits("*.lab.org", "a.b.lab.org"));
  EXPECT_FALSE(fits("*.lab.org", "lab.org"));
  EXPECT_FALSE(fits("*.lab.org", "zlab.org"));
  EXPECT_FALSE(fits("*.lab.org", "a.lab.org.net"));
  EXPECT_TRUE(fits("lab.org", "lab.org"));
  EXPECT_FALSE(fits("lab.org", "a.lab.org"));
  EXPECT_TRUE(fits("*", "lab"));
}

TEST(Grant, DecodesStrictlyAndToTheSameBytes) {
  EXPECT_TRUE(rc::check("round trip", [](std::uint64_t seed) {
    Draw draw(seed);
    const Grant grant = sample::grant(draw);
    RC_ASSERT(validate(grant).has_value());
    const Bytes bytes = codec::encode(grant);
    const auto decoded = codec::decode<Grant>(bytes);
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(*decoded == grant);
    Bytes longer = bytes;
    longer.push_back(0);
    RC_ASSERT(!codec::decode<Grant>(longer).has_value());
    RC_ASSERT(!codec::decode<Grant>(ByteView(bytes).first(bytes.size() - 1)).has_value());
  }));
}

// A link below full_grant(), with no excess.
Grant child_of(const Grant& parent) {
  Grant child = parent;
  child.issuer = sample::owner(5);
  child.parent = grant_id(chain(), parent);
  child.to = ToOwner{sample::owner(6)};
  child.delegations = 0;
  return child;
}

template <class Change>
void expect_excess(std::optional<Excess> excess, Change change) {
  Grant parent = full_grant();
  Grant child = child_of(parent);
  ASSERT_TRUE(validate(child));
  change(parent, child);
  EXPECT_EQ(excess_over(parent, child), excess)
      << (excess ? name_of(*excess) : std::string_view("none"));
}

TEST(Attenuation, AChildMayEqualItsParentButForFurtherLinks) {
  expect_excess(std::nullopt, [](Grant&, Grant&) {});
  expect_excess(Excess::Delegations, [](Grant&, Grant& child) { child.delegations = 1; });
  expect_excess(Excess::Delegations, [](Grant& parent, Grant&) { parent.delegations = 0; });
  EXPECT_EQ(excess_over(full_grant(), full_grant()), Excess::Delegations);
}

TEST(Attenuation, EachWayOfReachingFurtherIsNamed) {
  expect_excess(Excess::Owner, [](Grant&, Grant& child) { child.owner = sample::owner(9); });
  expect_excess(Excess::Selector, [](Grant&, Grant& child) { child.assets.kind.reset(); });
  expect_excess(Excess::Selector,
                [](Grant&, Grant& child) { child.assets.node = sample::node(9); });
  expect_excess(Excess::Selector, [](Grant&, Grant& child) { child.assets.asset.reset(); });
  expect_excess(Excess::Share, [](Grant&, Grant& child) { ++child.share_percent; });
  expect_excess(Excess::Limits, [](Grant&, Grant& child) { child.limits.concurrent.reset(); });
  expect_excess(Excess::Limits, [](Grant&, Grant& child) { ++*child.limits.quantity; });
  expect_excess(Excess::Limits, [](Grant&, Grant& child) { ++*child.limits.duration_ms; });
  expect_excess(Excess::Limits, [](Grant&, Grant& child) { ++*child.limits.opened_per_day; });
  expect_excess(Excess::Network,
                [](Grant&, Grant& child) { child.network = NetworkClass::Internet; });
  expect_excess(Excess::Hours, [](Grant&, Grant& child) { child.hours.reset(); });
  expect_excess(Excess::Hours, [](Grant&, Grant& child) { ++child.hours->to; });
  expect_excess(Excess::When, [](Grant&, Grant& child) { child.when = When::Always; });
  expect_excess(Excess::Price, [](Grant&, Grant& child) { child.price.reset(); });
  expect_excess(Excess::Price, [](Grant&, Grant& child) { child.price->quantity = 5; });
  expect_excess(Excess::Price, [](Grant& parent, Grant&) { parent.price.reset(); });
  expect_excess(Excess::Expiry, [](Grant&, Grant& child) { child.expiry.reset(); });
  expect_excess(Excess::Expiry, [](Grant&, Grant& child) { child.expiry = child.expiry->next(); });
  expect_excess(Excess::Notice, [](Grant&, Grant& child) { ++child.notice_ms; });
}

TEST(Attenuation, WhatTheParentLeavesOpenTheChildMayNarrow) {
  expect_excess(std::nullopt, [](Grant& parent, Grant&) {
    parent.assets = {};
    parent.limits = {};
    parent.hours.reset();
    parent.when = When::Always;
    parent.expiry.reset();
  });
  expect_excess(std::nullopt, [](Grant& parent, Grant& child) {
    parent.price.reset();
    child.price.reset();
  });
  expect_excess(std::nullopt, [](Grant&, Grant& child) { child.price->quantity = 3; });
}

TEST(Attenuation, HoursAreComparedInUtcOverWeekdaysAndMidnight) {
  const auto excess = [](Hours parent, std::optional<Hours> child) {
    Grant above = full_grant();
    Grant below = child_of(above);
    above.hours = parent;
    below.hours = child;
    return excess_over(above, below);
  };
  const Hours night{1'320, 360, 1'440, 0x10};  // Friday 22:00 to Saturday 06:00 UTC
  EXPECT_EQ(excess(night, Hours{0, 360, 1'440, 0x20}), std::nullopt);
  EXPECT_EQ(excess(night, Hours{0, 360, 1'440, 0x10}), Excess::Hours);
  EXPECT_EQ(excess(night, Hours{0, 361, 1'440, 0x20}), Excess::Hours);
  // 23:00 to 07:00 an hour east is the same night.
  EXPECT_EQ(excess(night, Hours{1'380, 420, 1'500, 0x10}), std::nullopt);
  EXPECT_EQ(excess(night, Hours{1'380, 421, 1'500, 0x10}), Excess::Hours);
  // A day east, the local weekday is Saturday.
  EXPECT_EQ(excess(night, Hours{1'320, 360, 2'880, 0x20}), std::nullopt);
  EXPECT_EQ(excess(night, Hours{1'320, 360, 2'880, 0x10}), Excess::Hours);
  // From Sunday into Monday.
  const Hours sunday{1'320, 360, 1'440, 0x40};
  EXPECT_EQ(excess(sunday, Hours{0, 360, 1'440, 0x01}), std::nullopt);
  EXPECT_EQ(excess(sunday, Hours{0, 360, 1'440, 0x02}), Excess::Hours);
  // Windows that cover the week are no limit.
  EXPECT_EQ(excess(Hours{0, 1'440, 1'440, 0x7f}, std::nullopt), std::nullopt);
  EXPECT_EQ(excess(Hours{0, 1'439, 1'440, 0x7f}, std::nullopt), Excess::Hours);
}

TEST(Attenuation, HoursAgreeWithEveryMinuteOfAWeek) {
  EXPECT_TRUE(rc::check("as is_within says", [](std::uint64_t seed) {
    Draw draw(seed);
    Grant parent = full_grant();
    parent.hours = sample::hours(draw);
    Grant child = child_of(parent);
    if (draw.one_in(2)) {
      child.hours = sample::hours(draw);
    } else {
      child.hours->to = draw.of<std::uint16_t>({child.hours->to, 1'440, 1'439});
      if (child.hours->to == child.hours->from) child.hours->to = 1'440;
    }
    bool within = true;
    for (std::uint64_t minute = 0; minute < 7 * 1'440; ++minute) {
      const UnixMillis now{sample::kTime + minute * 60'000};
      within = within && (!is_within(*child.hours, now) || is_within(*parent.hours, now));
    }
    RC_ASSERT((excess_over(parent, child) == std::nullopt) == within);
  }));
}

TEST(Level, AdmitsMoreKindsOfGranteesTheMoreOpenItIs) {
  const std::array<Grantee, 4> kinds = {ToOwner{}, ToGroup{}, CertificatePattern{}, ToAnyone{}};
  const std::array<std::array<bool, 4>, 5> expected = {{{false, false, false, false},
                                                        {true, true, false, false},
                                                        {true, true, false, false},
                                                        {true, true, true, false},
                                                        {true, true, true, true}}};
  for (std::size_t level = 0; level < expected.size(); ++level) {
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
      EXPECT_EQ(admits(static_cast<PrivacyLevel>(level), kinds.at(kind)),
                expected.at(level).at(kind));
    }
  }
}

TEST(Level, SaysInWholeSentencesWhatItDisclosesAndThatItStays) {
  EXPECT_TRUE(discloses(PrivacyLevel::Private).empty());
  for (const auto level : {PrivacyLevel::PrivateNetwork, PrivacyLevel::P2P,
                           PrivacyLevel::PublicNetwork, PrivacyLevel::FullPublic}) {
    bool stays = false;
    for (const std::string_view sentence : discloses(level)) {
      EXPECT_TRUE(sentence.ends_with('.')) << sentence;
      stays = stays || sentence.find("does not forget") != std::string_view::npos;
    }
    EXPECT_TRUE(stays);
  }
}

TEST(Level, IsAPresetOfGrantsThatItAdmits) {
  const Named named{{sample::group(1), sample::group(2)}, {sample::owner(3)}};
  const Grant base = full_grant();
  const auto sizes = [&](PrivacyLevel level) { return preset(level, base, named).size(); };
  EXPECT_EQ(sizes(PrivacyLevel::Private), 0U);
  EXPECT_EQ(sizes(PrivacyLevel::PrivateNetwork), 2U);
  EXPECT_EQ(sizes(PrivacyLevel::P2P), 1U);
  EXPECT_EQ(sizes(PrivacyLevel::PublicNetwork), 1U);
  EXPECT_EQ(sizes(PrivacyLevel::FullPublic), 1U);
  for (std::uint8_t level = 0; level < 5; ++level) {
    std::uint64_t number = base.number;
    for (Grant grant : preset(static_cast<PrivacyLevel>(level), base, named)) {
      EXPECT_TRUE(validate(grant));
      EXPECT_TRUE(admits(static_cast<PrivacyLevel>(level), grant.to));
      EXPECT_EQ(grant.number, number++);
      grant.to = base.to;
      grant.number = base.number;
      EXPECT_EQ(grant, base);
    }
  }
  EXPECT_EQ(preset(PrivacyLevel::PublicNetwork, base, named)[0].to,
            Grantee(CertificatePattern{std::nullopt, "*"}));
}

TEST(Level, MultipliesRewardsByQuarters) {
  for (std::uint32_t level = 0; level < 5; ++level) {
    const caesar::Ratio ratio = reward_multiplier(static_cast<PrivacyLevel>(level));
    EXPECT_EQ(4 * ratio.numerator, level * ratio.denominator);
  }
}

TEST(Names, OfErrorsAreDifferent) {
  std::set<std::string_view> names;
  for (int i = 0; i < 8; ++i) names.insert(name_of(static_cast<GrantError>(i)));
  for (int i = 0; i < 11; ++i) names.insert(name_of(static_cast<Excess>(i)));
  EXPECT_EQ(names.size(), 19U);
}

}  // namespace
}  // namespace hm::privacy
