// SPDX-License-Identifier: Apache-2.0
// Blobs by digest:
//   blobs/sha256/<hex>   whole, and what the name says
//   incoming/<hex>       on their way; a later writer goes on where one stopped
// A blob is hashed as it comes, flushed, and moved to its name in one step. All calls are
// thread-safe; a digest has one writer at a time.
//
// A blob that came in and that nothing has needed yet is young: it outlives collect() for a day,
// for the rest of its image may still be on its way.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/oci/file_handle.h"
#include "platform/oci/space_budget.h"
#include "ports/image_store.h"

namespace hm::oci {

class BlobStore : public std::enable_shared_from_this<BlobStore> {
 public:
  static Result<std::shared_ptr<BlobStore>> open(const std::string& folder,
                                                 std::shared_ptr<SpaceBudget> space);

  std::optional<std::uint64_t> size(const crypto::Digest& digest) const;
  Result<FileHandle> open_blob(const crypto::Digest& digest) const;
  Result<Bytes> read(const crypto::Digest& digest, std::uint64_t offset, std::size_t most) const;
  // A manifest, index or configuration: whole, of bounded size, and hashed again.
  Result<Bytes> read_document(const crypto::Digest& digest) const;

  // AlreadyExists if it is there, which makes it young again; Busy while another writes it;
  // NoCapacity if it would not fit. The writer's commit() is FailedPrecondition, and keeps what
  // came, if bytes are missing.
  Result<std::unique_ptr<ports::BlobWriter>> write(const ports::ImageBlob& blob);
  // A whole document at once. Fine if it is there.
  Result<crypto::Digest> put_document(ByteView bytes);

  // A file without a name on the store's disk.
  Result<FileHandle> scratch_file() const;

  // These are needed by now: young no more.
  void settle(std::span<const crypto::Digest> digests);
  // Removes blobs that are neither needed nor young, and old partial ones; bytes freed.
  Result<std::uint64_t> collect(const std::set<crypto::Digest>& needed);

 private:
  class Writer;
  BlobStore(std::string folder, std::shared_ptr<SpaceBudget> space)
      : folder_(std::move(folder)), space_(std::move(space)) {}
  Result<void> scan();
  std::string blob_path(const crypto::Digest& digest) const;
  std::string incoming_path(const crypto::Digest& digest) const;
  Result<void> move_into_place(const crypto::Digest& digest);
  void end_writing(const crypto::Digest& digest);

  std::string folder_;
  std::shared_ptr<SpaceBudget> space_;
  mutable std::mutex mutex_;
  std::set<crypto::Digest> writing_;
  std::set<crypto::Digest> young_;
};

}  // namespace hm::oci
