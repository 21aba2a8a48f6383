// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "apps/hypermesh/json_fields.h"
#include "core/api/limits.h"

namespace hm::cli {

using nlohmann::ordered_json;

Answer<Listing> all_pages(ApiClient& client, const std::string& path, const char* key) {
  Listing listing;
  const std::string first =
      fmt::format("{}{}limit={}", path, path.contains('?') ? '&' : '?', api::kMaxPage);
  std::string next;
  std::uint64_t height = 0;
  do {
    HM_CLI_TRY(ordered_json page, client.get(first + next));
    std::ranges::move(take_list(page, key), std::back_inserter(listing.items));
    const std::uint64_t at = number_of(page, "height");
    listing.moved_on = listing.moved_on || (height != 0 && at != height);
    height = at;
    const std::string cursor = text_of(page, "next_cursor");
    next = cursor.empty() ? "" : "&cursor=" + escape(cursor);
    listing.last_page = std::move(page);
  } while (!next.empty());
  listing.last_page.erase(key);
  return listing;
}

}  // namespace hm::cli
