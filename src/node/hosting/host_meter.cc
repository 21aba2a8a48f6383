// SPDX-License-Identifier: Apache-2.0
// What is due by time alone, and what runs have used.
#include <algorithm>
#include <utility>

#include "node/hosting/container_host.h"

namespace hm::hosting {
namespace {

// One processor is 1000 millicores.
constexpr std::uint64_t kMicrosPerMillicoreSecond = 1000;

}  // namespace

std::vector<identity::NodeId> ContainerHost::sources(const identity::NodeId& first) const {
  std::vector<identity::NodeId> all{first};
  for (const identity::NodeId& peer : node_.peers()) {
    if (peer != first) all.push_back(peer);
  }
  return all;
}

void ContainerHost::look() {
  const MonoTime at = now();
  std::vector<RunId> alone;
  std::vector<RunId> forgotten;
  std::vector<RunId> restarted;
  for (auto& [id, run] : runs_) {
    if (run.alone_at && at >= *run.alone_at + kAttachedGrace) alone.push_back(id);
    if (run.forget_at && at >= *run.forget_at) forgotten.push_back(id);
    if (run.restart_at && at >= *run.restart_at) restarted.push_back(id);
    if (run.kill_at && at >= *run.kill_at) {
      run.kill_at.reset();
      runtime_.kill(container_name(id), [](const auto&) {});
    }
  }
  for (const RunId& id : restarted) restart(id);
  for (const RunId& id : alone) end(id, counters_.ended_alone);
  for (const RunId& id : forgotten) forget(id);
  retry_parked();
  if (at >= usage_due_) read_usage();
  arm();
}

void ContainerHost::arm() {
  if (runs_.empty() && parked_.empty()) return timer_->cancel();
  MonoTime due = runs_.empty() ? parked_.front().until : usage_due_;
  const auto consider = [&due](const std::optional<MonoTime>& time) {
    if (time) due = std::min(due, *time);
  };
  for (const Parked& parked : parked_) consider(parked.until);
  for (const auto& [id, run] : runs_) {
    if (run.alone_at) consider(*run.alone_at + kAttachedGrace);
    consider(run.forget_at);
    consider(run.restart_at);
    consider(run.kill_at);
  }
  timer_->arm(due);
}

void ContainerHost::read_usage() {
  usage_due_ = now() + kUsagePause;
  for (const auto& [id, run] : runs_) {
    if (run.phase != RunPhase::Running) continue;
    runtime_.usage(container_name(id), [this, alive = alive_, run_id = id](const auto& usage) {
      if (*alive && usage) take_usage(run_id, *usage);
    });
  }
}

void ContainerHost::take_usage(const RunId& id, const ports::ContainerUsage& usage) {
  const auto found = runs_.find(id);
  if (found == runs_.end()) return;
  Run& run = found->second;
  run.usage = {.cpu_us = usage.cpu_us,
               .memory_bytes = usage.memory_bytes,
               .memory_peak_bytes = usage.memory_peak_bytes,
               .memory_byte_seconds = usage.memory_byte_seconds,
               .disk_bytes = usage.disk_bytes,
               .read_bytes = usage.read_bytes,
               .written_bytes = usage.written_bytes,
               .received_bytes = usage.received_bytes,
               .sent_bytes = usage.sent_bytes,
               .pids = usage.pids,
               .throttled_us = usage.throttled_us};
  if (!usage_sink_) return;
  for (const ledger::LeaseId& lease_id : run.label.leases) {
    const ledger::LeaseRecord* lease = node_.ledger().lease(lease_id);
    if (lease == nullptr) continue;
    const auto kind = lease->placement.choice.asset.kind;
    if (kind == assets::AssetKind::Cpu && usage.cpu_us) {
      usage_sink_(lease_id, *usage.cpu_us / kMicrosPerMillicoreSecond);
    } else if (kind == assets::AssetKind::Memory && usage.memory_byte_seconds) {
      usage_sink_(lease_id, *usage.memory_byte_seconds);
    }
  }
}

}  // namespace hm::hosting
