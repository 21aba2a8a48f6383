// SPDX-License-Identifier: Apache-2.0
// Network namespaces with a name: bound to a file, so that they stay without a process in them.
// What runs inside one runs on a thread of its own, which ends afterwards: no other thread of this
// process ever changes its namespace.
#pragma once

#include <functional>
#include <string>

#include "foundation/base/result.h"

namespace hm::containers_linux {

// Makes a namespace, runs `inside` in it and, if that works, binds it to `path`.
Result<void> make_network_namespace(const std::string& path,
                                    const std::function<Result<void>()>& inside);

// Fine if there is none. The namespace ends with the last process in it.
Result<void> remove_network_namespace(const std::string& path);

Result<void> run_in_network_namespace(const std::string& path,
                                      const std::function<Result<void>()>& inside);

}  // namespace hm::containers_linux
