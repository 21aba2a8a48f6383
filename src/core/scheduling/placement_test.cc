// SPDX-License-Identifier: Apache-2.0
#include "core/scheduling/placement.h"

#include <gtest/gtest.h>

#include <set>

#include "core/scheduling/sample_market.h"

namespace hm::scheduling {
namespace {

using sample::Market;

constexpr caesar::Price kCheap{caesar::Amount{1'000}, 1};
constexpr caesar::Price kDear{caesar::Amount{2'000}, 1};

std::vector<std::size_t> order(const Plan& plan) {
  std::vector<std::size_t> indices;
  for (const Choice& choice : plan.choices) indices.push_back(choice.candidate);
  return indices;
}

// One candidate that would do, and what becomes of it once `change` is made to it or the filter.
Rejection rejection_of(void (*change)(Candidate&, Filter&)) {
  Market market;
  market.add_owner(1, kCheap);
  Filter filter;
  filter.quantity = 4;
  change(market.add(1, 0, 8), filter);
  const Plan plan = market.place(filter);
  EXPECT_TRUE(plan.choices.empty());
  EXPECT_EQ(plan.rejections.size(), 1U);
  return plan.rejections.empty() ? Rejection{} : plan.rejections[0];
}

TEST(Placement, AChoiceSaysWhatItCostsAndWhy) {
  Market market;
  market.add_owner(1, kCheap);
  market.add(1, 0, 8).trust = 777;
  Filter filter;
  filter.quantity = 3;
  filter.duration_ms = 2 * kDefaultDurationMs;
  const Plan plan = market.place(filter);
  ASSERT_EQ(plan.choices.size(), 1U);
  EXPECT_TRUE(plan.rejections.empty());
  const Choice& choice = plan.choices[0];
  EXPECT_EQ(choice.asset, market.candidates()[0].id);
  EXPECT_EQ(choice.grant, sample::id<privacy::GrantId>(1));
  EXPECT_EQ(choice.price, kCheap);
  EXPECT_EQ(choice.cost, caesar::Amount{6'000});
  EXPECT_EQ(choice.trust, 777);
  EXPECT_EQ(choice.rtt_us, 10'000U);
  // 6000 = 0b1011101110000, 10000 = 0b10011100010000.
  EXPECT_EQ(choice.terms, (Terms{caesar::Amount{5'888}, 750, 8'192, 5}));
}

TEST(Placement, EachRuleRejectsByName) {
  const auto reason = [](auto change) { return rejection_of(change).reason; };
  EXPECT_EQ(reason([](Candidate&, Filter& f) { f.kind = assets::AssetKind::Gpu; }),
            Reason::WrongKind);
  EXPECT_EQ(reason([](Candidate&, Filter& f) { f.owners = {"other"}; }), Reason::OwnerNotListed);
  EXPECT_EQ(reason([](Candidate&, Filter& f) { f.nodes = {"other"}; }), Reason::NodeNotListed);
  EXPECT_EQ(reason([](Candidate&, Filter& f) { f.excluded_owners = {sample::owner(1)}; }),
            Reason::OwnerExcluded);
  EXPECT_EQ(reason([](Candidate&, Filter& f) { f.excluded_nodes = {"node1"}; }),
            Reason::NodeExcluded);
  EXPECT_EQ(reason([](Candidate& c, Filter&) { c.reachability = Reachability::Unreachable; }),
            Reason::NotConnected);
}

TEST(Placement, ARejectionCarriesItsNumbers) {
  const Rejection lacks = rejection_of([](Candidate&, Filter& f) {
    f.requirements = {requirement("a", Comparison::NotEqual, "1"),
                      requirement("", Comparison::Has, "avx2")};
  });
  EXPECT_EQ(lacks.reason, Reason::DescriptorLacks);
  EXPECT_EQ(lacks.wanted, 1U);
  const Rejection trust = rejection_of([](Candidate&, Filter& f) { f.least_trust = 701; });
  EXPECT_EQ(std::tie(trust.reason, trust.given, trust.wanted),
            std::make_tuple(Reason::TrustTooLow, 700U, 701U));
  const Rejection far = rejection_of([](Candidate&, Filter& f) { f.longest_rtt_us = 9'999; });
  EXPECT_EQ(std::tie(far.reason, far.given, far.wanted),
            std::make_tuple(Reason::TooFar, 10'000U, 9'999U));
  const Rejection unknown = rejection_of([](Candidate& c, Filter& f) {
    c.rtt_us.reset();
    f.longest_rtt_us = 9'999;
  });
  EXPECT_EQ(unknown.reason, Reason::DistanceUnknown);
  const Rejection cost =
      rejection_of([](Candidate&, Filter& f) { f.highest_cost = caesar::Amount{3'999}; });
  EXPECT_EQ(std::tie(cost.reason, cost.given, cost.wanted),
            std::make_tuple(Reason::CostTooHigh, 4'000U, 3'999U));
}

TEST(Placement, ACostBeyondAllCaesIsTooHigh) {
  const Rejection cost = rejection_of([](Candidate& c, Filter& f) {
    f.duration_ms = UINT64_MAX;
    f.quantity = c.facts.free = c.facts.detected = 1000;
  });
  EXPECT_EQ(cost.reason, Reason::CostTooHigh);
  EXPECT_EQ(explain(cost, {}),
            "the lease would cost more than 1152921504.606846976 CAES; at most "
            "1152921504.606846976 CAES is wanted");
}

TEST(Placement, TheOwnersDecisionIsPassedOn) {
  const Rejection price = rejection_of(
      [](Candidate&, Filter& f) { f.highest_price = caesar::Price{caesar::Amount{999}, 1}; });
  EXPECT_EQ(price.reason, Reason::NotAllowed);
  ASSERT_TRUE(price.deny);
  EXPECT_EQ(price.deny->rule, privacy::Rule::PriceTooHigh);
  EXPECT_EQ(explain(price, {}), privacy::explain(privacy::Decision(*price.deny)));
  const Rejection idle = rejection_of([](Candidate& c, Filter&) { c.grants = {}; });
  ASSERT_TRUE(idle.deny);
  EXPECT_EQ(idle.deny->rule, privacy::Rule::NoGrant);
}

TEST(Placement, AnEarlierRuleIsNamedBeforeALaterOne) {
  const Rejection rejection = rejection_of([](Candidate& c, Filter& f) {
    c.reachability = Reachability::Unreachable;
    c.grants = {};
    f.least_trust = 1000;
  });
  EXPECT_EQ(rejection.reason, Reason::TrustTooLow);
}

TEST(Placement, CostComesBeforeTrustTrustBeforeDistanceDistanceBeforeFit) {
  Market market;
  for (std::uint64_t i = 0; i < 5; ++i) market.add_owner(i, i == 0 ? kDear : kCheap);
  for (std::size_t i = 0; i < 5; ++i) market.add(i, i, 16);
  auto& candidates = market.candidates();
  candidates[0].trust = 1000;
  candidates[1].trust = 600;
  candidates[2].rtt_us.reset();
  candidates[4].facts.free = 8;
  EXPECT_EQ(order(market.place({})), (std::vector<std::size_t>{4, 3, 2, 1, 0}));
}

TEST(Placement, DifferencesBelowAStepDoNotDecide) {
  Market market;
  market.add_owner(0, caesar::Price{caesar::Amount{1'000}, 1});
  market.add_owner(1, caesar::Price{caesar::Amount{1'023}, 1});
  market.add(0, 0, 16).trust = 650;
  market.add(1, 1, 16).trust = 700;
  EXPECT_EQ(order(market.place({})), (std::vector<std::size_t>{1, 0}));
  market.candidates()[1].trust = 699;
  EXPECT_EQ(order(market.place({})), (std::vector<std::size_t>{0, 1}));
}

TEST(Placement, AmongEqualTermsTheCheaperIsFirst) {
  Market market;
  for (std::uint64_t i = 0; i < 8; ++i) {
    market.add_owner(i, caesar::Price{caesar::Amount{1'015 - i}, 1});
    market.add(i, i, 16);
  }
  EXPECT_EQ(order(market.place({})), (std::vector<std::size_t>{7, 6, 5, 4, 3, 2, 1, 0}));
}

TEST(Placement, FallbacksGoToOtherOwnersFirstAtTheSameCost) {
  Market market;
  market.add_owner(0, kCheap);
  market.add_owner(1, kCheap);
  market.add_owner(2, kDear);
  market.add(0, 0, 16).trust = 900;
  market.add(1, 0, 16).trust = 800;
  market.add(2, 1, 16).trust = 600;
  market.add(3, 1, 16).trust = 500;
  market.add(4, 2, 16).trust = 1000;
  EXPECT_EQ(order(market.place({})), (std::vector<std::size_t>{0, 2, 1, 3, 4}));
}

TEST(Placement, AnOwnersTurnsCountWithinACostStep) {
  Market market;
  market.add_owner(0, std::nullopt);
  market.add_owner(1, kDear);
  market.add(0, 0, 16).facts.price = kCheap;
  market.add(1, 0, 16).facts.price = kDear;
  market.add(2, 1, 16).trust = 600;
  EXPECT_EQ(order(market.place({})), (std::vector<std::size_t>{0, 1, 2}));
}

TEST(Placement, WhoseTurnDoesNotComeIsRankedLower) {
  Market market;
  market.add_owner(0, kCheap);
  market.add(0, 0, 16);
  market.add(1, 0, 8);
  market.add(2, 0, 4);
  Filter filter;
  filter.choices = 2;
  const Plan plan = market.place(filter);
  EXPECT_EQ(order(plan), (std::vector<std::size_t>{2, 1}));
  ASSERT_EQ(plan.rejections.size(), 1U);
  EXPECT_EQ(plan.rejections[0].reason, Reason::RankedLower);
  EXPECT_EQ(explain(plan.rejections[0], filter),
            "it would do, but of 3 that would the best 2 were asked for");
}

TEST(Placement, TheOwnAssetComesFirstAndFree) {
  Market market;
  market.add_owner(0, kCheap);
  market.add(0, 0, 16);
  market.add(1, 0, 16).facts.owner = sample::tenant();
  const Plan plan = market.place({});
  EXPECT_EQ(order(plan), (std::vector<std::size_t>{1, 0}));
  EXPECT_FALSE(plan.choices[0].grant);
  EXPECT_EQ(plan.choices[0].cost, caesar::Amount{0});
}

TEST(Placement, IdlenessIsThatOfTheCandidatesMachine) {
  Market market;
  market.add_owner(0, kCheap);
  privacy::Grant idle_only;
  idle_only.owner = idle_only.issuer = sample::owner(0);
  idle_only.to = privacy::ToAnyone{};
  idle_only.share_percent = 100;
  idle_only.price = kCheap;
  idle_only.when = privacy::When::Idle;
  std::vector<privacy::GrantView> views(1);
  views[0].grant = &idle_only;
  market.add(0, 0, 16);
  market.add(1, 0, 16);
  market.candidates()[0].grants = views;
  market.candidates()[1].grants = views;
  market.candidates()[0].idleness = privacy::Idleness::Active;
  const Plan plan = market.place({});
  EXPECT_EQ(order(plan), (std::vector<std::size_t>{1}));
  EXPECT_EQ(plan.rejections[0].deny->rule, privacy::Rule::OwnerActive);
}

TEST(Placement, FragmentationIsVisible) {
  Market market;
  market.add_owner(0, kCheap);
  market.add(0, 0, 8, 50);
  market.add(1, 0, 6, 50);
  market.add(2, 0, 4, 51);
  market.add(3, 0, 99, 52).reachability = Reachability::Unreachable;
  for (Candidate& candidate : market.candidates()) candidate.facts.detected = 99;
  Filter filter;
  filter.quantity = 9;
  const Plan plan = market.place(filter);
  EXPECT_TRUE(plan.choices.empty());
  const Totals sums = totals(plan, market.candidates());
  EXPECT_EQ(sums, (Totals{3, 18, 8, 14}));
  EXPECT_TRUE(is_fragmented(sums, filter));
  EXPECT_EQ(explain(sums, filter),
            "18 free on 3 assets, at most 8 on one asset and 14 on one node; 9 wanted: enough in "
            "sum, but no single asset is large enough");
  filter.quantity = 8;
  EXPECT_FALSE(is_fragmented(totals(market.place(filter), market.candidates()), filter));
}

TEST(Placement, ExplanationsSayWhatIsWanted) {
  Filter filter;
  filter.requirements = {requirement("model", Comparison::Contains, "EPYC")};
  Rejection rejection;
  rejection.reason = Reason::DescriptorLacks;
  EXPECT_EQ(explain(rejection, filter), "it does not have model~=EPYC");
  rejection = {.candidate = 0,
               .asset = {},
               .reason = Reason::TooFar,
               .given = 20'500,
               .wanted = 20'000,
               .deny = {}};
  EXPECT_EQ(explain(rejection, filter), "its round-trip time is 20.5 ms; at most 20 ms is wanted");
}

TEST(Placement, EveryReasonHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(kLastReason); ++i) {
    names.insert(name_of(static_cast<Reason>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kLastReason) + 1);
}

}  // namespace
}  // namespace hm::scheduling
