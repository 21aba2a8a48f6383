// SPDX-License-Identifier: Apache-2.0
// Unpacks one layer (image-spec 1.1, layer.md) into a folder on which overlayfs can stand:
//   .wh.<name>      becomes a character device 0/0 of that name
//   .wh..wh..opq    becomes trusted.overlay.opaque=y on its folder; other .wh..wh.* are left out
//   owners          are shifted by uid_shift, for containers run in a user namespace; identities
//                   that such a namespace lacks are refused
//   attributes      user.* (but none of overlayfs) and security.capability, which is bound to the
//                   namespace's root; others are left out and counted
//   devices         are left out and counted; sockets are refused
// Folders that the layer names no entry for belong to the container's root, mode 0755.
//
// A hostile layer gets nothing outside the folder (layer_folder.h), no more bytes or entries than
// `limits`, and no more space than `take_space` gives. What is there when unpacking fails is the
// caller's to remove.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/containers/image_manifest.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/oci/layer_stream.h"

namespace hm::oci {

struct LayerLimits {
  std::uint64_t bytes = 0;  // of the tar stream, and of all files as large as they claim to be
  std::uint64_t entries = 0;
};

struct UnpackOptions {
  std::uint32_t uid_shift = 0;
  LayerLimits limits;
  std::function<Result<void>(std::uint64_t bytes)> take_space;
};

struct UnpackedLayer {
  crypto::Digest diff_id;   // of the tar stream that came
  std::uint64_t bytes = 0;  // taken on the disk, kEntryBytes for each entry included
  std::uint64_t entries = 0;
  std::uint64_t devices_left_out = 0;
  std::uint64_t attributes_left_out = 0;
};

Result<UnpackedLayer> unpack_layer(const ByteSource& source, containers::LayerPacking packing,
                                   const std::string& folder, const UnpackOptions& options);

}  // namespace hm::oci
