// SPDX-License-Identifier: Apache-2.0
#include "platform/http/request_target.h"

#include <cstdint>

namespace hm::http {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus : std::uint8_t { Literal, Space };

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus == Plus::Space) {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;
    out.push_back(c);
  }
  return out;
}

}  // namespace

std::optional<RequestTarget> parse_target(std::string_view text) {
  if (text.empty() || text.front() != '/') return std::nullopt;
  const std::size_t mark = text.find('?');
  RequestTarget target;
  auto path = percent_decode(text.substr(0, mark), Plus::Literal);
  if (!path) return std::nullopt;
  target.path = std::move(*path);
  if (mark == std::string_view::npos) return target;

  std::string_view rest = text.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (pair.empty()) continue;
    if (target.query.size() == kMaxQueryParameters) return std::nullopt;
    const std::size_t equals = pair.find('=');
    auto key = percent_decode(pair.substr(0, equals), Plus::Space);
    auto value = equals == std::string_view::npos
                     ? std::optional<std::string>(std::string{})
                     : percent_decode(pair.substr(equals + 1), Plus::Space);
    if (!key || !value) return std::nullopt;
    target.query.emplace_back(std::move(*key), std::move(*value));
  }
  return target;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 0xf]);
    }
  }
  return out;
}

}  // namespace hm::http
