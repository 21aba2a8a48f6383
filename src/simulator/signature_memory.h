// SPDX-License-Identifier: Apache-2.0
// In a simulated mesh one process checks what n machines would each check for themselves. The
// programs of the simulator are linked so that crypto::verify() remembers its answers: every
// signature is checked for real, but once instead of n times.
#pragma once

namespace hm::simulator {

// Forgets all answers, so that memory stays bounded by one run.
void forget_signatures();

}  // namespace hm::simulator
