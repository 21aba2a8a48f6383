// SPDX-License-Identifier: Apache-2.0
// Finds a row of the ledger by what a person gives for it: its id in full, its name if it has one,
// or at least four digits that only one id begins with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/api/error.h"
#include "foundation/base/result.h"

namespace hm::http_api {

inline constexpr std::size_t kShortestPrefix = 4;

inline api::ApiError ambiguous(std::string_view text) {
  return {.status = 400,
          .code = "AMBIGUOUS",
          .message = "'" + std::string(text) + "' begins more than one id; give more of it",
          .details = {}};
}

// `id_of` a key of the table; `name_of` a row, "" if it has none. The key of what was found.
template <class Table, class IdOf, class NameOf>
Result<typename Table::key_type, api::ApiError> find_row(std::string_view text, const Table& table,
                                                         std::string_view what, IdOf id_of,
                                                         NameOf name_of) {
  using Key = typename Table::key_type;
  if constexpr (requires { Key::parse(text); }) {
    if (const auto id = Key::parse(text); id && table.contains(*id)) return *id;
  }
  std::optional<Key> found;
  bool several = false;
  for (const auto& [key, row] : table) {
    if (!text.empty() && name_of(row) == text) return key;
    if (text.size() < kShortestPrefix) continue;
    const std::string id = id_of(key).to_string();
    if (id == text) return key;
    if (!id.starts_with(text)) continue;
    several = found.has_value();
    found = key;
  }
  if (several) return fail(ambiguous(text));
  if (found) return *found;
  return fail(api::not_found("no " + std::string(what) + " is called '" + std::string(text) + "'"));
}

}  // namespace hm::http_api
