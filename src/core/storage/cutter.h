// SPDX-License-Identifier: Apache-2.0
// Decides where a segment ends (docs/protocols/storage.md, "Segments", is normative). By the class
// of the content, under a profile by content:
//
//   Tar              at members; by content inside those that are large; small ones together
//   Zip              likewise while it is simple, then as long as possible
//   Media, Compressed   every kCompressedSegment bytes
//   DiskImage        every kDiskSegment bytes
//   all other        by content (FastCDC: a shortest length, and two masks around the mean)
//
// The decision depends on the bytes from the beginning of the object to the cut only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include "core/storage/archive_walk.h"
#include "core/storage/profile.h"
#include "core/storage/segment_key.h"
#include "core/storage/tar_walk.h"

namespace hm::storage {

class Cutter {
 public:
  // The key must outlive it.
  Cutter(const Profile& profile, ContentClass content, const SegmentKey& key);

  // `segment` are the bytes there are from the last cut on, never fewer than in the last call: the
  // length up to the next cut, or 0 if it needs more bytes.
  std::size_t next(ByteView segment);

 private:
  // Where the walk through an archive is.
  enum class Phase : std::uint8_t { Header, Body, NoArchive };
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  bool is_cut_by_content() const;
  std::size_t longest() const;
  std::size_t find_cut(const std::uint8_t* segment, std::size_t until) const;
  void pass(ByteView piece);
  void enter_header();
  void leave_header();
  std::size_t cut_here();

  const SegmentKey& key_;
  std::size_t shortest_;
  std::size_t mean_;
  std::size_t longest_in_archive_;
  std::size_t longest_;      // outside of an archive
  bool is_free_by_content_;  // there are cuts by content outside of an archive
  std::uint64_t strict_mask_ = 0;
  std::uint64_t loose_mask_ = 0;

  // Lengths from the last cut.
  std::size_t judged_ = 0;  // there is no cut before, nor here unless the phase ends
  std::uint64_t phase_end_ = kNever;
  Phase phase_ = Phase::NoArchive;
  bool ends_member_ = false;  // of the body
  std::unique_ptr<ArchiveWalk> walk_;
  std::array<std::uint8_t, kTarBlock> header_{};
  std::size_t header_filled_ = 0;
};

}  // namespace hm::storage
