// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/layer_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "platform/oci/limits.h"

namespace hm::oci {
namespace {

constexpr mode_t kUnnamedFolderMode = 0755;
constexpr const char* kOpaqueAttribute = "trusted.overlay.opaque";

int open_beneath(int folder, const std::string& path, int flags, mode_t mode = 0) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  return static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how));
}

std::unexpected<Error> refuse(const EntryPath& path, std::string_view why) {
  return fail(ErrorCode::Corrupt, fmt::format("layer entry {}: {}", path.text(), why));
}

bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
}

std::optional<struct stat> status_at(int parent, const std::string& name) {
  struct stat status{};
  if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return status;
}

// Owner first: the kernel drops set-id bits and capabilities when it changes.
Result<void> apply(int fd, const EntryPath& path, const EntryStatus& status) {
  if (::fchown(fd, status.uid, status.gid) != 0 || ::fchmod(fd, status.mode) != 0) {
    return system_error("set the owner of", path.text(), errno);
  }
  for (const EntryAttribute& attribute : status.attributes) {
    if (::fsetxattr(fd, attribute.name.c_str(), attribute.value.data(), attribute.value.size(),
                    0) != 0) {
      return system_error("set an attribute of", path.text(), errno);
    }
  }
  return {};
}

Result<void> set_opaque(int fd, const EntryPath& path) {
  if (::fsetxattr(fd, kOpaqueAttribute, "y", 1, 0) == 0) return {};
  return system_error("hide what is below", path.text(), errno);
}

}  // namespace

std::string EntryPath::text() const {
  std::string text;
  for (const std::string& part : parts) text += text.empty() ? part : "/" + part;
  return text;
}

std::string EntryPath::parent_text() const { return parent().text(); }

EntryPath EntryPath::sibling(std::string name) const {
  EntryPath path = *this;
  path.parts.back() = std::move(name);
  return path;
}

EntryPath EntryPath::parent() const {
  EntryPath path = *this;
  path.parts.pop_back();
  return path;
}

Result<EntryPath> parse_entry_path(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::Corrupt, fmt::format("a layer has an entry whose name {}", why),
                std::string(text.substr(0, kMaxEntryName)));
  };
  if (text.empty()) return bad("is empty");
  if (text.size() > kMaxEntryPath) return bad("is too long");
  if (text.front() == '/') return bad("is absolute");
  if (text.find('\0') != std::string_view::npos) return bad("has a NUL");
  EntryPath path;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('/'), text.size());
    const std::string_view part = text.substr(0, end);
    if (part == "..") return bad("leads out of it");
    if (part.size() > kMaxEntryName) return bad("is too long");
    if (!part.empty() && part != ".") path.parts.emplace_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (path.parts.size() > kMaxEntryDepth) return bad("is too deep");
  return path;
}

Result<LayerFolder> LayerFolder::open(const std::string& path, uid_t owner) {
  HM_TRY(FileHandle root, open_folder(path));
  if (::fchown(root.get(), owner, owner) != 0 || ::fchmod(root.get(), kUnnamedFolderMode) != 0) {
    return system_error("set the owner of", path, errno);
  }
  return LayerFolder(std::move(root), owner);
}

Result<void> LayerFolder::step_into(int parent, const std::string& name, const EntryPath& path) {
  bool hides = false;
  if (const auto present = status_at(parent, name)) {
    if (S_ISDIR(present->st_mode)) return {};
    if (!is_whiteout(*present)) return refuse(path, "lies in something that is no folder");
    // The layer removes the folder of the layers below, and has one of its own.
    hides = true;
    if (::unlinkat(parent, name.c_str(), 0) != 0) return system_error("remove", name, errno);
  }
  if (::mkdirat(parent, name.c_str(), kUnnamedFolderMode) != 0) {
    return system_error("make", path.text(), errno);
  }
  const FileHandle folder(open_beneath(parent, name, O_RDONLY | O_DIRECTORY));
  if (!folder.is_open()) return system_error("open", path.text(), errno);
  HM_TRY_VOID(apply(folder.get(), path,
                    {.mode = kUnnamedFolderMode, .uid = owner_, .gid = owner_, .attributes = {}}));
  if (hides) return set_opaque(folder.get(), path);
  return {};
}

