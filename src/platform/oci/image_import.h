// SPDX-License-Identifier: Apache-2.0
// Images out of an OCI layout, an OCI archive (image-spec 1.1, image-layout.md) or what `docker
// save` writes, into the blob store.
//
// Of an OCI index the entry for this machine's platform is taken, through nested indexes. The
// images of a docker archive get an OCI manifest, the same one whenever they are imported; their
// layers must be what the configuration says. Every blob is verified as it streams.
#pragma once

#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/oci/blob_store.h"
#include "ports/image_store.h"

namespace hm::oci {

struct ImportedImage {
  std::string reference;  // canonical
  crypto::Digest manifest;
};

// Everything in it that fits this machine; Unsupported if nothing does. A single image is named by
// `reference`, if there is one. Of several those are for which the archive has no whole name: they
// take its repository, each with its own tag. InvalidArgument where one is left without a name.
Result<std::vector<ImportedImage>> import_archive(BlobStore& blobs, const std::string& path,
                                                  const std::string& reference,
                                                  const ports::ImageProgress& progress);

}  // namespace hm::oci
