// SPDX-License-Identifier: Apache-2.0
// Why an image's document or reference is refused.
#pragma once

#include <cstdint>
#include <string_view>

namespace hm::containers {

enum class ImageError : std::uint8_t {
  TooLarge,      // bytes, depth or number of entries above limits.h
  NotJson,       // no JSON (RFC 8259) in UTF-8
  RepeatedKey,   // a key stands twice in one object
  WrongType,     // a member is missing, or no text, number, list or object as it must be
  BadVersion,    // schemaVersion or imageLayoutVersion is not the one known
  BadMediaType,  // unknown, not the one announced, or not that of the members present
  BadDigest,     // not "sha256:" and 64 lower-case hex digits
  BadSize,       // negative, no whole number, or above kMaxBlobBytes
  BadTime,       // not RFC 3339
  BadPlatform,   // no operating system or architecture, or not words
  BadProcess,    // entrypoint, command, environment, user or folder that no run may have
  BadSignal,     // no name or number of a signal
  BadReference,  // not [registry[:port]/]repository[:tag][@sha256:...]
  ForeignLayer,  // a layer that lies elsewhere and may not be distributed
  LayerCount,    // not one diff_id for each layer
  NoPlatform,    // nothing in it for this machine
};
std::string_view name_of(ImageError error);  // "too_large"
std::string_view explain(ImageError error);  // a sentence for an operator

}  // namespace hm::containers
