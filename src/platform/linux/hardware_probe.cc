// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/hardware_probe.h"

#include <utility>

#include "platform/linux/cgroup_limits.h"
#include "platform/linux/cpu_probe.h"
#include "platform/linux/memory_probe.h"
#include "platform/linux/network_probe.h"
#include "platform/linux/storage_probe.h"

namespace hm::linux {
namespace {

class MachineProbe final : public ports::HardwareProbe {
 public:
  MachineProbe(HardwareProbeOptions options, ports::HardwareProbe* gpus)
      : options_(std::move(options)),
        gpus_(gpus),
        proc_(options_.proc_root),
        sys_(options_.sys_root) {}

  Result<ports::HardwareSnapshot> snapshot() override {
    ports::HardwareSnapshot out;
    const bool on_machine = options_.source == HardwareProbeOptions::Source::Machine;
    const CgroupLimits limits = read_cgroup_limits(proc_, sys_);
    CpuProbeInputs cpu{.proc = proc_, .sys = sys_, .limits = limits};
    if (on_machine) {
      cpu.cpuid = machine_cpuid();
      cpu.affinity = current_affinity();
    }
    probe_cpu(cpu, out);
    probe_memory(proc_, sys_, limits, out);
    using Source = StorageProbeInputs::Source;
    probe_storage({.proc = proc_,
                   .sys = sys_,
                   .data_directory = options_.data_directory,
                   .source = on_machine ? Source::Machine : Source::Trees},
                  out);
    add_network(on_machine, out);
    add_gpus(out);
    if (out.items.empty()) {
      return fail(ErrorCode::Unavailable, "no hardware can be read",
                  "neither " + options_.proc_root + " nor " + options_.sys_root +
                      " is readable; mount them or check permissions");
    }
    ports::normalise(out);
    return out;
  }

 private:
  void add_network(bool on_machine, ports::HardwareSnapshot& out) {
    if (on_machine) {
      if (const auto links = dump_links()) {
        probe_network(sys_, *links, out);
        return;
      } else {
        out.notes.push_back(
            {ports::HardwareKind::Network,
             links.error().message + " (" + links.error().detail + "); read from /sys instead"});
      }
    }
    probe_network(sys_, read_links(proc_, sys_), out);
  }

  void add_gpus(ports::HardwareSnapshot& out) {
    if (gpus_ == nullptr) return;
    auto gpus = gpus_->snapshot();
    if (!gpus) {
      out.notes.push_back({ports::HardwareKind::Gpu, gpus.error().message});
      return;
    }
    for (ports::HardwareItem& item : gpus->items) out.items.push_back(std::move(item));
    for (ports::HardwareNote& note : gpus->notes) out.notes.push_back(std::move(note));
  }

  HardwareProbeOptions options_;
  ports::HardwareProbe* gpus_;
  KernelTree proc_;
  KernelTree sys_;
};

}  // namespace

std::unique_ptr<ports::HardwareProbe> make_hardware_probe(HardwareProbeOptions options,
                                                          ports::HardwareProbe* gpus) {
  return std::make_unique<MachineProbe>(std::move(options), gpus);
}

}  // namespace hm::linux
