// SPDX-License-Identifier: Apache-2.0
// What a tenant asks a provider to run: an image, a command, and the limits under which it runs.
// docs/protocols/containers.md is normative for bytes. The lease of a run names the hash of its
// spec as its purpose, never its text.
//
// A spec that validate() admits is bounded in every direction; it says nothing yet about what the
// provider's machine can do or what its owner allows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/privacy/grant.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"

namespace hm::containers {

// Rises: each class keeps what the one before forbids.
enum class Isolation : std::uint8_t {
  Container,      // own namespaces, user namespace, seccomp deny-list, few capabilities
  ContainerPlus,  // no capability at all, a stricter deny-list, a read-only root
};
std::string_view name_of(Isolation isolation);  // "container", "container+"

enum class CpuMode : std::uint8_t {
  Shared,  // time on any processor, as much as the quota gives in each period
  Pinned,  // whole processors of its own; the quota is a multiple of 1000 millicores
};

// Zero is never "unlimited": every container has every limit.
struct Limits {
  std::uint32_t cpu_millicores = 1000;
  CpuMode cpu_mode = CpuMode::Shared;
  std::uint64_t memory_bytes = std::uint64_t{256} << 20;  // swap included
  std::uint64_t disk_bytes = 0;  // of the writable layer; 0: it lies in memory and counts there
  std::uint32_t pids = 512;
  std::optional<std::uint64_t> read_bytes_per_second;
  std::optional<std::uint64_t> write_bytes_per_second;
  bool operator==(const Limits&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.cpu_millicores, self.cpu_mode, self.memory_bytes, self.disk_bytes,
                    self.pids, self.read_bytes_per_second, self.write_bytes_per_second);
  }
};

enum class Access : std::uint8_t { ReadWrite, ReadOnly };

// Storage that outlives the container, on the provider's machine, the tenant's alone.
struct Volume {
  std::string name;  // [a-z0-9][a-z0-9._-]*
  std::string path;  // absolute, inside the container
  std::uint64_t bytes = 0;
  Access access = Access::ReadWrite;
  bool operator==(const Volume&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.name, self.path, self.bytes, self.access);
  }
};

struct Scratch {  // in memory, counted against the container's memory
  std::string path;
  std::uint64_t bytes = 0;
  bool operator==(const Scratch&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.path, self.bytes); }
};

enum class RestartWhen : std::uint8_t { Never, OnFailure, Always };
struct RestartPolicy {
  RestartWhen when = RestartWhen::Never;
  std::uint32_t most = 0;  // restarts in all; 0: as long as the lease lasts
  bool operator==(const RestartPolicy&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.when, self.most); }
};

enum class Lifetime : std::uint8_t {
  Attached,  // ends when nobody is attached any more
  Detached,  // runs until it exits, is stopped, or its lease ends
};

enum class Terminal : std::uint8_t { None, Pty };

// A program to start, in a container; what is absent is as the image says.
struct ProcessSpec {
  std::vector<std::string> arguments;    // empty: the image's entrypoint and command
  std::vector<std::string> environment;  // "NAME=value"; wins over the image's
  std::string working_directory;         // empty: the image's
  std::string user;                      // "1000", "1000:1000" or a name of the image's passwd
  Terminal terminal = Terminal::None;
  bool operator==(const ProcessSpec&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.arguments, self.environment, self.working_directory, self.user,
                    self.terminal);
  }
};

struct RunSpec {
  crypto::Digest image;  // SHA-256 of the image's manifest for one platform
  std::string name;      // of the tenant's choice, also the host name; may be empty
  // True: the arguments replace the image's entrypoint too, not only its command.
  enum class Entrypoint : std::uint8_t { Image, Replaced };
  Entrypoint entrypoint = Entrypoint::Image;
  ProcessSpec process;
  Limits limits;
  privacy::NetworkClass network = privacy::NetworkClass::None;
  Isolation isolation = Isolation::Container;
  Access root = Access::ReadWrite;
  std::vector<Volume> volumes;
  std::vector<Scratch> scratch;
  RestartPolicy restart;
  Lifetime lifetime = Lifetime::Attached;
  bool operator==(const RunSpec&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.image, self.name, self.entrypoint, self.process, self.limits, self.network,
                    self.isolation, self.root, self.volumes, self.scratch, self.restart,
                    self.lifetime);
  }
};

enum class SpecError : std::uint8_t {
  TooLarge,            // more arguments, variables, volumes or bytes than limits.h allows
  BadName,             // not [a-z0-9][a-z0-9.-]*, or too long
  BadVariable,         // no "NAME=value"
  BadPath,             // not absolute, with "..", ".", an empty part or a NUL
  BadUser,             // no number, name, or pair of them
  BadLimit,            // 0 or above what limits.h allows
  NotWholeCores,       // pinned, but no multiple of 1000 millicores
  BadVolume,           // its name, or two at one path or of one name
  RootMustBeReadOnly,  // container+ with a writable root
};
std::string_view name_of(SpecError error);

Result<void, SpecError> validate(const ProcessSpec& process);
Result<void, SpecError> validate(const RunSpec& spec);

// SHA-256 of the spec under "hm.run.v1": the purpose of its leases.
crypto::Digest purpose_of(const RunSpec& spec);

}  // namespace hm::containers

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::containers::Isolation> =
    hm::containers::Isolation::ContainerPlus;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::containers::CpuMode> =
    hm::containers::CpuMode::Pinned;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::containers::Access> =
    hm::containers::Access::ReadOnly;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::containers::RestartWhen> =
    hm::containers::RestartWhen::Always;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::containers::Lifetime> =
    hm::containers::Lifetime::Detached;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::containers::Terminal> = hm::containers::Terminal::Pty;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::containers::RunSpec::Entrypoint> =
    hm::containers::RunSpec::Entrypoint::Replaced;
