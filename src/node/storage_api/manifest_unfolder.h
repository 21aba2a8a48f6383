// SPDX-License-Identifier: Apache-2.0
// Manifests that come over the API. One that was too long for a box names stripes whose content is
// the manifest (docs/protocols/storage.md §7): that is read from where it is stored, level by
// level.
//
// Promises. Every answer comes exactly once, later or at once, unless it is dropped before. Memory:
// kMaxUnfolding manifests' contents.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/api/error.h"
#include "node/storing/object_keeper.h"

namespace hm::storage_api {

class ManifestUnfolder {
 public:
  struct Unfolded {
    storage::Manifest manifest;          // of the object itself
    std::vector<storage::Stripe> outer;  // that longer ones were read from
  };
  using Done = std::function<void(Result<Unfolded, api::ApiError>)>;

  explicit ManifestUnfolder(storing::ObjectKeeper& keeper) : keeper_(keeper) {}
  ~ManifestUnfolder() { *alive_ = false; }
  ManifestUnfolder(const ManifestUnfolder&) = delete;
  ManifestUnfolder& operator=(const ManifestUnfolder&) = delete;

  // Manifests may be long: they are decoded by a worker.
  void unfold(std::string encoded, Done done);

 private:
  struct Reading;
  using Decoded = Result<storage::Manifest, storage::StorageError>;
  void decode(std::function<Decoded()> work, std::function<void(Decoded)> then);
  void next(Unfolded sofar, Done done);

  storing::ObjectKeeper& keeper_;
  std::size_t reading_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::storage_api
