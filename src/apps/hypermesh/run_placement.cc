// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/run_placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/lease_plan.h"
#include "apps/hypermesh/lease_view.h"
#include "apps/hypermesh/owner_operation.h"
#include "core/scheduling/limits.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;
using Milliseconds = std::chrono::milliseconds;

// A lease is accepted in the next block or two; what is looked for often is seen soon.
constexpr Milliseconds kFirstLook{5};
constexpr Milliseconds kLongestLook{200};
// A node that has not accepted by then is not one to run on; the ledger itself waits for longer.
constexpr std::chrono::seconds kPatience{20};

constexpr std::string_view kSuggestion =
    "'hypermesh run --explain …' says why of every machine; --local runs it on this node, without "
    "a lease";

LeaseWish lease_wish(const hosting::NeededLease& need, const std::string& filter,
                     std::uint64_t duration_ms, std::size_t choices, bool explain) {
  return {.filter = filter,
          .quantity = need.quantity,
          .duration_ms = duration_ms,
          .network = need.network,
          .highest_price = std::nullopt,
          .choices = choices,
          .explain = explain};
}

Unfit unfit_of(const ordered_json& item) {
  const std::string rule = text_of(item, "rule");
  return {text_of(item, "node_name"), text_of(item, "asset"),
          rule.empty() ? text_of(item, "reason") : rule, text_of(item, "message")};
}

// Assets of another kind are rejected too; they say nothing.
bool says_something(const ordered_json& item) { return text_of(item, "reason") != "wrong_kind"; }

// The first reason that an owner gave; else the first.
Unfit first_rejected(const ordered_json& plan) {
  Unfit first;
  for (const ordered_json& item : list_of(plan, "rejected")) {
    if (!text_of(item, "rule").empty()) return unfit_of(item);
    if (first.rule.empty() && says_something(item)) first = unfit_of(item);
  }
  return first;
}

Unfit rejection_on(const ordered_json& plan, const std::string& node) {
  for (const ordered_json& item : list_of(plan, "rejected")) {
    if (text_of(item, "node") == node && says_something(item)) return unfit_of(item);
  }
  return {};
}

std::string in_words(const Unfit& unfit) {
  return fmt::format("{}: {} ({})", unfit.node_name, unfit.message, unfit.rule);
}

// What became of the leases: nothing if all are active, otherwise why they do not become so.
Outcome wait_until_active(ApiClient& client, const std::vector<std::string>& ids,
                          const PlannedNode& node, const Interruption& interruption) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  Milliseconds pause = kFirstLook;
  for (std::size_t at = 0; at < ids.size();) {
    if (interruption.signal() != 0) {
      return std::unexpected(interrupted_by(interruption.signal()));
    }
    HM_CLI_TRY(const ordered_json lease, client.get("/leases/" + ids[at]));
    const std::string state = lease_text(lease, "state");
    if (state == "active" || state == "draining") {
      ++at;
      continue;
    }
    if (!is_open(lease)) {
      const auto why = end_in_words(lease_text(lease, "end"));
      return failed(ExitCode::NoCapacity, fmt::format("{} did not lend for the run", node.name),
                    why.empty() ? "its lease has ended" : std::string(why),
                    std::string(kSuggestion));
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return failed(ExitCode::NoCapacity, fmt::format("{} did not accept in time", node.name),
                    "its node has not answered to the request for a lease",
                    std::string(kSuggestion));
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 3 / 2, kLongestLook);
  }
  return {};
}

}  // namespace

RunPlanner::RunPlanner(ApiClient& client, const RunWish& wish, const identity::OwnerId& tenant,
                       std::string asked_node, const identity::ChainId& chain)
    : client_(client),
      wish_(wish),
      tenant_(tenant),
      asked_node_(std::move(asked_node)),
      chain_(chain),
      needs_(hosting::needed_leases(wish.spec)) {}

Answer<ordered_json> RunPlanner::ask(const hosting::NeededLease& need, const std::string& filter,
                                     std::size_t choices, bool explain) {
  return client_.post(
      "/leases/plan",
      plan_request(lease_wish(need, filter, wish_.duration_ms, choices, explain), tenant_));
}

// The plan as if it had this choice only, so that the lease can lie nowhere else.
Answer<PlannedPart> RunPlanner::part_of(const hosting::NeededLease& need, const std::string& filter,
                                        std::size_t choices, const ordered_json& plan,
                                        const ordered_json& choice) const {
  ordered_json single = plan;
  single["choices"] = ordered_json::array({choice});
  single["highest_price"] = text_of(choice, "price");
  HM_CLI_TRY(
      PlannedLease planned,
      planned_lease(single, lease_wish(need, filter, wish_.duration_ms, choices, false), chain_));
  return PlannedPart{need, choice, std::move(planned.action), planned.escrow};
}

Outcome RunPlanner::begin(bool explain) {
  at_ = 0;
  unfit_.clear();
  HM_CLI_TRY(cpu_plan_, ask(needs_.front(), wish_.filter, scheduling::kMaxChoices, explain));
  return {};
}

