// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/blob_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <utility>
#include <vector>

#include "core/containers/image_digest.h"
#include "core/containers/limits.h"
#include "platform/files/atomic_file.h"
#include "platform/oci/limits.h"

namespace hm::oci {
namespace {

constexpr unsigned kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

struct StoredFile {
  crypto::Digest digest;
  std::uint64_t bytes = 0;
  bool is_old = false;  // not touched for kKeptUnneeded
};

// The files of a folder that are named by a digest; nothing else is put there.
Result<std::vector<StoredFile>> files_in(const std::string& folder) {
  std::vector<StoredFile> files;
  std::error_code error;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto oldest = std::chrono::duration_cast<std::chrono::seconds>(now - kKeptUnneeded);
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const auto digest = crypto::Digest::parse(at->path().filename().string());
    struct stat status{};
    if (!digest || ::lstat(at->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    files.push_back({.digest = *digest,
                     .bytes = static_cast<std::uint64_t>(status.st_size),
                     .is_old = status.st_mtim.tv_sec < oldest.count()});
  }
  if (error) return system_error("list", folder, error.value());
  return files;
}

}  // namespace

// Holds the digest in `writing_` and the space for the whole blob as long as it lives.
class BlobStore::Writer : public ports::BlobWriter {
 public:
  Writer(std::shared_ptr<BlobStore> store, const ports::ImageBlob& blob)
      : store_(std::move(store)), blob_(blob), path_(store_->incoming_path(blob.digest)) {}

  ~Writer() override {
    if (file_.is_open() && offset_ == 0) ::unlink(path_.c_str());
    store_->space_->give_back(reserved_);
    store_->end_writing(blob_.digest);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Hashes what an earlier writer left.
  Result<void> open() {
    file_ = FileHandle(
        ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, kFileMode));
    if (!file_.is_open()) return system_error("open", path_, errno);
    HM_TRY(const auto present, size_of(file_.get(), path_));
    if (present > blob_.bytes) {
      if (::ftruncate(file_.get(), 0) != 0) return system_error("cut", path_, errno);
      store_->space_->give_back(present);
    } else {
      HM_TRY_VOID(hash_present(present));
    }
    HM_TRY_VOID(store_->space_->take(blob_.bytes - offset_));
    reserved_ = blob_.bytes - offset_;
    return {};
  }

  std::uint64_t offset() const override { return offset_; }

  Result<void> write(ByteView bytes) override {
    if (!file_.is_open()) return over();
    if (bytes.size() > blob_.bytes - offset_) {
      forget();
      return corrupt("is longer than announced");
    }
    if (const auto written = write_all(file_.get(), bytes, path_); !written) {
      // What of the piece reached the disk is unknown; a later writer goes on before it.
      if (::ftruncate(file_.get(), static_cast<off_t>(offset_)) != 0) forget();
      file_ = FileHandle();
      return written;
    }
    hash_.update(bytes);
    offset_ += bytes.size();
    reserved_ -= bytes.size();
    return {};
  }

  Result<void> commit() override {
    if (!file_.is_open()) return over();
    if (offset_ < blob_.bytes) {
      return fail(ErrorCode::FailedPrecondition,
                  fmt::format("{} of {} bytes of blob {} came", offset_, blob_.bytes,
                              containers::image_digest_text(blob_.digest)));
    }
    if (hash_.digest() != blob_.digest) {
      forget();
      return corrupt("is not what its digest says");
    }
    HM_TRY_VOID(flush(file_.get(), path_));
    file_ = FileHandle();
    return store_->move_into_place(blob_.digest);
  }

 private:
  Result<void> hash_present(std::uint64_t present) {
    Bytes buffer(kCopyBytes);
    while (offset_ < present) {
      HM_TRY(const auto n, read_some_at(file_.get(), buffer, offset_, path_));
      if (n == 0) break;
      hash_.update(ByteView(buffer).first(n));
      offset_ += n;
    }
    return {};
  }

  void forget() {
    file_ = FileHandle();
    ::unlink(path_.c_str());
    store_->space_->give_back(offset_);
  }

  std::unexpected<Error> corrupt(std::string_view why) const {
    return fail(ErrorCode::Corrupt,
                fmt::format("blob {} {}", containers::image_digest_text(blob_.digest), why),
                "Everything of it that came was dropped.");
  }
  static std::unexpected<Error> over() {
    return fail(ErrorCode::FailedPrecondition, "the writing of this blob has ended");
  }

