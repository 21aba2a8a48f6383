// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/storage_probe.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "platform/linux/kernel_text.h"
#include "platform/linux/limits.h"

namespace hm::linux {
namespace {

using ports::HardwareFields;
using ports::HardwareItem;
using ports::HardwareKind;

// The unit of /sys/block/*/size, whatever the device's own block size is.
constexpr std::uint64_t kSectorBytes = 512;

std::string block_path(std::string_view device, std::string_view rest) {
  return "class/block/" + std::string(device) + "/" + std::string(rest);
}

// The deepest existing parent of `path`, without symbolic links.
std::optional<std::string> resolve_existing(std::string path) {
  while (!path.empty()) {
    const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), ::free);
    if (real) return std::string(real.get());
    path.resize(std::min(path.find_last_of('/'), path.size()));
  }
  return "/";
}

// The block device of a mount by number; by source name for filesystems such as btrfs, whose
// numbers belong to no device. None for filesystems without a device.
std::optional<std::string> device_of(const KernelTree& sys, const Mount& mount) {
  const std::string number = std::to_string(mount.major) + ":" + std::to_string(mount.minor);
  if (auto name = sys.link_name("dev/block/" + number)) return name;
  constexpr std::string_view kDev = "/dev/";
  if (!mount.source.starts_with(kDev)) return std::nullopt;
  std::string name = mount.source.substr(kDev.size());
  if (name.starts_with("mapper/")) {
    // /dev/mapper holds the name that the device-mapper keeps under /sys.
    const std::string wanted = name.substr(7);
    for (const std::string& device : sys.names("class/block")) {
      if (sys.line(block_path(device, "dm/name")) == wanted) return device;
    }
    return std::nullopt;
  }
  if (name.find('/') == std::string::npos && sys.exists("class/block/" + name)) return name;
  return std::nullopt;
}

// The disk of a partition; any other device is its own.
std::string disk_of(const KernelTree& sys, const std::string& device) {
  if (!sys.exists(block_path(device, "partition"))) return device;
  const auto target = sys.link("class/block/" + device);  // ../../devices/…/sda/sda1
  if (!target) return device;
  const std::size_t last = target->find_last_of('/');
  if (last == std::string::npos || last == 0) return device;
  const std::size_t before = target->find_last_of('/', last - 1);
  return target->substr(before + 1, last - before - 1);
}

// The disks at the bottom of a stack of LUKS, LVM or RAID devices, the device itself included.
void collect_disks(const KernelTree& sys, const std::string& device, int depth,
                   std::set<std::string>& disks) {
  const std::string disk = disk_of(sys, device);
  if (depth > kMaxDeviceDepth || !disks.insert(disk).second) return;
  for (const std::string& slave : sys.names(block_path(disk, "slaves"))) {
    collect_disks(sys, slave, depth + 1, disks);
  }
}

void describe_disk(const KernelTree& sys, const std::string& disk, HardwareFields& fields) {
  if (const auto value = sys.number(block_path(disk, "queue/rotational"))) {
    fields["rotational"] = *value != 0;
  }
  if (const auto text = sys.line(block_path(disk, "device/model"))) fields["model"] = *text;
  if (const auto text = sys.line(block_path(disk, "device/vendor"))) {
    // virtio writes a PCI vendor number here, which names nothing to a reader.
    if (!text->starts_with("0x")) fields["vendor"] = *text;
  }
  if (const auto value = sys.number(block_path(disk, "removable"))) {
    fields["removable"] = *value != 0;
  }
  if (const auto value = sys.number(block_path(disk, "queue/logical_block_size"))) {
    fields["logical_block_bytes"] = *value;
  }
  if (const auto value = sys.number(block_path(disk, "queue/discard_max_bytes"))) {
    fields["discard"] = *value != 0;
  }
}

