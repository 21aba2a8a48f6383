// SPDX-License-Identifier: Apache-2.0
#include "simulator/disk.h"

#include <algorithm>

namespace hm::simulator {
namespace {

// A damaged sector takes no more records with it than this.
constexpr std::uint64_t kMostDamagedRecords = 8;

}  // namespace

Duration SimDisk::flush_time() {
  if (random_.chance(speed_.stall_permille))
    return random_.between(speed_.flush_high, speed_.stall);
  return random_.between(speed_.flush_low, speed_.flush_high);
}

void SimDisk::apply(std::array<Map, ports::kSpaceCount>& maps, const ports::WriteBatch& batch) {
  for (const ports::StoreWrite& write : batch) {
    Map& map = maps[static_cast<std::size_t>(write.space)];
    if (write.value) {
      map[write.key] = *write.value;
    } else {
      map.erase(write.key);
    }
  }
}

void SimDisk::crash(PowerLoss loss) {
  const std::uint64_t kept = random_.below(pending_.size() + 1);
  for (std::uint64_t i = 0; i < kept; ++i) durable_.push_back(std::move(pending_[i]));
  pending_.clear();
  if (loss == PowerLoss::DamagedTail && !durable_.empty()) {
    const std::uint64_t most = std::min<std::uint64_t>(kMostDamagedRecords, durable_.size());
    for (std::uint64_t drop = random_.between(1, most); drop > 0; --drop) durable_.pop_back();
    damaged_ = true;
  }

  const std::uint64_t batches = random_.below(unsynced_.size() + 1);
  for (std::uint64_t i = 0; i < batches; ++i) apply(synced_, unsynced_[i]);
  unsynced_.clear();
  live_ = synced_;
}

void SimDisk::wipe() {
  first_ = 1;
  durable_.clear();
  pending_.clear();
  damaged_ = false;
  synced_ = {};
  live_ = {};
  unsynced_.clear();
}

bool SimDisk::empty() const {
  return durable_.empty() && pending_.empty() &&
         std::ranges::all_of(live_, [](const Map& map) { return map.empty(); });
}

Result<ports::ReplayReport> SimJournal::replay(
    const std::function<void(ports::LogSequence, ByteView)>& visit) {
  ports::ReplayReport report;
  report.first = disk_.first_;
  ports::LogSequence sequence = disk_.first_;
  for (const Bytes& record : disk_.durable_) visit(sequence++, record);
  report.last = sequence - 1;
  report.tail =
      disk_.damaged_ ? ports::ReplayReport::Tail::Damaged : ports::ReplayReport::Tail::Clean;
  return report;
}

ports::LogSequence SimJournal::append(ByteView record) {
  disk_.pending_.push_back(to_bytes(record));
  const ports::LogSequence sequence =
      disk_.first_ + disk_.durable_.size() + disk_.pending_.size() - 1;
  flush();
  return sequence;
}

void SimJournal::flush() {
  if (flushing_ || disk_.pending_.empty()) return;
  flushing_ = true;
  const std::size_t count = disk_.pending_.size();
  scheduler_.after(disk_.flush_time(), life_.guard([this, count] {
    flushing_ = false;
    if (disk_.failed_) {
      if (!failure_reported_) {
        failure_reported_ = true;
        listener_.on_journal_failed(Error{ErrorCode::NoCapacity, "the simulated disk is full", {}});
      }
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      disk_.durable_.push_back(std::move(disk_.pending_.front()));
      disk_.pending_.pop_front();
    }
    const ports::LogSequence last = disk_.first_ + disk_.durable_.size() - 1;
    flush();
    listener_.on_durable(last);
  }));
}

void SimJournal::trim(ports::LogSequence first) {
  // Whole segments go at once on a real disk; here a record is a segment.
  while (disk_.first_ < first && !disk_.durable_.empty()) {
    disk_.durable_.pop_front();
    ++disk_.first_;
  }
}

Result<std::optional<Bytes>> SimStore::get(ports::Space space, ByteView key) const {
  const auto& map = disk_.live_[static_cast<std::size_t>(space)];
  const auto found = map.find(to_bytes(key));
  if (found == map.end()) return std::optional<Bytes>();
  return std::optional<Bytes>(found->second);
}

Result<void> SimStore::write(const ports::WriteBatch& batch) {
  if (disk_.failed_) return fail(ErrorCode::NoCapacity, "the simulated disk is full");
  SimDisk::apply(disk_.live_, batch);
  disk_.unsynced_.push_back(batch);
  return {};
}

Result<void> SimStore::sync() {
  if (disk_.failed_) return fail(ErrorCode::Io, "the simulated disk refused a flush");
  for (const ports::WriteBatch& batch : disk_.unsynced_) SimDisk::apply(disk_.synced_, batch);
  disk_.unsynced_.clear();
  return {};
}

Result<void> SimStore::scan(ports::Space space, ByteView first, ByteView last,
                            const std::function<bool(ByteView key, ByteView value)>& visit) const {
  const auto& map = disk_.live_[static_cast<std::size_t>(space)];
  for (auto it = map.lower_bound(to_bytes(first)); it != map.end(); ++it) {
    if (!last.empty() && !std::ranges::lexicographical_compare(it->first, last)) break;
    if (!visit(it->first, it->second)) break;
  }
  return {};
}

}  // namespace hm::simulator
