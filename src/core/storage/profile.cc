// SPDX-License-Identifier: Apache-2.0
#include "core/storage/profile.h"

#include <algorithm>
#include <bit>

#include "core/storage/limits.h"

namespace hm::storage {
namespace {
constexpr std::size_t kKiB = 1024;
}  // namespace

Profile Profile::standard() { return {16 * kKiB, 64 * kKiB, 256 * kKiB}; }
Profile Profile::backup() { return {256 * kKiB, 1024 * kKiB, 4096 * kKiB}; }
Profile Profile::whole() { return {kMaxSegment, 0, kMaxSegment}; }

Result<Profile, StorageError> Profile::fixed(std::size_t size) {
  if (size == 0 || size > kMaxSegment) return fail(StorageError::BadSizes);
  return Profile(size, 0, size);
}

Result<Profile, StorageError> Profile::by_content(std::size_t shortest, std::size_t mean,
                                                  std::size_t longest) {
  const bool is_ordered = kMinByContent <= shortest && shortest < mean && mean < longest;
  if (!is_ordered || longest > kMaxSegment || !std::has_single_bit(mean)) {
    return fail(StorageError::BadSizes);
  }
  return Profile(shortest, mean, longest);
}

Result<Profile, StorageError> Profile::within(std::size_t longest) const {
  if (longest >= longest_) return *this;
  return is_by_content() ? by_content(shortest_, mean_, longest) : fixed(longest);
}

SegmentBounds bounds_of(const Profile& profile, ContentClass content) {
  if (profile.is_by_content()) {
    switch (content) {
      case ContentClass::Media:
      case ContentClass::Compressed: return {kCompressedSegment, kCompressedSegment};
      case ContentClass::DiskImage: return {kDiskSegment, kDiskSegment};
      case ContentClass::Zip:
        return {profile.shortest(), std::max(profile.longest(), kCompressedSegment)};
      default: break;
    }
  }
  return {profile.shortest(), profile.longest()};
}

}  // namespace hm::storage
