// SPDX-License-Identifier: Apache-2.0
// Bills and rewards in the API's JSON: each line is read from one lease's record, and the totals
// are added up here again.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/hypermesh/terminal.h"

namespace hm::cli {

// Where lines and totals contradict each other, one sentence each: a total that is not the sum of
// its lines, a line without a lease or with another record's key. Empty: all adds up.
std::vector<std::string> bill_faults(const std::vector<nlohmann::ordered_json>& lines,
                                     const nlohmann::ordered_json& totals);

// The key of a lease's record in the ledger's state, in hex; empty if this is no lease id.
std::string lease_state_key(const std::string& lease);

std::vector<std::string> bill_heads();
std::vector<std::vector<Terminal::Cell>> bill_rows(
    const std::vector<nlohmann::ordered_json>& lines);
std::vector<std::string> reward_heads();
std::vector<std::vector<Terminal::Cell>> reward_rows(
    const std::vector<nlohmann::ordered_json>& lines);

}  // namespace hm::cli
