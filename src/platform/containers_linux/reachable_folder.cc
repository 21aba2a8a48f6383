// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/reachable_folder.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace hm::containers_linux {
namespace {

constexpr const char* kBase = "/run/hypermesh";
constexpr mode_t kWalkable = 0711;

std::string mount_point(const std::string& name) { return std::string(kBase) + "/" + name; }

std::unexpected<Error> failed(const std::string& what, const std::string& path) {
  return fail(ErrorCode::Io, "cannot " + what + " " + path, std::strerror(errno));
}

bool can_everybody_walk(std::filesystem::path path) {
  for (;; path = path.parent_path()) {
    struct stat about{};
    if (::stat(path.c_str(), &about) != 0 || (about.st_mode & S_IXOTH) == 0) return false;
    if (path == path.root_path()) return true;
  }
}

bool is_same(const std::string& a, const std::string& b) {
  struct stat first{};
  struct stat second{};
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

// Not through a link that somebody left there.
Result<void> make_walkable(const std::string& path) {
  if (::mkdir(path.c_str(), kWalkable) != 0 && errno != EEXIST) return failed("make", path);
  struct stat about{};
  if (::lstat(path.c_str(), &about) != 0) return failed("look at", path);
  if (!S_ISDIR(about.st_mode) || about.st_uid != ::geteuid()) {
    return fail(ErrorCode::FailedPrecondition, path + " is not this user's folder",
                "remove it, or run as its owner");
  }
  if (::chmod(path.c_str(), kWalkable) != 0) return failed("open to others", path);
  return {};
}

}  // namespace

Result<std::string> reachable_folder(const std::string& folder, const std::string& name) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(folder).parent_path(), error);
  if (error) return fail(ErrorCode::Io, "cannot make the folders of " + folder, error.message());
  HM_TRY_VOID(make_walkable(folder));
  if (can_everybody_walk(folder)) return folder;
  HM_TRY_VOID(make_walkable(kBase));
  std::string target = mount_point(name);
  if (is_same(folder, target)) return target;
  // What is there is of a folder that was removed since.
  while (::umount2(target.c_str(), MNT_DETACH) == 0) {
  }
  HM_TRY_VOID(make_walkable(target));
  if (::mount(folder.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    return failed("mount " + folder + " at", target);
  }
  return target;
}

void release_folder(const std::string& name) {
  const std::string target = mount_point(name);
  if (::umount2(target.c_str(), UMOUNT_NOFOLLOW) == 0) ::rmdir(target.c_str());
}

}  // namespace hm::containers_linux
