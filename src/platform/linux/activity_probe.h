// SPDX-License-Identifier: Apache-2.0
// Reads from /proc, /sys, /dev and /run whether somebody uses a Linux machine.
//
// What it does not see is listed in docs/guide/owner.md. It opens no input device and reads no
// terminal: of both it learns when, never what.
#pragma once

#include <memory>
#include <string>

#include "ports/activity_probe.h"

namespace hm::linux {

struct ActivityProbeOptions {
  std::string proc_root = "/proc";
  std::string sys_root = "/sys";
  std::string dev_root = "/dev";
  std::string run_root = "/run";
  // The control group below which all leases run, as a folder below sys_root: "fs/cgroup/…", or
  // "fs/cgroup/cpuacct/…" under version 1. Empty: nothing is lent. Usage counts downwards, so one
  // group that stays covers leases that come and go; while it is missing it has used nothing.
  std::string lent_group;
};

std::unique_ptr<ports::ActivityProbe> make_activity_probe(ActivityProbeOptions options);

}  // namespace hm::linux
