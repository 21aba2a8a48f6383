// SPDX-License-Identifier: Apache-2.0
// The name of an image: [registry[:port]/]repository[:tag][@sha256:<64 hex digits>].
//
// Repository and tag are as distribution-spec 1.1 has them: parts of [a-z0-9]+ joined by '.', '_',
// "__" or any number of '-', with '/' between parts; a tag is [A-Za-z0-9_][A-Za-z0-9._-]{0,127}.
// The first part is a registry if it has a '.' or ':', or is "localhost"; an IPv6 address stands in
// brackets. There is no default registry, so one name means one place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/containers/image_error.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"

namespace hm::containers {

struct ImageReference {
  std::string registry;  // "registry.example:5000", lower case; empty: this machine's names
  std::string repository;
  std::string tag;  // "latest" if neither tag nor digest is given; empty beside a digest alone
  std::optional<crypto::Digest> digest;
  bool operator==(const ImageReference&) const = default;
};

Result<ImageReference, ImageError> parse_image_reference(std::string_view text);

// One text for each reference; parse_image_reference() of it gives the reference again.
std::string to_string(const ImageReference& reference);

// "registry.example:5000" taken apart. An IPv6 address is without its brackets.
struct RegistryHost {
  std::string host;
  std::optional<std::uint16_t> port;
  bool operator==(const RegistryHost&) const = default;
};
Result<RegistryHost, ImageError> parse_registry_host(std::string_view text);

}  // namespace hm::containers
