// SPDX-License-Identifier: Apache-2.0
// Lists that the API gives page by page, as a whole.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/hypermesh/api_client.h"

namespace hm::cli {

struct Listing {
  std::vector<nlohmann::ordered_json> items;
  nlohmann::ordered_json last_page;  // what it says beside the items is of the whole list
  bool moved_on = false;             // the pages are of different blocks
};

// `path` may have a query; `key` is the member that holds a page's items.
Answer<Listing> all_pages(ApiClient& client, const std::string& path, const char* key);

}  // namespace hm::cli
