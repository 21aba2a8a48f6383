// SPDX-License-Identifier: Apache-2.0
// Bounds on what is read from the kernel, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hm::linux {

// /proc/cpuinfo is the longest file read: about 1.5 KiB for each of 1 024 CPUs, with room.
inline constexpr std::size_t kMaxKernelTextBytes = 4U << 20U;
// Linux's own ceiling (CONFIG_MAXSMP).
inline constexpr std::uint32_t kMaxCpus = 8192;
// Entries of one /sys folder; node folders list every memory block of the machine.
inline constexpr std::size_t kMaxFolderEntries = 65536;
// Mounts of one namespace; a busy container host has a few thousand.
inline constexpr std::size_t kMaxMounts = 16384;
// Levels of device stacking followed from a filesystem down to its disks (LUKS on LVM on RAID).
inline constexpr int kMaxDeviceDepth = 8;
// Levels of cgroup folders walked upwards; systemd and container engines use fewer than ten.
inline constexpr int kMaxCgroupDepth = 32;
// CPUID leaves of the cache parameters; processors report at most five.
inline constexpr std::uint32_t kMaxCacheLeaves = 16;
// One netlink message batch. The kernel fills at most 32 KiB per read of a dump.
inline constexpr std::size_t kNetlinkBufferBytes = 64U << 10U;
// Reads of one dump; with the buffer above this is far beyond the links that a snapshot holds.
inline constexpr int kMaxNetlinkReads = 4096;
// Reads of an event socket per wake-up, so that a storm of events leaves the loop to others.
inline constexpr int kMaxEventReads = 64;
// The kernel's largest uevent (UEVENT_BUFFER_SIZE 2048) with its header, doubled.
inline constexpr std::size_t kMaxUeventBytes = 8192;
// Minor numbers that the kernel has for input devices (INPUT_MAX_CHAR_DEVICES).
inline constexpr std::size_t kMaxInputDevices = 1024;
// Sessions that systemd-logind admits by default are 8 192 (SessionsMax).
inline constexpr std::size_t kMaxSessions = 8192;

}  // namespace hm::linux
