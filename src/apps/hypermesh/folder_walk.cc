// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/folder_walk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "node/storing/object_keeper.h"

namespace hm::cli {
namespace {

class Walker {
 public:
  explicit Walker(FolderWalk& found) : found_(found) {}

  void walk(const std::string& folder, const std::string& prefix) {
    std::error_code error;
    std::filesystem::directory_iterator entries(folder, error);
    while (!error && entries != std::filesystem::directory_iterator()) {
      look(entries->path(), prefix);
      entries.increment(error);
    }
    if (error) fail(folder, error.message());
  }

 private:
  void look(const std::filesystem::path& path, const std::string& prefix) {
    const std::string name = prefix + path.filename().string();
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) return fail(path.string(), std::strerror(errno));
    if (S_ISDIR(status.st_mode)) return walk(path.string(), name + "/");
    if (!S_ISREG(status.st_mode)) {
      found_.skipped.push_back(path.string());
      return;
    }
    if (const auto named = storing::check_object_name(name); !named) {
      return fail(path.string(), "its name cannot be an object's: " + named.error().detail);
    }
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return fail(path.string(), std::strerror(errno));
    ::close(fd);
    found_.files.push_back({path.string(), name, static_cast<std::uint64_t>(status.st_size)});
  }

  void fail(const std::string& path, const std::string& why) {
    found_.failed.push_back({ExitCode::Failure, fmt::format("cannot read {}", path), why,
                             "--keep-going stores the others without it"});
  }

  FolderWalk& found_;
};

}  // namespace

FolderWalk walk_folder(const std::string& folder, const std::string& prefix) {
  FolderWalk found;
  Walker(found).walk(folder, prefix);
  std::ranges::sort(found.files, {}, &FoundFile::name);
  std::ranges::sort(found.skipped);
  return found;
}

}  // namespace hm::cli
