// SPDX-License-Identifier: Apache-2.0
// Bodies of the requests of lending, decoded as request.h decodes: strict, bounded, refused by
// name. Owners and assets stay texts: whether there are such ones is the ledger's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/request.h"
#include "core/privacy/decision.h"
#include "core/scheduling/filter.h"

namespace hm::api {

// {"requester": owner, "asset": asset, "action"?: "lease" or "discover", "quantity"?,
//  "duration_ms"?, "network"?, "highest_price"?}. One unit for the default time unless said.
struct DecideRequest {
  std::string requester;
  std::string asset;
  privacy::Request request;
};
Result<DecideRequest, BadRequest> decode_decide(std::string_view body);

// {"tenant": owner, "filter"?: text, "quantity"?, "duration_ms"?, "network"?, "highest_price"?,
//  "explain"?: true or false}. What the filter says takes the place of what stands beside it.
struct PlanRequest {
  std::string tenant;
  scheduling::Filter filter;
  bool explain = false;
};
Result<PlanRequest, BadRequest> decode_plan(std::string_view body);

// {"signed": base64 or hex of the BCS bytes of a signed operation}
Result<SignedRequest, BadRequest> decode_signed(std::string_view body);

// {"asset": asset, "level": name}
struct LevelRequest {
  std::string asset;
  assets::PrivacyLevel level = assets::PrivacyLevel::Private;
};
Result<LevelRequest, BadRequest> decode_level(std::string_view body);

// {"asset"?: asset}; none: all. An empty body is an empty request.
struct PauseRequest {
  std::optional<std::string> asset;
};
Result<PauseRequest, BadRequest> decode_pause(std::string_view body);

// {"lease": lease, or "all": true, "now"?: true or false}
struct RevokeRequest {
  std::optional<std::string> lease;  // none: all
  bool now = false;
};
Result<RevokeRequest, BadRequest> decode_revoke(std::string_view body);

}  // namespace hm::api
