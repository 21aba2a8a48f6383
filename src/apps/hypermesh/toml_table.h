// SPDX-License-Identifier: Apache-2.0
// Strict reading of a TOML document: every key must be known, present where it is needed, and of
// its type; the first fault is kept and named with its line. Only the two files that read TOML
// include this, because toml++ is a heavy header.
#pragma once

#include <fmt/format.h>
// The parser's assertions stand before code that reports the same faults as errors ("[[[" aborts
// with them); what is in a file must never end the process.
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"

namespace hm::cli {

// The document, or the parser's complaint with its line. `source` names it in errors.
inline Result<toml::table> parse_toml(std::string_view text, std::string_view source) {
  try {
    return toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::InvalidArgument, fmt::format("{} is not valid TOML", source),
                fmt::format("line {}: {}", error.source().begin.line, error.description()));
  }
}

class TableReader {
 public:
  // `where` names the table in errors, e.g. "genesis.toml: owner 2".
  TableReader(const toml::table& table, std::string where)
      : table_(table), where_(std::move(where)) {}

  std::string text(std::string_view key) { return needed<std::string>(key, "text"); }
  std::string text(std::string_view key, std::string_view fallback) {
    return optional<std::string>(key, "text").value_or(std::string(fallback));
  }
  bool flag(std::string_view key, bool fallback) {
    return optional<bool>(key, "true or false").value_or(fallback);
  }
  std::uint64_t number(std::string_view key) {
    return not_negative(key, needed<std::int64_t>(key, "a whole number"));
  }
  std::uint64_t number(std::string_view key, std::uint64_t fallback) {
    const auto value = optional<std::int64_t>(key, "a whole number");
    return value ? not_negative(key, *value) : fallback;
  }
  std::vector<std::string> texts(std::string_view key) {
    std::vector<std::string> items;
    const toml::node* node = take(key);
    if (node == nullptr) return items;
    const toml::array* array = node->as_array();
    if (array == nullptr) {
      refuse(key, "must be a list of texts");
      return items;
    }
    for (const toml::node& item : *array) {
      if (const auto value = item.value_exact<std::string>()) {
        items.push_back(*value);
      } else {
        refuse(key, "must be a list of texts");
      }
    }
    return items;
  }
  // A table, or an empty one.
  const toml::table& table(std::string_view key) {
    static const toml::table kEmpty;
    const toml::node* node = take(key);
    if (node == nullptr) return kEmpty;
    if (const toml::table* found = node->as_table()) return *found;
    refuse(key, "must be a table");
    return kEmpty;
  }
  // The tables of a [[list]].
  std::vector<const toml::table*> tables(std::string_view key) {
    std::vector<const toml::table*> found;
    const toml::node* node = take(key);
    if (node == nullptr) return found;
    const toml::array* array = node->as_array();
    if (array == nullptr) {
      refuse(key, "must be a list of tables");
      return found;
    }
    for (const toml::node& item : *array) {
      if (item.as_table() != nullptr) {
        found.push_back(item.as_table());
      } else {
        refuse(key, "must be a list of tables");
      }
    }
    return found;
  }

  void refuse(std::string_view key, std::string_view problem) {
    if (!fault_) fault_ = fmt::format("{}: '{}' {}", where_, key, problem);
  }

  // Refuses keys that nobody asked for, then says whether all was well.
  Result<void> finish() {
    for (const auto& [key, value] : table_) {
      if (std::ranges::find(taken_, key.str()) == taken_.end()) {
        refuse(key.str(), "is not a key that is known here");
      }
    }
    if (!fault_) return {};
    return fail(ErrorCode::InvalidArgument, *fault_, "correct the file and try again");
  }

 private:
  const toml::node* take(std::string_view key) {
    taken_.emplace_back(key);
    return table_.get(key);
  }

  template <class T>
  std::optional<T> optional(std::string_view key, std::string_view type) {
    const toml::node* node = take(key);
    if (node == nullptr) return std::nullopt;
    const std::optional<T> value = node->value_exact<T>();
    if (!value) refuse(key, fmt::format("must be {}", type));
    return value;
  }
  template <class T>
  T needed(std::string_view key, std::string_view type) {
    if (table_.get(key) == nullptr) refuse(key, "is missing");
    return optional<T>(key, type).value_or(T{});
  }
  std::uint64_t not_negative(std::string_view key, std::int64_t value) {
    if (value < 0) refuse(key, "must not be negative");
    return static_cast<std::uint64_t>(value);
  }

  const toml::table& table_;
  std::string where_;
  std::vector<std::string> taken_;
  std::optional<std::string> fault_;
};

}  // namespace hm::cli
