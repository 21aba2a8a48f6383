// SPDX-License-Identifier: Apache-2.0
// How long segments shall be.
//
//   standard()   by content, 16/64/256 KiB (shortest, wanted mean, longest)
//   backup()     by content, 256 KiB/1 MiB/4 MiB: a sixteenth of the entries, coarser deduplication
//   fixed(n)     every n bytes, whatever the content
//   whole()      no segmentation; an object above kMaxSegment is cut there, as memory is bounded
//
// Under the profiles by content, the content class decides how (cutter.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/storage/content_class.h"
#include "core/storage/storage_error.h"
#include "foundation/base/result.h"

namespace hm::storage {

class Profile {
 public:
  static Profile standard();
  static Profile backup();
  static Profile whole();
  // BadSizes unless 1 <= size <= kMaxSegment.
  static Result<Profile, StorageError> fixed(std::size_t size);
  // BadSizes unless kMinByContent <= shortest < mean < longest <= kMaxSegment and the mean is a
  // power of two.
  static Result<Profile, StorageError> by_content(std::size_t shortest, std::size_t mean,
                                                  std::size_t longest);

  // The same with no segment longer than this; the cuts of what has none longer stay. BadSizes
  // where the rest would not be allowed.
  Result<Profile, StorageError> within(std::size_t longest) const;

  bool is_by_content() const { return mean_ != 0; }
  std::size_t shortest() const { return shortest_; }
  std::size_t mean() const { return mean_; }  // 0 unless by content
  std::size_t longest() const { return longest_; }

  bool operator==(const Profile&) const = default;

 private:
  Profile(std::size_t shortest, std::size_t mean, std::size_t longest)
      : shortest_(shortest), mean_(mean), longest_(longest) {}

  std::size_t shortest_;
  std::size_t mean_;
  std::size_t longest_;
};

// No segment of such content is longer, and none but the last one shorter.
struct SegmentBounds {
  std::size_t shortest;
  std::size_t longest;
};
SegmentBounds bounds_of(const Profile& profile, ContentClass content);

}  // namespace hm::storage