Answer<std::optional<PlannedNode>> RunPlanner::whole_node(const ordered_json& choice) {
  const std::string node = text_of(choice, "node");
  PlannedNode planned{.node = node,
                      .name = text_of(choice, "node_name"),
                      .owner = text_of(choice, "owner_name"),
                      .is_asked = node == asked_node_};
  if (planned.is_asked) return planned;
  HM_CLI_TRY(PlannedPart cpu,
             part_of(needs_.front(), wish_.filter, scheduling::kMaxChoices, cpu_plan_, choice));
  planned.escrow = cpu.escrow;
  planned.parts.push_back(std::move(cpu));
  for (std::size_t i = 1; i < needs_.size(); ++i) {
    const std::string filter =
        fmt::format("kind={},node={}", assets::name_of(needs_[i].kind), node);
    HM_CLI_TRY(const ordered_json plan, ask(needs_[i], filter, 1, true));
    const ordered_json& choices = list_of(plan, "choices");
    if (choices.empty()) {
      Unfit unfit = rejection_on(plan, node);
      if (unfit.rule.empty()) unfit.rule = fmt::format("no_{}", assets::name_of(needs_[i].kind));
      if (unfit.message.empty()) unfit.message = text_of(plan, "message");
      unfit.node_name = planned.name;
      unfit.asset = text_of(choice, "asset");
      unfit_.push_back(std::move(unfit));
      return std::nullopt;
    }
    HM_CLI_TRY(PlannedPart part, part_of(needs_[i], filter, 1, plan, choices.front()));
    const auto escrow = caesar::checked_add(planned.escrow, part.escrow);
    if (!escrow)
      return failed(ExitCode::NoCapacity, "all of it costs more than all CAES there are");
    planned.escrow = *escrow;
    planned.parts.push_back(std::move(part));
  }
  if (!wish_.highest_price) return planned;
  const auto most = caesar::cost({*wish_.highest_price, 1}, 1, wish_.duration_ms);
  if (!most || planned.escrow <= *most) return planned;
  unfit_.push_back({planned.name, text_of(choice, "asset"), "price_too_high",
                    fmt::format("all leases together cost {} CAES for this time, {} are allowed",
                                caesar::to_string(planned.escrow), caesar::to_string(*most))});
  return std::nullopt;
}

Answer<std::optional<PlannedNode>> RunPlanner::next() {
  const ordered_json& choices = list_of(cpu_plan_, "choices");
  while (at_ < choices.size()) {
    HM_CLI_TRY(std::optional<PlannedNode> node, whole_node(choices[at_++]));
    if (node) return node;
  }
  return std::nullopt;
}

Failure RunPlanner::nothing_left() {
  Failure failure{ExitCode::NoCapacity,
                  "no machine can be leased for this run now",
                  {},
                  std::string(kSuggestion)};
  if (!unfit_.empty()) {
    failure.why = in_words(unfit_.front());
    return failure;
  }
  const auto explained = ask(needs_.front(), wish_.filter, scheduling::kMaxChoices, true);
  const Unfit first = explained ? first_rejected(*explained) : Unfit{};
  failure.why = first.rule.empty() ? text_of(cpu_plan_, "message") : in_words(first);
  return failure;
}

Failure interrupted_by(int signal) {
  return {static_cast<ExitCode>(128 + signal), "interrupted",
          "a signal came before the run had begun", "its leases were closed; run it again"};
}

Answer<std::vector<std::string>> open_leases(ApiClient& client, const identity::OwnerKeys& keys,
                                             const PlannedNode& node, const crypto::Digest& purpose,
                                             const Interruption& interruption) {
  std::vector<ledger::Action> actions;
  for (const PlannedPart& part : node.parts) {
    ledger::OpenLease action = part.action;
    action.purpose = purpose;
    actions.emplace_back(std::move(action));
  }
  HM_CLI_TRY(const std::vector<ordered_json> entries, submit_all_as_owner(client, keys, actions));
  std::vector<std::string> ids;
  Outcome outcome;
  for (const ordered_json& entry : entries) {
    ids.push_back(text_of(entry, "id"));
    const std::string status = text_of(entry, "status");
    if (status == "applied" || !outcome) continue;
    const ordered_json& refused = member_of(entry, "refused");
    outcome =
        refused.is_object()
            ? failed(ExitCode::NoCapacity,
                     fmt::format("the ledger refused a lease on {}", node.name),
                     fmt::format("{} ({})", text_of(refused, "message"), text_of(refused, "rule")),
                     std::string(kSuggestion))
            : failed(ExitCode::NoCapacity,
                     fmt::format("a lease on {} is {}, not final", node.name, status),
                     "too few validators answer, or the node is busy",
                     "see 'hypermesh validators' and 'hypermesh lease ls --open'");
  }
  if (outcome) outcome = wait_until_active(client, ids, node, interruption);
  if (outcome) return ids;
  close_leases(client, keys, ids);
  return std::unexpected(std::move(outcome.error()));
}

void close_leases(ApiClient& client, const identity::OwnerKeys& keys,
                  const std::vector<std::string>& ids) {
  std::vector<ledger::Action> actions;
  for (const std::string& text : ids) {
    const auto id = ledger::LeaseId::parse(text);
    const auto lease = client.get("/leases/" + text);
    if (id && lease && is_open(*lease)) actions.emplace_back(ledger::CloseLease{*id});
  }
  if (!actions.empty()) (void)submit_all_as_owner(client, keys, actions);
}

}  // namespace hm::cli
