// SPDX-License-Identifier: Apache-2.0
// What 'hypermesh run' was asked for, understood: the spec of the run but for its image, and where
// it may run. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/hypermesh/container_options.h"
#include "apps/hypermesh/container_words.h"
#include "apps/hypermesh/failure.h"
#include "core/caesar/amount.h"
#include "core/containers/run_spec.h"

namespace hm::cli {

struct RunWish {
  std::string image;         // as it was named
  containers::RunSpec spec;  // valid; its image is still zero
  std::vector<PortWord> ports;
  std::string filter;  // of the cpu
  std::uint64_t duration_ms = 0;
  std::optional<caesar::Amount> highest_price;  // of all leases, for an hour
};
Answer<RunWish> run_wish_of(const ContainerRun& options, const LookUp& look_up);

// A process in a run that is there.
Answer<containers::ProcessSpec> process_of(const ContainerExec& options, const LookUp& look_up);

}  // namespace hm::cli
