// SPDX-License-Identifier: Apache-2.0
#include "core/storage/storage_error.h"

#include <array>
#include <cstddef>

namespace hm::storage {
namespace {

struct Words {
  StorageError error;
  std::string_view name;
  std::string_view text;
};

constexpr std::array kWords{
    Words{StorageError::BadSizes, "bad_sizes", "segments of such sizes are not allowed"},
    Words{StorageError::SegmentTooLong, "segment_too_long",
          "a segment is empty or longer than allowed"},
    Words{StorageError::NotOneFrame, "not_one_frame",
          "a compressed segment is not one Zstandard frame with its size"},
    Words{StorageError::WrongSize, "wrong_size",
          "a compressed segment does not have the size that its manifest states"},
    Words{StorageError::DamagedFrame, "damaged_frame", "a compressed segment is damaged"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i].error != static_cast<StorageError>(i)) return false;
  }
  return true;
}
static_assert(in_order());

const Words& words_of(StorageError error) { return kWords[static_cast<std::size_t>(error)]; }

}  // namespace

std::string_view name_of(StorageError error) { return words_of(error).name; }
std::string_view explain(StorageError error) { return words_of(error).text; }

}  // namespace hm::storage
