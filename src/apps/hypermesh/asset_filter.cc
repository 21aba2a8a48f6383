// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/asset_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/hypermesh/quantity.h"
#include "apps/hypermesh/suggestion.h"

namespace hm::cli {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 7> kKinds = {"cpu",     "gpu",       "memory",  "storage",
                                                    "network", "container", "economic"};
constexpr std::array<std::string_view, 3> kQuantities = {"detected", "offered", "available"};

bool is_one_of(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

struct Operator {
  std::string_view text;
  Comparison comparison;
};
// Longer ones first: "<=" is not "<" with a value that starts with '='.
constexpr std::array<Operator, 6> kOperators = {{{"!=", Comparison::NotEqual},
                                                 {"<=", Comparison::LessOrEqual},
                                                 {">=", Comparison::GreaterOrEqual},
                                                 {"=", Comparison::Equal},
                                                 {"<", Comparison::Less},
                                                 {">", Comparison::Greater}}};

bool is_order(Comparison comparison) {
  return comparison != Comparison::Equal && comparison != Comparison::NotEqual;
}

bool compare(Comparison comparison, std::uint64_t left, std::uint64_t right) {
  switch (comparison) {
    case Comparison::Equal: return left == right;
    case Comparison::NotEqual: return left != right;
    case Comparison::Less: return left < right;
    case Comparison::LessOrEqual: return left <= right;
    case Comparison::Greater: return left > right;
    case Comparison::GreaterOrEqual: return left >= right;
  }
  return false;
}

const json* member(const json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string text_of(const json* value) {
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

// The number wanted; of cores, which may be halves, in thousandths.
std::optional<std::uint64_t> wanted_of(std::string_view text, bool cores) {
  if (!cores) return parse_quantity(text);
  return parse_quantity(std::string(text) + "k");
}

bool matches_number(const AssetFilter& filter, const json* value, bool cores) {
  const auto wanted = wanted_of(filter.value, cores);
  if (value == nullptr || !value->is_number_unsigned() || !wanted) {
    return filter.comparison == Comparison::NotEqual;
  }
  return compare(filter.comparison, value->get<std::uint64_t>(), *wanted);
}

bool matches_text(const AssetFilter& filter, bool equal) {
  return filter.comparison == Comparison::NotEqual
             ? !equal
             : filter.comparison == Comparison::Equal && equal;
}

// "cpu>=4": an asset of that kind that is so large, whatever part of it is offered.
bool matches_kind_quantity(const AssetFilter& filter, const json& asset) {
  if (text_of(member(asset, "kind")) != filter.key) return false;
  const json* quantity = member(asset, "quantity");
  if (quantity == nullptr) return false;
  const bool cores = text_of(member(*quantity, "unit")) == "millicores";
  return matches_number(filter, member(*quantity, "detected"), cores);
}

bool equals(const json& value, std::string_view text) {
  if (value.is_string()) return value.get<std::string>() == text;
  if (value.is_boolean()) return text == (value.get<bool>() ? "true" : "false");
  if (value.is_array()) {
    return std::ranges::any_of(value, [&](const json& item) { return equals(item, text); });
  }
  return false;
}

// An id is meant by a prefix of the whole text or of the part after the kind ("cpu:0198…").
bool has_id_prefix(std::string_view id, std::string_view prefix) {
  if (id.starts_with(prefix)) return true;
  const std::size_t colon = id.find(':');
  return colon != std::string_view::npos && id.substr(colon + 1).starts_with(prefix);
}

}  // namespace

Answer<AssetFilter> parse_asset_filter(std::string_view text) {
  const std::size_t at = text.find_first_of("!<>=");
  if (at == std::string_view::npos || at == 0) {
    const std::string near = suggestion_for(text, {"ls", "show", "watch"});
    return failed(
        ExitCode::Usage, fmt::format("'{}' is neither a filter nor a subcommand", text),
        "a filter is a key, a comparison and a value, such as kind=cpu or memory>=16GiB",
        near.empty() ? "hypermesh assets --help" : fmt::format("did you mean '{}'?", near));
  }
  const std::string_view rest = text.substr(at);
  const auto found =
      std::ranges::find_if(kOperators, [&](const Operator& o) { return rest.starts_with(o.text); });
  if (found == kOperators.end() || rest.size() == found->text.size()) {
    return failed(ExitCode::Usage, fmt::format("filter '{}' has no comparison and value", text),
                  "the comparisons are = != < <= > >=", "for example memory>=16GiB");
  }
  AssetFilter filter{std::string(text.substr(0, at)), found->comparison,
                     std::string(rest.substr(found->text.size()))};
  const bool numeric = is_order(filter.comparison) || is_one_of(kKinds, filter.key) ||
                       is_one_of(kQuantities, filter.key);
  const bool cores = filter.key == "cpu";
  if (numeric && !wanted_of(filter.value, cores)) {
    return failed(ExitCode::Usage,
                  fmt::format("'{}' in filter '{}' is not a number", filter.value, text),
                  cores ? "cpu is compared with a number of cores, such as 4 or 0.5"
                        : "a number may carry k, M, G, T or Ki, Mi, Gi, Ti and B",
                  cores ? "for example cpu>=0.5" : "for example 16GiB");
  }
  if (filter.key == "kind" && !is_one_of(kKinds, filter.value)) {
    const std::string near = suggestion_for(filter.value, {kKinds.begin(), kKinds.end()});
    return failed(ExitCode::Usage, fmt::format("'{}' is no kind of asset", filter.value),
                  "the kinds are cpu, gpu, memory, storage, network, container and economic",
                  near.empty() ? "" : fmt::format("did you mean '{}'?", near));
  }
  return filter;
}

bool matches(const AssetFilter& filter, const json& asset) {
  if (is_one_of(kKinds, filter.key)) return matches_kind_quantity(filter, asset);
  if (filter.key == "kind" || filter.key == "state" || filter.key == "level") {
    return matches_text(filter, text_of(member(asset, filter.key)) == filter.value);
  }
  if (filter.key == "id" || filter.key == "node" || filter.key == "owner") {
    const std::string name = text_of(member(asset, filter.key + "_name"));
    const bool equal = has_id_prefix(text_of(member(asset, filter.key)), filter.value) ||
                       (!name.empty() && name == filter.value);
    return matches_text(filter, equal);
  }
  if (is_one_of(kQuantities, filter.key)) {
    const json* quantity = member(asset, "quantity");
    return matches_number(filter, quantity == nullptr ? nullptr : member(*quantity, filter.key),
                          false);
  }
  const json* descriptor = member(asset, "descriptor");
  const json* value = descriptor == nullptr ? nullptr : member(*descriptor, filter.key);
  if (value == nullptr) return filter.comparison == Comparison::NotEqual;
  if (value->is_number()) return matches_number(filter, value, false);
  return matches_text(filter, equals(*value, filter.value));
}

bool matches_all(const std::vector<AssetFilter>& filters, const json& asset) {
  return std::ranges::all_of(filters, [&](const AssetFilter& f) { return matches(f, asset); });
}

}  // namespace hm::cli
