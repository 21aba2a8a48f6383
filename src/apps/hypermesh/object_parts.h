// SPDX-License-Identifier: Apache-2.0
// A large file on its way to the node in parts, so that what was sent before a connection broke, or
// this command or the node was killed, need not be sent again (docs/api/openapi.json, beginUpload).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/hypermesh/object_transfer.h"

namespace hm::cli {

// Files above this go in parts. They are as long, or longer where there would be too many: what is
// sent twice at most when something breaks.
inline constexpr std::uint64_t kPartBytes = std::uint64_t{64} << 20;

struct PartedPut {
  std::string path;
  std::string name;
  // Going on with what an earlier command left is required, and refused by name where the file is
  // not the same any more; otherwise it is sent anew then.
  bool must_match = false;
};

// As send_object(); "resumed_bytes" says how many were there already.
Answer<nlohmann::ordered_json> send_in_parts(ObjectAccess& access, const PartedPut& put,
                                             const StoreWish& wish);

}  // namespace hm::cli
