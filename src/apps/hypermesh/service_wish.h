// SPDX-License-Identifier: Apache-2.0
// What 'hypermesh run -d --replicas K' was asked for: a service that the node keeps, and how it
// looks whether a replica does what it should.
#pragma once

#include "apps/hypermesh/container_access.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/run_wish.h"
#include "core/containers/service_spec.h"

namespace hm::cli {

// "tcp:8080", "http:8080/ready", "exec:test -e /ready", with the other options of checks.
Answer<containers::HealthCheck> health_of(const ContainerRun& options);

// What cannot be meant together.
Outcome check_service(const ContainerRun& options);

// Asks the node to keep it, and prints its name.
Outcome create_service(const Context& context, ContainerAccess& access, const ContainerRun& options,
                       const RunWish& wish);

}  // namespace hm::cli
