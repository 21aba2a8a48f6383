// SPDX-License-Identifier: Apache-2.0
#include "core/api/error.h"

#include "core/api/json_writer.h"
#include "core/api/text.h"

namespace hm::api {
namespace {

std::uint16_t status_of(ledger::Refusal rule) {
  using enum ledger::Refusal;
  switch (rule) {
    case Malformed: return 400;
    case OperationTooLarge: return 413;
    case UnknownAsset: return 404;
    case AlreadyApplied:
    case SequenceUsed:
    case SequenceGap:
    case DuplicateOwner:
    case DuplicateNode:
    case DuplicateAsset:
    case AddressCollision:
    case VersionMismatch:
    case GenerationNotNext: return 409;
    default: return 422;
  }
}

std::pair<std::uint16_t, std::string_view> shape_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument: return {400, "BAD_REQUEST"};
    case ErrorCode::NotFound: return {404, "NOT_FOUND"};
    case ErrorCode::AlreadyExists: return {409, "CONFLICT"};
    case ErrorCode::FailedPrecondition: return {409, "CONFLICT"};
    case ErrorCode::PermissionDenied: return {403, "FORBIDDEN"};
    case ErrorCode::Unauthenticated: return {401, "UNAUTHENTICATED"};
    case ErrorCode::Busy: return {429, "BUSY"};
    case ErrorCode::NoCapacity: return {503, "NO_CAPACITY"};
    case ErrorCode::Unavailable: return {503, "UNAVAILABLE"};
    case ErrorCode::Corrupt: return {500, "CORRUPT"};
    case ErrorCode::Unsupported: return {422, "UNSUPPORTED"};
    case ErrorCode::Io: return {500, "IO"};
  }
  return {500, "INTERNAL"};
}

}  // namespace

ApiError bad_request(std::string message, std::string field) {
  ApiError error{
      .status = 400, .code = "BAD_REQUEST", .message = std::move(message), .details = {}};
  if (!field.empty()) error.details.emplace_back("field", std::move(field));
  return error;
}

ApiError unauthenticated(std::string message) {
  return {.status = 401, .code = "UNAUTHENTICATED", .message = std::move(message), .details = {}};
}

ApiError forbidden(std::string message) {
  return {.status = 403, .code = "FORBIDDEN", .message = std::move(message), .details = {}};
}

ApiError not_found(std::string message) {
  return {.status = 404, .code = "NOT_FOUND", .message = std::move(message), .details = {}};
}

ApiError too_many(std::string message, std::uint64_t retry_after_seconds) {
  return {.status = 429,
          .code = "BUSY",
          .message = std::move(message),
          .details = {{"retry_after_s", retry_after_seconds}}};
}

ApiError refused(const ledger::Refused& refused) {
  ApiError error{.status = status_of(refused.rule),
                 .code = "REFUSED",
                 .message = ledger::explain(refused),
                 .details = {}};
  error.details.emplace_back("rule", std::string(ledger::name_of(refused.rule)));
  if (const auto proof = ledger::proof_of(refused.rule)) {
    error.details.emplace_back("proof", std::string(proofs::name_of(*proof)));
  }
  if (refused.given != 0 || refused.wanted != 0) {
    error.details.emplace_back("given", refused.given);
    error.details.emplace_back("wanted", refused.wanted);
  }
  return error;
}

ApiError from_error(const Error& error) {
  const auto [status, code] = shape_of(error.code);
  ApiError answer{
      .status = status, .code = std::string(code), .message = error.message, .details = {}};
  if (!error.detail.empty()) answer.details.emplace_back("hint", error.detail);
  return answer;
}

std::string encode(const ApiError& error, std::string_view request_id, UnixMillis now) {
  JsonWriter json;
  json.begin_object().key("error").begin_object();
  json.member("code", error.code).member("message", error.message);
  json.key("details").begin_object();
  for (const auto& [name, detail] : error.details) {
    json.key(name);
    std::visit([&](const auto& value) { json.value(value); }, detail);
  }
  json.end_object();
  json.member("request_id", request_id).member("timestamp", to_rfc3339(now));
  json.end_object().end_object();
  return std::move(json).take();
}

}  // namespace hm::api
