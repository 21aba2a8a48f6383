// SPDX-License-Identifier: Apache-2.0
// Zstandard (RFC 8878) for segments, where it pays.
//
// Promises. What compress() made, decompress() gives back. Decompressing allocates the announced
// size and nothing above it, checked against kMaxSegment and against the frame before anything is
// allocated; it takes exactly one frame that states that size, and nothing behind it.
//
// Does not do. The compressed bytes are not canonical: another version of the library makes others
// of the same segment. Who derives a key from content, to seal with a fixed nonce, must derive it
// from the bytes that are sealed; derived from the segment before compression, one key and nonce
// would seal different bytes.
#pragma once

#include <cstddef>
#include <memory>

#include "core/storage/content_class.h"
#include "core/storage/storage_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::storage {

// Keeps the library's memory from call to call; one caller at a time.
class Compressor {
 public:
  Compressor();
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;

  // Whether a sample of the segment shrinks by more than a twentieth. Never for content that its
  // format has compressed.
  bool is_worthwhile(ContentClass content, ByteView segment);

  // One frame. SegmentTooLong.
  Result<Bytes, StorageError> compress(ByteView segment);

  // The `size` bytes that were compressed. Refusals: SegmentTooLong, NotOneFrame, WrongSize,
  // DamagedFrame.
  Result<Bytes, StorageError> decompress(ByteView frame, std::size_t size);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hm::storage
