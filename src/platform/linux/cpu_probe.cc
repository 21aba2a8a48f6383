// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/cpu_probe.h"

#include <sched.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "platform/linux/kernel_text.h"
#include "platform/linux/limits.h"

namespace hm::linux {
namespace {

using ports::HardwareFields;
using ports::HardwareItem;

struct Package {
  std::vector<std::uint32_t> cpus;
  std::set<std::string> cores;  // one spelling per core, so its size is the number of cores
};

std::string cpu_path(std::uint32_t cpu, std::string_view rest) {
  return "devices/system/cpu/cpu" + std::to_string(cpu) + "/" + std::string(rest);
}

const std::string* cpuinfo_field(const CpuinfoBlock& block, std::string_view name) {
  const auto found = block.find(name);
  return found == block.end() ? nullptr : &found->second;
}

// The CPUs that are switched on, by /sys or, failing that, by /proc/cpuinfo.
std::vector<std::uint32_t> online_cpus(const KernelTree& sys,
                                       const std::vector<CpuinfoBlock>& cpuinfo) {
  if (const auto text = sys.text("devices/system/cpu/online")) {
    if (auto cpus = parse_cpu_list(*text); cpus && !cpus->empty()) return *std::move(cpus);
  }
  std::vector<std::uint32_t> cpus;
  for (const CpuinfoBlock& block : cpuinfo) {
    const std::string* number = cpuinfo_field(block, "processor");
    const auto cpu = number != nullptr ? parse_u64(*number) : std::nullopt;
    if (cpu && *cpu < kMaxCpus) cpus.push_back(static_cast<std::uint32_t>(*cpu));
  }
  std::ranges::sort(cpus);
  return cpus;
}

std::map<std::uint64_t, Package> packages_of(const KernelTree& sys,
                                             const std::vector<CpuinfoBlock>& cpuinfo,
                                             const std::vector<std::uint32_t>& cpus) {
  std::map<std::uint32_t, const CpuinfoBlock*> blocks;
  for (const CpuinfoBlock& block : cpuinfo) {
    const std::string* number = cpuinfo_field(block, "processor");
    const auto cpu = number != nullptr ? parse_u64(*number) : std::nullopt;
    if (cpu && *cpu < kMaxCpus) blocks.emplace(static_cast<std::uint32_t>(*cpu), &block);
  }
  std::map<std::uint64_t, Package> packages;
  for (const std::uint32_t cpu : cpus) {
    // "-1" where the firmware does not say, which does not parse: then it is all one package.
    auto id = sys.number(cpu_path(cpu, "topology/physical_package_id"));
    auto core = sys.line(cpu_path(cpu, "topology/thread_siblings_list"));
    const auto block = blocks.find(cpu);
    if (block != blocks.end()) {
      const std::string* physical = cpuinfo_field(*block->second, "physical id");
      if (!id && physical != nullptr) id = parse_u64(*physical);
      const std::string* core_id = cpuinfo_field(*block->second, "core id");
      if (!core && core_id != nullptr) core = *core_id;
    }
    Package& package = packages[id.value_or(0)];
    package.cpus.push_back(cpu);
    if (core) package.cores.insert(*core);
  }
  return packages;
}

void set(HardwareFields& fields, std::string name, std::optional<std::uint64_t> value) {
  if (value) fields[std::move(name)] = *value;
}

void set_text(HardwareFields& fields, std::string name, const std::string& value) {
  if (!value.empty()) fields[std::move(name)] = value;
}

void describe_by_cpuid(const CpuidFacts& facts, HardwareFields& fields) {
  set_text(fields, "brand", facts.brand);
  set_text(fields, "vendor", facts.vendor);
  fields["family"] = std::uint64_t{facts.family};
  fields["model"] = std::uint64_t{facts.model};
  fields["stepping"] = std::uint64_t{facts.stepping};
  fields["features"] = facts.features;
  if (const auto level = x86_64_level(facts.features)) {
    fields["x86_64_level"] = std::uint64_t{*level};
  }
  set(fields, "l1d_bytes", facts.l1d_bytes);
  set(fields, "l1i_bytes", facts.l1i_bytes);
  set(fields, "l2_bytes", facts.l2_bytes);
  set(fields, "l3_bytes", facts.l3_bytes);
  set(fields, "base_mhz", facts.base_mhz);
  set(fields, "max_mhz", facts.max_mhz);
  if (facts.hypervisor) fields["hypervisor"] = *facts.hypervisor;
  fields["virtualised"] = facts.hypervisor.has_value();
}

void describe_by_cpuinfo(const CpuinfoBlock& block, HardwareFields& fields) {
  static constexpr std::pair<std::string_view, std::string_view> kTexts[] = {
      {"model name", "brand"},
      {"vendor_id", "vendor"},
      {"CPU implementer", "implementer"},
      {"CPU part", "part"}};
  for (const auto& [from, to] : kTexts) {
    if (const std::string* text = cpuinfo_field(block, from))
      set_text(fields, std::string(to), *text);
  }
  for (const std::string_view name : {"cpu family", "model", "stepping"}) {
    const std::string* text = cpuinfo_field(block, name);
    if (text != nullptr)
      set(fields, std::string(name == "cpu family" ? "family" : name), parse_u64(*text));
  }
  const std::string* flags = cpuinfo_field(block, "flags");
  if (flags == nullptr) flags = cpuinfo_field(block, "Features");
  if (flags == nullptr) return;
  std::vector<std::string> features;
  for (std::string_view word : split_words(*flags)) features.emplace_back(word);
  std::ranges::sort(features);
  if (const auto level = x86_64_level(features)) fields["x86_64_level"] = std::uint64_t{*level};
  fields["features"] = std::move(features);
}

// Fills the cache sizes that CPUID did not give.
void describe_caches(const KernelTree& sys, std::uint32_t cpu, HardwareFields& fields) {
  for (const std::string& index : sys.names(cpu_path(cpu, "cache"))) {
    const std::string folder = cpu_path(cpu, "cache/" + index);
    const auto level = sys.number(folder + "/level");
    const auto type = sys.line(folder + "/type");
    const auto size = sys.line(folder + "/size");
    const auto bytes = size ? parse_size(*size) : std::nullopt;
    if (!level || !type || !bytes || *level < 1 || *level > 3) continue;
    std::string name = "l" + std::to_string(*level);
    if (*level == 1) name += *type == "Instruction" ? "i" : "d";
    fields.try_emplace(name + "_bytes", *bytes);
  }
}

void describe_frequencies(const KernelTree& sys, std::uint32_t cpu, const CpuinfoBlock* block,
                          HardwareItem& item) {
  const auto mhz = [&](std::string_view file) -> std::optional<std::uint64_t> {
    const auto khz = sys.number(cpu_path(cpu, "cpufreq/" + std::string(file)));
    return khz ? std::optional(*khz / 1000) : std::nullopt;
  };
  set(item.descriptor, "min_mhz", mhz("cpuinfo_min_freq"));
  set(item.descriptor, "max_mhz", mhz("cpuinfo_max_freq"));
  set(item.descriptor, "base_mhz", mhz("base_frequency"));
  set(item.readings, "current_mhz", mhz("scaling_cur_freq"));
  if (block == nullptr || item.readings.contains("current_mhz")) return;
  if (const std::string* text = cpuinfo_field(*block, "cpu MHz")) {
    // "2600.000"
    set(item.readings, "current_mhz",
        parse_u64(std::string_view(*text).substr(0, text->find('.'))));
  }
}

std::uint64_t count_common(const std::vector<std::uint32_t>& a,
                           const std::vector<std::uint32_t>& b) {
  std::vector<std::uint32_t> common;
  std::ranges::set_intersection(a, b, std::back_inserter(common));
  return common.size();
}

std::optional<std::uint64_t> numa_nodes(const KernelTree& sys, const Package& package) {
  const auto online = sys.text("devices/system/node/online");
  const auto nodes = online ? parse_cpu_list(*online) : std::nullopt;
  if (!nodes) return std::nullopt;
  std::uint64_t count = 0;
  for (const std::uint32_t node : *nodes) {
    const auto text = sys.text("devices/system/node/node" + std::to_string(node) + "/cpulist");
    const auto cpus = text ? parse_cpu_list(*text) : std::nullopt;
    if (cpus && count_common(*cpus, package.cpus) > 0) ++count;
  }
  return count == 0 ? std::nullopt : std::optional(count);
}

void apply_limits(const CpuProbeInputs& inputs, const Package& package, std::size_t packages,
                  HardwareItem& item) {
  const std::uint64_t cores = package.cpus.size();
  std::uint64_t usable = cores * 1000;
  if (inputs.affinity) {
    const std::uint64_t allowed = count_common(*inputs.affinity, package.cpus);
    if (allowed < cores) item.descriptor["affinity_cores"] = allowed;
    usable = allowed * 1000;
  }
  if (inputs.limits.cpu_millicores) {
    item.descriptor["cgroup_quota_millicores"] = *inputs.limits.cpu_millicores;
    // The quota is for all packages together; each gets an equal part of it.
    usable = std::min(usable, *inputs.limits.cpu_millicores / packages);
  }
  if (usable < cores * 1000) item.usable = usable;
}

}  // namespace

void probe_cpu(const CpuProbeInputs& inputs, ports::HardwareSnapshot& snapshot) {
  const auto text = inputs.proc.text("cpuinfo");
  const std::vector<CpuinfoBlock> cpuinfo =
      text ? parse_cpuinfo(*text) : std::vector<CpuinfoBlock>{};
  const std::vector<std::uint32_t> cpus = online_cpus(inputs.sys, cpuinfo);
  if (cpus.empty()) {
    snapshot.notes.push_back({ports::HardwareKind::Cpu, "neither /sys nor /proc names a CPU"});
    return;
  }
  const std::optional<CpuidFacts> facts =
      inputs.cpuid ? std::optional(decode_cpuid(*inputs.cpuid)) : std::nullopt;
  const auto packages = packages_of(inputs.sys, cpuinfo, cpus);
  for (const auto& [id, package] : packages) {
    HardwareItem item{.kind = ports::HardwareKind::Cpu, .key = "package:" + std::to_string(id)};
    item.detected = package.cpus.size() * 1000;
    item.offerable = true;
    HardwareFields& fields = item.descriptor;
    fields["package"] = id;
    fields["logical_cores"] = std::uint64_t{package.cpus.size()};
    if (!package.cores.empty()) fields["physical_cores"] = std::uint64_t{package.cores.size()};
    if (facts) {
      describe_by_cpuid(*facts, fields);
    } else if (!cpuinfo.empty()) {
      describe_by_cpuinfo(cpuinfo.front(), fields);
    }
    describe_caches(inputs.sys, package.cpus.front(), fields);
    describe_frequencies(inputs.sys, package.cpus.front(),
                         cpuinfo.empty() ? nullptr : &cpuinfo.front(), item);
    set(fields, "numa_nodes", numa_nodes(inputs.sys, package));
    apply_limits(inputs, package, packages.size(), item);
    snapshot.items.push_back(std::move(item));
  }
}

std::optional<std::vector<std::uint32_t>> current_affinity() {
  std::vector<cpu_set_t> sets(kMaxCpus / CPU_SETSIZE);
  const std::size_t bytes = sets.size() * sizeof(cpu_set_t);
  if (::sched_getaffinity(0, bytes, sets.data()) != 0) return std::nullopt;
  std::vector<std::uint32_t> cpus;
  for (std::uint32_t cpu = 0; cpu < kMaxCpus; ++cpu) {
    if (CPU_ISSET_S(cpu, bytes, sets.data())) cpus.push_back(cpu);
  }
  return cpus;
}

}  // namespace hm::linux
