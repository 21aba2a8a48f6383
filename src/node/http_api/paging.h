// SPDX-License-Identifier: Apache-2.0
// Pages of the ledger's ordered tables: limit and cursor as a client gives them, and the list with
// its total and the cursor of the next page. A cursor is the row of the last entry shown, in hex.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/api/error.h"
#include "core/api/json_writer.h"
#include "core/api/limits.h"
#include "core/api/text.h"
#include "core/ledger/row_key.h"
#include "foundation/base/hex.h"
#include "ports/http.h"

namespace hm::http_api {

template <class K>
struct Page {
  std::uint64_t limit = api::kDefaultPage;
  std::optional<K> after;

  static Result<Page, api::ApiError> of(const ports::HttpRequest& request) {
    Page page;
    if (const auto text = request.query_value("limit")) {
      const auto number = api::parse_number(*text);
      if (!number || *number == 0 || *number > api::kMaxPage) {
        return fail(api::bad_request("limit is a number from 1 to " + std::to_string(api::kMaxPage),
                                     "limit"));
      }
      page.limit = *number;
    }
    if (const auto text = request.query_value("cursor")) {
      const auto row = from_hex(*text);
      if (row) page.after = ledger::RowReader<K>::read(*row);
      if (!page.after) return fail(api::bad_request("this is no cursor of ours", "cursor"));
    }
    return page;
  }
};

// "name": [the page's rows that `admits`, by `write`], "total", "next_cursor", "height".
template <class Table, class Admits, class Write>
void write_page(api::JsonWriter& json, std::string_view name, const Table& table,
                const Page<typename Table::key_type>& page, std::uint64_t height, Admits admits,
                Write write) {
  json.key(name).begin_array();
  std::uint64_t total = 0;
  std::uint64_t shown = 0;
  std::optional<Bytes> last;
  bool more = false;
  for (const auto& [key, row] : table) {
    if (!admits(key, row)) continue;
    ++total;
    if (page.after && key <= *page.after) continue;
    if (shown == page.limit) {
      more = true;
      continue;
    }
    write(key, row);
    ++shown;
    last.emplace();
    ledger::append_row(*last, key);
  }
  json.end_array().member("total", total).key("next_cursor");
  if (more) {
    json.value(to_hex(*last));
  } else {
    json.null();
  }
  json.member("height", height);
}

}  // namespace hm::http_api
