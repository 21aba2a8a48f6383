// SPDX-License-Identifier: Apache-2.0
// Whom a user's text means inside an image: numbers as they are, names by the image's own
// /etc/passwd and /etc/group. These files are the tenant's: they are opened so that no link in them
// leads out of the root (openat2 RESOLVE_IN_ROOT), read up to a bound, and lines that do not parse
// name nobody.
#pragma once

#include <string>
#include <string_view>

#include "core/containers/runtime_config.h"
#include "foundation/base/result.h"

namespace hm::containers_linux {

// `user` is empty (root), "name", "1000", "name:group" or "1000:1000". NotFound for a name that the
// files do not have. Without a group the user's own and, by name, its additional ones count.
Result<containers::UserIds> resolve_user(const std::string& root, std::string_view user);

// The same of given texts.
Result<containers::UserIds> resolve_user_in(std::string_view passwd, std::string_view group,
                                            std::string_view user);

}  // namespace hm::containers_linux
