// SPDX-License-Identifier: Apache-2.0
#include "core/api/storage_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/api/json_members.h"
#include "core/api/limits.h"
#include "core/api/text.h"

namespace hm::api {
namespace {

Decoded<std::string> needed(Members& members, const char* name, std::size_t most) {
  HM_TRY(auto text, members.text(name, most));
  if (!text) return bad(members.path_of(name), "is missing");
  return std::move(*text);
}

Decoded<std::vector<std::string>> texts(Members& members, const char* name, std::size_t most,
                                        std::size_t longest) {
  auto list = members.take(name);
  if (!list) return bad(members.path_of(name), "is missing");
  if (!list->is_array()) return bad(members.path_of(name), "is not a list");
  if (list->size() > most) return bad(members.path_of(name), "is too long");
  std::vector<std::string> found;
  for (const Json& entry : *list) {
    if (!entry.is_string()) return bad(members.path_of(name), "has something that is no text");
    found.push_back(entry.get<std::string>());
    if (found.back().size() > longest) {
      return bad(members.path_of(name), "has something that is too long");
    }
  }
  return found;
}

Result<void, BadRequest> take_metadata(Members& members,
                                       std::map<std::string, std::string>& metadata) {
  const auto json = members.take("metadata");
  if (!json) return {};
  if (!json->is_object()) return bad(members.path_of("metadata"), "is not an object");
  for (const auto& [key, value] : json->items()) {
    if (!value.is_string())
      return bad(members.path_of("metadata"), "has something that is no text");
    metadata.emplace(key, value.get<std::string>());
  }
  return {};
}

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("-._~:/@+=,;!$&'()*").contains(c);
}

std::optional<int> digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// A position; one that does not fit into 64 bits is behind every end.
std::optional<std::uint64_t> position_of(std::string_view digits) {
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return read.ec == std::errc{} ? value : UINT64_MAX;
}

}  // namespace

Result<std::vector<std::string>, BadRequest> decode_object_names(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  HM_TRY(auto names, texts(members, "names", kMaxObjectNames, kMaxObjectNameText));
  if (names.empty()) return bad("names", "is empty");
  HM_TRY_VOID(members.finish());
  return names;
}

Result<ShareObjectRequest, BadRequest> decode_share_object(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  ShareObjectRequest request;
  HM_TRY(request.name, needed(members, "name", kMaxObjectNameText));
  HM_TRY(request.readers, texts(members, "readers", kMaxReaders, kMaxText));
  HM_TRY(request.rewrite, members.flag("rewrite"));
  HM_TRY_VOID(members.finish());
  return request;
}

Result<BeginUploadRequest, BadRequest> decode_begin_upload(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  BeginUploadRequest request;
  HM_TRY(const auto part_bytes, members.number("part_bytes"));
  if (!part_bytes) return bad("part_bytes", "is missing");
  request.part_bytes = *part_bytes;
  HM_TRY(request.bytes, members.number("bytes"));
  HM_TRY(auto note, members.text("note", kMaxUploadNote));
  request.note = std::move(note).value_or("");
  HM_TRY_VOID(members.finish());
  return request;
}

Result<CompleteUploadRequest, BadRequest> decode_complete_upload(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  CompleteUploadRequest request;
  HM_TRY(request.bytes, members.number("bytes"));
  HM_TRY(request.content, members.digest("content"));
  HM_TRY_VOID(members.finish());
  return request;
}

Result<std::string, BadRequest> decode_drain(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  HM_TRY(std::string node, needed(members, "node", kMaxText));
  HM_TRY_VOID(members.finish());
  return node;
}

Result<BatchEntry, BadRequest> decode_batch_entry(std::string_view line) {
  HM_TRY(Members members, parse_members(line));
  BatchEntry entry;
  HM_TRY(entry.name, needed(members, "name", kMaxObjectNameText));
  HM_TRY(const auto size, members.number("size"));
  if (!size) return bad("size", "is missing");
  entry.size = *size;
  HM_TRY_VOID(take_metadata(members, entry.metadata));
  HM_TRY_VOID(members.finish());
  return entry;
}

std::optional<CodeWords> parse_code(std::string_view text) {
  const std::size_t plus = text.find('+');
  if (plus == std::string_view::npos) return std::nullopt;
  const auto data = parse_number(text.substr(0, plus));
  const auto parity = parse_number(text.substr(plus + 1));
  if (!data || !parity || *data == 0 || *data > UINT8_MAX || *parity > UINT8_MAX) {
    return std::nullopt;
  }
  return CodeWords{static_cast<std::uint8_t>(*data), static_cast<std::uint8_t>(*parity)};
}

RangeAnswer parse_range(std::string_view header, std::uint64_t size) {
  const RangeAnswer whole{RangeVerdict::Whole, {0, size}};
  constexpr std::string_view kUnit = "bytes=";
  header = trimmed(header);
  if (!header.starts_with(kUnit)) return whole;
  const std::string_view set = trimmed(header.substr(kUnit.size()));
  const std::size_t dash = set.find('-');
  if (dash == std::string_view::npos || set.contains(',')) return whole;
  const std::string_view first = set.substr(0, dash);
  const std::string_view last = set.substr(dash + 1);
  const RangeAnswer nothing{RangeVerdict::Unsatisfiable, {0, size}};
  if (first.empty()) {
    const auto suffix = position_of(last);
    if (!suffix) return whole;
    if (*suffix == 0 || size == 0) return nothing;
    return {RangeVerdict::Part, {size - std::min(*suffix, size), size}};
  }
  const auto begin = position_of(first);
  const auto inclusive =
      last.empty() ? std::optional<std::uint64_t>(UINT64_MAX) : position_of(last);
  if (!begin || !inclusive || *inclusive < *begin) return whole;
  if (*begin >= size) return nothing;
  return {RangeVerdict::Part, {*begin, std::min(*inclusive, size - 1) + 1}};
}

std::string to_header_text(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_plain(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::optional<std::string> from_header_text(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out.push_back(text[at]);
      continue;
    }
    if (at + 2 >= text.size()) return std::nullopt;
    const auto high = digit_of(text[at + 1]);
    const auto low = digit_of(text[at + 2]);
    if (!high || !low) return std::nullopt;
    out.push_back(static_cast<char>(*high * 16 + *low));
    at += 2;
  }
  return out;
}

}  // namespace hm::api
