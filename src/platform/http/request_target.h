// SPDX-License-Identifier: Apache-2.0
// The request target of HTTP (RFC 9112 §3.2.1 origin form) taken apart strictly: one that cannot be
// decoded to one meaning is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hm::http {

struct RequestTarget {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
};

// Parameters in one query; more is no request of ours.
inline constexpr std::size_t kMaxQueryParameters = 32;

// Empty unless `text` is "/path[?query]" with valid percent-encoding, no NUL and at most
// kMaxQueryParameters parameters. '+' in the query means a space.
std::optional<RequestTarget> parse_target(std::string_view text);

// Percent-encodes everything but RFC 3986 unreserved characters.
std::string percent_encode(std::string_view text);

}  // namespace hm::http
