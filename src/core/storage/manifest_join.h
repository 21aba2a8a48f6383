// SPDX-License-Identifier: Apache-2.0
// An object out of parts that were cut and sealed each by itself: its manifest has their segments
// one behind the other.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/storage/manifest.h"
#include "core/storage/storage_error.h"
#include "foundation/base/result.h"

namespace hm::storage {

class ManifestJoiner {
 public:
  ManifestJoiner(ObjectVersion what, Description description, Protection protection);

  // The next part. WrongProtection, BadDepth, OtherObject: sealed otherwise than the whole is to
  // be, or for another object; TooManySegments, TooManyShards. Requires: check(part) passes.
  Result<void, StorageError> add(const Manifest& part);

  // Once; what check() refuses.
  Result<Manifest, StorageError> take(const crypto::Digest& content);

 private:
  Manifest manifest_;
  std::map<std::vector<crypto::Digest>, std::uint32_t> stripes_;  // by roots: where they stand
  std::size_t shards_ = 0;
};

}  // namespace hm::storage
