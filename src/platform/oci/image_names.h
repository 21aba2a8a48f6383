// SPDX-License-Identifier: Apache-2.0
// The file `names` of a store: what each name stands for, and what of the store it needs. Written
// whole, as one step, at every change. Not thread-safe; the store's lock guards it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/crypto/hash.h"
#include "platform/oci/stored_image.h"
#include "ports/image_store.h"

namespace hm::oci {

struct NameRecord {
  crypto::Digest manifest;
  std::uint64_t bytes = 0;
  UnixMillis created;
  std::string platform;
  std::vector<crypto::Digest> blobs;
  std::vector<crypto::Digest> layers;  // diff_ids
  bool operator==(const NameRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.manifest, self.bytes, self.created, self.platform, self.blobs,
                    self.layers);
  }
};
NameRecord record_of(const StoredImage& image);
ports::NamedImage named_image(const std::string& reference, const NameRecord& record);

class ImageNames {
 public:
  // Corrupt if the file is there and cannot be read.
  static Result<ImageNames> open(const std::string& folder);

  const std::map<std::string, NameRecord>& all() const { return records_; }
  Result<void> set(const std::string& reference, NameRecord record);
  Result<void> remove(const std::string& reference);  // NotFound

 private:
  explicit ImageNames(std::string path) : path_(std::move(path)) {}
  Result<void> write(std::map<std::string, NameRecord> records);

  std::string path_;
  std::map<std::string, NameRecord> records_;
};

}  // namespace hm::oci
