// SPDX-License-Identifier: Apache-2.0
// The composition root: builds one node from its folder, with the real world behind every port, and
// runs it until a signal ends it.
#pragma once

#include <string>

#include "foundation/base/result.h"

namespace hm::cli {

// Blocks. Fails, by name, on a damaged configuration or store, a folder in use, a port in use, keys
// that others may read.
Result<void> run_daemon(const std::string& config_path);

}  // namespace hm::cli
