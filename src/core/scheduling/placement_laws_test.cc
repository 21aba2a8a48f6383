// SPDX-License-Identifier: Apache-2.0
// The laws of placement.h over random markets, in which few owners, prices and values make ties
// and failures frequent.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/scheduling/placement.h"
#include "core/scheduling/sample_market.h"

namespace hm::scheduling {
namespace {

using sample::Market;

constexpr std::uint64_t kOwners = 4;

// At the nominal size, since a smaller one would leave the upper values out.
std::uint64_t pick(std::uint64_t below) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::uint64_t>(0, below));
}

// Per unit, or half of that.
caesar::Price some_price() {
  return {caesar::Amount{1000 + 20 * pick(2) + 500 * pick(2)}, 1 + pick(2)};
}

void add_random(Market& market, std::uint64_t number) {
  Candidate& candidate = market.add(number, pick(kOwners), 4 * (1 + pick(3)), pick(6));
  candidate.facts.price = some_price();
  if (pick(10) == 0) candidate.facts.kind = assets::AssetKind::Gpu;
  if (pick(10) == 0) candidate.facts.state = assets::AssetState::Maintenance;
  if (pick(10) == 0) candidate.facts.owner = sample::tenant();
  if (pick(8) == 0) candidate.reachability = Reachability::Unreachable;
  candidate.facts.detected += pick(2) * 16;
  candidate.trust = static_cast<std::uint16_t>(500 + 60 * pick(2));
  candidate.rtt_us.reset();
  if (pick(4) != 0) candidate.rtt_us = 1500 << pick(2);
  market.descriptor(number) = {{"cores", 4 + pick(3)},
                               {"features", std::vector<std::string>{pick(2) == 0 ? "a" : "b"}}};
}

void fill(Market& market) {
  for (std::uint64_t i = 0; i < kOwners; ++i) {
    const std::optional<caesar::Price> asks[] = {caesar::Price{}, some_price(), std::nullopt};
    market.add_owner(i, asks[pick(3)], static_cast<std::uint8_t>(50 + 50 * pick(2)));
  }
  const std::uint64_t count = pick(32);
  for (std::uint64_t i = 0; i < count; ++i) add_random(market, i);
}

Filter some_filter() {
  Filter filter;
  filter.quantity = 1 + pick(5);
  filter.choices = 1 + pick(kMaxChoices);
  if (pick(6) == 0) filter.least_trust = 560;
  if (pick(6) == 0) filter.longest_rtt_us = 2000;
  if (pick(6) == 0) filter.highest_price = caesar::Price{caesar::Amount{1030}, 1};
  if (pick(6) == 0) filter.highest_cost = caesar::Amount{6000};
  if (pick(8) == 0) filter.owners = {"owner0", sample::owner(1), sample::owner(2)};
  if (pick(8) == 0) filter.excluded_owners = {"owner1"};
  if (pick(8) == 0) filter.nodes = {"node0", sample::id<identity::NodeId>(1), "node2", "node3"};
  if (pick(8) == 0) filter.excluded_nodes = {"node2"};
  if (pick(8) == 0) filter.requirements.push_back(requirement("", Comparison::Has, "a"));
  if (pick(8) == 0) {
    filter.requirements.push_back(requirement("cores", Comparison::GreaterOrEqual, "5"));
  }
  return filter;
}

template <class Ref, class Id>
bool names(const std::vector<Ref>& list, const Id& id, std::string_view name) {
  return std::ranges::count(list, Ref(id)) + std::ranges::count(list, Ref(std::string(name))) > 0;
}

privacy::Decision decision(const Filter& filter, const Candidate& candidate) {
  return privacy::may({.owner = sample::tenant(), .groups = {}, .certificates = {}},
                      request_of(filter), candidate.facts, candidate.grants,
                      {sample::kNow, candidate.idleness});
}

