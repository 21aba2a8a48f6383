// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/volumes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include "platform/container_runtime/limits.h"

namespace hm::container_runtime {
namespace {

namespace fs = std::filesystem;
using SystemClock = std::chrono::system_clock;

timespec to_timespec(SystemClock::time_point at) {
  const auto since = at.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
  return {.tv_sec = seconds.count(),
          .tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(since - seconds).count()};
}

// False if there is no such file.
bool mark_used(const std::string& file, SystemClock::time_point at) {
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, to_timespec(at)};
  return ::utimensat(AT_FDCWD, file.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0;
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> all;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(folder, problem)) all.push_back(entry.path());
  return all;
}

}  // namespace

std::string volume_file(std::string_view folder, std::string_view tenant, std::string_view name) {
  return std::string(folder) + "/" + std::string(tenant) + "/" + std::string(name);
}

Result<void> take_volume(const std::string& file) {
  if (mark_used(file, SystemClock::now())) return {};
  if (entries_of(fs::path(file).parent_path()).size() < kMaxVolumesPerTenant) return {};
  return fail(ErrorCode::NoCapacity, "this tenant has too many volumes on this machine",
              "use one that is there; what is not used for a week is removed");
}

std::size_t sweep_volumes(const std::string& folder, const std::set<std::string>& used,
                          SystemClock::time_point now) {
  std::size_t removed = 0;
  for (const std::string& file : used) mark_used(file, now);
  const timespec oldest = to_timespec(now - kKeepVolume);
  for (const fs::path& tenant : entries_of(folder)) {
    for (const fs::path& file : entries_of(tenant)) {
      struct stat info{};
      if (::lstat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode) ||
          used.contains(file.string()) || info.st_mtim.tv_sec >= oldest.tv_sec) {
        continue;
      }
      if (::unlink(file.c_str()) == 0) ++removed;
    }
    ::rmdir(tenant.c_str());  // fails unless it is empty
  }
  return removed;
}

}  // namespace hm::container_runtime
