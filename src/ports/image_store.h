// SPDX-License-Identifier: Apache-2.0
// Container images on this machine: blobs by digest, names for some of them, and layers unpacked so
// that a container can stand on them.
//
// Every call may block on the disk and may come from any thread at the same time as others, so
// calls belong on workers. Nothing unverified is ever seen under its digest: a blob appears once
// all its bytes are there and hash to it. What is in use is not collected.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/crypto/hash.h"

namespace hm::ports {

struct ImageBlob {
  crypto::Digest digest;
  std::uint64_t bytes = 0;
  bool operator==(const ImageBlob&) const = default;
};

// A name and what it stands for.
struct NamedImage {
  std::string reference;    // "registry.example:5000/repo/name:tag", or "name:tag"
  crypto::Digest manifest;  // of the image for this machine's platform
  std::uint64_t bytes = 0;  // of all its blobs
  UnixMillis created;       // as the image says; 0 if it does not
  std::string platform;     // "linux/amd64"
};

// Layers of an image, unpacked. Stay as they are as long as this is held.
struct UnpackedImage {
  std::vector<std::string> layers;  // folders, topmost first; whiteouts as overlayfs has them
  Bytes config;                     // the image's configuration, JSON, as its digest covers it
  std::shared_ptr<void> hold;
};

// A blob on its way in. Dropped without commit(), what came stays for a later writer to go on.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  virtual std::uint64_t offset() const = 0;  // bytes that are there already
  virtual Result<void> write(ByteView bytes) = 0;
  // Corrupt, and everything forgotten, if the bytes are not the digest's.
  virtual Result<void> commit() = 0;
};

// Bytes done and to do, of all that one call has to do.
using ImageProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

class ImageStore {
 public:
  virtual ~ImageStore() = default;

  // By manifest digest: the blobs without which the image cannot run; NotFound names a missing
  // manifest, which has to be there first.
  virtual Result<std::vector<ImageBlob>> blobs_of(const crypto::Digest& manifest) = 0;
  virtual std::optional<std::uint64_t> blob_size(const crypto::Digest& digest) = 0;
  // At most `most` bytes from `offset` on; fewer only at the end.
  virtual Result<Bytes> read_blob(const crypto::Digest& digest, std::uint64_t offset,
                                  std::size_t most) = 0;
  // AlreadyExists if it is there; NoCapacity above the store's limit or on a full disk.
  virtual Result<std::unique_ptr<BlobWriter>> write_blob(const ImageBlob& blob) = 0;

  // An OCI layout (folder or archive) or a docker archive; every image in it that fits this
  // machine's platform. `reference` names the one image, if the archive has no name for it.
  virtual Result<std::vector<NamedImage>> import_file(const std::string& path,
                                                      const std::string& reference,
                                                      const ImageProgress& progress) = 0;
  // An OCI archive of the image.
  virtual Result<void> export_file(const crypto::Digest& manifest, const std::string& reference,
                                   const std::string& path) = 0;

  virtual std::vector<NamedImage> names() = 0;
  // A name, or a unique prefix of a manifest's digest.
  virtual Result<NamedImage> find(const std::string& reference) = 0;
  // Replaces what had the name. Requires the manifest and every blob that it needs.
  virtual Result<void> set_name(const std::string& reference, const crypto::Digest& manifest) = 0;
  virtual Result<void> remove_name(const std::string& reference) = 0;
  // Removes what no name and no hold needs and what no writer touched for a day; bytes freed.
  virtual Result<std::uint64_t> collect() = 0;

  // Unpacks what is not unpacked yet, each layer once whatever image it is in.
  virtual Result<UnpackedImage> unpack(const crypto::Digest& manifest,
                                       const ImageProgress& progress) = 0;
};

}  // namespace hm::ports
