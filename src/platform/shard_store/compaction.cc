// SPDX-License-Identifier: Apache-2.0
#include "platform/shard_store/compaction.h"

#include <algorithm>

#include "foundation/base/log.h"
#include "platform/files/atomic_file.h"

namespace hm::shard_store {

Result<ports::CompactionReport> Compaction::step(std::uint64_t most_bytes) {
  const std::lock_guard only_one(mutex_);
  ports::CompactionReport report;
  do {
    if (auto done = go_on(most_bytes, report); !done) {
      // Another log may need less room by the next time; what is moved is not moved again.
      victim_.reset();
      return fail(std::move(done).error());
    }
  } while (!report.is_done && report.copied_bytes < most_bytes);
  return report;
}

Result<void> Compaction::go_on(std::uint64_t most_bytes, ports::CompactionReport& report) {
  if (!victim_) {
    HM_TRY(victim_, choose());
    if (!victim_) {
      report.is_done = true;
      return {};
    }
  }
  if (victim_->next == victim_->records.size()) return remove(report);
  return move_some(most_bytes - std::min(most_bytes, report.copied_bytes), report);
}

Result<std::optional<Compaction::Victim>> Compaction::choose() {
  std::optional<LogNumber> log;
  {
    Lock lock(parts_.mutex);
    log = least_needed();
    if (log == parts_.writer.open_log()) HM_TRY_VOID(parts_.writer.roll(lock));
  }
  if (!log) return std::optional<Victim>();
  HM_TRY(Victim victim, load(*log));
  return std::optional(std::move(victim));
}

// Of those that are worth it, so that room is made before much of it is needed.
std::optional<LogNumber> Compaction::least_needed() const {
  std::optional<LogNumber> best;
  std::uint64_t least = 0;
  for (const auto& [log, use] : parts_.index.logs()) {
    // As it would be copied.
    const std::uint64_t needed = block_up(parts_.index.needed_bytes(log));
    const std::uint64_t content = use.bytes - std::min(use.bytes, kFirstRecord);
    const std::uint64_t needless = content - std::min(content, needed);
    const bool is_open = log == parts_.writer.open_log();
    if (is_open && needless * kOpenLogShare < parts_.options.max_log_bytes) continue;
    // An empty log that is sealed is only in the way.
    const bool is_worth_it = needed * 2 < content || (content == 0 && !is_open);
    if (!is_worth_it || (best && needed >= least)) continue;
    best = log;
    least = needed;
  }
  return best;
}

Result<Compaction::Victim> Compaction::load(LogNumber log) const {
  auto file =
      LogFile::open(parts_.folder.log_path(log), LogFile::Mode::Read, LogFile::PageCache::Use);
  if (!file && file.error().code == ErrorCode::NotFound) return Victim{log, {}};
  if (!file) return fail(std::move(file).error());
  HM_TRY(const std::uint64_t bytes, file->size());
  const auto index =
      files::read_file(parts_.folder.index_path(log), max_index_bytes(), files::Access::Secret);
  if (index) {
    if (auto records = decode_index(*index, log, bytes, parts_.codec)) {
      return Victim{log, std::move(*records)};
    }
  }
  HM_TRY(LogContent content, scan_log(*file, log, parts_.codec, bytes));
  return Victim{log, std::move(content.records)};
}

// Requires: not all records are moved. Stops before a shard that another call holds.
Result<void> Compaction::move_some(std::uint64_t most_bytes, ports::CompactionReport& report) {
  Lock lock(parts_.mutex);
  TakenShards taken(parts_.busy);
  Move move;
  std::size_t next = victim_->next;
  const std::uint64_t most = std::clamp(most_bytes, kBlockBytes, kMaxCopyBytes);
  for (; next < victim_->records.size(); ++next) {
    if (move.bytes >= most || move.commit.records.size() == kMaxBatchRecords) break;
    const LogRecord& each = victim_->records[next];
    if (!taken.take(lock, each.record.root)) break;
    add(lock, move, each, report);
  }
  if (!move.commit.records.empty()) {
    const std::uint64_t bytes = block_up(move.bytes);
    HM_TRY_VOID(parts_.check_floor(bytes));
    parts_.reserved_bytes += bytes;
    move.commit.settled = [this, bytes] { parts_.reserved_bytes -= bytes; };
    HM_TRY_VOID(parts_.writer.commit(lock, move.commit));
  }
  report.copied_bytes += move.bytes;
  victim_->next = next;
  return {};
}

void Compaction::add(Lock& lock, Move& move, const LogRecord& each,
                     ports::CompactionReport& report) {
  const Record& record = each.record;
  if (record.kind == RecordKind::HolderDropped) {
    if (is_needed_drop(record)) add_record(move, {.record = record});
    return;
  }
  const auto shard = parts_.index.find(record.root);
  if (!shard) return;
  if (shard->place == Place{victim_->log, each.unit}) {
    if (add_shard(lock, move, record, *shard)) return;
    parts_.index.mark_lost(record.root);
    report.lost.push_back(record.root);
    log::error("shards", "a shard is lost: nothing of it can be verified any more",
               {{"shard", record.root.to_string()}});
  }
  const auto holding = parts_.index.holding(record.root, record.holder);
  if (!holding || holding->log != victim_->log) return;
  const auto bytes = static_cast<std::uint32_t>(shard->state.bytes);
  add_record(move, {.record = {RecordKind::HolderAdded, bytes, record.root, record.holder}});
}

// False if there is nothing left to copy. Other holders stay where their records are: a shard is
// held whichever of its records comes first.
bool Compaction::add_shard(Lock& lock, Move& move, const Record& record,
                           const ShardIndex::Shard& shard) {
  lock.unlock();  // nobody else moves or drops it meanwhile
  std::optional<SalvagedShard> salvaged;
  const auto file = LogFile::open(parts_.folder.log_path(victim_->log), LogFile::Mode::Read,
                                  LogFile::PageCache::Bypass);
  if (file) salvaged = salvage(*file, shard.place.offset(), record.root, shard.state.bytes);
  lock.lock();
  if (!salvaged) return false;
  const SalvagedShard& kept = move.shards.emplace_back(std::move(*salvaged));
  if (kept.is_damaged) parts_.index.mark_damaged(record.root, shard.place);
  Record copy = record;
  if (!parts_.index.holding(record.root, record.holder)) {
    copy.holder = parts_.index.holdings(record.root).front().holder;
  }
  add_record(move, {copy, kept.tree.values(), kept.bytes, kept.is_damaged});
  return true;
}

void Compaction::add_record(Move& move, NewRecord record) {
  move.bytes += record_bytes(record.record);
  move.commit.records.push_back(record);
}

bool Compaction::is_needed_drop(const Record& record) const {
  return parts_.index.logs().begin()->first < victim_->log &&
         !parts_.index.holding(record.root, record.holder);
}

Result<void> Compaction::remove(ports::CompactionReport& report) {
  const LogNumber log = victim_->log;
  {
    const Lock lock(parts_.mutex);
    if (parts_.index.logs().at(log).needed > 0) {
      // The log does not say any more what it said when the store was opened.
      victim_->records = parts_.index.records_in(log);
      victim_->next = 0;
      return {};
    }
  }
  HM_TRY_VOID(parts_.folder.remove(parts_.folder.log_path(log)));
  // Before a drop is forgotten that a log after this one has.
  HM_TRY_VOID(parts_.folder.sync());
  HM_TRY_VOID(parts_.folder.remove(parts_.folder.index_path(log)));
  const Lock lock(parts_.mutex);
  report.freed_bytes += parts_.index.logs().at(log).bytes;
  parts_.index.remove_log(log);
  victim_.reset();
  return {};
}

}  // namespace hm::shard_store
