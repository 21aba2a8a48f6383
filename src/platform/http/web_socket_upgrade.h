// SPDX-License-Identifier: Apache-2.0
// What a request says about becoming a WebSocket (RFC 6455 §4.2.1). Pure; internal to
// platform/http.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ports/http.h"

namespace hm::http {

enum class HttpVersion : std::uint8_t { Older, Http11 };

struct WebSocketUpgrade {
  // Why it cannot become one: UpgradeRequired (no upgrade asked for, or of another version) or
  // BadUpgrade.
  std::optional<ports::HttpFault> fault;
  std::string key;
  std::vector<std::string> protocols;  // offered
};

WebSocketUpgrade read_upgrade(const ports::HttpRequest& request, HttpVersion version);

}  // namespace hm::http
