// SPDX-License-Identifier: Apache-2.0
// What a registry says in headers and small answers (distribution-spec 1.1, and the token protocol
// that it refers to), decoded from hostile text.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/containers/image_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::containers {

// One challenge of a WWW-Authenticate header (RFC 9110 §11.6.1).
struct AuthChallenge {
  std::string scheme;                             // lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // names in lower case
  bool operator==(const AuthChallenge&) const = default;
};
// Those understood, in order; what does not parse ends the list. At most kMaxChallenges.
std::vector<AuthChallenge> parse_auth_challenges(std::string_view header);

// The answer of a token service: {"token": ...} or {"access_token": ...}. A token is printable
// ASCII without spaces, so that it fits one header.
Result<std::string, ImageError> parse_token_answer(ByteView json);

// A URL of http or https, without user, password and fragment; printable ASCII only.
struct Url {
  bool is_tls = true;
  std::string host;  // lower case; an IPv6 address without its brackets
  std::uint16_t port = 443;
  std::string target;  // path and query, begins with '/'
  bool operator==(const Url&) const = default;
};
Result<Url, ImageError> parse_url(std::string_view text);
// A Location header's value, which may be relative to where it was found (RFC 3986 §5.2, for
// references that begin with a scheme, "//" or '/').
Result<Url, ImageError> resolve_url(const Url& base, std::string_view location);
// "registry.example" or "[::1]:5000": as a Host header has it.
std::string authority_of(const Url& url);
bool is_same_origin(const Url& one, const Url& other);
bool is_loopback_host(std::string_view host);  // "localhost", 127.0.0.0/8, "::1"

std::string percent_encoded(std::string_view text);

}  // namespace hm::containers
