// SPDX-License-Identifier: Apache-2.0
#include "platform/shard_store/shard_index.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "foundation/base/check.h"
#include "platform/shard_store/limits.h"

namespace hm::shard_store {

using ports::HolderId;
using ports::ShardRoot;

void ShardIndex::set_log(LogNumber log, std::uint64_t bytes) { logs_[log].bytes = bytes; }

void ShardIndex::remove_log(LogNumber log) {
  const auto found = logs_.find(log);
  HM_CHECK(found != logs_.end() && found->second.needed == 0);
  logs_.erase(found);
}

std::uint64_t ShardIndex::needed_bytes(LogNumber log) const {
  const LogUse& use = logs_.at(log);
  return logs_.begin()->first == log ? use.needed : use.needed + use.drops;
}

bool ShardIndex::apply(const Record& record, const Place& place, bool is_damaged) {
  if (record.kind == RecordKind::HolderDropped) return apply_drop(record, place);
  const auto [found, is_new] = shards_.try_emplace(record.root);
  Entry& entry = found->second;
  if (is_new) {
    entry.bytes = record.shard_bytes & 0x7fffffffU;  // which it is far below
    shard_bytes_ += entry.bytes;
    set_damaged(entry, true);
  }
  if (entry.bytes != record.shard_bytes) return false;
  // A copy of which a loss of power took a part stands behind what it was copied from.
  const bool is_worse = is_damaged && entry.place.log != 0 && entry.is_damaged == 0;
  if (record.kind == RecordKind::Shard && !is_worse) {
    take_place(entry, place);
    set_damaged(entry, is_damaged);
  }
  add_hold(entry, record.holder, place.log);
  return true;
}

bool ShardIndex::apply_drop(const Record& record, const Place& place) {
  logs_.at(place.log).drops += kRecordHeaderBytes;
  const auto found = shards_.find(record.root);
  const auto number = number_of(record.holder);
  if (found == shards_.end() || !number) return true;
  Entry& entry = found->second;
  remove_hold(entry, *number);
  if (!is_held(entry) && !is_reading_) forget(found);
  return true;
}

ShardIndex::Entries::iterator ShardIndex::forget(Entries::iterator shard) {
  Entry& entry = shard->second;
  take_place(entry, {});
  set_damaged(entry, false);
  shard_bytes_ -= entry.bytes;
  return shards_.erase(shard);
}

void ShardIndex::end_reading() {
  is_reading_ = false;
  for (auto each = shards_.begin(); each != shards_.end();) {
    each = is_held(each->second) ? std::next(each) : forget(each);
  }
}

void ShardIndex::take_place(Entry& entry, const Place& place) {
  const std::uint64_t bytes = content_bytes(entry.bytes);
  if (entry.place.log != 0) logs_.at(entry.place.log).needed -= bytes;
  entry.place = place;
  if (place.log != 0) logs_.at(place.log).needed += bytes;
}

void ShardIndex::set_damaged(Entry& entry, bool is_damaged) {
  damaged_ += is_damaged ? 1 : 0;
  damaged_ -= entry.is_damaged;
  entry.is_damaged = is_damaged ? 1 : 0;
}

void ShardIndex::add_hold(Entry& entry, const HolderId& holder, LogNumber log) {
  const std::uint32_t number = number_for(holder);
  logs_.at(log).needed += kRecordHeaderBytes;
  if (Hold* hold = find_hold(entry, number)) {
    logs_.at(hold->log).needed -= kRecordHeaderBytes;
    hold->log = log;
    return;
  }
  const Hold hold{number, log};
  if (!is_held(entry)) {
    entry.first = hold;
  } else {
    if (!entry.others) entry.others = std::make_unique<std::vector<Hold>>();
    entry.others->push_back(hold);
  }
  ports::HolderUsage& usage = holders_[number].usage;
  ++usage.shards;
  usage.shard_bytes += entry.bytes;
  usage.counted_bytes += ports::counted_bytes(entry.bytes);
}

void ShardIndex::remove_hold(Entry& entry, std::uint32_t number) {
  Hold* const hold = find_hold(entry, number);
  if (hold == nullptr) return;
  logs_.at(hold->log).needed -= kRecordHeaderBytes;
  if (entry.others) {
    *hold = entry.others->back();
    entry.others->pop_back();
    if (entry.others->empty()) entry.others.reset();
  } else {
    entry.first = {};
  }
  Holder& holder = holders_[number];
  --holder.usage.shards;
  holder.usage.shard_bytes -= entry.bytes;
  holder.usage.counted_bytes -= ports::counted_bytes(entry.bytes);
  if (holder.usage.shards > 0) return;
  numbers_.erase(holder.id);
  free_numbers_.push_back(number);
}

ShardIndex::Hold* ShardIndex::find_hold(Entry& entry, std::uint32_t number) {
  return const_cast<Hold*>(find_hold(std::as_const(entry), number));
}

const ShardIndex::Hold* ShardIndex::find_hold(const Entry& entry, std::uint32_t number) {
  if (!is_held(entry)) return nullptr;
  if (entry.first.holder == number) return &entry.first;
  if (!entry.others) return nullptr;
  const auto found = std::ranges::find(*entry.others, number, &Hold::holder);
  return found == entry.others->end() ? nullptr : &*found;
}

std::optional<std::uint32_t> ShardIndex::number_of(const HolderId& holder) const {
  const auto found = numbers_.find(holder);
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

std::uint32_t ShardIndex::number_for(const HolderId& holder) {
  if (const auto number = number_of(holder)) return *number;
  std::uint32_t number = static_cast<std::uint32_t>(holders_.size());
  if (free_numbers_.empty()) {
    holders_.emplace_back();
  } else {
    number = free_numbers_.back();
    free_numbers_.pop_back();
  }
  holders_[number] = {holder, {}};
  numbers_.emplace(holder, number);
  return number;
}

std::optional<ShardIndex::Shard> ShardIndex::find(const ShardRoot& root) const {
  const auto found = shards_.find(root);
  if (found == shards_.end()) return std::nullopt;
  return Shard{found->second.place, state_of(found->second)};
}

std::optional<ShardRoot> ShardIndex::after(const std::optional<ShardRoot>& cursor) const {
  const auto found = cursor ? shards_.upper_bound(*cursor) : shards_.begin();
  if (found == shards_.end()) return std::nullopt;
  return found->first;
}

std::optional<ShardIndex::Holding> ShardIndex::holding(const ShardRoot& root,
                                                       const HolderId& holder) const {
  const auto found = shards_.find(root);
  const auto number = number_of(holder);
  if (found == shards_.end() || !number) return std::nullopt;
  const Hold* const hold = find_hold(found->second, *number);
  return hold == nullptr ? std::nullopt : std::optional(name(*hold));
}

std::vector<ShardIndex::Holding> ShardIndex::holdings(const ShardRoot& root) const {
  std::vector<Holding> all;
  const auto found = shards_.find(root);
  if (found == shards_.end()) return all;
  all.push_back(name(found->second.first));
  if (!found->second.others) return all;
  for (const Hold& hold : *found->second.others) all.push_back(name(hold));
  return all;
}

std::vector<LogRecord> ShardIndex::records_in(LogNumber log) const {
  std::vector<LogRecord> records;
  for (const auto& [root, entry] : shards_) {
    Record record{RecordKind::Shard, entry.bytes, root, name(entry.first).holder};
    if (entry.place.log == log) records.push_back({record, entry.place.unit, false});
    record.kind = RecordKind::HolderAdded;
    for (const Holding& each : holdings(root)) {
      record.holder = each.holder;
      if (each.log == log) records.push_back({record, 0, false});
    }
  }
  return records;
}

ports::ShardList ShardIndex::list(const HolderId& holder, const std::optional<ShardRoot>& cursor,
                                  std::size_t most) const {
  ports::ShardList part;
  const auto number = number_of(holder);
  if (!number) return part;
  auto at = cursor ? shards_.upper_bound(*cursor) : shards_.begin();
  std::optional<ShardRoot> last;
  for (std::size_t examined = 0; at != shards_.end(); ++at, ++examined) {
    if (examined == kMaxExamined || part.shards.size() == most) {
      part.next = last;
      break;
    }
    const auto& [root, entry] = *at;
    last = root;
    if (find_hold(entry, *number) != nullptr) {
      part.shards.push_back({root, state_of(entry)});
    }
  }
  return part;
}

void ShardIndex::mark_damaged(const ShardRoot& root, const Place& place) {
  const auto found = shards_.find(root);
  if (found != shards_.end() && found->second.place == place) set_damaged(found->second, true);
}

void ShardIndex::mark_lost(const ShardRoot& root) {
  const auto found = shards_.find(root);
  if (found == shards_.end()) return;
  take_place(found->second, {});
  set_damaged(found->second, true);
}

std::vector<ports::HolderId> ShardIndex::holders() const {
  std::vector<ports::HolderId> all;
  all.reserve(numbers_.size());
  for (const auto& [holder, number] : numbers_) all.push_back(holder);
  return all;
}

ports::HolderUsage ShardIndex::usage(const HolderId& holder) const {
  const auto number = number_of(holder);
  return number ? holders_[*number].usage : ports::HolderUsage{};
}

ports::ShardStoreUsage ShardIndex::usage() const {
  ports::ShardStoreUsage usage;
  usage.holders = numbers_.size();
  usage.shards = shards_.size();
  usage.shard_bytes = shard_bytes_;
  usage.damaged = damaged_;
  for (const auto& [log, use] : logs_) {
    usage.disk_bytes += use.bytes;
    // A log that somebody has cut has less than what is needed of it.
    const std::uint64_t needed = kFirstRecord + needed_bytes(log);
    usage.needless_bytes += use.bytes - std::min(use.bytes, needed);
  }
  return usage;
}

}  // namespace hm::shard_store
