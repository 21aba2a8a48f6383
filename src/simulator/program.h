// SPDX-License-Identifier: Apache-2.0
// The command line of the simulator, shared by its programs.
#pragma once

#include <string>
#include <vector>

#include "simulator/campaign.h"

namespace hm::simulator {

// Runs the campaign that the arguments ask for. Exit code: 0 all seeds clean, 1 a check was
// violated, 2 usage.
int run_program(const std::vector<std::string>& arguments, const std::vector<WorldKind>& kinds);

}  // namespace hm::simulator
