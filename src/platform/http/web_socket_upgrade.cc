// SPDX-License-Identifier: Apache-2.0
#include "platform/http/web_socket_upgrade.h"

#include <algorithm>
#include <string_view>

namespace hm::http {
namespace {

using ports::HttpFault;
using ports::HttpRequest;

bool lists(const HttpRequest& request, std::string_view header, std::string_view word) {
  return std::ranges::any_of(request.listed(header), [&](std::string_view member) {
    return ports::same_word(member, word);
  });
}

// Base64 of 16 bytes: 22 characters, of which the last has only two bits, and two of padding.
bool is_nonce(std::string_view key) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t kLength = 24;
  if (key.size() != kLength || !key.ends_with("==")) return false;
  return key.find_first_not_of(kAlphabet) == kLength - 2;
}

}  // namespace

WebSocketUpgrade read_upgrade(const HttpRequest& request, HttpVersion version) {
  WebSocketUpgrade upgrade;
  const bool asked = request.method == ports::HttpMethod::Get &&
                     lists(request, "upgrade", "websocket") &&
                     lists(request, "connection", "upgrade");
  if (!asked || request.header("sec-websocket-version") != "13") {
    upgrade.fault = HttpFault::UpgradeRequired;
    return upgrade;
  }
  upgrade.key = request.header("sec-websocket-key");
  if (version != HttpVersion::Http11 || request.count("sec-websocket-key") != 1 ||
      request.count("sec-websocket-version") != 1 || !is_nonce(upgrade.key) ||
      !request.body.empty()) {
    upgrade.fault = HttpFault::BadUpgrade;
    return upgrade;
  }
  for (const std::string_view protocol : request.listed("sec-websocket-protocol")) {
    upgrade.protocols.emplace_back(protocol);
  }
  return upgrade;
}

}  // namespace hm::http
