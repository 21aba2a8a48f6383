// SPDX-License-Identifier: Apache-2.0
// Filters of `hypermesh assets`: "kind=cpu", "memory>=16GiB", "features=avx2", "owner=alice",
// "available>0". All given filters must hold. They look at the API's asset objects.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "apps/hypermesh/failure.h"

namespace hm::cli {

enum class Comparison : std::uint8_t {
  Equal,
  NotEqual,
  Less,
  LessOrEqual,
  Greater,
  GreaterOrEqual
};

struct AssetFilter {
  std::string key;
  Comparison comparison = Comparison::Equal;
  std::string value;
};

// `key op value` without spaces around; op is one of = != < <= > >=. The keys are kind, state,
// level, id, node, owner; detected, offered and available; the name of a kind, which compares what
// an asset of that kind offers ("cpu>=4" in cores); and every descriptor field.
Answer<AssetFilter> parse_asset_filter(std::string_view text);

// Whether the asset passes. An asset without the field passes only "!=". Order comparisons need
// numbers on both sides; ids and names compare by prefix.
bool matches(const AssetFilter& filter, const nlohmann::json& asset);
bool matches_all(const std::vector<AssetFilter>& filters, const nlohmann::json& asset);

}  // namespace hm::cli
