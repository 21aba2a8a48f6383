// SPDX-License-Identifier: Apache-2.0
#include "node/storage_api/reader_names.h"

#include <algorithm>
#include <functional>

#include "core/api/limits.h"
#include "core/ledger/ledger.h"
#include "node/http_api/lookup.h"

namespace hm::storage_api {

Result<std::vector<identity::OwnerId>, api::ApiError> owners_of(
    const node::Node& node, const std::vector<std::string>& texts) {
  std::vector<identity::OwnerId> owners;
  for (const std::string& text : texts) {
    HM_TRY(const identity::OwnerId owner,
           http_api::find_row(text, node.ledger().tables().owners, "owner", std::identity{},
                              [](const auto& row) -> std::string_view { return row.name; }));
    if (std::ranges::find(owners, owner) == owners.end()) owners.push_back(owner);
  }
  return owners;
}

Result<void, api::ApiError> take_readers(const node::Node& node, const ports::HttpRequest& request,
                                         storing::NewObject& object) {
  std::string_view rest = request.query_value("readers").value_or("");
  std::vector<std::string> texts;
  while (!rest.empty()) {
    const std::string_view text = rest.substr(0, rest.find(','));
    if (text.empty() || texts.size() == api::kMaxReaders) {
      return fail(api::bad_request("readers are owners with commas between them", "readers"));
    }
    texts.emplace_back(text);
    rest.remove_prefix(std::min(rest.size(), text.size() + 1));
  }
  HM_TRY(object.readers, owners_of(node, texts));
  if (const auto own = storing::own_owner(node)) std::erase(object.readers, *own);
  return {};
}

}  // namespace hm::storage_api
