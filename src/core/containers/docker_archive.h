// SPDX-License-Identifier: Apache-2.0
// The file manifest.json of what `docker save` writes: for each image the names of its
// configuration and of its layers' tar files in the archive, lowest first, and its names.
#pragma once

#include <string>
#include <vector>

#include "core/containers/image_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::containers {

struct DockerArchiveImage {
  std::string config;
  std::vector<std::string> tags;  // "repository:tag"
  std::vector<std::string> layers;
  bool operator==(const DockerArchiveImage&) const = default;
};

Result<std::vector<DockerArchiveImage>, ImageError> parse_docker_archive(ByteView json);

}  // namespace hm::containers
