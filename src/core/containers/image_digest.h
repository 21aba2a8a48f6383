// SPDX-License-Identifier: Apache-2.0
// Digests as image documents write them: "sha256:" and 64 lower-case hex digits (image-spec 1.1,
// descriptor.md). No other algorithm is known here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "foundation/crypto/hash.h"

namespace hm::containers {

std::string image_digest_text(const crypto::Digest& digest);
std::optional<crypto::Digest> parse_image_digest(std::string_view text);

}  // namespace hm::containers
