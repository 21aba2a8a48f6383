// SPDX-License-Identifier: Apache-2.0
// A hostile JSON object taken apart member by member: depth bounded before it is parsed, no key
// twice, and what nobody took is refused at the end. For the decoders of this module.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/api/limits.h"
#include "core/api/request.h"
#include "foundation/crypto/hash.h"

namespace hm::api {

using Json = nlohmann::json;

template <class T>
using Decoded = Result<T, BadRequest>;

std::unexpected<BadRequest> bad(std::string field, std::string problem);

Decoded<Json> parse_json(std::string_view body);

// Takes the members of one object out by name; what is left at the end was not expected.
class Members {
 public:
  static Decoded<Members> of(Json json, std::string path);

  std::string path_of(std::string_view name) const;

  std::optional<Json> take(const char* name);
  Decoded<std::optional<std::string>> text(const char* name, std::size_t most = kMaxText);
  Decoded<std::optional<std::uint64_t>> number(const char* name);
  // Absent is false.
  Decoded<bool> flag(const char* name);
  Decoded<std::optional<crypto::Digest>> digest(const char* name);

  Result<void, BadRequest> finish() const;

 private:
  Members(Json json, std::string path) : json_(std::move(json)), path_(std::move(path)) {}
  Json json_;
  std::string path_;
};

Decoded<Members> parse_members(std::string_view body);

}  // namespace hm::api
