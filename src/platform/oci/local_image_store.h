// SPDX-License-Identifier: Apache-2.0
// The port's implementation over blobs, layers and names; import and export are in files of their
// own (image_import.h, image_export.h).
//
// One lock guards names and holds. It is held while collect() decides what goes, so that nothing
// that a name or a hold takes up meanwhile is lost, and never while bytes of images move.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "platform/oci/blob_store.h"
#include "platform/oci/image_names.h"
#include "platform/oci/image_store.h"
#include "platform/oci/layer_store.h"
#include "ports/image_store.h"

namespace hm::oci {

class LocalImageStore : public ports::ImageStore {
 public:
  LocalImageStore(std::shared_ptr<BlobStore> blobs, std::unique_ptr<LayerStore> layers,
                  ImageNames names);

  Result<std::vector<ports::ImageBlob>> blobs_of(const crypto::Digest& manifest) override;
  std::optional<std::uint64_t> blob_size(const crypto::Digest& digest) override;
  Result<Bytes> read_blob(const crypto::Digest& digest, std::uint64_t offset,
                          std::size_t most) override;
  Result<std::unique_ptr<ports::BlobWriter>> write_blob(const ports::ImageBlob& blob) override;
  Result<std::vector<ports::NamedImage>> import_file(const std::string& path,
                                                     const std::string& reference,
                                                     const ports::ImageProgress& progress) override;
  Result<void> export_file(const crypto::Digest& manifest, const std::string& reference,
                           const std::string& path) override;
  std::vector<ports::NamedImage> names() override;
  Result<ports::NamedImage> find(const std::string& reference) override;
  Result<void> set_name(const std::string& reference, const crypto::Digest& manifest) override;
  Result<void> remove_name(const std::string& reference) override;
  Result<std::uint64_t> collect() override;
  Result<ports::UnpackedImage> unpack(const crypto::Digest& manifest,
                                      const ports::ImageProgress& progress) override;

 private:
  // How many holds need a digest. Outlives the store as long as there is a hold.
  struct Holds {
    std::mutex mutex;
    std::map<crypto::Digest, std::size_t> blobs;
    std::map<crypto::Digest, std::size_t> layers;
  };
  std::shared_ptr<void> hold(const NameRecord& record);

  std::shared_ptr<BlobStore> blobs_;
  std::unique_ptr<LayerStore> layers_;
  std::shared_ptr<Holds> holds_;
  std::mutex& mutex_;  // of the holds: one lock for both
  ImageNames names_;
};

}  // namespace hm::oci
