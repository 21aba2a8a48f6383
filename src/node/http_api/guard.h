// SPDX-License-Identifier: Apache-2.0
// Who may ask at all. Keeps pages of other origins out of a browser that runs on this machine:
// - Host must be a name of this node, so that a DNS name bound to ::1 (rebinding) is refused;
// - Origin, where a browser sends one, must be the node's own; no CORS header is ever sent;
// - a request that the browser itself calls cross-site is refused, but for opening the page;
// - a write must be JSON or raw bytes, which no plain form can send.
// And checks the admin token. Pure functions of the request's head.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/error.h"
#include "node/http_api/router.h"
#include "ports/http.h"

namespace hm::http_api {

struct GuardConfig {
  // Besides "localhost" and "[::1]": what this node is called in a URL, without port, addresses in
  // brackets: "[fd48:4d00::7]".
  std::vector<std::string> hosts;
  // Empty: nobody is an administrator over HTTP.
  std::string admin_token;
};

// Why the request may not go on, or nothing. `route` is null when there is none (then only what
// holds for every request is checked).
std::optional<api::ApiError> check_request(const GuardConfig& config,
                                           const ports::HttpRequest& request, const Route* route);

enum class Caller : std::uint8_t { Anyone, Admin };

// A script in a browser cannot set Authorization on a WebSocket, so a request for one may offer
// this prefix and the token in base64url (RFC 4648 §5, no padding) among its protocols instead. It
// is no protocol of this API and never confirmed.
inline constexpr std::string_view kTokenProtocol = "hypermesh.token.";

// A token that is shown and is not the right one, or shown twice, is an error, not an anonymous
// caller.
Result<Caller, api::ApiError> identify(const GuardConfig& config,
                                       const ports::HttpRequest& request);

}  // namespace hm::http_api
