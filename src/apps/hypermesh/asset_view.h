// SPDX-License-Identifier: Apache-2.0
// Assets for people: one line each, or one in full. They look at the API's asset objects.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/hypermesh/terminal.h"

namespace hm::cli {

// "AMD EPYC 7B13", "eth0", "/var": what a person would call the thing; may be empty.
std::string asset_title(const nlohmann::ordered_json& asset);

// "space? stake+ work? time+": + proven, ? unproven, ! refused.
std::string proofs_in_short(const nlohmann::ordered_json& asset);

void print_assets(const Terminal& terminal, const std::vector<nlohmann::ordered_json>& assets);
void print_asset(const Terminal& terminal, const nlohmann::ordered_json& asset);

// Any JSON value on one line, lists with commas.
std::string in_words(const nlohmann::ordered_json& value);

}  // namespace hm::cli
