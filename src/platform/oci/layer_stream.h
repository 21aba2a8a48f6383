// SPDX-License-Identifier: Apache-2.0
// A layer's bytes, unpacked, hashed and read as tar (ustar, pax, GNU; nothing else), all while they
// stream through. The tar stream is bounded, so that no packing can blow it up.
//
// Names come as the bytes that the archive has, if a PlainLocale is held, and end at a NUL.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "core/containers/image_manifest.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/oci/packed_stream.h"

struct archive;
struct archive_entry;

namespace hm::oci {

class LayerStream {
 public:
  static Result<std::unique_ptr<LayerStream>> open(ByteSource source,
                                                   containers::LayerPacking packing,
                                                   std::uint64_t most_bytes);
  ~LayerStream();
  LayerStream(const LayerStream&) = delete;
  LayerStream& operator=(const LayerStream&) = delete;

  // Null at the end of the archive. Valid until the next call.
  Result<archive_entry*> next_entry();
  // A piece of the entry's content and where in the file it belongs; absent at its end.
  struct Piece {
    ByteView bytes;
    std::uint64_t offset = 0;
  };
  Result<std::optional<Piece>> next_piece();
  // Reads what follows the archive, and gives the digest of the whole tar stream: the diff_id.
  Result<crypto::Digest> finish();

 private:
  LayerStream(ByteSource tar, std::uint64_t most_bytes)
      : source_(std::move(tar)), most_bytes_(most_bytes) {}
  static ssize_t read(archive* reader, void* self, const void** out);
  Result<ByteView> next_tar_bytes();
  std::unexpected<Error> failure();

  ByteSource source_;
  std::uint64_t most_bytes_;
  std::uint64_t bytes_ = 0;
  bool is_padded_ = false;
  crypto::Sha256 hash_;
  std::optional<Error> error_;
  archive* reader_ = nullptr;
};

// What libarchive does with names depends on the thread's locale: in "C" it leaves them as they
// are. Holds it for its own lifetime.
class PlainLocale {
 public:
  PlainLocale();
  ~PlainLocale();
  PlainLocale(const PlainLocale&) = delete;
  PlainLocale& operator=(const PlainLocale&) = delete;

 private:
  void* own_;
  void* before_;
};

}  // namespace hm::oci
