// SPDX-License-Identifier: Apache-2.0
// NVIDIA GPUs through libnvidia-ml.so.1, loaded at run time. A machine without the library or the
// driver yields no items and a note that says so; a function that the library lacks leaves its
// field unknown. All calls into the library run on one thread of their own: a driver that hangs
// costs a note, not the daemon.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "foundation/base/time.h"
#include "ports/hardware_probe.h"

namespace hm::nvml {

struct NvmlOptions {
  std::string library;                               // empty: the usual names
  Duration answer_within = std::chrono::seconds(2);  // then the driver counts as hung
};

// Items are of kind Gpu, keyed by UUID. snapshot() never fails; it may block for `answer_within`.
std::unique_ptr<ports::HardwareProbe> make_nvml_probe(NvmlOptions options = {});

}  // namespace hm::nvml
