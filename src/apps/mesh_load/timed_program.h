// SPDX-License-Identifier: Apache-2.0
// How long another program takes, for benches that compare with it.
#pragma once

#include <string>
#include <vector>

#include "foundation/base/result.h"

namespace hm::mesh_load {

// A mount namespace like this process's, but without one mount: where an OCI runtime runs that
// does not bear it (platform/linux/runtime_trial.h). Its descriptor lives as long as the process.
Result<int> mount_namespace_without(const std::string& mount);

// Milliseconds from its start to its end, with an empty standard input; `words` begins with its
// name or path. An error unless it ends with 0. `mount_namespace` -1: this process's.
Result<double> timed_program(const std::vector<std::string>& words, int mount_namespace = -1);

}  // namespace hm::mesh_load
