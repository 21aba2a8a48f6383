// SPDX-License-Identifier: Apache-2.0
// Cuts an object that passes by into segments: what is deduplicated, compressed and sealed as one.
//
//   Segmenter segmenter(Profile::standard(), classify(head, name), key);
//   while (…) segmenter.feed(piece, [&](ByteView segment) { … });
//   segmenter.finish([&](ByteView segment) { … });
//
// Promises. The segments in their order are the object. Each has the length that bounds_of()
// states, the last one may be shorter; an empty object has none. Cuts depend on profile, class, key
// and bytes, never on the pieces in which they came. A segment that one piece holds whole is lent
// from there, any other is put together here, in memory of at most one longest segment. Any input.
//
// Does not do. It hides no lengths (segment_key.h). It does not wipe what it held of the object.
#pragma once

#include <cstddef>
#include <functional>

#include "core/storage/content_class.h"
#include "core/storage/cutter.h"
#include "core/storage/profile.h"
#include "core/storage/segment_key.h"
#include "foundation/base/bytes.h"

namespace hm::storage {

// Gets a segment, which is valid during the call.
using SegmentSink = std::function<void(ByteView segment)>;

class Segmenter {
 public:
  // The key must outlive it.
  Segmenter(const Profile& profile, ContentClass content, const SegmentKey& key);

  void feed(ByteView piece, const SegmentSink& sink);
  // There is no more: the rest is a segment. Nothing may be fed after it.
  void finish(const SegmentSink& sink);

 private:
  // Takes from `piece` what belongs to the segment begun before it; returns what is left of it.
  ByteView complete(ByteView piece, const SegmentSink& sink);

  Cutter cutter_;
  std::size_t longest_;
  Bytes held_;  // the segment begun, where no piece holds it whole
  bool is_finished_ = false;
};

}  // namespace hm::storage
