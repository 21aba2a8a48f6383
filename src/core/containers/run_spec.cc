// SPDX-License-Identifier: Apache-2.0
#include "core/containers/run_spec.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include "core/containers/limits.h"
#include "foundation/codec/writer.h"

namespace hm::containers {
namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_name(std::string_view text, std::string_view also) {
  return !text.empty() && text.size() <= kMaxNameBytes && is_lower_or_digit(text.front()) &&
         std::ranges::all_of(text, [also](char c) {
           return is_lower_or_digit(c) || also.find(c) != std::string_view::npos;
         });
}

// A user or group: a number that fits, or a name as passwd has them.
bool is_account(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameBytes) return false;
  if (std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
    std::uint32_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    return parsed.ec == std::errc() && number < std::numeric_limits<std::uint32_t>::max();
  }
  return std::ranges::all_of(text, [](char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
  });
}

bool is_user(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return is_account(text);
  return is_account(text.substr(0, colon)) && is_account(text.substr(colon + 1));
}

bool is_path(std::string_view path) {
  if (path.empty() || path.size() > kMaxPathBytes || path.front() != '/') return false;
  if (path.find('\0') != std::string_view::npos) return false;
  if (path == "/") return true;
  std::size_t begin = 1;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

bool is_in(std::uint64_t value, std::uint64_t least, std::uint64_t most) {
  return value >= least && value <= most;
}

Result<void, SpecError> check(const Limits& limits) {
  if (!is_in(limits.cpu_millicores, kMinMillicores, kMaxMillicores) ||
      !is_in(limits.memory_bytes, kMinMemory, kMaxMemory) || !is_in(limits.pids, 1, kMaxPids) ||
      (limits.disk_bytes != 0 && !is_in(limits.disk_bytes, kMinDisk, kMaxDisk)) ||
      limits.read_bytes_per_second == 0U || limits.write_bytes_per_second == 0U) {
    return std::unexpected(SpecError::BadLimit);
  }
  if (limits.cpu_mode == CpuMode::Pinned && limits.cpu_millicores % 1000 != 0) {
    return std::unexpected(SpecError::NotWholeCores);
  }
  return {};
}

// What is mounted: each at a path of its own, none at the root.
Result<void, SpecError> check_mounts(const RunSpec& spec) {
  if (spec.volumes.size() > kMaxVolumes || spec.scratch.size() > kMaxScratch) {
    return std::unexpected(SpecError::TooLarge);
  }
  std::set<std::string_view> names;
  std::set<std::string_view> paths{"/"};
  for (const Volume& volume : spec.volumes) {
    if (!is_path(volume.path)) return std::unexpected(SpecError::BadPath);
    if (!is_name(volume.name, "._-") || !names.insert(volume.name).second ||
        !paths.insert(volume.path).second) {
      return std::unexpected(SpecError::BadVolume);
    }
    if (!is_in(volume.bytes, kMinDisk, kMaxDisk)) return std::unexpected(SpecError::BadLimit);
  }
  for (const Scratch& scratch : spec.scratch) {
    if (!is_path(scratch.path)) return std::unexpected(SpecError::BadPath);
    if (!paths.insert(scratch.path).second) return std::unexpected(SpecError::BadVolume);
    if (!is_in(scratch.bytes, 1, spec.limits.memory_bytes)) {
      return std::unexpected(SpecError::BadLimit);
    }
  }
  return {};
}

}  // namespace

std::string_view name_of(Isolation isolation) {
  return isolation == Isolation::Container ? "container" : "container+";
}

std::string_view name_of(SpecError error) {
  switch (error) {
    case SpecError::TooLarge: return "too_large";
    case SpecError::BadName: return "bad_name";
    case SpecError::BadVariable: return "bad_variable";
    case SpecError::BadPath: return "bad_path";
    case SpecError::BadUser: return "bad_user";
    case SpecError::BadLimit: return "bad_limit";
    case SpecError::NotWholeCores: return "not_whole_cores";
    case SpecError::BadVolume: return "bad_volume";
    case SpecError::RootMustBeReadOnly: return "root_must_be_read_only";
  }
  return "unknown";
}

Result<void, SpecError> validate(const ProcessSpec& process) {
  if (process.arguments.size() > kMaxArguments || process.environment.size() > kMaxVariables) {
    return std::unexpected(SpecError::TooLarge);
  }
  std::size_t total = 0;
  for (const auto* texts : {&process.arguments, &process.environment}) {
    for (const std::string& text : *texts) {
      total += text.size();
      if (text.size() > kMaxTextBytes || total > kMaxSpecTextBytes) {
        return std::unexpected(SpecError::TooLarge);
      }
      if (text.find('\0') != std::string::npos) {
        return std::unexpected(texts == &process.arguments ? SpecError::BadPath
                                                           : SpecError::BadVariable);
      }
    }
  }
  for (const std::string& variable : process.environment) {
    const auto equals = variable.find('=');
    if (equals == std::string::npos || equals == 0) return std::unexpected(SpecError::BadVariable);
  }
  if (!process.working_directory.empty() && !is_path(process.working_directory)) {
    return std::unexpected(SpecError::BadPath);
  }
  if (!process.user.empty() && !is_user(process.user)) return std::unexpected(SpecError::BadUser);
  return {};
}

Result<void, SpecError> validate(const RunSpec& spec) {
  if (!spec.name.empty() && !is_name(spec.name, "-.")) return std::unexpected(SpecError::BadName);
  if (const auto process = validate(spec.process); !process) return process;
  if (const auto limits = check(spec.limits); !limits) return limits;
  if (const auto mounts = check_mounts(spec); !mounts) return mounts;
  if (spec.isolation == Isolation::ContainerPlus && spec.root != Access::ReadOnly) {
    return std::unexpected(SpecError::RootMustBeReadOnly);
  }
  return {};
}

crypto::Digest purpose_of(const RunSpec& spec) {
  return crypto::tagged_hash("hm.run.v1", codec::encode(spec));
}

}  // namespace hm::containers
