// SPDX-License-Identifier: Apache-2.0
#include "core/storage/manifest_join.h"

#include <utility>

#include "core/storage/limits.h"

namespace hm::storage {

ManifestJoiner::ManifestJoiner(ObjectVersion what, Description description, Protection protection) {
  manifest_.what = std::move(what);
  manifest_.description = std::move(description);
  manifest_.protection = std::move(protection);
}

Result<void, StorageError> ManifestJoiner::add(const Manifest& part) {
  if (part.depth != 0) return fail(StorageError::BadDepth);
  if (part.protection != manifest_.protection) return fail(StorageError::WrongProtection);
  if (part.what.owner != manifest_.what.owner || part.what.object != manifest_.what.object) {
    return fail(StorageError::OtherObject);
  }
  if (part.segments.size() > kMaxSegments - manifest_.segments.size()) {
    return fail(StorageError::TooManySegments);
  }
  std::vector<std::uint32_t> stripe_of(part.stripes.size());
  for (std::size_t i = 0; i < part.stripes.size(); ++i) {
    const Stripe& stripe = part.stripes[i];
    const auto [at, is_new] =
        stripes_.try_emplace(stripe.roots, static_cast<std::uint32_t>(manifest_.stripes.size()));
    stripe_of[i] = at->second;
    if (!is_new) continue;
    shards_ += stripe.code.shards();
    if (shards_ > kMaxManifestShards) return fail(StorageError::TooManyShards);
    manifest_.stripes.push_back(stripe);
  }
  for (Segment segment : part.segments) {
    segment.stripe = stripe_of[segment.stripe];
    manifest_.segments.push_back(segment);
  }
  manifest_.size += part.size;
  return {};
}

Result<Manifest, StorageError> ManifestJoiner::take(const crypto::Digest& content) {
  manifest_.content = content;
  HM_TRY_VOID(check(manifest_));
  return std::move(manifest_);
}

}  // namespace hm::storage
