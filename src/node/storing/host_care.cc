// SPDX-License-Identifier: Apache-2.0
// What the provider does of itself: drops what leases leave behind, scrubs, compacts.
#include <utility>

#include "foundation/base/log.h"
#include "node/storing/shard_gate.h"
#include "node/storing/shard_host.h"
#include "node/storing/shard_work.h"

namespace hm::storing {

void ShardHost::start() {
  is_started_ = true;
  if (is_ledger_fresh()) sweep();
  look();
}

void ShardHost::on_final(const node::FinalEvent& event) {
  for (const ledger::LeaseChange& change : event.outcome.lease_changes) {
    const ledger::LeaseRecord* lease = node_.ledger().lease(change.lease);
    if (lease != nullptr && is_lease_gone(node_, *lease)) reclaim_lease(change.lease);
  }
  if (is_started_ && !is_swept_ && is_ledger_fresh()) sweep();
  if (!parked_.empty()) retry_parked();
}

void ShardHost::reclaim_lease(const ledger::LeaseId& lease) {
  reclaim_holders({holder_of(lease, ShardKind::Data), holder_of(lease, ShardKind::Box)});
}

void ShardHost::reclaim_holders(const std::vector<ports::HolderId>& holders) {
  for (const ports::HolderId& holder : holders) {
    reclaiming_.insert(holder);
    to_reclaim_.push_back(holder);
  }
  run_reclaims();
}

void ShardHost::run_reclaims() {
  if (reclaim_runs_ || to_reclaim_.empty() || now() < reclaim_due_) return;
  reclaim_runs_ = true;
  const auto holders =
      std::make_shared<std::vector<ports::HolderId>>(std::exchange(to_reclaim_, {}));
  const auto report = std::make_shared<ReclaimReport>();
  disk_.submit([&store = store_, holders, report] { *report = reclaim(store, *holders); },
               [this, alive = alive_, holders, report] {
                 if (!*alive) return;
                 reclaim_runs_ = false;
                 counters_.dropped_by_lease += report->dropped;
                 if (report->dropped != 0) {
                   log::info("shards", "shards of ended leases are dropped",
                             {{"shards", report->dropped}});
                 }
                 for (const ports::HolderId& holder : *holders) reclaiming_.erase(holder);
                 // One that came again meanwhile, or could not be dropped.
                 reclaiming_.insert(to_reclaim_.begin(), to_reclaim_.end());
                 if (report->error) {
                   log::warning("shards", "shards of ended leases are not dropped yet",
                                {{"why", report->error->message}});
                   reclaim_due_ = now() + kReclaimPause;
                   return reclaim_holders(report->not_dropped);
                 }
                 run_reclaims();
               });
}

bool ShardHost::is_ledger_fresh() const {
  const std::uint64_t wall = node_.ports().clock.wall().value;
  return node_.ledger().head().time.value + kFreshLedgerMillis >= wall;
}

// Also of leases that the ledger has forgotten since.
void ShardHost::sweep() {
  is_swept_ = true;
  sweep_due_ = now() + kSweepPause;
  const auto holders = std::make_shared<std::vector<ports::HolderId>>();
  disk_.submit([&store = store_, holders] { *holders = store.holders(); },
               [this, alive = alive_, holders] {
                 if (*alive) drop_unleased(*holders);
               });
}

void ShardHost::drop_unleased(const std::vector<ports::HolderId>& holders) {
  std::set<ports::HolderId> leased;
  for (const ledger::LeaseId& id : node_.ledger().lease_index().on_node(node_.id())) {
    if (!is_lease_held(node_, node_.ledger().lease(id))) continue;
    leased.insert(holder_of(id, ShardKind::Data));
    leased.insert(holder_of(id, ShardKind::Box));
  }
  std::vector<ports::HolderId> unleased;
  for (const ports::HolderId& holder : holders) {
    if (!leased.contains(holder)) unleased.push_back(holder);
  }
  reclaim_holders(unleased);
}

void ShardHost::look() {
  retry_parked();
  run_reclaims();
  if (now() >= sweep_due_ && is_ledger_fresh()) sweep();
  care();
  timer_->arm(now() + kCarePause);
}

void ShardHost::care() {
  if (std::exchange(care_runs_, true)) return;
  const bool is_idle = write_jobs_ == 0 && read_jobs_ == 0;
  const bool may_scrub = is_idle && now() >= scrub_due_;
  const bool may_compact = now() >= compact_due_;
  const auto report = std::make_shared<CareReport>();
  disk_.submit(
      [&store = store_, report, may_scrub, may_compact, above = compact_above_] {
        report->usage = store.usage();
        if (may_compact && report->usage.needless_bytes >= above) {
          report->compaction = store.compact(kCareBytes);
          report->usage = store.usage();
        } else if (may_scrub && report->usage.shards != 0) {
          report->scrub = store.scrub(kCareBytes);
        }
      },
      [this, alive = alive_, report] {
        if (*alive) on_cared(*report);
      });
}

void ShardHost::on_cared(const CareReport& report) {
  care_runs_ = false;
  usage_ = report.usage;
  if (report.scrub && !*report.scrub) {
    log::warning("shards", "shards cannot be scrubbed", {{"why", report.scrub->error().message}});
    scrub_due_ = now() + kScrubRest;
  } else if (report.scrub) {
    const ports::ScrubReport& scrub = **report.scrub;
    counters_.scrubbed_bytes += scrub.bytes;
    counters_.damage_found += scrub.damaged.size();
    for (const ports::DamagedShard& damaged : scrub.damaged) {
      log::warning("shards", "a shard is damaged",
                   {{"root", damaged.root.to_string()}, {"page", damaged.page}});
    }
    if (scrub.is_round_done) scrub_due_ = now() + kScrubRest;
  }
  if (report.compaction && !*report.compaction) {
    log::warning("shards", "shards cannot be compacted",
                 {{"why", report.compaction->error().message}});
    compact_due_ = now() + kCompactPause;
  } else if (report.compaction) {
    const ports::CompactionReport& compaction = **report.compaction;
    counters_.compacted_bytes += compaction.freed_bytes;
    counters_.damage_found += compaction.lost.size();
    // What is needless now stays until more of it makes a log worth it.
    if (compaction.is_done) compact_above_ = report.usage.needless_bytes + kCompactWorth;
  }
}

}  // namespace hm::storing
