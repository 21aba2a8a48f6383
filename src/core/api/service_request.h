// SPDX-License-Identifier: Apache-2.0
// Bodies of requests about services, decoded as request.h decodes, and a check as it is written. A
// spec that comes out is valid (containers::validate); its place is still a text.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/api/json_writer.h"
#include "core/api/request.h"
#include "core/containers/service_spec.h"

namespace hm::api {

// {the members of a spec but "terminal" (container_request.h); "name" is the service's and is
//  needed; "image_name"?, "on"?: a filter, "duration_ms"?, "highest_price"?: CAES an hour for one
//  replica, "replicas", "health"?: {"kind", "port"?, "path"?, "command"?, "interval_ms"?,
//  "timeout_ms"?, "retries"?}}
Result<containers::ServiceSpec, BadRequest> decode_service(std::string_view body);

// {"replicas"}
Result<std::uint32_t, BadRequest> decode_scale(std::string_view body);

// An object, as decode_service() reads it.
void write_health(JsonWriter& json, const containers::HealthCheck& check);

}  // namespace hm::api
