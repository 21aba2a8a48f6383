// SPDX-License-Identifier: Apache-2.0
// A node's trust score in the API's JSON, with its terms added up again.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/hypermesh/terminal.h"

namespace hm::cli {

// "12", "0.5", "12.345": a count in thousandths of an event.
std::string count_in_words(std::uint64_t thousandths);

// What an event is and why it counts, by its name in the API.
std::string event_in_words(const std::string& name);

// Empty if the terms add up to the score, otherwise a sentence.
std::string trust_fault(const nlohmann::ordered_json& trust);

std::vector<std::string> trust_heads();
std::vector<std::vector<Terminal::Cell>> trust_rows(const nlohmann::ordered_json& trust);

}  // namespace hm::cli
