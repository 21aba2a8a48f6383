// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/mount_points.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <map>
#include <optional>
#include <string_view>

#include "platform/containers_linux/file_descriptor.h"

namespace hm::containers_linux {
namespace {

// A copy that renames folders without end does not keep a thread for as long.
constexpr int kAttempts = 64;
// The runtime mounts or makes what is in them.
constexpr std::string_view kKernelFolders[] = {"/proc", "/sys", "/dev"};
// On a file system of its own that the runtime has just made: nothing of the image is on the way.
constexpr std::string_view kSharedMemory = "/dev/shm";
constexpr std::string_view kOrdinaryFolders[] = {"/proc", "/dev"};

bool is_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool is_kernels(std::string_view path) {
  return std::ranges::any_of(kKernelFolders,
                             [path](std::string_view folder) { return is_in(path, folder); });
}

std::unexpected<Error> refused(std::string_view path, std::string_view what,
                               std::string_view to_do) {
  return fail(ErrorCode::InvalidArgument,
              "nothing can be mounted at " + std::string(path) + ": " + std::string(what),
              std::string(to_do));
}

FileDescriptor open_at(int folder, const std::string& path, std::uint64_t flags,
                       std::uint64_t resolve) {
  open_how how{};
  how.flags = flags | O_PATH | O_CLOEXEC;
  how.resolve = resolve | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  for (int attempt = 1;; ++attempt) {
    const long fd = ::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how);
    const bool is_renamed = fd < 0 && (errno == EAGAIN || errno == EINTR);
    if (!is_renamed || attempt == kAttempts) return FileDescriptor(static_cast<int>(fd));
  }
}

enum class Kind { Folder, Link, Other };
Kind kind_of(const FileDescriptor& fd) {
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return Kind::Other;
  if (S_ISDIR(info.st_mode)) return Kind::Folder;
  return S_ISLNK(info.st_mode) ? Kind::Link : Kind::Other;
}

// The path by which this process sees what is open.
std::string path_of(const FileDescriptor& fd) {
  std::array<char, PATH_MAX> text;
  const std::string link = "/proc/self/fd/" + std::to_string(fd.get());
  const ssize_t size = ::readlink(link.c_str(), text.data(), text.size());
  const bool is_whole = size > 0 && static_cast<std::size_t>(size) < text.size();
  return is_whole ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

class Root {
 public:
  Result<void> open(const std::string& path) {
    fd_ = FileDescriptor(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd_) return fail(system_error("cannot open " + path));
    own_ = path_of(fd_);
    return {};
  }

  // An image may leave it out; the runtime makes it then.
  Result<void> check_ordinary(std::string_view path) const {
    const FileDescriptor fd =
        open_at(fd_.get(), std::string(path), O_NOFOLLOW, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
    if (!fd && errno == ENOENT) return {};
    if (fd && kind_of(fd) == Kind::Folder) return {};
    return refused(path, "it is no ordinary folder in the image", "use an image in which it is");
  }

  Result<void> add(const MountPoint& point) {
    HM_TRY(std::string place, place_of(point.path));
    if (is_kernels(place) && place != kSharedMemory) {
      const bool is_direct = place == point.path;
      return refused(point.path, is_direct ? "it belongs to the kernel" : "it leads to " + place,
                     "choose a path outside /proc, /sys and /dev");
    }
    mounted_[std::move(place)] = point.source;
    return {};
  }

 private:
  // Part by part, because what is not there yet is made by the runtime.
  Result<std::string> place_of(const std::string& path) const {
    std::string place;  // where the parts so far have led
    std::size_t begin = 0;
    while (begin < path.size() && !mounted_.contains(place)) {
      const std::size_t end = std::min(path.find('/', begin + 1), path.size());
      HM_TRY(const auto next, step(path, place + path.substr(begin, end - begin), end));
      if (!next) break;
      place = *next;
      begin = end;
    }
    place += path.substr(begin);
    HM_TRY_VOID(check_inside(path, place));
    return place;
  }

  // Where `way`, the first `end` characters of the path with its links followed but the last,
  // leads; nothing if it is not there.
  Result<std::optional<std::string>> step(const std::string& path, const std::string& way,
                                          std::size_t end) const {
    FileDescriptor fd = open_at(fd_.get(), way, O_NOFOLLOW, RESOLVE_IN_ROOT);
    if (!fd && errno == ENOENT) return std::nullopt;
    if (fd && kind_of(fd) == Kind::Link) {
      if (end == path.size()) {
        return refused(path, "it is a link in the image", "name the folder that it leads to");
      }
      fd = open_at(fd_.get(), way, 0, RESOLVE_IN_ROOT);
    }
    if (!fd || kind_of(fd) != Kind::Folder) {
      return refused(path, path.substr(0, end) + " leads to no folder in the image",
                     "choose another path, or an image without it");
    }
    const std::string seen = path_of(fd);
    if (!is_in(seen, own_)) {
      return refused(path, path.substr(0, end) + " leads out of the image", "choose another path");
    }
    return seen.substr(own_.size());
  }

  // `place` lies in what is mounted before it: in the innermost, as no link leads elsewhere there.
  Result<void> check_inside(const std::string& path, std::string_view place) const {
    const std::pair<const std::string, std::string>* around = nullptr;
    for (const auto& mounted : mounted_) {
      if (is_in(place, mounted.first)) around = &mounted;  // longer ones come later
    }
    if (around == nullptr || around->second.empty() || place == around->first) return {};
    const FileDescriptor folder(::open(around->second.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return fail(system_error("cannot open " + around->second));
    const FileDescriptor fd =
        open_at(folder.get(), std::string(place.substr(around->first.size() + 1)), O_NOFOLLOW,
                RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    const bool is_fine = fd ? kind_of(fd) == Kind::Folder : errno == ENOENT;
    if (is_fine) return {};
    return refused(path, "a link or a file in the volume around it is on the way",
                   "remove it from the volume, or choose another path");
  }

  FileDescriptor fd_;
  std::string own_;
  std::map<std::string, std::string> mounted_;  // place and source
};

}  // namespace

Result<void> check_mount_points(const std::string& root, std::vector<MountPoint> points) {
  Root files;
  HM_TRY_VOID(files.open(root));
  for (const std::string_view folder : kOrdinaryFolders) {
    HM_TRY_VOID(files.check_ordinary(folder));
  }
  // As they are mounted: what lies in another one comes after it.
  std::ranges::sort(points, {}, &MountPoint::path);
  for (const MountPoint& point : points) HM_TRY_VOID(files.add(point));
  return {};
}

}  // namespace hm::containers_linux
