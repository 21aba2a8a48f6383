// SPDX-License-Identifier: Apache-2.0
// Operations that passed admission and wait for a final block, in order of arrival and, within one
// actor, of sequence. Bounded by count, bytes and per actor; the caller refuses what does not fit.
// It does not judge operations: the ledger does.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "core/ledger/operation.h"
#include "core/ledger/payload.h"
#include "foundation/base/bytes.h"
#include "foundation/base/time.h"

namespace hm::node {

// A checked operation with its bytes, shared between the pool and the blocks that hold it.
struct CheckedOperation {
  Bytes bytes;                // of the SignedOperation
  crypto::Digest bytes_hash;  // SHA-256 of `bytes`
  ledger::PreparedOperation prepared;
};
using CheckedPtr = std::shared_ptr<const CheckedOperation>;

class Mempool {
 public:
  enum class Insert : std::uint8_t {
    Added,
    Present,       // the very same operation
    SlotTaken,     // another operation of the actor waits with this sequence
    Full,          // the whole pool
    ActorFull,     // this actor's share, or a sequence that would be beyond it
    SequenceUsed,  // below the actor's next sequence
    TooFarAhead,   // kMaxPooledPerActor or more above it
  };

  // `next` is the sequence that the ledger expects of the actor.
  Insert insert(CheckedPtr operation, std::uint64_t next, MonoTime now);

  // The operation with these bytes, or null.
  CheckedPtr find(const crypto::Digest& bytes_hash) const;

  bool contains(const crypto::Digest& operation_id) const { return ids_.contains(operation_id); }

  // The actor's sequence moved on to `next`: takes out everything below and returns it.
  std::vector<CheckedPtr> advance(const ledger::Actor& actor, std::uint64_t next);
  // Takes one operation out, whatever its sequence.
  void remove(const CheckedOperation& operation);
  // Takes out what no block above `height` may include; returns it.
  std::vector<CheckedPtr> remove_expired(std::uint64_t height);

  // Marks operations as held by a non-final block, or releases them when that block is dropped.
  void hold(const std::vector<CheckedPtr>& operations);
  void release(const std::vector<CheckedPtr>& operations);

  // Fills `payload` with operations in order, each continuing its actor's sequence. `next` tells
  // the next sequence of an actor on the branch to be extended.
  void select(const std::function<std::uint64_t(const ledger::Actor&)>& next, std::size_t max_bytes,
              ledger::PayloadBuilder& payload, std::vector<CheckedPtr>& selected) const;

  // Operations that have waited since before `before`, at most `count`.
  std::vector<CheckedPtr> waiting_since(MonoTime before, std::size_t count) const;

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }
  bool full() const;
  // Operations that could go into a block and that no non-final block holds.
  std::size_t waiting() const { return waiting_; }
  // Operations that could go into a block, held or not.
  std::size_t ready() const { return ready_; }

 private:
  struct Entry {
    CheckedPtr operation;
    MonoTime arrived;
    bool is_ready = false;  // every earlier sequence of the actor is here or applied
    std::uint32_t holders = 0;
  };
  using Entries = std::list<Entry>;
  struct ActorQueue {
    std::map<std::uint64_t, Entries::iterator> by_sequence;
    std::uint64_t ready_end = 0;  // first sequence that is missing
  };

  void make_ready(ActorQueue& queue);
  void make_unready(ActorQueue& queue, std::uint64_t from);
  void set_ready(Entry& entry, bool ready);
  void erase(Entries::iterator entry);
  void change_holders(const CheckedOperation& operation, int by);

  Entries entries_;  // in order of becoming ready
  std::map<ledger::Actor, ActorQueue> actors_;
  std::map<crypto::Digest, Entries::iterator> by_hash_;
  std::set<crypto::Digest> ids_;
  std::multimap<std::uint64_t, Entries::iterator> by_expiry_;
  std::size_t bytes_ = 0;
  std::size_t ready_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace hm::node
