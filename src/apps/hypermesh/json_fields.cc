// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/json_fields.h"

#include <utility>

namespace hm::cli {

using nlohmann::ordered_json;

const ordered_json& member_of(const ordered_json& object, const char* key) {
  static const ordered_json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

const ordered_json& list_of(const ordered_json& object, const char* key) {
  static const ordered_json kEmpty = ordered_json::array();
  const ordered_json& found = member_of(object, key);
  return found.is_array() ? found : kEmpty;
}

std::vector<ordered_json> take_list(ordered_json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return {};
  return std::exchange(found->get_ref<ordered_json::array_t&>(), {});
}

std::int64_t signed_of(const ordered_json& object, const char* key) {
  const ordered_json& found = member_of(object, key);
  return found.is_number_integer() ? found.get<std::int64_t>() : 0;
}

std::optional<caesar::Amount> amount_of(const ordered_json& object, const char* key) {
  const ordered_json& found = member_of(object, key);
  if (!found.is_string()) return std::nullopt;
  return caesar::parse_amount(found.get_ref<const std::string&>());
}

}  // namespace hm::cli