// Every rule by itself, in the order of Reason.
std::map<Reason, bool> rules(const Filter& filter, const Candidate& candidate) {
  const auto& facts = candidate.facts;
  const auto may = decision(filter, candidate);
  const auto cost = may ? caesar::cost(may.allowed().price, filter.quantity, filter.duration_ms)
                        : std::optional<caesar::Amount>();
  const bool bounded = filter.longest_rtt_us.has_value();
  const bool node_listed = names(filter.nodes, facts.node, candidate.node_name);
  const bool owner_listed = names(filter.owners, facts.owner, candidate.owner_name);
  return {
      {Reason::WrongKind, facts.kind == filter.kind},
      {Reason::OwnerNotListed, filter.owners.empty() || owner_listed},
      {Reason::NodeNotListed, filter.nodes.empty() || node_listed},
      {Reason::OwnerExcluded, !names(filter.excluded_owners, facts.owner, candidate.owner_name)},
      {Reason::NodeExcluded, !names(filter.excluded_nodes, facts.node, candidate.node_name)},
      {Reason::DescriptorLacks, std::ranges::all_of(filter.requirements,
                                                    [&](const Requirement& wanted) {
                                                      return holds(wanted, candidate.descriptor);
                                                    })},
      {Reason::TrustTooLow, candidate.trust >= filter.least_trust},
      {Reason::DistanceUnknown, !bounded || candidate.rtt_us},
      {Reason::TooFar,
       !bounded || !candidate.rtt_us || *candidate.rtt_us <= *filter.longest_rtt_us},
      {Reason::NotConnected, candidate.reachability != Reachability::Unreachable},
      {Reason::NotAllowed, static_cast<bool>(may)},
      {Reason::CostTooHigh, cost && *cost <= filter.highest_cost.value_or(caesar::kMaxSupply)},
  };
}

// Best first. Terms as far as a plan shows them, then the exact cost and the hash.
auto key(const Choice& choice) {
  const std::uint64_t rtt = choice.terms.rtt_us.value_or(UINT64_MAX);
  return std::make_tuple(choice.terms.cost, kMaxTrust - choice.terms.trust, rtt, choice.terms.left,
                         choice.cost, choice.asset.hash);
}

using Key = decltype(key(Choice{}));

// The key of every candidate that would do, each placed alone.
std::map<std::size_t, Key> keys(const Filter& filter, const std::vector<Candidate>& candidates) {
  std::map<std::size_t, Key> found;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Plan alone = place(filter, {.owner = sample::tenant(), .groups = {}, .certificates = {}},
                             {&candidates[i], 1}, sample::kNow);
    if (!alone.choices.empty()) found.emplace(i, key(alone.choices[0]));
  }
  return found;
}

std::vector<assets::AssetId> chosen(const Plan& plan) {
  std::vector<assets::AssetId> ids;
  for (const Choice& choice : plan.choices) ids.push_back(choice.asset);
  return ids;
}

Plan place_all(const Filter& filter, const std::vector<Candidate>& candidates) {
  return place(filter, {.owner = sample::tenant(), .groups = {}, .certificates = {}}, candidates,
               sample::kNow);
}

TEST(PlacementLaws, EveryCandidateIsChosenOrRejectedOnceForTheFirstRuleItFails) {
  EXPECT_TRUE(rc::check("the plan and the rules agree", [] {
    Market market;
    fill(market);
    const Filter filter = some_filter();
    const auto& candidates = market.candidates();
    const Plan plan = market.place(filter);
    std::set<std::size_t> seen;
    std::size_t would_do = 0;
    for (const Choice& choice : plan.choices) {
      RC_ASSERT(seen.insert(choice.candidate).second);
      const Candidate& candidate = candidates[choice.candidate];
      for (const auto& [reason, holds] : rules(filter, candidate)) RC_ASSERT(holds);
      RC_ASSERT(choice.asset == candidate.id);
      RC_ASSERT(choice.grant == decision(filter, candidate).allowed().grant);
      ++would_do;
    }
    for (const Rejection& rejection : plan.rejections) {
      RC_ASSERT(seen.insert(rejection.candidate).second);
      const Candidate& candidate = candidates[rejection.candidate];
      Reason first = Reason::RankedLower;
      for (const auto& [reason, holds] : rules(filter, candidate)) {
        if (!holds) first = std::min(first, reason);
      }
      RC_ASSERT(rejection.reason == first);
      RC_ASSERT(rejection.deny.has_value() == (first == Reason::NotAllowed));
      if (rejection.deny) RC_ASSERT(*rejection.deny == decision(filter, candidate).denied());
      if (first == Reason::RankedLower) ++would_do;
    }
    RC_ASSERT(seen.size() == candidates.size());
    RC_ASSERT(plan.choices.size() == std::min(filter.choices, would_do));
  }));
}

