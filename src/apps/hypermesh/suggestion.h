// SPDX-License-Identifier: Apache-2.0
// "did you mean": the name that a mistyped word was probably meant to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hm::cli {

// The nearest of `names` if it is near enough: at most a third of its letters inserted, dropped,
// changed or swapped with their neighbour. Empty if none is, or if two are equally near.
std::string suggestion_for(std::string_view word, const std::vector<std::string_view>& names);

}  // namespace hm::cli
