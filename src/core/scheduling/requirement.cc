// SPDX-License-Identifier: Apache-2.0
#include "core/scheduling/requirement.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace hm::scheduling {
namespace {

constexpr std::array<std::string_view, 8> kSymbols = {
    "=", "!=", "<", "<=", ">", ">=", "~=", "has:"};

using List = std::vector<std::string>;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool contains(std::string_view text, std::string_view part) {
  return !std::ranges::search(text, part, {}, lower, lower).empty();
}

bool is_item(const List& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

bool any_list_has(const assets::Descriptor& descriptor, std::string_view item) {
  return std::ranges::any_of(descriptor, [&](const auto& entry) {
    const auto* list = std::get_if<List>(&entry.second);
    return list != nullptr && is_item(*list, item);
  });
}

bool is_ordered(Comparison comparison, std::uint64_t left, std::uint64_t right) {
  switch (comparison) {
    case Comparison::Less: return left < right;
    case Comparison::LessOrEqual: return left <= right;
    case Comparison::Greater: return left > right;
    case Comparison::GreaterOrEqual: return left >= right;
    default: return false;
  }
}

bool equals(const Requirement& wanted, const assets::DescriptorValue& value) {
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return wanted.number == *number;
  if (const auto* text = std::get_if<std::string>(&value)) return *text == wanted.text;
  if (const auto* flag = std::get_if<bool>(&value))
    return wanted.text == (*flag ? "true" : "false");
  return is_item(std::get<List>(value), wanted.text);
}

bool has_part(const assets::DescriptorValue& value, std::string_view part) {
  if (const auto* text = std::get_if<std::string>(&value)) return contains(*text, part);
  const auto* list = std::get_if<List>(&value);
  return list != nullptr &&
         std::ranges::any_of(*list, [&](const std::string& item) { return contains(item, part); });
}

// The factor of a suffix; 0 if there is no such suffix.
std::uint64_t factor_of(std::string_view suffix) {
  if (suffix.ends_with('B')) suffix.remove_suffix(1);
  if (suffix.empty()) return 1;
  constexpr std::string_view kDecimal = "kMGTP";
  constexpr std::string_view kBinary = "KMGTP";
  const bool binary = suffix.size() == 2 && suffix[1] == 'i';
  if (!binary && suffix.size() != 1) return 0;
  const std::size_t power = (binary ? kBinary : kDecimal).find(suffix[0]);
  if (power == std::string_view::npos) return 0;
  std::uint64_t factor = 1;
  for (std::size_t i = 0; i <= power; ++i) factor *= binary ? 1024 : 1000;
  return factor;
}

}  // namespace

std::string_view symbol_of(Comparison comparison) {
  return kSymbols.at(static_cast<std::size_t>(comparison));
}

Requirement requirement(std::string key, Comparison comparison, std::string text) {
  const auto number = parse_number(text);
  return {std::move(key), comparison, std::move(text), number};
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  const auto digits = static_cast<std::size_t>(end - text.data());
  if (digits > 1 && text.front() == '0') return std::nullopt;
  const std::uint64_t factor = factor_of(text.substr(digits));
  if (factor == 0 || value > UINT64_MAX / factor) return std::nullopt;
  return value * factor;
}

bool holds(const Requirement& wanted, const assets::Descriptor* descriptor) {
  if (descriptor == nullptr) return wanted.comparison == Comparison::NotEqual;
  if (wanted.comparison == Comparison::Has) return any_list_has(*descriptor, wanted.text);
  const auto found = descriptor->find(wanted.key);
  if (found == descriptor->end()) return wanted.comparison == Comparison::NotEqual;
  switch (wanted.comparison) {
    case Comparison::Equal: return equals(wanted, found->second);
    case Comparison::NotEqual: return !equals(wanted, found->second);
    case Comparison::Contains: return has_part(found->second, wanted.text);
    default: break;
  }
  const auto* number = std::get_if<std::uint64_t>(&found->second);
  return number != nullptr && wanted.number &&
         is_ordered(wanted.comparison, *number, *wanted.number);
}

}  // namespace hm::scheduling
