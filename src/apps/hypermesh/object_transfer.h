// SPDX-License-Identifier: Apache-2.0
// Objects between here and the node, as streams, with progress.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/hypermesh/object_access.h"
#include "foundation/crypto/hash.h"
#include "platform/http/http_client.h"

namespace hm::cli {

// How an object is to be stored, as a query and headers say it.
struct StoreWish {
  std::string code;     // empty: what suits
  std::string profile;  // empty: standard
  bool is_alone = false;
  bool no_compress = false;
  bool only_new = false;
  std::optional<std::string> only_etag;
  std::vector<std::string> readers;
  std::map<std::string, std::string> metadata;
};

// "&code=4+2…", what follows the name in a query; the headers; and of these those that are
// conditions.
std::string query_of(const StoreWish& wish);
std::vector<ports::HttpHeader> headers_of(const StoreWish& wish);
std::vector<ports::HttpHeader> conditions_of(const StoreWish& wish);

// Fills the front of the room, how much; 0: the end.
using ReadBytes = std::function<Answer<std::size_t>(std::span<char> room)>;
// The node's report on what it stored. A source that fails fails it, and then nothing is stored.
Answer<nlohmann::ordered_json> send_object(ObjectAccess& access, const std::string& name,
                                           const StoreWish& wish,
                                           std::optional<std::uint64_t> length,
                                           const ReadBytes& read);
// A batch (docs/api/openapi.json): all of it or nothing is stored. `plain` of its bytes are
// objects'.
Answer<nlohmann::ordered_json> send_batch(ObjectAccess& access, const StoreWish& wish,
                                          std::uint64_t plain, std::uint64_t length,
                                          const ReadBytes& read);

enum class Progress : std::uint8_t { Shown, Silent };

using TakeBytes = std::function<Outcome(std::string_view piece)>;
// Bytes `begin` to `end` - 1 of the object with this entity tag. A transfer that breaks is gone on
// with a few times; what cannot be read is the node's reason.
Outcome receive_object(ObjectAccess& access, const std::string& name, const std::string& etag,
                       std::uint64_t begin, std::uint64_t end, const TakeBytes& take,
                       Progress shown = Progress::Shown);

// Stores an object of this node anew, as another object or in its own place, bytes passing through
// here.
Answer<nlohmann::ordered_json> copy_object(ObjectAccess& access, const nlohmann::ordered_json& from,
                                           const std::string& to, const StoreWish& wish);

}  // namespace hm::cli
