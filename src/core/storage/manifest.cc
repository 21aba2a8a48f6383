// SPDX-License-Identifier: Apache-2.0
#include "core/storage/manifest.h"

#include "core/storage/limits.h"
#include "foundation/crypto/sealed_box/limits.h"

namespace hm::storage {
namespace {

// Plain and stored differ by compression only, and that has made it shorter.
bool are_lengths_possible(const Segment& segment) {
  if (segment.plain_length == 0 || segment.plain_length > kMaxSegment) return false;
  if (segment.sealed_length <= kSealOverhead) return false;
  const std::size_t stored = segment.sealed_length - kSealOverhead;
  return (segment.flags & kCompressedFlag) != 0 ? stored < segment.plain_length
                                                : stored == segment.plain_length;
}

Result<void, StorageError> check_stripes(const Manifest& manifest) {
  std::size_t shards = 0;
  for (const Stripe& each : manifest.stripes) {
    if (!each.is_valid()) return fail(StorageError::BadStripe);
    shards += each.code.shards();
  }
  if (shards > kMaxManifestShards) return fail(StorageError::TooManyShards);
  return {};
}

Result<void, StorageError> check_segments(const Manifest& manifest) {
  if (manifest.segments.size() > kMaxSegments) return fail(StorageError::TooManySegments);
  const bool is_shared = std::holds_alternative<InDomain>(manifest.protection);
  std::vector<bool> used(manifest.stripes.size());
  std::uint64_t total = 0;
  const SegmentNumber* previous = nullptr;
  for (const Segment& each : manifest.segments) {
    if ((each.flags & ~kKnownFlags) != 0 || !are_lengths_possible(each)) {
      return fail(StorageError::BadSegmentLength);
    }
    if (is_shared != std::holds_alternative<SharedSegment>(each.seal)) {
      return fail(StorageError::WrongProtection);
    }
    if (const auto* number = std::get_if<SegmentNumber>(&each.seal)) {
      if (previous != nullptr && *number <= *previous) {
        return fail(StorageError::BadSegmentNumber);
      }
      previous = number;
    }
    if (each.stripe >= manifest.stripes.size()) return fail(StorageError::NoSuchStripe);
    const std::size_t capacity = manifest.stripes[each.stripe].capacity();
    if (each.offset > capacity || each.sealed_length > capacity - each.offset) {
      return fail(StorageError::BeyondStripe);
    }
    used[each.stripe] = true;
    total += each.plain_length;
  }
  if (total != manifest.size) return fail(StorageError::WrongTotal);
  for (const bool is_used : used) {
    if (!is_used) return fail(StorageError::UnusedStripe);
  }
  return {};
}

}  // namespace

Result<void, StorageError> check(const Description& description) {
  if (description.name.size() > kMaxName) return fail(StorageError::NameTooLong);
  std::size_t bytes = 0;
  for (const auto& [key, value] : description.metadata) bytes += key.size() + value.size();
  if (description.metadata.size() > kMaxMetadataEntries || bytes > kMaxMetadataBytes) {
    return fail(StorageError::MetadataTooLong);
  }
  return {};
}

Binding binding_of(const Manifest& manifest, const Segment& segment) {
  if (const auto* shared = std::get_if<InDomain>(&manifest.protection)) {
    return DomainBinding{manifest.what.owner, shared->domain};
  }
  return ObjectBinding{manifest.what.owner, manifest.what.object,
                       std::get<WithOwnSecret>(manifest.protection).version,
                       std::get<SegmentNumber>(segment.seal)};
}

const SegmentSecret& secret_of(const Manifest& manifest, const Segment& segment) {
  if (const auto* shared = std::get_if<SharedSegment>(&segment.seal)) return shared->secret;
  return std::get<WithOwnSecret>(manifest.protection).secret;
}

Result<void, StorageError> check(const Manifest& manifest) {
  if (manifest.depth > kMaxManifestDepth) return fail(StorageError::BadDepth);
  if (manifest.what.object.size() > sealed_box::kMaxObjectIdSize) {
    return fail(StorageError::ObjectIdTooLong);
  }
  HM_TRY_VOID(check(manifest.description));
  const auto* own = std::get_if<WithOwnSecret>(&manifest.protection);
  if (own != nullptr && own->version > manifest.what.version) {
    return fail(StorageError::BadVersion);
  }
  HM_TRY_VOID(check_stripes(manifest));
  return check_segments(manifest);
}

}  // namespace hm::storage
