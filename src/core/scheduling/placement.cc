// SPDX-License-Identifier: Apache-2.0
#include "core/scheduling/placement.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <tuple>
#include <utility>

namespace hm::scheduling {
namespace {

// More prices than this are computed anew; looking through as many costs less than one division.
constexpr std::size_t kKnownCosts = 16;

// Stands for a distance that nobody measured and for a cost beyond all CAES.
constexpr std::uint64_t kHighest = std::numeric_limits<std::uint64_t>::max();

// Rounded down to its leading binary digits.
constexpr std::uint64_t leading(std::uint64_t value, int digits) {
  const auto width = static_cast<int>(std::bit_width(value));
  if (width <= digits) return value;
  return value >> (width - digits) << (width - digits);
}
static_assert(leading(0, 3) == 0 && leading(7, 3) == 7 && leading(31, 3) == 28);

// A candidate that would do.
struct Fit {
  std::size_t candidate = 0;
  std::uint64_t cost_step = 0;
  std::uint32_t turn = 0;  // choices before it of the same owner and cost step
  std::uint16_t trust_step = 0;
  bool chosen = false;
  std::uint64_t rtt_step = kHighest;
  std::uint64_t left = 0;
  std::uint64_t cost = 0;
};

struct Miss {
  Reason reason;
  std::uint64_t given = 0;
  std::uint64_t wanted = 0;
};

template <class Id>
bool is_listed(const std::vector<std::variant<Id, std::string>>& list, const Id& id,
               std::string_view name) {
  return std::ranges::any_of(list, [&](const auto& entry) {
    if (const auto* listed = std::get_if<Id>(&entry)) return *listed == id;
    return std::get<std::string>(entry) == name;
  });
}

std::optional<Miss> miss_lists(const Filter& filter, const Candidate& candidate) {
  const auto& [owner, node] = std::tie(candidate.facts.owner, candidate.facts.node);
  if (!filter.owners.empty() && !is_listed(filter.owners, owner, candidate.owner_name)) {
    return Miss{Reason::OwnerNotListed};
  }
  if (!filter.nodes.empty() && !is_listed(filter.nodes, node, candidate.node_name)) {
    return Miss{Reason::NodeNotListed};
  }
  if (is_listed(filter.excluded_owners, owner, candidate.owner_name)) {
    return Miss{Reason::OwnerExcluded};
  }
  if (is_listed(filter.excluded_nodes, node, candidate.node_name)) {
    return Miss{Reason::NodeExcluded};
  }
  return std::nullopt;
}

// The first rule that fails before anybody is asked for permission.
std::optional<Miss> miss_filter(const Filter& filter, const Candidate& candidate) {
  if (candidate.facts.kind != filter.kind) return Miss{Reason::WrongKind};
  if (const auto miss = miss_lists(filter, candidate)) return miss;
  for (std::size_t i = 0; i < filter.requirements.size(); ++i) {
    if (!holds(filter.requirements[i], candidate.descriptor)) {
      return Miss{Reason::DescriptorLacks, 0, i};
    }
  }
  if (candidate.trust < filter.least_trust) {
    return Miss{Reason::TrustTooLow, candidate.trust, filter.least_trust};
  }
  if (filter.longest_rtt_us) {
    const std::uint64_t most = *filter.longest_rtt_us;
    if (!candidate.rtt_us) return Miss{Reason::DistanceUnknown, 0, most};
    if (*candidate.rtt_us > most) return Miss{Reason::TooFar, *candidate.rtt_us, most};
  }
  if (candidate.reachability == Reachability::Unreachable) return Miss{Reason::NotConnected};
  return std::nullopt;
}

std::optional<Miss> miss_cost(const Filter& filter, std::optional<caesar::Amount> cost) {
  const std::uint64_t most = filter.highest_cost.value_or(caesar::kMaxSupply).value;
  if (!cost) return Miss{Reason::CostTooHigh, kHighest, most};
  if (cost->value > most) return Miss{Reason::CostTooHigh, cost->value, most};
  return std::nullopt;
}

class Placer {
 public:
  Placer(const Filter& filter, std::span<const Candidate> candidates)
      : filter_(filter), request_(request_of(filter)), candidates_(candidates) {
    plan_.rejections.reserve(candidates.size());
    fits_.reserve(candidates.size());
    allows_.reserve(candidates.size());
    costs_.reserve(kKnownCosts);
  }

  void judge(std::size_t index, const privacy::Requester& requester, UnixMillis now) {
    const Candidate& candidate = candidates_[index];
    if (const auto miss = miss_filter(filter_, candidate)) return reject(index, *miss);
    const privacy::Decision decision = privacy::may(requester, request_, candidate.facts,
                                                    candidate.grants, {now, candidate.idleness});
    if (!decision) {
      reject(index, Miss{Reason::NotAllowed});
      plan_.rejections.back().deny = decision.denied();
      return;
    }
    const privacy::Allow& allow = decision.allowed();
    const auto cost = cost_at(allow.price);
    if (const auto miss = miss_cost(filter_, cost)) return reject(index, *miss);
    fits_.push_back(fit(index, cost->value));
    allows_.push_back(allow);
  }

