// SPDX-License-Identifier: Apache-2.0
#include "core/storage/segmenter.h"

#include <algorithm>

#include "foundation/base/check.h"

namespace hm::storage {
namespace {

// What is copied before it is known to belong to the segment begun; the rest of it is copied again.
constexpr std::size_t kStep = std::size_t{32} * 1024;

}  // namespace

Segmenter::Segmenter(const Profile& profile, ContentClass content, const SegmentKey& key)
    : cutter_(profile, content, key), longest_(bounds_of(profile, content).longest) {}

void Segmenter::feed(ByteView piece, const SegmentSink& sink) {
  HM_CHECK(!is_finished_);
  while (!piece.empty()) {
    if (!held_.empty()) {
      piece = complete(piece, sink);
      continue;
    }
    const std::size_t length = cutter_.next(piece);
    if (length == 0) {
      held_.assign(piece.begin(), piece.end());
      return;
    }
    sink(piece.first(length));
    piece = piece.subspan(length);
  }
}

ByteView Segmenter::complete(ByteView piece, const SegmentSink& sink) {
  held_.reserve(longest_);  // not before: a small object ends with its first piece
  const std::size_t before = held_.size();
  const std::size_t step = std::min({piece.size(), longest_ - before, kStep});
  held_.insert(held_.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(step));
  const std::size_t length = cutter_.next(held_);
  if (length == 0) return piece.subspan(step);
  HM_CHECK(length > before);
  sink(ByteView(held_).first(length));
  held_.clear();
  return piece.subspan(length - before);
}

void Segmenter::finish(const SegmentSink& sink) {
  HM_CHECK(!is_finished_);
  is_finished_ = true;
  if (!held_.empty()) sink(held_);
  held_.clear();
}

}  // namespace hm::storage
