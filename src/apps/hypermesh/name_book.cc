// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/name_book.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/grant_json.h"

namespace hm::cli {

using nlohmann::ordered_json;

Answer<std::vector<ordered_json>> all_pages(ApiClient& client, const std::string& path,
                                            const std::string& key) {
  std::vector<ordered_json> items;
  const std::string first = fmt::format("{}{}limit=1000", path, path.contains('?') ? '&' : '?');
  std::string cursor;
  do {
    HM_CLI_TRY(const ordered_json page, client.get(first + cursor));
    if (!page.contains(key) || !page[key].is_array()) {
      return failed(ExitCode::Failure, fmt::format("{} answered without {}", client.url(), key),
                    "the node may be of another version",
                    "compare 'hypermesh version' on both sides");
    }
    items.insert(items.end(), page[key].begin(), page[key].end());
    const std::string next = text_of(page, "next_cursor");
    cursor = next.empty() ? "" : "&cursor=" + escape(next);
  } while (!cursor.empty());
  return items;
}

std::string NameBook::group(const privacy::GroupId& id) {
  const auto [entry, is_new] = groups_.try_emplace(id);
  if (!is_new) return entry->second;
  entry->second = short_id(id.to_string());
  if (const auto answer = client_.get("/privacy/groups/" + id.to_string())) {
    if (const auto row =
            group_row_of_json(answer->contains("group") ? (*answer)["group"] : *answer)) {
      entry->second = row->group.name;
      if (row->group.owner != self_) entry->second += "@" + owner(row->group.owner);
    }
  }
  return entry->second;
}

GrantNames NameBook::names() {
  return {[this](const identity::OwnerId& id) { return owner(id); },
          [this](const privacy::GroupId& id) { return group(id); },
          [this](const identity::NodeId& id) { return node(id); }};
}

}  // namespace hm::cli
