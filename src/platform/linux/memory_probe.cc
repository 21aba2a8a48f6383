// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/memory_probe.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "platform/linux/kernel_text.h"

namespace hm::linux {
namespace {

// "hugepages-2048kB" → 2 MiB.
std::optional<std::uint64_t> huge_page_bytes(std::string_view folder) {
  constexpr std::string_view kPrefix = "hugepages-";
  if (!folder.starts_with(kPrefix) || !folder.ends_with("kB")) return std::nullopt;
  folder.remove_prefix(kPrefix.size());
  folder.remove_suffix(2);
  const auto kib = parse_u64(folder);
  if (!kib || *kib > UINT64_MAX / 1024) return std::nullopt;
  return *kib * 1024;
}

// "always [madvise] never" → "madvise".
std::optional<std::string> chosen(std::string_view text) {
  const std::size_t open = text.find('[');
  const std::size_t close = text.find(']', open);
  if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
  return std::string(text.substr(open + 1, close - open - 1));
}

}  // namespace

void probe_memory(const KernelTree& proc, const KernelTree& sys, const CgroupLimits& limits,
                  ports::HardwareSnapshot& snapshot) {
  const auto text = proc.text("meminfo");
  const auto meminfo = parse_meminfo(text.value_or(std::string()));
  const auto total = meminfo.find("MemTotal");
  if (total == meminfo.end()) {
    snapshot.notes.push_back({ports::HardwareKind::Memory, "/proc/meminfo does not say MemTotal"});
    return;
  }
  ports::HardwareItem item{.kind = ports::HardwareKind::Memory, .key = "memory"};
  item.detected = total->second;
  item.offerable = true;
  const auto copy = [&](std::string_view from, std::string to, ports::HardwareFields& fields) {
    const auto found = meminfo.find(from);
    if (found != meminfo.end()) fields[std::move(to)] = found->second;
  };
  copy("MemTotal", "total_bytes", item.descriptor);
  copy("SwapTotal", "swap_bytes", item.descriptor);
  copy("Hugepagesize", "hugepage_bytes", item.descriptor);
  copy("HugePages_Total", "hugepages_total", item.descriptor);
  copy("MemAvailable", "available_bytes", item.readings);
  copy("MemFree", "free_bytes", item.readings);
  copy("SwapFree", "swap_free_bytes", item.readings);
  copy("HugePages_Free", "hugepages_free", item.readings);

  std::vector<std::string> sizes;
  for (const std::string& folder : sys.names("kernel/mm/hugepages")) {
    if (const auto bytes = huge_page_bytes(folder)) sizes.push_back(std::to_string(*bytes));
  }
  if (!sizes.empty()) item.descriptor["hugepage_sizes"] = std::move(sizes);
  if (const auto mode = sys.line("kernel/mm/transparent_hugepage/enabled")) {
    if (auto word = chosen(*mode)) item.descriptor["transparent_hugepages"] = *std::move(word);
  }
  const auto online = sys.text("devices/system/node/online");
  const auto nodes = online ? parse_cpu_list(*online) : std::nullopt;
  if (nodes && !nodes->empty()) item.descriptor["numa_nodes"] = std::uint64_t{nodes->size()};
  if (limits.memory_bytes && *limits.memory_bytes < *item.detected) {
    item.descriptor["cgroup_limit_bytes"] = *limits.memory_bytes;
    item.usable = *limits.memory_bytes;
  }
  snapshot.items.push_back(std::move(item));
}

}  // namespace hm::linux
