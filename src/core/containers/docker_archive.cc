// SPDX-License-Identifier: Apache-2.0
#include "core/containers/docker_archive.h"

#include <utility>

#include "core/containers/image_json.h"
#include "core/containers/limits.h"

namespace hm::containers {

Result<std::vector<DockerArchiveImage>, ImageError> parse_docker_archive(ByteView bytes) {
  HM_TRY(const auto json, parse_json(bytes));
  if (!json.is_array()) return fail(ImageError::WrongType);
  if (json.size() > kMaxIndexEntries) return fail(ImageError::TooLarge);
  std::vector<DockerArchiveImage> images;
  for (const Json& element : json) {
    HM_TRY(const auto members, Members::of(element));
    DockerArchiveImage image;
    HM_TRY(image.config, members.required_text("Config", kMaxPathBytes));
    HM_TRY(image.tags, members.texts("RepoTags", kMaxIndexEntries, kMaxPathBytes));
    HM_TRY(image.layers, members.texts("Layers", kMaxLayers, kMaxPathBytes));
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace hm::containers
