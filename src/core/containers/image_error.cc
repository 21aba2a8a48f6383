// SPDX-License-Identifier: Apache-2.0
#include "core/containers/image_error.h"

#include <array>
#include <cstddef>

namespace hm::containers {
namespace {

struct Words {
  ImageError error;
  std::string_view name;
  std::string_view text;
};

constexpr std::array kWords{
    Words{ImageError::TooLarge, "too_large", "a document of the image is larger than allowed"},
    Words{ImageError::NotJson, "not_json", "a document of the image is not JSON"},
    Words{ImageError::RepeatedKey, "repeated_key", "a key stands twice in a document of the image"},
    Words{ImageError::WrongType, "wrong_type",
          "a member of a document of the image is missing or of the wrong type"},
    Words{ImageError::BadVersion, "bad_version", "the version of a document is not known here"},
    Words{ImageError::BadMediaType, "bad_media_type",
          "a media type is not known here or not the one announced"},
    Words{ImageError::BadDigest, "bad_digest", "a digest is not sha256: and 64 hex digits"},
    Words{ImageError::BadSize, "bad_size", "a size is negative, not whole or above the limit"},
    Words{ImageError::BadTime, "bad_time", "a time is not as RFC 3339 has it"},
    Words{ImageError::BadPlatform, "bad_platform", "a platform is not named by words"},
    Words{ImageError::BadProcess, "bad_process",
          "the image's command, environment, user or working directory is one no run may have"},
    Words{ImageError::BadSignal, "bad_signal", "the stop signal is no signal"},
    Words{ImageError::BadReference, "bad_reference",
          "the reference is not [registry[:port]/]repository[:tag][@sha256:...]"},
    Words{ImageError::ForeignLayer, "foreign_layer",
          "a layer lies outside the image and may not be distributed"},
    Words{ImageError::LayerCount, "layer_count",
          "the image's configuration does not have one diff_id for each layer"},
    Words{ImageError::NoPlatform, "no_platform", "nothing in the image is for this machine"},
};

const Words& words_of(ImageError error) { return kWords[static_cast<std::size_t>(error)]; }

constexpr bool in_order() {
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i].error != static_cast<ImageError>(i)) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::string_view name_of(ImageError error) { return words_of(error).name; }
std::string_view explain(ImageError error) { return words_of(error).text; }

}  // namespace hm::containers
