// SPDX-License-Identifier: Apache-2.0
// Which system calls a container may not make: a list of refusals by name and, where one call does
// many things, by argument. Everything else is allowed, so that ordinary programs run; what is
// listed is what a container has no use for and what kernels were broken through before: mounting,
// namespaces, other processes' memory, kernel modules and programs, clocks, key rings, old and rare
// interfaces, socket families beyond UNIX, IPv4, IPv6 and route queries.
//
// The filter is one fence of several: user namespace, capabilities, cgroups and network rules hold
// without it. System calls younger than the runtime's libseccomp are unknown to it and stay
// allowed. Calls by the 32-bit and x32 interfaces are not among the architectures, so they end the
// caller.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/containers/run_spec.h"

namespace hm::containers {

enum class Refusal : std::uint8_t {
  NotPermitted,    // EPERM
  NotImplemented,  // ENOSYS: libraries then fall back to an older call that can be judged
  NoFamily,        // EAFNOSUPPORT
};

enum class ArgumentTest : std::uint8_t {
  Equal,    // argument == value
  AtLeast,  // argument >= value, unsigned, all 64 bits
  Masked,   // (argument & mask) == value
};

// One condition on one argument.
struct ArgumentRule {
  std::uint32_t index = 0;
  ArgumentTest test = ArgumentTest::Equal;
  std::uint64_t value = 0;
  std::uint64_t mask = 0;
};

// All of `arguments` must hold, each on another index; none: always.
struct CallRule {
  std::string_view name;
  Refusal refusal = Refusal::NotPermitted;
  std::span<const ArgumentRule> arguments;
};

// The rules of a class; those of container+ contain those of container.
std::span<const CallRule> call_rules(Isolation isolation);

}  // namespace hm::containers
