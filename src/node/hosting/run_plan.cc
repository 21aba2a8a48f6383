// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/run_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/scheduling/placement.h"
#include "node/hosting/run_gate.h"

namespace hm::hosting {
namespace {

using assets::AssetKind;

// One question to the market, with what it stands on.
class Asked {
 public:
  Asked(const node::Node& node, const scheduling::Filter& filter, const identity::OwnerId& tenant,
        const node::RoundTrips& round_trips, UnixMillis now)
      : filter_(filter),
        view_(node.ledger(), tenant, now),
        market_(node, filter_, view_, round_trips, now) {
    if (market_.is_whole()) {
      plan_ = scheduling::place(filter_, view_.requester(), market_.candidates(), now);
    }
  }

  bool is_whole() const { return market_.is_whole(); }
  const std::vector<scheduling::Choice>& choices() const { return plan_.choices; }
  const scheduling::Candidate& candidate(const scheduling::Choice& choice) const {
    return market_.candidates()[choice.candidate];
  }
  // The first reason that an owner's grant gives, else the first of an asset that could be meant.
  std::string first_reason() const {
    const scheduling::Rejection* first = nullptr;
    for (const scheduling::Rejection& rejection : plan_.rejections) {
      if (rejection.reason == scheduling::Reason::WrongKind ||
          rejection.reason == scheduling::Reason::OwnerExcluded) {
        continue;
      }
      if (first == nullptr || (rejection.deny && !first->deny)) first = &rejection;
    }
    if (first == nullptr) return {};
    return fmt::format("{}: {}", market_.candidates()[first->candidate].node_name,
                       scheduling::explain(*first, filter_));
  }

 private:
  scheduling::Filter filter_;
  node::LendingView view_;
  node::LeaseMarket market_;
  scheduling::Plan plan_;
};

class Planner {
 public:
  Planner(const node::Node& node, const RunDemand& demand, const node::RoundTrips& round_trips,
          const identity::OwnerId& tenant)
      : node_(node),
        demand_(demand),
        round_trips_(round_trips),
        tenant_(tenant),
        now_(demand.now),
        needs_(needed_leases(demand.spec)) {}

  Result<RunPlan> plan() {
    scheduling::Filter filter = demand_.place;
    take(needs_.front(), filter);
    for (const identity::OwnerId& owner : demand_.left_out) {
      filter.excluded_owners.emplace_back(owner);
    }
    const Asked asked(node_, filter, tenant_, round_trips_, now_);
    if (!asked.is_whole()) {
      return fail(ErrorCode::NoCapacity, "there are more grants than can be weighed at once",
                  "name owners in the filter");
    }
    for (const scheduling::Choice& choice : asked.choices()) {
      if (auto found = whole(choice, asked.candidate(choice))) return std::move(*found);
    }
    if (first_unfit_.empty()) first_unfit_ = asked.first_reason();
    return fail(ErrorCode::NoCapacity, "no machine can be leased for it now", first_unfit_);
  }

 private:
  void take(const NeededLease& need, scheduling::Filter& filter) const {
    filter.kind = need.kind;
    filter.quantity = need.quantity;
    filter.network = need.network;
    filter.duration_ms = demand_.duration_ms;
  }

  static void add(const scheduling::Choice& choice, const NeededLease& need,
                  const RunDemand& demand, RunPlan& plan) {
    ledger::OpenLease action;
    action.choices = {{choice.asset, choice.grant}};
    action.quantity = need.quantity;
    action.duration_ms = demand.duration_ms;
    action.network = need.network;
    action.highest_price = choice.price;
    action.purpose = containers::purpose_of(demand.spec);
    plan.leases.push_back(std::move(action));
  }

  // The node of these processors, if it has all the rest.
  std::optional<RunPlan> whole(const scheduling::Choice& cpu,
                               const scheduling::Candidate& candidate) {
    RunPlan plan{.node = candidate.facts.node, .owner = candidate.facts.owner};
    if (plan.node == node_.id()) return plan;
    add(cpu, needs_.front(), demand_, plan);
    plan.escrow = cpu.cost;
    for (std::size_t i = 1; i < needs_.size(); ++i) {
      scheduling::Filter filter;
      take(needs_[i], filter);
      filter.nodes.emplace_back(plan.node);
      filter.choices = 1;
      const Asked asked(node_, filter, tenant_, round_trips_, now_);
      if (asked.choices().empty()) {
        return unfit(fmt::format("{} has no such {} for it", candidate.node_name,
                                 assets::name_of(needs_[i].kind)));
      }
      const scheduling::Choice& part = asked.choices().front();
      const auto escrow = caesar::checked_add(plan.escrow, part.cost);
      if (!escrow) return unfit("all of it costs more than all CAES there are");
      plan.escrow = *escrow;
      add(part, needs_[i], demand_, plan);
    }
    if (!demand_.highest_price) return plan;
    const auto most = caesar::cost({*demand_.highest_price, 1}, 1, demand_.duration_ms);
    if (!most || plan.escrow <= *most) return plan;
    return unfit(fmt::format("{}: all leases together cost {} CAES for this time, {} are allowed",
                             candidate.node_name, caesar::to_string(plan.escrow),
                             caesar::to_string(*most)));
  }

  std::nullopt_t unfit(std::string why) {
    if (first_unfit_.empty()) first_unfit_ = std::move(why);
    return std::nullopt;
  }

  const node::Node& node_;
  const RunDemand& demand_;
  const node::RoundTrips& round_trips_;
  identity::OwnerId tenant_;
  UnixMillis now_;
  std::vector<NeededLease> needs_;
  std::string first_unfit_;
};

}  // namespace

std::vector<NeededLease> needed_leases(const containers::RunSpec& spec) {
  std::vector<NeededLease> leases = {{AssetKind::Cpu, spec.limits.cpu_millicores, spec.network},
                                     {AssetKind::Memory, spec.limits.memory_bytes}};
  std::uint64_t disk = spec.limits.disk_bytes;
  for (const containers::Volume& volume : spec.volumes) disk += volume.bytes;
  if (disk > 0) leases.push_back({AssetKind::Storage, disk});
  return leases;
}

Result<scheduling::Filter> parse_place(std::string_view text) {
  auto filter = scheduling::parse_filter(text);
  if (!filter) {
    return fail(ErrorCode::InvalidArgument, "the filter cannot be understood",
                scheduling::explain(filter.error(), text));
  }
  const scheduling::Filter plain;
  if (filter->kind != AssetKind::Cpu || filter->quantity != plain.quantity ||
      filter->duration_ms != plain.duration_ms || filter->network != plain.network ||
      filter->choices != plain.choices) {
    return fail(ErrorCode::InvalidArgument, "the filter says what the options say",
                "kind, quantity, duration, network and choices follow from what is to run");
  }
  return std::move(*filter);
}

Result<RunPlan> plan_run(const node::Node& node, const RunDemand& demand,
                         const node::RoundTrips& round_trips) {
  const auto tenant = tenant_of(node, node.id());
  if (!tenant) {
    return fail(ErrorCode::Unavailable, "this node is not on the ledger",
                "wait until it has joined");
  }
  return Planner(node, demand, round_trips, *tenant).plan();
}

}  // namespace hm::hosting
