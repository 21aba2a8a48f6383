// SPDX-License-Identifier: Apache-2.0
// `hypermesh run --replicas K --quorum Q`: the same run on machines of K owners, and the result
// that most of them give.
#pragma once

#include "apps/hypermesh/container_access.h"
#include "apps/hypermesh/container_options.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/run_placement.h"
#include "apps/hypermesh/run_wish.h"
#include "core/identity/owner_keys.h"

namespace hm::cli {

// Usage errors of the two options and of what does not go with them.
Outcome check_replicas(const ContainerRun& options);

// Leases as many machines of distinct owners, none of them the keys' own, runs, prints the result
// to standard output and what each gave to standard error. Ends with the result's exit code.
// Requires: check_replicas() passed.
Outcome run_replicated(const Context& context, ContainerAccess& access, const ContainerRun& options,
                       const RunWish& wish, RunPlanner& planner, const identity::OwnerKeys& keys);

}  // namespace hm::cli
