// SPDX-License-Identifier: Apache-2.0
// An append-only durable log of records with group commit: the vote log of a validator.
#pragma once

#include <cstdint>
#include <functional>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::ports {

// Number of a record, from 1, in the order of appending.
using LogSequence = std::uint64_t;

struct ReplayReport {
  // The tail ended inside a record or failed its checksum: records that were reported durable
  // may be missing. A validator abstains until it has seen a newer finalization.
  enum class Tail : std::uint8_t { Clean, Damaged };
  Tail tail = Tail::Clean;
  LogSequence first = 1;  // number of the first record kept
  LogSequence last = 0;   // number of the last record read; 0 if there is none
};

class JournalListener {
 public:
  virtual ~JournalListener() = default;
  // Every record up to and including `sequence` is on stable storage.
  virtual void on_durable(LogSequence sequence) = 0;
  // The disk refused a write; nothing further becomes durable. The node must stop voting.
  virtual void on_journal_failed(const Error& error) = 0;
};

class Journal {
 public:
  virtual ~Journal() = default;
  // Calls `visit` for each intact record, oldest first. Once, before the first append.
  virtual Result<ReplayReport> replay(const std::function<void(LogSequence, ByteView)>& visit) = 0;
  // Queues a record; the listener hears when it is durable. Records queued while a flush runs
  // share the next one.
  virtual LogSequence append(ByteView record) = 0;
  // Damage is reported at every replay until this is called: a validator that restarts while it
  // abstains must abstain again.
  virtual void acknowledge_damage() = 0;
  // Records before `first` may be deleted; whole segments go when nothing in them is needed.
  virtual void trim(LogSequence first) = 0;
};

}  // namespace hm::ports
