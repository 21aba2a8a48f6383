// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/accounting.h"

#include <algorithm>
#include <chrono>

#include "platform/containers_linux/root_filesystem.h"

namespace hm::container_runtime {
namespace {

void add(std::uint64_t& sum, const std::optional<std::uint64_t>& more) { sum += more.value_or(0); }

void add(std::optional<std::uint64_t>& now, std::uint64_t before) {
  if (now || before > 0) now = now.value_or(0) + before;
}

}  // namespace

std::uint64_t MemoryIntegral::sample(MonoTime now, std::uint64_t bytes) {
  const auto last = std::exchange(last_, Sample{.at = now, .bytes = bytes});
  if (!last) return 0;
  const double seconds = std::chrono::duration<double>(now - last->at).count();
  const double mean = (static_cast<double>(last->bytes) + static_cast<double>(bytes)) / 2;
  remainder_ += mean * std::max(seconds, 0.0);
  const auto whole = static_cast<std::uint64_t>(remainder_);
  remainder_ -= static_cast<double>(whole);
  return whole;
}

Counted count_start(const Host& host, const Record& record, const ExitRecord& exit,
                    UsageTotals totals) {
  const std::string& id = record.order.id;
  Counted counted{.exit = {.code = exit.code, .out_of_memory = false, .at = exit.at},
                  .seen = exit.seen,
                  .totals = totals};
  if (!host.cgroups) return counted;
  counted.exit.out_of_memory = host.cgroups->oom_kills(id) > 0;
  UsageTotals& sums = counted.totals;
  // Counted by a daemon that did not get to removing the groups.
  if (sums.starts > record.restarts) return counted;
  sums.starts = record.restarts + 1;
  if (const auto usage = host.cgroups->usage(id)) {
    add(sums.cpu_us, usage->cpu_us);
    add(sums.read_bytes, usage->read_bytes);
    add(sums.written_bytes, usage->written_bytes);
    add(sums.throttled_us, usage->throttled_us);
    sums.memory_peak_bytes = std::max(sums.memory_peak_bytes, usage->memory_peak_bytes.value_or(0));
  }
  host.state.write_usage(id, sums);
  return counted;
}

Result<ports::ContainerUsage> read_usage(const Host& host, const std::string& id, Runs runs,
                                         const UsageTotals& totals) {
  ports::ContainerUsage usage;
  if (runs == Runs::Yes) {
    auto now = host.cgroups->usage(id);
    // It may have ended just now.
    if (!now && now.error().code != ErrorCode::NotFound) return fail(std::move(now).error());
    if (now) usage = *now;
  } else {
    usage.memory_bytes = 0;
    usage.pids = 0;
  }
  add(usage.cpu_us, totals.cpu_us);
  add(usage.read_bytes, totals.read_bytes);
  add(usage.written_bytes, totals.written_bytes);
  add(usage.throttled_us, totals.throttled_us);
  if (usage.memory_peak_bytes || totals.memory_peak_bytes > 0) {
    usage.memory_peak_bytes =
        std::max(usage.memory_peak_bytes.value_or(0), totals.memory_peak_bytes);
  }
  usage.memory_byte_seconds = totals.memory_byte_seconds;
  if (const auto disk = containers_linux::used_bytes(host.state.of(id) + "/files")) {
    usage.disk_bytes = *disk;
  }
  if (const auto network = host.networks->counters(id)) {
    usage.received_bytes = network->received_bytes;
    usage.sent_bytes = network->sent_bytes;
  }
  return usage;
}

}  // namespace hm::container_runtime
