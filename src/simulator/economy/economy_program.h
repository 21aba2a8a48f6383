// SPDX-License-Identifier: Apache-2.0
// The command line of the random economy: `hypermesh-sim --economy …`. Apart from the campaign's,
// so that a program without the ledger need not link it.
#pragma once

#include <string>
#include <vector>

namespace hm::simulator {

inline constexpr char kEconomyFlag[] = "--economy";

// Exit code as run_program(): 0 clean, 1 a check was violated, 2 usage.
int run_economy_program(const std::vector<std::string>& arguments);

}  // namespace hm::simulator
