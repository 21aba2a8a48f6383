// SPDX-License-Identifier: Apache-2.0
// The disk of one simulated machine, and the journal and store that a process keeps on it. The disk
// outlives processes; a crash leaves on it what was durable and, of what was not, a prefix that
// chance decides, which is what ports/journal.h and ports/store.h promise and no more.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "ports/journal.h"
#include "ports/store.h"
#include "simulator/random.h"
#include "simulator/schedule.h"

namespace hm::simulator {

struct DiskSpeed {
  Duration flush_low = std::chrono::microseconds(40);
  Duration flush_high = std::chrono::microseconds(400);
  // Now and then a flush takes this long (p99 of a small machine's disk is near 15 ms).
  Duration stall = std::chrono::milliseconds(15);
  std::uint32_t stall_permille = 15;
};

enum class PowerLoss : std::uint8_t {
  // What was not durable is gone from some record on. That record may be half there: a journal
  // cuts such an end off and says nothing, because it was never reported durable.
  TornTail,
  // Even durable records at the end are unreadable, and the journal says so.
  DamagedTail,
};

class SimDisk {
 public:
  explicit SimDisk(SimRandom random) : random_(random) {}

  void set_speed(DiskSpeed speed) { speed_ = speed; }
  // From now on every write fails.
  void set_failed(bool failed) { failed_ = failed; }
  bool failed() const { return failed_; }

  // The machine lost power or the process was killed: applies the loss to what is unsynced.
  void crash(PowerLoss loss);
  // The journal reports damage until its owner acknowledges it.
  bool damaged() const { return damaged_; }
  // Everything is gone, as after the loss of the machine.
  void wipe();
  bool empty() const;

 private:
  friend class SimJournal;
  friend class SimStore;
  using Map = std::map<Bytes, Bytes>;

  static void apply(std::array<Map, ports::kSpaceCount>& maps, const ports::WriteBatch& batch);
  Duration flush_time();

  SimRandom random_;
  DiskSpeed speed_;
  bool failed_ = false;
  bool damaged_ = false;

  ports::LogSequence first_ = 1;  // number of the first record in durable_ or pending_
  std::deque<Bytes> durable_;
  std::deque<Bytes> pending_;  // appended, not known durable

  std::array<Map, ports::kSpaceCount> synced_;
  std::array<Map, ports::kSpaceCount> live_;
  std::vector<ports::WriteBatch> unsynced_;
};

// Group commit: what is appended while a flush runs shares the next one.
class SimJournal final : public ports::Journal {
 public:
  SimJournal(Scheduler& scheduler, const Life& life, SimDisk& disk,
             ports::JournalListener& listener)
      : scheduler_(scheduler), life_(life), disk_(disk), listener_(listener) {}

  Result<ports::ReplayReport> replay(
      const std::function<void(ports::LogSequence, ByteView)>& visit) override;
  ports::LogSequence append(ByteView record) override;
  void acknowledge_damage() override { disk_.damaged_ = false; }
  void trim(ports::LogSequence first) override;

 private:
  void flush();

  Scheduler& scheduler_;
  const Life& life_;
  SimDisk& disk_;
  ports::JournalListener& listener_;
  bool flushing_ = false;
  bool failure_reported_ = false;
};

class SimStore final : public ports::Store {
 public:
  explicit SimStore(SimDisk& disk) : disk_(disk) {}

  Result<std::optional<Bytes>> get(ports::Space space, ByteView key) const override;
  Result<void> write(const ports::WriteBatch& batch) override;
  Result<void> sync() override;
  Result<void> scan(ports::Space space, ByteView first, ByteView last,
                    const std::function<bool(ByteView key, ByteView value)>& visit) const override;

 private:
  SimDisk& disk_;
};

}  // namespace hm::simulator
