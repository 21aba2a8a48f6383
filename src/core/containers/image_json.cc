// SPDX-License-Identifier: Apache-2.0
#include "core/containers/image_json.h"

#include <set>
#include <utility>

#include "core/containers/image_digest.h"
#include "core/containers/limits.h"

namespace hm::containers {
namespace {

// Counted before parsing, so that no parser ever sees a deep document.
bool is_shallow(std::string_view text) {
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxImageDepth) return false;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return true;
}

}  // namespace

Decoded<Json> parse_json(ByteView bytes) {
  if (bytes.size() > kMaxImageDocument) return fail(ImageError::TooLarge);
  const std::string_view text = as_text(bytes);
  if (!is_shallow(text)) return fail(ImageError::TooLarge);
  // A key that stands twice could mean one thing here and another elsewhere.
  std::vector<std::set<std::string>> open;
  bool repeated = false;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key) {
      repeated |= !open.back().insert(parsed.get<std::string>()).second;
    }
    return true;
  };
  Json json = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (json.is_discarded()) return fail(ImageError::NotJson);
  if (repeated) return fail(ImageError::RepeatedKey);
  return json;
}

Decoded<Members> Members::of(const Json& json) {
  if (!json.is_object()) return fail(ImageError::WrongType);
  return Members(json);
}

const Json* Members::find(const char* name) const {
  const auto found = json_->find(name);
  return found == json_->end() || found->is_null() ? nullptr : &*found;
}

Decoded<std::string> Members::text(const char* name, std::size_t most) const {
  const Json* value = find(name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return fail(ImageError::WrongType);
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() > most) return fail(ImageError::TooLarge);
  return text;
}

Decoded<std::string> Members::required_text(const char* name, std::size_t most) const {
  HM_TRY(auto value, text(name, most));
  if (value.empty()) return fail(ImageError::WrongType);
  return value;
}

Decoded<std::vector<std::string>> Members::texts(const char* name, std::size_t most_entries,
                                                 std::size_t most_bytes) const {
  std::vector<std::string> texts;
  const Json* value = find(name);
  if (value == nullptr) return texts;
  if (!value->is_array()) return fail(ImageError::WrongType);
  if (value->size() > most_entries) return fail(ImageError::TooLarge);
  for (const Json& element : *value) {
    if (!element.is_string()) return fail(ImageError::WrongType);
    const auto& text = element.get_ref<const std::string&>();
    if (text.size() > most_bytes) return fail(ImageError::TooLarge);
    texts.push_back(text);
  }
  return texts;
}

Decoded<crypto::Digest> Members::digest(const char* name) const {
  const Json* value = find(name);
  if (value == nullptr || !value->is_string()) return fail(ImageError::WrongType);
  const auto digest = parse_image_digest(value->get_ref<const std::string&>());
  if (!digest) return fail(ImageError::BadDigest);
  return *digest;
}

Decoded<std::uint64_t> Members::size(const char* name) const {
  const Json* value = find(name);
  if (value == nullptr || !value->is_number()) return fail(ImageError::WrongType);
  if (!value->is_number_unsigned()) return fail(ImageError::BadSize);
  const auto size = value->get<std::uint64_t>();
  if (size > kMaxBlobBytes) return fail(ImageError::BadSize);
  return size;
}

Decoded<const Json*> Members::list(const char* name, std::size_t most) const {
  const Json* value = find(name);
  if (value == nullptr || !value->is_array()) return fail(ImageError::WrongType);
  if (value->size() > most) return fail(ImageError::TooLarge);
  return value;
}

}  // namespace hm::containers
