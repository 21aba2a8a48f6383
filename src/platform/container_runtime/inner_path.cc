// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/inner_path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

namespace hm::container_runtime {
namespace {

// A tenant that renames without end does not keep a thread for as long.
constexpr int kAttempts = 64;

}  // namespace

Result<InnerPath> split_inner(std::string_view path) {
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::InvalidArgument, "not an absolute path: " + std::string(path));
  }
  InnerPath split{.folder = "/", .name = {}};
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(part.size());
    if (part == "..") return fail(ErrorCode::InvalidArgument, "a path with \"..\"");
    if (part.empty() || part == ".") continue;
    if (!split.name.empty()) split.folder += (split.folder == "/" ? "" : "/") + split.name;
    split.name = part;
  }
  return split;
}

Result<Descriptor> open_inside(int root, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  for (int attempt = 1;; ++attempt) {
    const long fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how));
    if (fd >= 0) return Descriptor(static_cast<int>(fd));
    // EAGAIN: something was renamed during the walk, so the kernel cannot tell where it led.
    if (attempt < kAttempts && (errno == EINTR || errno == EAGAIN)) continue;
    const ErrorCode code = errno == ENOENT || errno == ENOTDIR ? ErrorCode::NotFound
                           : errno == EXDEV                    ? ErrorCode::PermissionDenied
                                                               : ErrorCode::Io;
    return fail(code, "cannot open " + path + " in the container",
                std::generic_category().message(errno));
  }
}

}  // namespace hm::container_runtime