Result<FileHandle> LayerFolder::walk(const EntryPath& folder) {
  // The common case in one call; otherwise part by part, making what is not there.
  const std::string whole = folder.is_root() ? "." : folder.text();
  FileHandle direct(open_beneath(root_.get(), whole, O_PATH | O_DIRECTORY));
  if (direct.is_open()) return direct;
  FileHandle at(open_beneath(root_.get(), ".", O_PATH | O_DIRECTORY));
  for (const std::string& part : folder.parts) {
    if (!at.is_open()) return system_error("open", whole, errno);
    HM_TRY_VOID(step_into(at.get(), part, folder));
    at = FileHandle(open_beneath(at.get(), part, O_PATH | O_DIRECTORY));
  }
  if (!at.is_open()) return system_error("open", whole, errno);
  return at;
}

Result<int> LayerFolder::parent_of(const EntryPath& path) {
  std::string parent = path.parent_text();
  if (!cached_.is_open() || parent != cached_parent_) {
    HM_TRY(cached_, walk(path.parent()));
    cached_parent_ = std::move(parent);
  }
  return cached_.get();
}

template <class Make>
Result<void> LayerFolder::replace(const EntryPath& path, Make make) {
  if (path.is_root()) return fail(ErrorCode::Corrupt, "a layer's root is no folder");
  HM_TRY(const int parent, parent_of(path));
  if (make(parent, path.name().c_str()) == 0) return {};
  if (errno != EEXIST) return system_error("make", path.text(), errno);
  const auto present = status_at(parent, path.name());
  if (present && S_ISDIR(present->st_mode)) return refuse(path, "stands where a folder is");
  if (::unlinkat(parent, path.name().c_str(), 0) != 0) {
    return system_error("replace", path.text(), errno);
  }
  if (make(parent, path.name().c_str()) == 0) return {};
  return system_error("make", path.text(), errno);
}

Result<void> LayerFolder::make_folder(const EntryPath& path, const EntryStatus& status) {
  FileHandle folder;
  if (path.is_root()) {
    folder = FileHandle(open_beneath(root_.get(), ".", O_RDONLY | O_DIRECTORY));
  } else {
    HM_TRY(const int parent, parent_of(path));
    if (const auto present = status_at(parent, path.name());
        present && !S_ISDIR(present->st_mode) && !is_whiteout(*present)) {
      return refuse(path, "stands where no folder is");
    }
    HM_TRY_VOID(step_into(parent, path.name(), path));
    folder = FileHandle(open_beneath(parent, path.name(), O_RDONLY | O_DIRECTORY));
  }
  if (!folder.is_open()) return system_error("open", path.text(), errno);
  time_bytes_ += path.text().size();
  if (time_bytes_ > kMaxFolderNameBytes) {
    return fail(ErrorCode::NoCapacity, "the names of a layer's folders are too long in all");
  }
  times_.push_back({.path = path, .modified = status.modified});
  return apply(folder.get(), path, status);
}

