// SPDX-License-Identifier: Apache-2.0
// One participant of Simplex consensus as a sans-I/O machine: events in by handle_*(), effects out
// by poll_effect(), time as an argument. With a signing key it votes; without one it follows.
//
// Promises: no two replicas emit different Finalize for one height while less than a third of the
// stake is malicious; heights in order without gaps; no vote leaves before its record is durable;
// every queue and map is bounded (limits.h). Does not know what a payload means, does not read
// clocks, does not do I/O.
//
// Driver: construct; restore_final() with the newest stored final block (none at genesis);
// restore_executed() for each height from that block's header.exec.height to the last executed
// one (genesis root is in Config); restore_record() for every journal record, oldest first;
// note_damaged_tail() if the journal said so, or if the journal or store is empty although this
// key has run before (a wiped disk); start(). Then after every handle_*() drain poll_effect() and
// arm a timer for next_deadline().
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/consensus/effects.h"
#include "core/consensus/limits.h"
#include "core/consensus/types.h"
#include "core/consensus/validator_set.h"

namespace hm::consensus {

// What to do on seeing a certificate with a signature of ours that we do not know of. It means that
// our log was lost or that another process runs with our key.
enum class OwnSignatures : std::uint8_t {
  Watch,   // stop voting, as after a damaged log
  Ignore,  // only for simulating Byzantine twins
};

struct Config {
  ChainDomain domain;
  NodeId self;          // our node id, for followers and validators alike
  Digest genesis_hash;  // hash of the block at height 0, view 0
  Digest genesis_root;  // execution root at height 0
  std::uint64_t genesis_time_ms = 0;
  Duration heartbeat = kDefaultHeartbeat;
  Duration initial_delta = kInitialDelta;
  Duration min_delta = kMinDelta;
  Duration max_delta = kMaxDelta;
  std::uint64_t clock_bound_ms = kDefaultClockBoundMillis;
  OwnSignatures own_signatures = OwnSignatures::Watch;
};

// Operations that are not in a final block yet.
enum class Pending : std::uint8_t {
  None,
  Included,  // some, and blocks that are not final (perhaps never will be) hold all of them
  Some,      // some that no block holds: the leader proposes at once
};
enum class Verdict : std::uint8_t { Valid, Invalid };

// Why a message or part of it was not used; counted by name.
enum class Refusal : std::uint8_t {
  Malformed,    // does not decode, or over a limit
  ForeignVote,  // a vote not sent by its signer
  UnknownSigner,
  BadSignature,
  BadCertificate,
  BadBlock,  // header, parent link, gap, limits
  NotLeader,
  OutsideWindow,  // view too old or too far ahead
  BadTime,        // proposal time outside the clock bound
  BadExecutionRoot,
  InvalidPayload,   // the driver said so
  UnexpectedReply,  // answer to nothing we asked, or wrong content
  PeerLimit,
};
inline constexpr std::size_t kRefusalCount = 13;
std::string_view name_of(Refusal refusal);

struct Counters {
  std::array<std::uint64_t, kRefusalCount> refused{};
  std::uint64_t messages = 0;
  std::uint64_t blocks_final = 0;
  std::uint64_t blocks_proposed = 0;
  std::uint64_t views_nullified = 0;
  std::uint64_t signatures_verified = 0;
  std::uint64_t votes_cast = 0;
  std::uint64_t sync_requests = 0;
  std::uint64_t timeouts = 0;
};

class Machine;

class Replica {
 public:
  // With `key` its public key must be in the set, otherwise the replica follows.
  Replica(Config config, ValidatorSet validators, std::optional<SigningKey> key);
  ~Replica();
  Replica(Replica&&) noexcept;
  Replica& operator=(Replica&&) noexcept;

  // Recovery, before start(); see the top of the file.
  void restore_final(const FinalBlock& newest);
  void restore_executed(Height height, const Digest& root);
  // False if it does not decode, or another key or chain wrote it: treat the log as damaged.
  bool restore_record(LogSequence sequence, ByteView record);
  void note_damaged_tail();
  void start(Now now);

  // Events.
  void handle_peer_up(const NodeId& peer, Now now);
  void handle_peer_down(const NodeId& peer, Now now);
  void handle_message(const NodeId& from, ByteView message, Now now);
  // Every record up to and including `sequence` is durable.
  void handle_durable(LogSequence sequence, Now now);
  // Answer to RequestPayload. The hash of the block proposed with it; none if the view is over.
  std::optional<Digest> handle_payload(View view, Bytes payload, Now now);
  // Answer to Validate; ignored if the block is no longer of interest.
  void handle_validated(const Digest& block, Verdict verdict, Now now);
  // The driver executed the final block at `height`. In order.
  void handle_executed(Height height, const Digest& root, Now now);
  void handle_pending(Pending pending, Now now);
  // Answer to FetchStored: consecutive final blocks from the height asked, encoded by
  // encode_final_block() as they lie in the store.
  void handle_stored(const NodeId& peer, Height from, std::vector<Bytes> blocks, Now now);
  // Call at or after next_deadline(); at any other time it does nothing.
  void handle_tick(Now now);

  // The next moment at which handle_tick() has something to do.
  std::optional<MonoTime> next_deadline() const;
  // The next effect, in order; empty when all are taken.
  std::optional<Effect> poll_effect();

  View view() const;
  View final_view() const;
  Height final_height() const;  // of the last Finalize emitted (or restored)
  const Digest& final_hash() const;
  std::uint64_t final_time_ms() const;
  // The newest certificate that proves final_hash() final; empty at genesis.
  const std::optional<Certificate>& final_certificate() const;
  // The highest final height that a connected peer claims (unproven), for progress displays.
  Height claimed_height() const;
  ValidatorIndex leader(View view) const;
  const ValidatorSet& validators() const;
  std::optional<ValidatorIndex> own_index() const;
  // A validator that may not vote: its log was damaged or wiped and no newer finalization has been
  // seen yet, or its state diverged.
  bool is_abstaining() const;
  // No work: neither timers nor votes run until the next heartbeat.
  bool is_idle() const;
  Duration delta() const;
  const Counters& counters() const;
  const std::vector<Evidence>& faults() const;
  // One line per fact for logs and failed simulations.
  std::string describe() const;

 private:
  std::unique_ptr<Machine> machine_;
};

}  // namespace hm::consensus