  std::shared_ptr<BlobStore> store_;
  ports::ImageBlob blob_;
  std::string path_;
  FileHandle file_;
  crypto::Sha256 hash_;
  std::uint64_t offset_ = 0;
  std::uint64_t reserved_ = 0;
};

Result<std::shared_ptr<BlobStore>> BlobStore::open(const std::string& folder,
                                                   std::shared_ptr<SpaceBudget> space) {
  for (const char* part : {"/blobs/sha256", "/incoming"}) {
    HM_TRY_VOID(files::make_folder(folder + part, kFolderMode));
  }
  std::shared_ptr<BlobStore> store(new BlobStore(folder, std::move(space)));
  HM_TRY_VOID(store->scan());
  return store;
}

Result<void> BlobStore::scan() {
  HM_TRY(const auto blobs, files_in(folder_ + "/blobs/sha256"));
  for (const StoredFile& file : blobs) {
    space_->count(file.bytes);
    if (!file.is_old) young_.insert(file.digest);
  }
  HM_TRY(const auto partial, files_in(folder_ + "/incoming"));
  for (const StoredFile& file : partial) space_->count(file.bytes);
  return {};
}

std::string BlobStore::blob_path(const crypto::Digest& digest) const {
  return folder_ + "/blobs/sha256/" + digest.to_string();
}

std::string BlobStore::incoming_path(const crypto::Digest& digest) const {
  return folder_ + "/incoming/" + digest.to_string();
}

std::optional<std::uint64_t> BlobStore::size(const crypto::Digest& digest) const {
  struct stat status{};
  if (::stat(blob_path(digest).c_str(), &status) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

Result<FileHandle> BlobStore::open_blob(const crypto::Digest& digest) const {
  FileHandle file(::open(blob_path(digest).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (file.is_open()) return file;
  if (errno != ENOENT) return system_error("open", blob_path(digest), errno);
  return fail(ErrorCode::NotFound,
              fmt::format("blob {} is not here", containers::image_digest_text(digest)));
}

Result<Bytes> BlobStore::read(const crypto::Digest& digest, std::uint64_t offset,
                              std::size_t most) const {
  HM_TRY(const FileHandle file, open_blob(digest));
  const std::string path = blob_path(digest);
  HM_TRY(const auto size, size_of(file.get(), path));
  if (offset >= size) return Bytes();
  Bytes bytes(static_cast<std::size_t>(std::min<std::uint64_t>(most, size - offset)));
  HM_TRY(const auto n, read_some_at(file.get(), bytes, offset, path));
  bytes.resize(n);
  return bytes;
}

Result<Bytes> BlobStore::read_document(const crypto::Digest& digest) const {
  HM_TRY(Bytes bytes, read(digest, 0, containers::kMaxImageDocument + 1));
  if (bytes.size() > containers::kMaxImageDocument) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("blob {} is no document of an image: it is too large",
                            containers::image_digest_text(digest)));
  }
  if (crypto::sha256(bytes) != digest) {
    return fail(
        ErrorCode::Corrupt,
        fmt::format("blob {} has changed on the disk", containers::image_digest_text(digest)),
        "Remove the image and fetch it again.");
  }
  return bytes;
}

Result<std::unique_ptr<ports::BlobWriter>> BlobStore::write(const ports::ImageBlob& blob) {
  if (blob.bytes > containers::kMaxBlobBytes) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("a blob of {} bytes is above the limit", blob.bytes));
  }
  {
    const std::lock_guard lock(mutex_);
    const std::string path = blob_path(blob.digest);
    if (::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0) {
      young_.insert(blob.digest);
      return fail(ErrorCode::AlreadyExists,
                  fmt::format("blob {} is here", containers::image_digest_text(blob.digest)));
    }
    if (!writing_.insert(blob.digest).second) {
      return fail(ErrorCode::Busy,
                  fmt::format("blob {} is coming in", containers::image_digest_text(blob.digest)));
    }
  }
  auto writer = std::make_unique<Writer>(shared_from_this(), blob);
  HM_TRY_VOID(writer->open());
  return std::unique_ptr<ports::BlobWriter>(std::move(writer));
}

Result<crypto::Digest> BlobStore::put_document(ByteView bytes) {
  const crypto::Digest digest = crypto::sha256(bytes);
  auto writer = write({.digest = digest, .bytes = bytes.size()});
  if (!writer) {
    if (writer.error().code == ErrorCode::AlreadyExists) return digest;
    return fail(std::move(writer).error());
  }
  HM_TRY_VOID((*writer)->write(bytes.subspan(static_cast<std::size_t>((*writer)->offset()))));
  HM_TRY_VOID((*writer)->commit());
  return digest;
}

Result<FileHandle> BlobStore::scratch_file() const {
  const std::string folder = folder_ + "/incoming";
  FileHandle file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kFileMode));
  if (!file.is_open()) return system_error("make a file in", folder, errno);
  return file;
}

Result<void> BlobStore::move_into_place(const crypto::Digest& digest) {
  const std::string path = blob_path(digest);
  {
    const std::lock_guard lock(mutex_);
    if (::rename(incoming_path(digest).c_str(), path.c_str()) != 0) {
      return system_error("write", path, errno);
    }
    young_.insert(digest);
  }
  HM_TRY(const FileHandle folder, open_folder(folder_ + "/blobs/sha256"));
  return flush(folder.get(), path);
}

void BlobStore::end_writing(const crypto::Digest& digest) {
  const std::lock_guard lock(mutex_);
  writing_.erase(digest);
}

void BlobStore::settle(std::span<const crypto::Digest> digests) {
  const std::lock_guard lock(mutex_);
  for (const crypto::Digest& digest : digests) young_.erase(digest);
}

Result<std::uint64_t> BlobStore::collect(const std::set<crypto::Digest>& needed) {
  const std::lock_guard lock(mutex_);
  std::uint64_t freed = 0;
  const auto remove = [&](const std::string& path, const StoredFile& file) -> Result<void> {
    if (::unlink(path.c_str()) != 0) return system_error("remove", path, errno);
    young_.erase(file.digest);
    space_->give_back(file.bytes);
    freed += file.bytes;
    return {};
  };
  HM_TRY(const auto blobs, files_in(folder_ + "/blobs/sha256"));
  for (const StoredFile& file : blobs) {
    if (needed.contains(file.digest) || (young_.contains(file.digest) && !file.is_old)) continue;
    HM_TRY_VOID(remove(blob_path(file.digest), file));
  }
  HM_TRY(const auto partial, files_in(folder_ + "/incoming"));
  for (const StoredFile& file : partial) {
    if (writing_.contains(file.digest) || !file.is_old) continue;
    HM_TRY_VOID(remove(incoming_path(file.digest), file));
  }
  return freed;
}

}  // namespace hm::oci
