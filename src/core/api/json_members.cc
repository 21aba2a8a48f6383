// SPDX-License-Identifier: Apache-2.0
#include "core/api/json_members.h"

#include <set>
#include <utility>
#include <vector>

namespace hm::api {
namespace {

// Counted before parsing, so that no parser ever sees a deep document.
bool is_shallow(std::string_view body) {
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxJsonDepth) return false;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return true;
}

}  // namespace

std::unexpected<BadRequest> bad(std::string field, std::string problem) {
  return fail(BadRequest{std::move(field), std::move(problem)});
}

Decoded<Json> parse_json(std::string_view body) {
  if (!is_shallow(body)) return bad("", "is nested too deeply");
  // A key that stands twice could mean one thing here and another elsewhere.
  std::vector<std::set<std::string>> open;
  std::optional<std::string> repeated;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key &&
        !open.back().insert(parsed.get<std::string>()).second) {
      repeated = parsed.get<std::string>();
    }
    return true;
  };
  Json json = Json::parse(body, watch, /*allow_exceptions=*/false);
  if (json.is_discarded()) return bad("", "is not JSON");
  if (repeated) return bad(*repeated, "stands twice");
  return json;
}

Decoded<Members> Members::of(Json json, std::string path) {
  if (!json.is_object()) return bad(std::move(path), "is not an object");
  return Members(std::move(json), std::move(path));
}

std::string Members::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

std::optional<Json> Members::take(const char* name) {
  const auto found = json_.find(name);
  if (found == json_.end()) return std::nullopt;
  Json value = std::move(*found);
  json_.erase(found);
  return value;
}

Decoded<std::optional<std::string>> Members::text(const char* name, std::size_t most) {
  const auto value = take(name);
  if (!value) return std::optional<std::string>{};
  if (!value->is_string()) return bad(path_of(name), "is not a text");
  auto text = value->get<std::string>();
  if (text.size() > most) return bad(path_of(name), "is too long");
  return std::optional(std::move(text));
}

Decoded<std::optional<std::uint64_t>> Members::number(const char* name) {
  const auto value = take(name);
  if (!value) return std::optional<std::uint64_t>{};
  if (!value->is_number_unsigned()) return bad(path_of(name), "is not a whole number");
  return std::optional(value->get<std::uint64_t>());
}

Decoded<bool> Members::flag(const char* name) {
  const auto value = take(name);
  if (!value) return false;
  if (!value->is_boolean()) return bad(path_of(name), "is not true or false");
  return value->get<bool>();
}

Decoded<std::optional<crypto::Digest>> Members::digest(const char* name) {
  HM_TRY(const auto value, text(name));
  if (!value) return std::optional<crypto::Digest>{};
  const auto parsed = crypto::Digest::parse(*value);
  if (!parsed) return bad(path_of(name), "is not 64 lower-case hex digits");
  return parsed;
}

Result<void, BadRequest> Members::finish() const {
  if (json_.empty()) return {};
  return bad(path_of(json_.begin().key()), "is not known here");
}

Decoded<Members> parse_members(std::string_view body) {
  HM_TRY(Json json, parse_json(body));
  return Members::of(std::move(json), "");
}

}  // namespace hm::api
