// SPDX-License-Identifier: Apache-2.0
// Whether an OCI runtime works on this machine, by running a container of the host's /bin/true.
#pragma once

#include <string>
#include <vector>

#include "foundation/base/time.h"

namespace hm::linux {

struct RuntimeTrial {
  std::string path;     // of the program; empty: it does not work
  std::string version;  // "runc version 1.1.5"
  std::string text;     // "runc version 1.1.5 runs a container", or why it does not
  // A mount that has to be out of its sight, in a mount namespace of its own; empty: none. crun
  // refuses a machine that has version 2 of control groups beside version 1.
  std::string hidden_mount;
  bool works() const { return !path.empty(); }
};

// `name` is "runc" or "crun"; `folders` as in find_program(). Leaves nothing behind.
RuntimeTrial try_runtime(const std::string& name, const std::vector<std::string>& folders,
                         Duration deadline);

}  // namespace hm::linux
