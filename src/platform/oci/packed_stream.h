// SPDX-License-Identifier: Apache-2.0
// Bytes out of gzip or zstd, as they stream through. Only the packing asked for is understood, and
// only once: nothing is guessed from the content.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>

#include "core/containers/image_manifest.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

struct archive;

namespace hm::oci {

// The next piece, valid until the next call; empty at the end.
using ByteSource = std::function<Result<ByteView>()>;

// Corrupt, from the source returned, where the bytes are not packed so. The bytes that come are
// for the caller to bound. LayerPacking::None gives the source itself.
Result<ByteSource> unpacked_source(ByteSource packed, containers::LayerPacking packing);

// What the first bytes of something packed say. None for anything else.
inline constexpr std::size_t kMagicBytes = 4;
containers::LayerPacking packing_by_magic(ByteView first_bytes);

// What libarchive reports where a callback of ours failed is only an echo: `own` wins.
std::unexpected<Error> archive_failure(archive* reader, const std::optional<Error>& own,
                                       std::string_view what);

}  // namespace hm::oci
