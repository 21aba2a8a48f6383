// SPDX-License-Identifier: Apache-2.0
// The same simulator over a consensus with one deliberate safety bug: shows that the seeds of CI
// find such a thing.
#include "foundation/base/log.h"
#include "simulator/consensus_world.h"
#include "simulator/program.h"

int main(int count, char** values) {
  (void)hm::log::configure("off", hm::log::Format::Human);
  return hm::simulator::run_program(
      {values, values + count},
      {{.name = "consensus", .make = hm::simulator::make_consensus_world}});
}