Result<FileHandle> LayerFolder::create_file(const EntryPath& path) {
  FileHandle file;
  HM_TRY_VOID(replace(path, [&file](int parent, const char* name) {
    file = FileHandle(open_beneath(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    return file.is_open() ? 0 : -1;
  }));
  return file;
}

Result<void> LayerFolder::finish_file(const FileHandle& file, const EntryPath& path,
                                      const EntryStatus& status) {
  HM_TRY_VOID(apply(file.get(), path, status));
  const timespec times[2] = {status.modified, status.modified};
  if (::futimens(file.get(), times) != 0)
    return system_error("set the time of", path.text(), errno);
  return {};
}

Result<void> LayerFolder::make_symlink(const EntryPath& path, const std::string& target,
                                       const EntryStatus& status) {
  if (target.empty() || target.size() > kMaxEntryPath) return refuse(path, "links to no name");
  HM_TRY_VOID(replace(path, [&target](int parent, const char* name) {
    return ::symlinkat(target.c_str(), parent, name);
  }));
  HM_TRY(const int parent, parent_of(path));
  const timespec times[2] = {status.modified, status.modified};
  const char* const name = path.name().c_str();
  if (::fchownat(parent, name, status.uid, status.gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      ::utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) != 0) {
    return system_error("set the owner of", path.text(), errno);
  }
  return {};
}

Result<void> LayerFolder::make_hard_link(const EntryPath& path, const EntryPath& target) {
  if (target.is_root()) return refuse(path, "is a hard link to a folder");
  // A descriptor of its own: making the link's folder may drop the one kept.
  const std::string folder = target.parts.size() == 1 ? "." : target.parent_text();
  const FileHandle from(open_beneath(root_.get(), folder, O_PATH | O_DIRECTORY));
  const auto present = from.is_open() ? status_at(from.get(), target.name()) : std::nullopt;
  if (!present) return refuse(path, "is a hard link to what the layer does not have");
  if (!S_ISREG(present->st_mode) && !S_ISLNK(present->st_mode) && !S_ISFIFO(present->st_mode)) {
    return refuse(path, "is a hard link to no file");
  }
  if (path.parts == target.parts) return refuse(path, "is a hard link to itself");
  return replace(path, [&](int parent, const char* name) {
    return ::linkat(from.get(), target.name().c_str(), parent, name, 0);
  });
}

Result<void> LayerFolder::make_fifo(const EntryPath& path, const EntryStatus& status) {
  HM_TRY_VOID(
      replace(path, [](int parent, const char* name) { return ::mkfifoat(parent, name, 0600); }));
  HM_TRY(const int parent, parent_of(path));
  const timespec times[2] = {status.modified, status.modified};
  const char* const name = path.name().c_str();
  if (::fchownat(parent, name, status.uid, status.gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      ::fchmodat(parent, name, status.mode, 0) != 0 ||
      ::utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) != 0) {
    return system_error("set the owner of", path.text(), errno);
  }
  return {};
}

Result<void> LayerFolder::make_whiteout(const EntryPath& path) {
  HM_TRY(const int parent, parent_of(path));
  if (const auto present = status_at(parent, path.name())) {
    // image-spec 1.1, layer.md: a whiteout hides what lower layers have, nothing of its own layer.
    return S_ISDIR(present->st_mode) ? make_opaque(path) : Result<void>();
  }
  if (::mknodat(parent, path.name().c_str(), S_IFCHR, makedev(0, 0)) != 0) {
    return system_error("make", path.text(), errno);
  }
  if (::fchownat(parent, path.name().c_str(), owner_, owner_, AT_SYMLINK_NOFOLLOW) != 0) {
    return system_error("set the owner of", path.text(), errno);
  }
  return {};
}

Result<void> LayerFolder::make_opaque(const EntryPath& path) {
  HM_TRY(const FileHandle found, walk(path));
  // What is open by O_PATH takes no attributes.
  const FileHandle folder(open_beneath(found.get(), ".", O_RDONLY | O_DIRECTORY));
  if (!folder.is_open()) return system_error("open", path.text(), errno);
  return set_opaque(folder.get(), path);
}

Result<void> LayerFolder::finish() {
  for (const FolderTime& time : times_) {
    const std::string name = time.path.is_root() ? "." : time.path.text();
    const FileHandle folder(open_beneath(root_.get(), name, O_RDONLY | O_DIRECTORY));
    const timespec times[2] = {time.modified, time.modified};
    if (!folder.is_open() || ::futimens(folder.get(), times) != 0) {
      return system_error("set the time of", name, errno);
    }
  }
  return {};
}

}  // namespace hm::oci
