// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/layer_unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "platform/oci/layer_folder.h"
#include "platform/oci/limits.h"

namespace hm::oci {
namespace {

constexpr std::string_view kWhiteoutPrefix = ".wh.";
constexpr std::string_view kOpaqueMarker = ".wh..wh..opq";
constexpr std::string_view kMetadataPrefix = ".wh..wh.";
constexpr std::string_view kCapability = "security.capability";
constexpr mode_t kPermissionBits = 07777;

std::uint32_t little_endian(ByteView bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = (value << 8) | bytes[i];
  return value;
}

void put_little_endian(std::span<std::uint8_t> out, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

// File capabilities of version 2 hold for the root of this machine's first namespace, and not for
// that of a container; version 3 names the root for whom they hold (capabilities(7)). Empty if the
// value is neither.
Bytes capability_for(ByteView value, std::uint32_t root) {
  if (value.size() != XATTR_CAPS_SZ_2 && value.size() != XATTR_CAPS_SZ_3) return {};
  const std::uint32_t magic = little_endian(value);
  const std::uint32_t revision = magic & VFS_CAP_REVISION_MASK;
  if (revision != (value.size() == XATTR_CAPS_SZ_2 ? VFS_CAP_REVISION_2 : VFS_CAP_REVISION_3)) {
    return {};
  }
  Bytes shifted(value.begin(), value.begin() + XATTR_CAPS_SZ_2);
  const std::uint32_t flags = magic & ~static_cast<std::uint32_t>(VFS_CAP_REVISION_MASK);
  put_little_endian(shifted, (root == 0 ? VFS_CAP_REVISION_2 : VFS_CAP_REVISION_3) | flags);
  if (root == 0) return shifted;
  shifted.resize(XATTR_CAPS_SZ_3);
  put_little_endian(std::span(shifted).subspan(XATTR_CAPS_SZ_2), root);
  return shifted;
}

class Unpacker {
 public:
  Unpacker(LayerStream& stream, LayerFolder& folder, const UnpackOptions& options)
      : stream_(stream), folder_(folder), options_(options) {}

  Result<UnpackedLayer> run() {
    while (true) {
      HM_TRY(archive_entry* const entry, stream_.next_entry());
      if (entry == nullptr) break;
      if (++result_.entries > options_.limits.entries) {
        return fail(ErrorCode::NoCapacity,
                    fmt::format("a layer has more than {} entries", options_.limits.entries));
      }
      HM_TRY_VOID(take(kEntryBytes));
      HM_TRY_VOID(unpack(entry));
    }
    HM_TRY(result_.diff_id, stream_.finish());
    HM_TRY_VOID(folder_.finish());
    return result_;
  }

 private:
  Result<void> take(std::uint64_t bytes) {
    if (options_.take_space) HM_TRY_VOID(options_.take_space(bytes));
    result_.bytes += bytes;
    return {};
  }

  Result<void> unpack(archive_entry* entry) {
    const char* const name = ::archive_entry_pathname(entry);
    if (name == nullptr) return fail(ErrorCode::Corrupt, "a layer has an entry without a name");
    HM_TRY(const EntryPath path, parse_entry_path(name));
    for (std::size_t i = 0; i + 1 < path.parts.size(); ++i) {
      if (path.parts[i].starts_with(kWhiteoutPrefix)) {
        return refuse(path, "lies in a whiteout");
      }
    }
    if (!path.is_root() && path.name().starts_with(kWhiteoutPrefix)) return hide(path);
    if (const char* const target = ::archive_entry_hardlink(entry)) {
      HM_TRY(const EntryPath from, parse_entry_path(target));
      return folder_.make_hard_link(path, from);
    }
    HM_TRY(const EntryStatus status, status_of(entry, path));
    switch (::archive_entry_filetype(entry)) {
      case AE_IFREG: return make_file(entry, path, status);
      case AE_IFDIR: return folder_.make_folder(path, status);
      case AE_IFLNK: {
        const char* const target = ::archive_entry_symlink(entry);
        return folder_.make_symlink(path, target != nullptr ? target : "", status);
      }
      case AE_IFIFO: return folder_.make_fifo(path, status);
      case AE_IFCHR:
      case AE_IFBLK: ++result_.devices_left_out; return {};
      default: return refuse(path, "is of a kind that no image has");
    }
  }

  Result<void> hide(const EntryPath& path) {
    if (path.name() == kOpaqueMarker) return folder_.make_opaque(path.parent());
    if (path.name().starts_with(kMetadataPrefix)) return {};
    std::string hidden = path.name().substr(kWhiteoutPrefix.size());
    if (hidden.empty() || hidden == "." || hidden == "..") return refuse(path, "hides no name");
    return folder_.make_whiteout(path.sibling(std::move(hidden)));
  }

  Result<EntryStatus> status_of(archive_entry* entry, const EntryPath& path) {
    EntryStatus status;
    const auto uid = ::archive_entry_uid(entry);
    const auto gid = ::archive_entry_gid(entry);
    if (uid < 0 || uid >= kMappedIds || gid < 0 || gid >= kMappedIds) {
      return refuse(path, "belongs to a user or group that no container has");
    }
    status.uid = static_cast<uid_t>(uid) + options_.uid_shift;
    status.gid = static_cast<gid_t>(gid) + options_.uid_shift;
    status.mode = ::archive_entry_perm(entry) & kPermissionBits;
    status.modified = {.tv_sec = ::archive_entry_mtime(entry),
                       .tv_nsec = ::archive_entry_mtime_nsec(entry)};
    if (status.modified.tv_nsec < 0 || status.modified.tv_nsec > 999'999'999) {
      status.modified.tv_nsec = 0;
    }
    HM_TRY_VOID(add_attributes(entry, path, status));
    return status;
  }

  Result<void> add_attributes(archive_entry* entry, const EntryPath& path, EntryStatus& status) {
    if (::archive_entry_xattr_reset(entry) > static_cast<int>(kMaxAttributes)) {
      return refuse(path, "has too many attributes");
    }
    const char* name = nullptr;
    const void* data = nullptr;
    std::size_t size = 0;
    while (::archive_entry_xattr_next(entry, &name, &data, &size) == ARCHIVE_OK) {
      const std::string_view text = name != nullptr ? name : "";
      const ByteView value(static_cast<const std::uint8_t*>(data), size);
      if (size > kMaxAttributeBytes) return refuse(path, "has an attribute that is too large");
      if (text.starts_with("user.") && !text.starts_with("user.overlay.")) {
        HM_TRY_VOID(take(size));
        status.attributes.push_back({.name = std::string(text), .value = to_bytes(value)});
        continue;
      }
      Bytes shifted;
      if (text == kCapability) shifted = capability_for(value, options_.uid_shift);
      if (shifted.empty()) {
        ++result_.attributes_left_out;
      } else {
        status.attributes.push_back({.name = std::string(text), .value = std::move(shifted)});
      }
    }
    return {};
  }

  Result<void> make_file(archive_entry* entry, const EntryPath& path, const EntryStatus& status) {
    const auto claimed = ::archive_entry_size(entry);
    if (claimed < 0) return refuse(path, "has no size");
    // A sparse file counts as large as it claims to be, for it can be filled later.
    const auto size = static_cast<std::uint64_t>(claimed);
    if (size > options_.limits.bytes - file_bytes_) {
      return fail(ErrorCode::NoCapacity,
                  fmt::format("a layer's files are larger than {} bytes", options_.limits.bytes));
    }
    file_bytes_ += size;
    HM_TRY_VOID(take(size));
    HM_TRY(const FileHandle file, folder_.create_file(path));
    while (true) {
      HM_TRY(const auto piece, stream_.next_piece());
      if (!piece) break;
      if (piece->offset > size || piece->bytes.size() > size - piece->offset) {
        return refuse(path, "has more content than it says");
      }
      HM_TRY_VOID(write_all_at(file.get(), piece->bytes, piece->offset, path.text()));
    }
    if (::ftruncate(file.get(), claimed) != 0) {
      return system_error("write", path.text(), errno);
    }
    return folder_.finish_file(file, path, status);
  }

  static std::unexpected<Error> refuse(const EntryPath& path, std::string_view why) {
    return fail(ErrorCode::Corrupt, fmt::format("layer entry {}: {}", path.text(), why));
  }

  LayerStream& stream_;
  LayerFolder& folder_;
  const UnpackOptions& options_;
  UnpackedLayer result_;
  std::uint64_t file_bytes_ = 0;
};

}  // namespace

Result<UnpackedLayer> unpack_layer(const ByteSource& source, containers::LayerPacking packing,
                                   const std::string& folder, const UnpackOptions& options) {
  const PlainLocale locale;
  HM_TRY(LayerFolder target, LayerFolder::open(folder, options.uid_shift));
  HM_TRY(const auto stream, LayerStream::open(source, packing, options.limits.bytes));
  return Unpacker(*stream, target, options).run();
}

}  // namespace hm::oci
