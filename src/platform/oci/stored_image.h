// SPDX-License-Identifier: Apache-2.0
// Images as the blob store has them: a manifest, the configuration that it names, and what both
// say of the layers.
#pragma once

#include <string>
#include <vector>

#include "core/containers/image_config.h"
#include "core/containers/image_error.h"
#include "core/containers/image_manifest.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/oci/blob_store.h"
#include "ports/image_store.h"

namespace hm::oci {

struct StoredManifest {
  ports::ImageBlob blob;
  std::string media_type;
  containers::ImageManifest manifest;

  // Itself, the configuration and every layer, each once.
  std::vector<ports::ImageBlob> blobs() const;
};

struct StoredImage {
  StoredManifest manifest;
  containers::ImageConfig config;  // with one diff_id for each layer of the manifest
  Bytes config_bytes;
};

// NotFound if it is not here, InvalidArgument if it is no manifest of one image.
Result<StoredManifest> load_manifest(const BlobStore& blobs, const crypto::Digest& manifest);
// The same with its configuration. Unsupported if it is for another platform than this machine's.
Result<StoredImage> load_image(const BlobStore& blobs, const crypto::Digest& manifest);
// FailedPrecondition names the first blob of an image that is missing, Corrupt one of another size
// than the manifest says.
Result<void> check_complete(const BlobStore& blobs, const StoredManifest& manifest);

// Corrupt or, where the image may be fine elsewhere, Unsupported; `what` says what was read.
std::unexpected<Error> image_error(containers::ImageError error, const std::string& what);

// What this machine runs: "linux", its architecture, and the highest variant that it has.
const containers::Platform& machine_platform();

}  // namespace hm::oci
