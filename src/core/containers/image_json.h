// SPDX-License-Identifier: Apache-2.0
// Hostile JSON of images: bounded in bytes and depth before it is parsed, no key twice. Members
// that nobody asks for are passed over, as the image specification demands. For the decoders of
// this module.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/containers/image_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"

namespace hm::containers {

using Json = nlohmann::json;

template <class T>
using Decoded = Result<T, ImageError>;

Decoded<Json> parse_json(ByteView bytes);

// A view of one object's members; the object outlives it. Absent and null are the same.
class Members {
 public:
  static Decoded<Members> of(const Json& json);

  const Json* find(const char* name) const;
  Decoded<std::string> text(const char* name, std::size_t most) const;           // absent: empty
  Decoded<std::string> required_text(const char* name, std::size_t most) const;  // not empty
  Decoded<std::vector<std::string>> texts(const char* name, std::size_t most_entries,
                                          std::size_t most_bytes) const;  // absent: empty
  Decoded<crypto::Digest> digest(const char* name) const;
  Decoded<std::uint64_t> size(const char* name) const;
  // Its elements, at most `most`; WrongType if it is absent or no list.
  Decoded<const Json*> list(const char* name, std::size_t most) const;

 private:
  explicit Members(const Json& json) : json_(&json) {}
  const Json* json_;
};

}  // namespace hm::containers
