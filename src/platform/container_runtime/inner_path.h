// SPDX-License-Identifier: Apache-2.0
// Paths inside a container's files, opened from outside. Every link in them is the tenant's: none
// leads out of the root (openat2 RESOLVE_IN_ROOT), through /proc (RESOLVE_NO_MAGICLINKS) or onto
// another mount.
#pragma once

#include <string>
#include <string_view>

#include "foundation/base/result.h"
#include "platform/container_runtime/descriptor.h"

namespace hm::container_runtime {

// An absolute path inside, split where the last part begins; "/" has none.
struct InnerPath {
  std::string folder;
  std::string name;
};
// InvalidArgument for what is not absolute or has "..": a client that means it can resolve it.
Result<InnerPath> split_inner(std::string_view path);

// `flags` as for open(); the path is below `root` whatever it begins with.
Result<Descriptor> open_inside(int root, const std::string& path, int flags);

}  // namespace hm::container_runtime
