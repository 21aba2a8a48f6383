// SPDX-License-Identifier: Apache-2.0
#include "node/http_api/guard.h"

#include <algorithm>
#include <string_view>

#include "core/api/text.h"
#include "foundation/crypto/wipe.h"

namespace hm::http_api {
namespace {

using ports::HttpMethod;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// Without the port: "[::1]:8445" → "[::1]".
std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_own_host(const GuardConfig& config, std::string_view host) {
  const std::string name = lower(host_name(host));
  if (name == "localhost" || name == "[::1]") return true;
  return std::ranges::any_of(config.hosts,
                             [&](const std::string& own) { return lower(own) == name; });
}

bool is_write(HttpMethod method) {
  return method != HttpMethod::Get && method != HttpMethod::Head && method != HttpMethod::Options;
}

// What the body of a write may be. A plain form can send neither.
enum class BodyType : std::uint8_t { Json, Bytes, Either };

BodyType body_type_of(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::SubmitOperations: return BodyType::Either;
    case Endpoint::PutObject:
    case Endpoint::PutObjects:
    case Endpoint::PutPart:
    case Endpoint::RecoverObject:
    case Endpoint::AttachObject: return BodyType::Bytes;
    default: return BodyType::Json;
  }
}

std::string media_type(const ports::HttpRequest& request) {
  std::string_view type = request.header("content-type");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return lower(type);
}

api::ApiError foreign(std::string message) {
  return {.status = 403, .code = "FOREIGN_ORIGIN", .message = std::move(message), .details = {}};
}

bool equal(std::string_view given, std::string_view secret) {
  return crypto::equal_in_constant_time(as_bytes(given), as_bytes(secret));
}

// Tokens among the protocols that a WebSocket's client offers.
std::vector<std::string_view> tokens_offered(const ports::HttpRequest& request) {
  std::vector<std::string_view> tokens;
  if (!std::ranges::any_of(request.listed("upgrade"), [](std::string_view protocol) {
        return ports::same_word(protocol, "websocket");
      })) {
    return tokens;
  }
  for (const std::string_view protocol : request.listed("sec-websocket-protocol")) {
    if (protocol.starts_with(kTokenProtocol)) {
      tokens.push_back(protocol.substr(kTokenProtocol.size()));
    }
  }
  return tokens;
}

// Following a link to the node's page is harmless: the page sends nothing by itself.
bool opens_page(const ports::HttpRequest& request, const Route* route) {
  return route != nullptr && route->endpoint == Endpoint::Overview &&
         request.header("sec-fetch-mode") == "navigate";
}

}  // namespace

std::optional<api::ApiError> check_request(const GuardConfig& config,
                                           const ports::HttpRequest& request, const Route* route) {
  if (request.count("host") != 1) return api::bad_request("exactly one Host header is needed");
  const std::string_view host = request.header("host");
  if (!is_own_host(config, host)) {
    return foreign("this node is not called '" + std::string(host) + "'");
  }
  const std::string site = lower(request.header("sec-fetch-site"));
  const bool foreign_site = !site.empty() && site != "same-origin" && site != "none";
  if (foreign_site && !opens_page(request, route)) {
    return foreign("pages of other origins may not use this API");
  }
  if (request.count("origin") > 0) {
    const std::string origin = lower(request.header("origin"));
    if (request.count("origin") > 1 || origin != "http://" + lower(host)) {
      return foreign("pages of other origins may not use this API");
    }
  }
  if (!is_write(request.method)) return std::nullopt;
  const std::string type = media_type(request);
  const BodyType body = route != nullptr ? body_type_of(route->endpoint) : BodyType::Json;
  const bool is_json = type == "application/json" && body != BodyType::Bytes;
  const bool is_bytes = type == "application/octet-stream" && body != BodyType::Json;
  if (!is_json && !is_bytes) {
    return api::ApiError{.status = 415,
                         .code = "CONTENT_TYPE",
                         .message = body == BodyType::Bytes
                                        ? "this needs Content-Type: application/octet-stream"
                                        : "a write needs Content-Type: application/json",
                         .details = {}};
  }
  return std::nullopt;
}

Result<Caller, api::ApiError> identify(const GuardConfig& config,
                                       const ports::HttpRequest& request) {
  const std::vector<std::string_view> offered = tokens_offered(request);
  const std::size_t shown = request.count("authorization") + offered.size();
  if (shown == 0) return Caller::Anyone;
  bool right = false;
  if (!offered.empty()) {
    right = equal(offered.front(), api::to_base64url(as_bytes(config.admin_token)));
  } else {
    constexpr std::string_view kBearer = "bearer ";
    const std::string_view given = request.header("authorization");
    right = lower(given.substr(0, kBearer.size())) == kBearer &&
            equal(given.substr(kBearer.size()), config.admin_token);
  }
  if (shown > 1 || !right || config.admin_token.empty()) {
    return fail(api::unauthenticated("this is not the node's admin token"));
  }
  return Caller::Admin;
}

}  // namespace hm::http_api
