// SPDX-License-Identifier: Apache-2.0
// What an image archive offers to this machine, read from its small files alone.
#pragma once

#include <string>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/oci/archive_source.h"
#include "ports/image_store.h"

namespace hm::oci {

struct OfferedBlob {
  ports::ImageBlob blob;
  std::string member;  // of the archive
};

struct OfferedImage {
  Bytes manifest;                  // as it is to be stored
  std::vector<std::string> names;  // whole ones or tags, as the archive has them
  std::vector<OfferedBlob> blobs;  // configuration and layers
};

// Corrupt or Unsupported if the archive is none of images, or none of its images fits.
Result<std::vector<OfferedImage>> images_in(const ArchiveSource& archive);

}  // namespace hm::oci