void add_data_filesystem(const StorageProbeInputs& inputs, const std::vector<Mount>& mounts,
                         std::set<std::string>& disks, ports::HardwareSnapshot& snapshot) {
  const bool on_machine = inputs.source == StorageProbeInputs::Source::Machine;
  const std::string path =
      on_machine ? resolve_existing(inputs.data_directory).value_or("/") : inputs.data_directory;
  const Mount* mount = mount_of(mounts, path);
  HardwareItem item{.kind = HardwareKind::Storage, .key = kDataFilesystemKey};
  HardwareFields& fields = item.descriptor;
  // Paths tell the name of the user, so they are no part of the public descriptor.
  item.readings["path"] = inputs.data_directory;
  item.offerable = true;
  bool read_only = false;
  if (mount != nullptr) {
    fields["filesystem"] = mount->filesystem;
    item.readings["mount_point"] = mount->mount_point;
    read_only = mount->read_only;
    if (const auto device = device_of(inputs.sys, *mount)) {
      fields["device"] = *device;
      collect_disks(inputs.sys, *device, 0, disks);
      describe_disk(inputs.sys, disk_of(inputs.sys, *device), fields);
    }
  }
  struct statvfs space{};
  if (on_machine && ::statvfs(path.c_str(), &space) == 0) {
    const std::uint64_t unit = space.f_frsize;
    item.detected = std::uint64_t{space.f_blocks} * unit;
    fields["total_bytes"] = *item.detected;
    item.readings["free_bytes"] = std::uint64_t{space.f_bavail} * unit;
    item.readings["free_files"] = std::uint64_t{space.f_favail};
    read_only = read_only || (space.f_flag & ST_RDONLY) != 0;
  } else {
    snapshot.notes.push_back({HardwareKind::Storage, "size of the data filesystem is unknown"});
  }
  fields["read_only"] = read_only;
  if (read_only) {
    item.usable = 0;
    item.offerable = false;
  }
  snapshot.items.push_back(std::move(item));
}

// The kinds of filesystem mounted from this disk or its partitions; not where, which is private.
std::vector<std::string> filesystems_on(const KernelTree& sys, const std::vector<Mount>& mounts,
                                        const std::string& disk) {
  std::set<std::string> kinds;
  for (const Mount& mount : mounts) {
    const auto device = device_of(sys, mount);
    if (device && disk_of(sys, *device) == disk) kinds.insert(mount.filesystem);
  }
  return {kinds.begin(), kinds.end()};
}

bool is_counted(const KernelTree& sys, const std::string& disk) {
  if (disk.starts_with("ram") || disk.starts_with("zram")) return false;
  if (!disk.starts_with("loop")) return true;
  // Read-only loops are packages (snaps, images), not room for data.
  return sys.exists(block_path(disk, "loop/backing_file")) &&
         sys.number(block_path(disk, "ro")) == 0U;
}

void add_disk(const KernelTree& sys, const std::vector<Mount>& mounts, const std::string& disk,
              ports::HardwareSnapshot& snapshot) {
  const auto sectors = sys.number(block_path(disk, "size"));
  // Zero sectors: an empty card reader, an unused loop or network block device.
  if (!sectors || *sectors == 0 || *sectors > UINT64_MAX / kSectorBytes) return;
  HardwareItem item{.kind = HardwareKind::Storage, .key = "disk:" + disk};
  item.detected = *sectors * kSectorBytes;
  HardwareFields& fields = item.descriptor;
  fields["device"] = disk;
  fields["total_bytes"] = *item.detected;
  fields["read_only"] = sys.number(block_path(disk, "ro")).value_or(0) != 0;
  fields["virtual"] = !sys.exists(block_path(disk, "device"));
  describe_disk(sys, disk, fields);
  auto kinds = filesystems_on(sys, mounts, disk);
  if (!kinds.empty()) fields["filesystems"] = std::move(kinds);
  snapshot.items.push_back(std::move(item));
}

}  // namespace

void probe_storage(const StorageProbeInputs& inputs, ports::HardwareSnapshot& snapshot) {
  const auto text = inputs.proc.text("self/mountinfo");
  std::vector<Mount> mounts = parse_mountinfo(text.value_or(std::string()));
  std::set<std::string> data_disks;
  if (!inputs.data_directory.empty()) {
    add_data_filesystem(inputs, mounts, data_disks, snapshot);
  }
  // Only mounts of devices matter from here on; a container host has thousands of others.
  std::erase_if(mounts, [](const Mount& mount) { return !mount.source.starts_with("/dev/"); });
  for (const std::string& disk : inputs.sys.names("block")) {
    if (data_disks.contains(disk) || !is_counted(inputs.sys, disk)) continue;
    add_disk(inputs.sys, mounts, disk, snapshot);
  }
}

}  // namespace hm::linux
