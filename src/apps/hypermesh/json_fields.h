// SPDX-License-Identifier: Apache-2.0
// Members of the API's documents that may be missing or of another type: what is not there is
// empty, so that a node of another version cannot make a command fail without a word.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "core/caesar/amount.h"

namespace hm::cli {

// The member, or null.
const nlohmann::ordered_json& member_of(const nlohmann::ordered_json& object, const char* key);
// The array, or an empty one.
const nlohmann::ordered_json& list_of(const nlohmann::ordered_json& object, const char* key);
// The array's items, which the object has no more; none if there is no array.
std::vector<nlohmann::ordered_json> take_list(nlohmann::ordered_json& object, const char* key);
// A whole number with a sign; 0 if there is none.
std::int64_t signed_of(const nlohmann::ordered_json& object, const char* key);
// Decimal CAES as text; nothing if it is missing or malformed.
std::optional<caesar::Amount> amount_of(const nlohmann::ordered_json& object, const char* key);

}  // namespace hm::cli