  // Few choices are made of many that fit, so that looking through them for each is cheaper than
  // sorting.
  Plan choose() {
    const std::size_t count = std::min(filter_.choices, fits_.size());
    std::optional<std::size_t> last;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t best = next_best(last);
      fits_[best].chosen = true;
      plan_.choices.push_back(choice(fits_[best], allows_[best]));
      last = best;
    }
    for (const Fit& fit : fits_) {
      if (!fit.chosen) {
        reject(fit.candidate, Miss{Reason::RankedLower, fits_.size(), filter_.choices});
      }
    }
    return std::move(plan_);
  }

 private:
  const identity::OwnerId& owner(const Fit& fit) const {
    return candidates_[fit.candidate].facts.owner;
  }

  // After `last` was chosen: those of its owner and cost step wait one turn more.
  std::size_t next_best(std::optional<std::size_t> last) {
    const Fit* const before = last ? &fits_[*last] : nullptr;
    const Fit* best = nullptr;
    for (Fit& fit : fits_) {
      if (fit.chosen) continue;
      if (before != nullptr && fit.cost_step == before->cost_step && owner(fit) == owner(*before)) {
        ++fit.turn;
      }
      if (best == nullptr || precedes(fit, *best)) best = &fit;
    }
    return static_cast<std::size_t>(best - fits_.data());
  }

  // Many candidates have few prices, and an exact cost takes a division of 256 bits.
  std::optional<caesar::Amount> cost_at(const caesar::Price& price) {
    for (const auto& [known, cost] : costs_) {
      if (known == price) return cost;
    }
    const auto cost = caesar::cost(price, filter_.quantity, filter_.duration_ms);
    if (costs_.size() < kKnownCosts) costs_.emplace_back(price, cost);
    return cost;
  }

  void reject(std::size_t index, const Miss& miss) {
    plan_.rejections.push_back(
        {index, candidates_[index].id, miss.reason, miss.given, miss.wanted, std::nullopt});
  }

  Fit fit(std::size_t index, std::uint64_t cost) const {
    const Candidate& candidate = candidates_[index];
    Fit fit;
    fit.candidate = index;
    fit.cost_step = leading(cost, kCostDigits);
    fit.trust_step = static_cast<std::uint16_t>(candidate.trust - candidate.trust % kTrustStep);
    if (candidate.rtt_us) fit.rtt_step = leading(*candidate.rtt_us, kRttDigits);
    fit.left = candidate.facts.free - filter_.quantity;  // may() has seen to it
    fit.cost = cost;
    return fit;
  }

  bool precedes(const Fit& a, const Fit& b) const {
    if (a.cost_step != b.cost_step) return a.cost_step < b.cost_step;
    if (a.turn != b.turn) return a.turn < b.turn;
    if (a.trust_step != b.trust_step) return a.trust_step > b.trust_step;
    if (a.rtt_step != b.rtt_step) return a.rtt_step < b.rtt_step;
    if (a.left != b.left) return a.left < b.left;
    if (a.cost != b.cost) return a.cost < b.cost;
    return candidates_[a.candidate].id.hash < candidates_[b.candidate].id.hash;
  }

  Choice choice(const Fit& fit, const privacy::Allow& allow) const {
    const Candidate& candidate = candidates_[fit.candidate];
    Choice choice;
    choice.candidate = fit.candidate;
    choice.asset = candidate.id;
    choice.grant = allow.grant;
    choice.price = allow.price;
    choice.cost = caesar::Amount{fit.cost};
    choice.notice_ms = allow.notice_ms;
    choice.trust = candidate.trust;
    choice.rtt_us = candidate.rtt_us;
    choice.terms = {caesar::Amount{fit.cost_step}, fit.trust_step, std::nullopt, fit.left};
    if (candidate.rtt_us) choice.terms.rtt_us = fit.rtt_step;
    return choice;
  }

  const Filter& filter_;
  const privacy::Request request_;
  std::span<const Candidate> candidates_;
  std::vector<Fit> fits_;
  std::vector<privacy::Allow> allows_;  // of the fits
  std::vector<std::pair<caesar::Price, std::optional<caesar::Amount>>> costs_;
  Plan plan_;
};

}  // namespace

privacy::Request request_of(const Filter& filter) {
  return {.action = privacy::Action::Lease,
          .quantity = filter.quantity,
          .duration_ms = filter.duration_ms,
          .network = filter.network,
          .highest_price = filter.highest_price};
}

Plan place(const Filter& filter, const privacy::Requester& requester,
           std::span<const Candidate> candidates, UnixMillis now) {
  Placer placer(filter, candidates);
  for (std::size_t i = 0; i < candidates.size(); ++i) placer.judge(i, requester, now);
  return placer.choose();
}

}  // namespace hm::scheduling
