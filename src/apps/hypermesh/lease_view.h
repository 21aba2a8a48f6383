// SPDX-License-Identifier: Apache-2.0
// Leases in the API's JSON, as people read them. An entry is a lease, or an object that holds one
// as "lease" and says more beside it (a name, a unit).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/hypermesh/terminal.h"
#include "core/caesar/amount.h"
#include "foundation/base/time.h"

namespace hm::cli {

// The member of the entry, of its lease, or of its lease's placement, in this order; empty if none
// has it.
std::string lease_text(const nlohmann::ordered_json& entry, const char* key);
std::uint64_t lease_number(const nlohmann::ordered_json& entry, const char* key);

bool is_open(const nlohmann::ordered_json& entry);

// Paid out of the escrow on all assets that it was on, fees included.
caesar::Amount paid_in_all(const nlohmann::ordered_json& entry);

// "2.5 cores", in the unit that it names or that its kind of asset has.
std::string lease_quantity(const nlohmann::ordered_json& entry);

// What was used of it, as if all in one hour, or second if it is little: "2.5 cores for 1 h";
// "nothing".
std::string use_in_words(std::uint64_t used, std::string_view unit);
// What both sides signed as used, in the unit of the entry's asset.
std::string lease_use(const nlohmann::ordered_json& entry);

// "0.5 CAES an hour", "0.01 CAES an hour for 1 GiB"; "free".
std::string price_in_words(std::string_view price, std::string_view unit);
std::string lease_price(const nlohmann::ordered_json& entry);

// Why a lease left an asset, after "ended because …"; empty for "none".
std::string_view end_in_words(std::string_view end);

// "2026-03-01 14:05:09 UTC (in 59 min)", "… (2 h ago)"; "not yet" for 0.
std::string moment_from_now(std::uint64_t moment_ms, UnixMillis now);

// What tells leases apart for who looks at a list: at least 12 digits.
std::string short_lease(const nlohmann::ordered_json& entry);

// "tenant", "provider", "own" (both) or "".
std::string_view role_of(const nlohmann::ordered_json& entry, const std::string& owner);

// What the parties of a lease are called.
struct LeaseNames {
  std::string tenant;
  std::string provider;
  std::string node;
};
// What `lease ls` and `lease show` print.
std::vector<std::string> lease_heads();
std::vector<Terminal::Cell> lease_row(const nlohmann::ordered_json& entry, const LeaseNames& names,
                                      const std::string& owner, UnixMillis now);
std::vector<std::pair<std::string, std::string>> lease_lines(const nlohmann::ordered_json& entry,
                                                             const LeaseNames& names,
                                                             UnixMillis now);

// What `who` prints of one use of this machine.
std::vector<std::string> use_heads();
std::vector<Terminal::Cell> use_row(const nlohmann::ordered_json& use, UnixMillis now);

}  // namespace hm::cli
