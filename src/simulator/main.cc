// SPDX-License-Identifier: Apache-2.0
#include "simulator/consensus_world.h"
#include "simulator/program.h"

int main(int count, char** values) {
  return hm::simulator::run_program(
      {values, values + count},
      {{.name = "consensus", .make = hm::simulator::make_consensus_world}});
}
