// SPDX-License-Identifier: Apache-2.0
// Why something of storage is refused.
#pragma once

#include <cstdint>
#include <string_view>

namespace hm::storage {

enum class StorageError : std::uint8_t {
  BadSizes,        // sizes of a profile that limits.h does not allow
  SegmentTooLong,  // a segment of no byte, or of more than kMaxSegment
  NotOneFrame,     // not exactly one Zstandard frame that states its content's size
  WrongSize,       // the frame's content does not have the size that was announced
  DamagedFrame,    // the frame does not decompress
};
std::string_view name_of(StorageError error);  // "bad_sizes"
std::string_view explain(StorageError error);  // a sentence for an operator

}  // namespace hm::storage
