// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/root_filesystem.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "platform/containers_linux/file_descriptor.h"
#include "platform/containers_linux/loop_image.h"
#include "platform/linux/kernel_text.h"
#include "platform/linux/kernel_tree.h"
#include "platform/linux/limits.h"

namespace hm::containers_linux {
namespace {

// mount(2) takes one page of options.
constexpr std::size_t kMaxMountOptions = 4095;
constexpr unsigned kLoopMajor = 7;
// The runtime passes through as an id of the user namespace; it may not list.
constexpr mode_t kPassage = 0711;

Result<void> make_folder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) {
    // The umask is the daemon's business, not the container's.
    if (::chmod(path.c_str(), mode) == 0) return {};
  } else if (errno == EEXIST) {
    return {};
  }
  return fail(system_error("cannot make " + path));
}

Result<void> make_folders(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    HM_TRY_VOID(make_folder(path.substr(0, end), kPassage));
    if (end == std::string::npos) return {};
  }
}

// A folder that belongs to the container's root.
Result<void> make_owned_folder(const std::string& path, std::uint32_t id) {
  HM_TRY_VOID(make_folder(path, 0755));
  if (::lchown(path.c_str(), id, id) != 0) return fail(system_error("cannot give away " + path));
  return {};
}

bool is_mount_point(const std::string& path) {
  struct statx info{};
  return ::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &info) == 0 &&
         (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

std::string image_of(const std::string& folder) { return folder + ".img"; }

Result<void> mount_writable(const RootOrder& order) {
  if (order.disk_bytes != 0) {
    const std::string file = image_of(order.folder);
    HM_TRY_VOID(make_image(file, order.disk_bytes, Journal::None));
    return mount_image(file, order.folder);
  }
  const std::string options = "mode=0711,size=" + std::to_string(order.memory_bytes);
  if (::mount("container", order.folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) !=
      0) {
    return fail(system_error("cannot mount " + order.folder));
  }
  return {};
}

// Folders as mount options without their names: any character in a path is fine, and many layers
// fit into the one page.
class FolderHandles {
 public:
  Result<std::string> add(const std::string& path) {
    FileDescriptor fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return fail(system_error("cannot open " + path));
    std::string name = "/proc/self/fd/" + std::to_string(fd.get());
    open_.push_back(std::move(fd));
    return name;
  }

 private:
  std::vector<FileDescriptor> open_;
};

Result<void> mount_overlay(const RootOrder& order, const std::string& root) {
  FolderHandles handles;
  std::string lower;
  for (const std::string& layer : order.layers) {
    HM_TRY(const std::string name, handles.add(layer));
    lower += (lower.empty() ? "" : ":") + name;
  }
  if (lower.empty()) {  // an image without layers: overlayfs wants one
    HM_TRY_VOID(make_folder(order.folder + "/none", 0755));
    HM_TRY(lower, handles.add(order.folder + "/none"));
  }
  HM_TRY(const std::string upper, handles.add(order.folder + "/upper"));
  HM_TRY(const std::string work, handles.add(order.folder + "/work"));
  // Nothing in a layer may send overlayfs elsewhere: redirects and metadata-only copies are off.
  const std::string options = "lowerdir=" + lower + ",upperdir=" + upper + ",workdir=" + work +
                              ",redirect_dir=nofollow,metacopy=off,index=off";
  if (options.size() > kMaxMountOptions) {
    return fail(ErrorCode::Unsupported, "the image has too many layers to be mounted",
                std::to_string(order.layers.size()) + " layers");
  }
  if (::mount("container", root.c_str(), "overlay", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    return fail(system_error("cannot mount " + root));
  }
  return {};
}

std::vector<linux::Mount> all_mounts() {
  const auto text = linux::KernelTree("/proc").text("self/mountinfo");
  return linux::parse_mountinfo(text.value_or(""));
}

// As mountinfo writes it. A folder that is not there is taken as it is.
std::string canonical(const std::string& path) {
  std::error_code problem;
  const auto resolved = std::filesystem::canonical(path, problem);
  return problem ? path : resolved.string();
}

// The block device behind an anonymous device number, as btrfs has them.
std::optional<dev_t> device_of_mount(const std::string& path) {
  const auto mounts = all_mounts();
  const linux::Mount* mount = linux::mount_of(mounts, canonical(path));
  struct stat info{};
  if (mount == nullptr || ::stat(mount->source.c_str(), &info) != 0) return std::nullopt;
  return S_ISBLK(info.st_mode) ? std::optional<dev_t>(info.st_rdev) : std::nullopt;
}

std::optional<containers::DeviceNumber> parse_device(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto major = linux::parse_u64(text.substr(0, colon));
  const auto minor = linux::parse_u64(text.substr(colon + 1));
  if (!major || !minor) return std::nullopt;
  return containers::DeviceNumber{.major = static_cast<std::uint32_t>(*major),
                                  .minor = static_cast<std::uint32_t>(*minor)};
}

std::optional<containers::DeviceNumber> disk_under(const std::string& path, int depth) {
  struct stat info{};
  if (depth == 0 || ::stat(path.c_str(), &info) != 0) return std::nullopt;
  dev_t device = info.st_dev;
  if (major(device) == 0) {
    const auto behind = device_of_mount(path);
    if (!behind) return std::nullopt;
    device = *behind;
  }
  const linux::KernelTree blocks("/sys/dev/block");
  const std::string name = std::to_string(major(device)) + ":" + std::to_string(minor(device));
  if (major(device) == kLoopMajor) {
    const auto file = blocks.line(name + "/loop/backing_file");
    return file ? disk_under(*file, depth - 1) : std::nullopt;
  }
  if (!blocks.exists(name)) return std::nullopt;
  if (!blocks.exists(name + "/partition")) return parse_device(name);
  // A partition's folder lies in that of its disk.
  return parse_device(blocks.line(name + "/../dev").value_or(""));
}

}  // namespace

// The overlay lies inside the writable layer's mount, so that both go in one step: the kernel lets
// every unmounting wait for all processors.
Result<std::string> mount_root(const RootOrder& order) {
  const std::string root = order.folder + "/root";
  HM_TRY_VOID(make_folders(order.folder));
  if (!is_mount_point(order.folder)) HM_TRY_VOID(mount_writable(order));
  if (is_mount_point(root)) return root;
  HM_TRY_VOID(make_folder(root, kPassage));
  HM_TRY_VOID(make_owned_folder(order.folder + "/upper", order.uid_shift));
  HM_TRY_VOID(make_folder(order.folder + "/work", 0700));
  HM_TRY_VOID(mount_overlay(order, root));
  return root;
}

Result<std::string> mount_volume(const VolumeOrder& order) {
  HM_TRY_VOID(make_folders(order.folder));
  if (is_mount_point(order.folder)) return order.folder;
  const std::size_t slash = order.file.rfind('/');
  if (slash == std::string::npos || slash == 0) {
    return fail(ErrorCode::InvalidArgument, "a volume's file is no absolute path: " + order.file);
  }
  HM_TRY_VOID(make_folders(order.file.substr(0, slash)));
  HM_TRY_VOID(make_image(order.file, order.bytes, Journal::Kept));
  HM_TRY(const std::uint64_t has, image_size(order.file));
  if (has > order.bytes) {
    return fail(
        ErrorCode::FailedPrecondition, "the volume is larger than asked for and cannot shrink",
        "it has " + std::to_string(has) + " bytes, asked for " + std::to_string(order.bytes));
  }
  if (has < order.bytes) HM_TRY_VOID(grow_image(order.file, order.bytes));
  HM_TRY_VOID(mount_image(order.file, order.folder));
  // Shown is a folder inside, without what the file system keeps for itself at its top.
  const std::string data = order.folder + "/data";
  if (::access(data.c_str(), F_OK) != 0) {
    HM_TRY_VOID(make_owned_folder(data, order.uid_shift));
  }
  if (::mount(data.c_str(), order.folder.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    return fail(system_error("cannot mount " + data));
  }
  return order.folder;
}

std::vector<std::string> mounts_below(std::string_view folder) {
  const std::string top = canonical(std::string(folder));
  std::vector<std::string> all;
  for (linux::Mount& mount : all_mounts()) {
    const std::string& point = mount.mount_point;
    if (point == top || point.starts_with(top + "/")) all.push_back(std::move(mount.mount_point));
  }
  // What lies inside has the longer path; of mounts on one point the later one covers the other.
  std::ranges::reverse(all);
  std::ranges::stable_sort(all, std::ranges::greater(), &std::string::size);
  return all;
}

Result<void> unmount_below(std::string_view folder) {
  auto points = mounts_below(folder);
  std::ranges::reverse(points);
  std::string gone;  // and with it what lay inside
  for (const std::string& point : points) {
    if (!gone.empty() && point.starts_with(gone + "/")) continue;
    if (::umount2(point.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) == 0) {
      gone = point;
    } else if (errno != EINVAL && errno != ENOENT) {
      return fail(system_error("cannot unmount " + point));
    }
  }
  return {};
}

Result<void> remove_root(const std::string& folder) {
  HM_TRY_VOID(unmount_below(folder));
  // Deleting through a mount would delete what is not the container's.
  if (!mounts_below(folder).empty()) {
    return fail(ErrorCode::Busy, "something is mounted again below " + folder);
  }
  std::error_code problem;
  std::filesystem::remove_all(folder, problem);
  if (problem) return fail(ErrorCode::Io, "cannot remove " + folder, problem.message());
  if (::unlink(image_of(folder).c_str()) != 0 && errno != ENOENT) {
    return fail(system_error("cannot remove " + image_of(folder)));
  }
  return {};
}

Result<std::uint64_t> used_bytes(const std::string& folder) {
  struct statfs info{};
  if (!is_mount_point(folder) || ::statfs(folder.c_str(), &info) != 0) {
    return fail(ErrorCode::NotFound, "nothing is mounted at " + folder);
  }
  return (info.f_blocks - info.f_bfree) * static_cast<std::uint64_t>(info.f_bsize);
}

std::vector<containers::DeviceNumber> disks_under(const std::vector<std::string>& paths) {
  std::vector<containers::DeviceNumber> all;
  for (const std::string& path : paths) {
    const auto disk = disk_under(path, linux::kMaxDeviceDepth);
    if (disk && std::ranges::find(all, *disk) == all.end()) all.push_back(*disk);
  }
  return all;
}

Result<void> can_limit_disk() { return can_mount_images(); }

}  // namespace hm::containers_linux
