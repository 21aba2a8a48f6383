// SPDX-License-Identifier: Apache-2.0
// The one shape of every refusal of the API: error{code, message, details, request_id, timestamp}.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/ledger/refusal.h"
#include "foundation/base/error.h"
#include "foundation/base/time.h"

namespace hm::api {

using DetailValue = std::variant<std::string, std::uint64_t>;

struct ApiError {
  std::uint16_t status = 500;
  std::string code;     // stable, upper case: "NOT_FOUND", "REFUSED"
  std::string message;  // for a person
  std::vector<std::pair<std::string, DetailValue>> details;
};

// 400, "the body …" and which field.
ApiError bad_request(std::string message, std::string field = {});
ApiError unauthenticated(std::string message);
ApiError forbidden(std::string message);
ApiError not_found(std::string message);
ApiError too_many(std::string message, std::uint64_t retry_after_seconds);

// 422 with rule, the failed proof and the numbers; 409 for what conflicts with the present state
// (duplicates, versions, used sequences).
ApiError refused(const ledger::Refused& refused);

// A port's error as an answer.
ApiError from_error(const Error& error);

std::string encode(const ApiError& error, std::string_view request_id, UnixMillis now);

}  // namespace hm::api
