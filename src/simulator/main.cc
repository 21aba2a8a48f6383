// SPDX-License-Identifier: Apache-2.0
#include "foundation/base/log.h"
#include "simulator/consensus_world.h"
#include "simulator/node_world.h"
#include "simulator/program.h"

int main(int count, char** values) {
  // What nodes log under faults is noise here; --trace prints the events.
  (void)hm::log::configure("off", hm::log::Format::Human);
  return hm::simulator::run_program(
      {values, values + count},
      {{.name = "consensus", .make = hm::simulator::make_consensus_world, .share = 4},
       {.name = "node", .make = hm::simulator::make_node_world, .share = 1}});
}
