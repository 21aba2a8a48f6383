// SPDX-License-Identifier: Apache-2.0
#include "core/containers/image_digest.h"

namespace hm::containers {
namespace {
constexpr std::string_view kAlgorithm = "sha256:";
}

std::string image_digest_text(const crypto::Digest& digest) {
  return std::string(kAlgorithm) + digest.to_string();
}

std::optional<crypto::Digest> parse_image_digest(std::string_view text) {
  if (!text.starts_with(kAlgorithm)) return std::nullopt;
  return crypto::Digest::parse(text.substr(kAlgorithm.size()));
}

}  // namespace hm::containers
