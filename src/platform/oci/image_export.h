// SPDX-License-Identifier: Apache-2.0
// One image as an OCI archive: a tar file of an OCI layout (image-spec 1.1, image-layout.md) with
// its manifest, configuration and layers as they are stored. The same image and name give the same
// bytes.
#pragma once

#include <string>

#include "foundation/base/result.h"
#include "platform/oci/blob_store.h"
#include "platform/oci/stored_image.h"

namespace hm::oci {

// Replaces what is at `path`, in one step, when the whole archive is written. `reference` names the
// image in the archive; empty: nothing does.
Result<void> export_archive(const BlobStore& blobs, const StoredImage& image,
                            const std::string& reference, const std::string& path);

}  // namespace hm::oci