TEST(PlacementLaws, TheChoicesAreThoseOfASortByCostStepTurnAndTerms) {
  EXPECT_TRUE(rc::check("greedy choice = sort", [] {
    Market market;
    fill(market);
    const Filter filter = some_filter();
    const auto& candidates = market.candidates();
    const auto all = keys(filter, candidates);
    std::vector<std::tuple<caesar::Amount, int, Key, std::size_t>> sorted;
    for (const auto& [index, terms] : all) {
      int turn = 0;
      for (const auto& [other, better] : all) {
        const bool same = candidates[other].facts.owner == candidates[index].facts.owner &&
                          std::get<0>(better) == std::get<0>(terms);
        if (same && better < terms) ++turn;
      }
      sorted.emplace_back(std::get<0>(terms), turn, terms, index);
    }
    std::ranges::sort(sorted);
    const Plan plan = market.place(filter);
    for (std::size_t i = 0; i < plan.choices.size(); ++i) {
      RC_ASSERT(plan.choices[i].candidate == std::get<3>(sorted[i]));
    }
  }));
}

TEST(PlacementLaws, TheOrderOfCandidatesChangesNothing) {
  EXPECT_TRUE(rc::check("same choices, same rejections", [] {
    Market market;
    fill(market);
    const Filter filter = some_filter();
    auto shuffled = market.candidates();
    for (std::size_t i = shuffled.size(); i > 1; --i) std::swap(shuffled[i - 1], shuffled[pick(i)]);
    const Plan one = market.place(filter);
    const Plan two = place_all(filter, shuffled);
    RC_ASSERT(chosen(one) == chosen(two));
    std::map<assets::AssetId, Reason> reasons;
    for (const Rejection& rejection : one.rejections) reasons[rejection.asset] = rejection.reason;
    for (const Rejection& rejection : two.rejections) {
      RC_ASSERT(reasons.at(rejection.asset) == rejection.reason);
    }
    RC_ASSERT(totals(one, market.candidates()) == totals(two, shuffled));
  }));
}

TEST(PlacementLaws, AWorseCandidateNeverDisplacesTheFirst) {
  EXPECT_TRUE(rc::check("the first is the best by terms, whatever is added", [] {
    Market market;
    fill(market);
    const Filter filter = some_filter();
    const Plan before = market.place(filter);
    add_random(market, market.candidates().size());
    const Plan after = market.place(filter);
    const auto all = keys(filter, market.candidates());
    const auto added = all.find(market.candidates().size() - 1);
    if (before.choices.empty()) return;
    const bool better = added != all.end() && added->second < key(before.choices[0]);
    RC_ASSERT(after.choices[0].asset ==
              (better ? market.candidates().back().id : before.choices[0].asset));
  }));
}

TEST(PlacementLaws, WithoutTheFirstTheNextBestIsFirst) {
  EXPECT_TRUE(rc::check("the second moves up unless the same owner has a better one", [] {
    Market market;
    fill(market);
    Filter filter = some_filter();
    filter.choices = kMaxChoices;
    const Plan before = market.place(filter);
    if (before.choices.size() < 2) return;
    auto rest = market.candidates();
    const identity::OwnerId owner = rest[before.choices[0].candidate].facts.owner;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(before.choices[0].candidate));
    const Plan after = place_all(filter, rest);
    RC_ASSERT(!after.choices.empty());
    const Choice& first = after.choices[0];
    for (const auto& [index, terms] : keys(filter, rest)) RC_ASSERT(key(first) <= terms);
    if (first.asset != before.choices[1].asset) {
      RC_ASSERT(rest[first.candidate].facts.owner == owner);
      RC_ASSERT(first.terms.cost == before.choices[0].terms.cost);
      RC_ASSERT(key(first) < key(before.choices[1]));
    }
  }));
}

TEST(PlacementLaws, AmongDistinctOwnersTakingOneAwayMovesUpTheRest) {
  EXPECT_TRUE(rc::check("without the nth, the same list without it", [] {
    Market market;
    const std::uint64_t count = 1 + pick(kMaxChoices);
    for (std::uint64_t i = 0; i < count; ++i) {
      market.add_owner(i, caesar::Price{caesar::Amount{1000 + 20 * pick(8)}, 1});
      market.add(i, i, 1 + pick(4)).trust = static_cast<std::uint16_t>(500 + 30 * pick(4));
    }
    const Plan before = market.place({});
    RC_ASSERT(before.choices.size() == count);
    const std::size_t nth = pick(count);
    auto expected = chosen(before);
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(nth));
    auto rest = market.candidates();
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(before.choices[nth].candidate));
    RC_ASSERT(chosen(place_all({}, rest)) == expected);
  }));
}

}  // namespace
}  // namespace hm::scheduling
