// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "foundation/base/log.h"
#include "simulator/consensus_world.h"
#include "simulator/economy/economy_program.h"
#include "simulator/node_world.h"
#include "simulator/program.h"

int main(int count, char** values) {
  // What nodes log under faults is noise here; --trace prints the events.
  (void)hm::log::configure("off", hm::log::Format::Human);
  const std::vector<std::string> arguments(values, values + count);
  if (std::ranges::find(arguments, hm::simulator::kEconomyFlag) != arguments.end()) {
    return hm::simulator::run_economy_program(arguments);
  }
  return hm::simulator::run_program(
      arguments, {{.name = "consensus", .make = hm::simulator::make_consensus_world, .share = 4},
                  {.name = "node", .make = hm::simulator::make_node_world, .share = 1}});
}
