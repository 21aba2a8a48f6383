// SPDX-License-Identifier: Apache-2.0
// What the kernel, or somebody in its place, says: text of /proc, /sys and /run, uevents, netlink
// dumps.
// Nothing may crash, and what is read must be within its limits.
#include <cstdint>

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "platform/linux/activity_text.h"
#include "platform/linux/kernel_text.h"
#include "platform/linux/limits.h"
#include "platform/linux/netlink.h"
#include "platform/linux/uevent.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const hm::ByteView bytes(data, size);
  const std::string_view text = hm::as_text(bytes);
  if (const auto cpus = hm::linux::parse_cpu_list(text)) {
    for (std::size_t i = 0; i < cpus->size(); ++i) {
      HM_CHECK((*cpus)[i] < hm::linux::kMaxCpus);
      HM_CHECK(i == 0 || (*cpus)[i - 1] < (*cpus)[i]);
    }
  }
  if (const auto times = hm::linux::parse_cpu_times(text)) {
    HM_CHECK(times->busy + times->idle + times->stolen <= UINT64_MAX / hm::activity::kWholeMachine);
  }
  if (const auto pressure = hm::linux::parse_pressure(text)) {
    HM_CHECK(pressure->some <= hm::activity::kWholePressure);
    HM_CHECK(pressure->full.value_or(0) <= hm::activity::kWholePressure);
  }
  (void)hm::linux::parse_group_usage(text);
  (void)hm::linux::parse_session(text);
  (void)hm::linux::parse_size(text);
  (void)hm::linux::parse_hex(text);
  (void)hm::linux::parse_meminfo(text);
  HM_CHECK(hm::linux::parse_cpuinfo(text).size() <= hm::linux::kMaxCpus);
  const auto mounts = hm::linux::parse_mountinfo(text);
  for (const hm::linux::Mount& mount : mounts) {
    HM_CHECK(mount.mount_point.starts_with('/'));
    HM_CHECK(hm::linux::mount_of(mounts, mount.mount_point) != nullptr);
  }
  for (const auto& group : hm::linux::parse_cgroups(text)) HM_CHECK(group.path.starts_with('/'));
  if (const auto event = hm::linux::parse_uevent(text)) HM_CHECK(!event->subsystem.empty());
  hm::linux::LinkTable links;
  const auto state = hm::linux::parse_netlink(bytes, links);
  HM_CHECK(!(state.done && state.failed));
  for (const auto& [index, link] : links) HM_CHECK(index == link.index && !link.name.empty());
  return 0;
}
