// SPDX-License-Identifier: Apache-2.0
// What a tenant wants, asked of a node as a plan, and the plan as the operation that is signed. The
// node is not believed: a plan that costs more than was allowed, or that is no lease request at
// all, is refused before anything is signed.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/hypermesh/failure.h"
#include "apps/hypermesh/lease_options.h"
#include "apps/hypermesh/terminal.h"
#include "core/ledger/lending_actions.h"
#include "core/scheduling/filter.h"

namespace hm::cli {

// The options, understood. What the filter says and what an option says must not contradict.
struct LeaseWish {
  std::string filter;  // as it goes to the node
  std::uint64_t quantity = 1;
  std::uint64_t duration_ms = 0;
  privacy::NetworkClass network = privacy::NetworkClass::None;
  std::optional<caesar::Price> highest_price;  // of the options or the filter
  std::size_t choices = 0;
  bool explain = false;
};
Answer<LeaseWish> wish_of(const LeaseOpen& options);

// "4GiB", "2cores" (in millicores), "500". Nothing if malformed or 0.
std::optional<std::uint64_t> parse_lease_quantity(std::string_view text);

// The body of POST /leases/plan.
nlohmann::ordered_json plan_request(const LeaseWish& wish, const identity::OwnerId& tenant);

// What is signed, and what it holds back for as long as it runs.
struct PlannedLease {
  ledger::OpenLease action;
  caesar::Amount escrow;
};
// NoCapacity if the plan has no choice; its message says why.
Answer<PlannedLease> planned_lease(const nlohmann::ordered_json& plan, const LeaseWish& wish,
                                   const identity::ChainId& chain);

std::vector<std::string> choice_heads();
std::vector<std::vector<Terminal::Cell>> choice_rows(const nlohmann::ordered_json& plan);
std::vector<std::string> rejected_heads();
std::vector<std::vector<Terminal::Cell>> rejected_rows(const nlohmann::ordered_json& plan);

}  // namespace hm::cli
