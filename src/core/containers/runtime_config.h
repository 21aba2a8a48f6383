// SPDX-License-Identifier: Apache-2.0
// The configuration (OCI runtime specification 1.0.2, config.json) under which an OCI runtime
// starts a container: every namespace, every limit, every fence.
//
// Promises: whatever the spec says, the text has a user namespace in which no id is the host's, a
// network namespace that was prepared before, noNewPrivileges, a seccomp filter, no capability
// beyond a short list, no device but the ones without memory, and a limit for CPU time,
// memory, swap, processes and open files. What had to be lowered because this machine cannot do it
// is told in `clamped`, never silently.
//
// There is no /sys in a container: mounting it needs the owner of the network namespace, which
// stays the host so that nothing inside can change the network; and it tells about the host's
// hardware.
//
// It does not look at the machine: what it needs to know comes as MachineFacts and ContainerPlace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/containers/run_spec.h"
#include "foundation/base/result.h"

namespace hm::containers {

struct ImageConfig;

enum class CgroupLayout : std::uint8_t {
  V1,
  V2,
  Hybrid,  // the controllers under version 1, an almost empty version 2 tree beside them
};
std::string_view name_of(CgroupLayout layout);  // "v1", "v2", "hybrid"

enum class Architecture : std::uint8_t { X86_64, Aarch64 };

// Of the provider's machine and of the process that starts the runtime.
struct MachineFacts {
  Architecture architecture = Architecture::X86_64;
  CgroupLayout cgroups = CgroupLayout::V2;
  bool has_swap_limit = false;           // the kernel counts memory and swap together
  bool has_io_limit = false;             // blkio or io is there
  std::uint32_t uid_shift = 100'000;     // the host's id of a container's id 0; users and groups
  std::uint64_t open_files = 1024;       // hard limit of this process
  std::int32_t oom_score_adjust = 0;     // of this process
  bool has_resource_capability = false;  // CAP_SYS_RESOURCE: may raise the two above
  std::uint32_t processors = 1;
};

// Ids inside the container.
struct UserIds {
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::vector<std::uint32_t> groups;  // additional ones
  std::string home = "/";
  bool operator==(const UserIds&) const = default;
};

// A folder of the host that is seen at `path`.
struct BindMount {
  std::string source;
  std::string path;
  Access access = Access::ReadWrite;
};

struct DeviceNumber {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  bool operator==(const DeviceNumber&) const = default;
};

// Where on this machine the container was made ready.
struct ContainerPlace {
  std::string root;  // its root file system
  // Path of its network namespace. Empty: the OCI runtime is started inside of it, by a caller that
  // makes sure of that. runc 1.1 cannot join a namespace of the host's again after the user
  // namespace, and so cannot start a second process in a container whose configuration names one.
  std::string network;
  std::string cgroup;                     // "/hypermesh/<id>"
  std::string host_name;                  // used if the spec has no name
  UserIds user;                           // of its process
  std::vector<std::uint32_t> processors;  // its own; empty unless pinned
  std::vector<BindMount> volumes;
  std::vector<DeviceNumber> disks;  // whole disks under its files, to be throttled
};

enum class ConfigError : std::uint8_t {
  NotText,       // an argument, variable, path or name is not UTF-8: JSON cannot carry it
  NoCommand,     // neither the spec nor the image says what to run
  FolderInProc,  // a working directory below /proc
  BadUserId,     // an id that the user namespace does not have
  NoProcessors,  // pinned, but not as many processors as the spec asks for
  NoIoLimit,     // a rate is asked for, but there is no controller, or no disk to throttle
  TooManyCores,  // more CPU time than the machine has
};
std::string_view name_of(ConfigError error);

struct RuntimeConfig {
  std::string json;
  std::vector<std::string> clamped;  // sentences
};

// `spec` must pass validate().
Result<RuntimeConfig, ConfigError> make_runtime_config(const RunSpec& spec,
                                                       const ImageConfig& image,
                                                       const MachineFacts& facts,
                                                       const ContainerPlace& place);

// The `process` object alone, for one more process in a running container. What the process leaves
// out is as the image says; it is confined like the container's own.
Result<RuntimeConfig, ConfigError> make_process_config(const ProcessSpec& process,
                                                       const RunSpec& spec,
                                                       const ImageConfig& image,
                                                       const MachineFacts& facts,
                                                       const UserIds& user);

// Ids that the user namespace has: 0 up to here.
inline constexpr std::uint32_t kMappedIds = 65'536;
// A quota counts in periods of this length. 100 ms is the kernel's default; shorter ones cost more
// switching, longer ones let a container stall for longer.
inline constexpr std::uint64_t kCpuPeriodUs = 100'000;

}  // namespace hm::containers
