// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/image_export.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "core/containers/image_manifest.h"
#include "foundation/base/hex.h"
#include "platform/files/key_file.h"
#include "platform/oci/limits.h"

namespace hm::oci {
namespace {

constexpr mode_t kFileMode = 0644;

class TarWriter {
 public:
  TarWriter(int fd, std::string path)
      : path_(std::move(path)), writer_(::archive_write_new()), entry_(::archive_entry_new()) {
    ::archive_write_set_format_pax_restricted(writer_);
    ::archive_write_set_bytes_in_last_block(writer_, 1);
    is_open_ = ::archive_write_open_fd(writer_, fd) == ARCHIVE_OK;
  }
  ~TarWriter() {
    ::archive_entry_free(entry_);
    ::archive_write_free(writer_);
  }
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  Result<void> begin(const std::string& name, std::uint64_t bytes) {
    ::archive_entry_clear(entry_);
    ::archive_entry_set_pathname(entry_, name.c_str());
    ::archive_entry_set_filetype(entry_, AE_IFREG);
    ::archive_entry_set_perm(entry_, kFileMode);
    ::archive_entry_set_size(entry_, static_cast<la_int64_t>(bytes));
    ::archive_entry_set_mtime(entry_, 0, 0);
    if (!is_open_ || ::archive_write_header(writer_, entry_) != ARCHIVE_OK) return failure();
    return {};
  }

  Result<void> add(ByteView bytes) {
    while (!bytes.empty()) {
      const la_ssize_t n = ::archive_write_data(writer_, bytes.data(), bytes.size());
      if (n <= 0) return failure();
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
  }

  Result<void> add_file(const std::string& name, ByteView bytes) {
    HM_TRY_VOID(begin(name, bytes.size()));
    return add(bytes);
  }

  Result<void> close() {
    if (::archive_write_close(writer_) != ARCHIVE_OK) return failure();
    return {};
  }

 private:
  std::unexpected<Error> failure() {
    const char* const text = ::archive_error_string(writer_);
    const int number = ::archive_errno(writer_);
    if (number > 0) return system_error("write", path_, number);
    return fail(ErrorCode::Io, fmt::format("cannot write {}", path_), text != nullptr ? text : "");
  }

  std::string path_;
  archive* writer_;
  archive_entry* entry_;
  bool is_open_ = false;
};

Result<void> add_blob(TarWriter& tar, const BlobStore& blobs, const ports::ImageBlob& blob) {
  HM_TRY(const FileHandle file, blobs.open_blob(blob.digest));
  HM_TRY_VOID(tar.begin("blobs/sha256/" + blob.digest.to_string(), blob.bytes));
  crypto::Sha256 hash;
  Bytes buffer(kCopyBytes);
  for (std::uint64_t offset = 0; offset < blob.bytes;) {
    HM_TRY(const auto n, read_some_at(file.get(), buffer, offset, "a blob"));
    if (n == 0) break;
    hash.update(ByteView(buffer).first(n));
    HM_TRY_VOID(tar.add(ByteView(buffer).first(n)));
    offset += n;
  }
  if (hash.digest() == blob.digest) return {};
  return fail(ErrorCode::Corrupt,
              fmt::format("blob {} has changed on the disk", blob.digest.to_string()),
              "Remove the image and fetch it again.");
}

Result<void> write_layout(TarWriter& tar, const BlobStore& blobs, const StoredImage& image,
                          const std::string& reference) {
  const containers::ImageIndex index{
      .manifests = {{.media_type = image.manifest.media_type,
                     .digest = image.manifest.blob.digest,
                     .bytes = image.manifest.blob.bytes,
                     .platform = containers::Platform{.os = image.config.os,
                                                      .architecture = image.config.architecture},
                     .reference_name = reference}}};
  HM_TRY_VOID(tar.add_file("oci-layout", as_bytes(containers::oci_layout_text())));
  HM_TRY_VOID(tar.add_file("index.json", as_bytes(containers::write_index(index))));
  for (const ports::ImageBlob& blob : image.manifest.blobs()) {
    HM_TRY_VOID(add_blob(tar, blobs, blob));
  }
  return tar.close();
}

}  // namespace

Result<void> export_archive(const BlobStore& blobs, const StoredImage& image,
                            const std::string& reference, const std::string& path) {
  std::uint8_t suffix[8] = {};
  files::fill_random(suffix);
  const std::string temporary = fmt::format("{}.{}", path, to_hex(suffix));
  const auto write = [&]() -> Result<void> {
    const FileHandle file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
    if (!file.is_open()) return system_error("create", temporary, errno);
    TarWriter tar(file.get(), path);
    HM_TRY_VOID(write_layout(tar, blobs, image, reference));
    HM_TRY_VOID(flush(file.get(), path));
    if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error("write", path, errno);
    return {};
  };
  const auto written = write();
  if (!written) ::unlink(temporary.c_str());
  return written;
}

}  // namespace hm::oci
