// SPDX-License-Identifier: Apache-2.0
// The image store of a machine: ports/image_store.h over one folder, which no other process uses
// (the data folder's lock sees to that). Files in it:
//   blobs/ incoming/   blob_store.h
//   layers/            layer_store.h
//   names              image_names.h
// Everything that a crash can leave is either whole or removed: partial blobs by collect(), after a
// day; half-unpacked layers when the store opens.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "foundation/base/result.h"
#include "ports/image_store.h"

namespace hm::oci {

struct ImageStoreOptions {
  std::string folder;           // made if it is not there
  std::uint32_t uid_shift = 0;  // to which the containers' user namespace maps its root
  std::uint64_t max_bytes = 0;  // of blobs and unpacked layers together
};

// Corrupt if the names cannot be read; Io and others as the system says.
Result<std::unique_ptr<ports::ImageStore>> open_image_store(const ImageStoreOptions& options);

}  // namespace hm::oci
