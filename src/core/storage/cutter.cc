// SPDX-License-Identifier: Apache-2.0
#include "core/storage/cutter.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/storage/limits.h"
#include "core/storage/zip_walk.h"
#include "foundation/base/check.h"

namespace hm::storage {
namespace {

// FastCDC's normalised chunking at level 2: two bits more than the mean asks for before it, two
// less behind it.
constexpr int kNormalisation = 2;

// The highest bits below bit 63: each depends on almost all of the window.
std::uint64_t mask_of(int bits) { return ((std::uint64_t{1} << bits) - 1) << (63 - bits); }

}  // namespace

Cutter::Cutter(const Profile& profile, ContentClass content, const SegmentKey& key)
    : key_(key),
      shortest_(bounds_of(profile, content).shortest),
      mean_(profile.mean()),
      longest_in_archive_(profile.longest()),
      longest_(bounds_of(profile, content).longest),
      is_free_by_content_(profile.is_by_content() && content != ContentClass::Zip &&
                          shortest_ < longest_) {
  if (!profile.is_by_content()) return;
  const int bits = std::countr_zero(mean_);
  strict_mask_ = mask_of(bits + kNormalisation);
  loose_mask_ = mask_of(bits - kNormalisation);
  if (content == ContentClass::Tar) walk_ = std::make_unique<TarWalk>();
  if (content == ContentClass::Zip) walk_ = std::make_unique<ZipWalk>();
  if (walk_) enter_header();
}

std::size_t Cutter::next(ByteView segment) {
  const std::size_t there = segment.size();
  for (;;) {
    const std::size_t limit = std::min(there, longest());
    const auto until = static_cast<std::size_t>(std::min<std::uint64_t>(limit, phase_end_));
    const std::size_t found = is_cut_by_content() ? find_cut(segment.data(), until) : 0;
    const std::size_t reached = found != 0 ? found : until;
    pass(segment.subspan(judged_, reached - judged_));
    judged_ = reached;
    if (found != 0 || judged_ == longest()) return cut_here();
    if (judged_ < phase_end_) return 0;
    if (phase_ == Phase::Header) {
      leave_header();
    } else {
      enter_header();
      if (ends_member_ && judged_ >= shortest_) return cut_here();
    }
  }
}

// Within an archive only in a member that does not end near enough: one that does stays whole.
bool Cutter::is_cut_by_content() const {
  switch (phase_) {
    case Phase::Header: return false;
    case Phase::Body: return phase_end_ > mean_;
    case Phase::NoArchive: return is_free_by_content_;
  }
  return false;
}

std::size_t Cutter::longest() const {
  return phase_ == Phase::NoArchive ? longest_ : longest_in_archive_;
}

// The least length above `judged_` and up to `until` at which the content asks for a cut, or 0.
std::size_t Cutter::find_cut(const std::uint8_t* segment, std::size_t until) const {
  const std::size_t first = std::max(judged_ + 1, shortest_);
  const std::size_t end = until + 1;
  const std::size_t middle = std::clamp(mean_, first, std::max(first, end));
  std::size_t found = key_.find_cut(segment, first, std::min(middle, end), strict_mask_);
  if (found < std::min(middle, end)) return found;
  found = key_.find_cut(segment, middle, end, loose_mask_);
  return found < end ? found : 0;
}

void Cutter::pass(ByteView piece) {
  if (piece.empty()) return;
  if (phase_ == Phase::Header) {
    HM_CHECK(piece.size() <= header_.size() - header_filled_);
    std::memcpy(header_.data() + header_filled_, piece.data(), piece.size());
    header_filled_ += piece.size();
  } else if (phase_ == Phase::Body) {
    walk_->read_body(piece);
  }
}

void Cutter::enter_header() {
  phase_ = Phase::Header;
  phase_end_ = judged_ + walk_->header_size();
  header_filled_ = 0;
}

void Cutter::leave_header() {
  const auto entry = walk_->read_header({header_.data(), header_filled_});
  if (!entry) {
    phase_ = Phase::NoArchive;
    phase_end_ = kNever;
    return;
  }
  phase_ = Phase::Body;
  phase_end_ = judged_ + entry->body;
  ends_member_ = entry->ends_member;
}

std::size_t Cutter::cut_here() {
  const std::size_t length = judged_;
  judged_ = 0;
  if (phase_end_ != kNever) phase_end_ -= length;
  return length;
}

}  // namespace hm::storage
