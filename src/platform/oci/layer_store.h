// SPDX-License-Identifier: Apache-2.0
// Unpacked layers by diff_id, each once whatever image it is in:
//   layers/<hex>/fs         the layer's files
//   layers/<hex>/unpacked   written last: format, uid shift, bytes taken
//   layers/tmp-<n>          on its way in or out; removed when the store opens
// Layers are unpacked beside their places, flushed, all of an image at once, and moved there, so
// what stands under a diff_id is whole and hashed to it. All calls are thread-safe; a second caller
// for a layer that is being unpacked waits for the first.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/oci/layer_unpack.h"
#include "platform/oci/space_budget.h"

namespace hm::oci {

class LayerStore {
 public:
  static Result<std::unique_ptr<LayerStore>> open(const std::string& folder,
                                                  std::uint32_t uid_shift,
                                                  std::shared_ptr<SpaceBudget> space);

  struct Layer {
    crypto::Digest diff_id;
    containers::LayerPacking packing = containers::LayerPacking::None;
    std::function<Result<ByteSource>()> open;  // its bytes, asked for if it has to be unpacked
  };
  bool has(const crypto::Digest& diff_id) const;
  // Where its files are.
  std::string path(const crypto::Digest& diff_id) const;

  // Unpacks those that are not here. Corrupt if one does not hash to its diff_id; NoCapacity if
  // one, or all together, are larger than limits.h allows.
  Result<void> ensure(const std::vector<Layer>& image);

  // Takes what is not needed out of its place. The trees named are for the caller to remove, when
  // it holds no lock; the next start removes them otherwise.
  struct Detached {
    std::uint64_t bytes = 0;
    std::vector<std::string> trees;
  };
  Result<Detached> detach_unneeded(const std::set<crypto::Digest>& needed);

 private:
  LayerStore(std::string folder, std::uint32_t uid_shift, std::shared_ptr<SpaceBudget> space)
      : folder_(std::move(folder)), uid_shift_(uid_shift), space_(std::move(space)) {}
  struct Size {
    std::uint64_t bytes = 0;
    std::uint64_t entries = 0;
  };
  struct Unpacked {  // and not yet in its place
    crypto::Digest diff_id;
    std::string folder;
    Size size;
  };
  Result<void> scan();
  std::string temporary_path();
  std::vector<const Layer*> claim(const std::vector<Layer>& image);
  LayerLimits limits_for(const std::vector<Layer>& image,
                         const std::vector<Unpacked>& waiting) const;
  // Adds what is unpacked to `waiting`, whatever comes after it.
  Result<void> unpack(const std::vector<Layer>& image, const std::vector<const Layer*>& claimed,
                      std::vector<Unpacked>& waiting);
  Result<Size> unpack(const Layer& layer, const LayerLimits& limits, const std::string& folder);
  // Takes out of `waiting` what is in its place.
  Result<void> move_into_place(std::vector<Unpacked>& waiting);
  void drop(const std::string& temporary);

  std::string folder_;
  std::uint32_t uid_shift_;
  std::shared_ptr<SpaceBudget> space_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<crypto::Digest, Size> layers_;
  std::set<crypto::Digest> unpacking_;
  std::uint64_t next_temporary_ = 0;
};

}  // namespace hm::oci
