// SPDX-License-Identifier: Apache-2.0
// What a Replica asks its driver to do. Plain values, in the order in which they are to be done.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "core/consensus/types.h"

namespace hm::consensus {

using SharedBytes = std::shared_ptr<const Bytes>;

// Which stream of the transport carries a message.
enum class Lane : std::uint8_t {
  Consensus,  // proposals, votes, certificates, small requests
  Sync,       // block bodies for nodes that lag
};

// Append to the vote log as record number `sequence` (the replica counts on from what was
// restored); report handle_durable() once it is on stable storage. Never reordered.
struct Persist {
  LogSequence sequence = 0;
  Bytes record;
};

// Send to every connected peer, validators and followers alike.
struct Broadcast {
  SharedBytes message;
  Lane lane = Lane::Consensus;
};

struct Send {
  NodeId peer;
  SharedBytes message;
  Lane lane = Lane::Consensus;
};

// We lead `view`: answer with handle_payload(). `ancestors` are the non-final blocks the new one
// will extend, oldest first: their operations must not be ordered again.
struct RequestPayload {
  View view = 0;
  Digest parent_hash;
  Height height = 0;  // of the block to be built
  std::uint64_t time_ms = 0;
  std::size_t max_bytes = 0;  // 0: the payload must be the driver's encoding of "no operations"
  std::vector<BlockPtr> ancestors;
};

// Check the payload (form, signatures, against the non-final `ancestors`, oldest first) and answer
// with handle_validated(). The header, certificates, time and execution root are already checked.
struct Validate {
  Digest hash;
  BlockPtr block;
  std::vector<BlockPtr> ancestors;
};

// `block` is final for ever. Heights come in order, each once. The driver stores
// encode_final_block(*block, certificate), executes it and reports handle_executed().
struct Finalize {
  BlockPtr block;
  Digest hash;
  Certificate certificate;  // of this block or a descendant, see FinalBlock
};

// `peer` lags: read final blocks [from, from+count) as far as stored, stop after about max_bytes,
// answer with handle_stored() (empty if there is none).
struct FetchStored {
  NodeId peer;
  Height from = 0;
  std::uint32_t count = 0;
  std::size_t max_bytes = 0;
};

// Records before `first` are no longer needed, provided that every block of the Finalize effects
// so far is on stable storage: flush the store, then trim.
struct TrimLog {
  LogSequence first = 0;
};

// A validator broke a voting rule, provably: verify_evidence() accepts it.
struct ReportFault {
  FaultKind kind = FaultKind::DoubleProposal;
  Evidence evidence;
};

// A final block carries an execution root other than ours: this node's state is wrong (or more
// than a third of the stake is). It votes no more; the driver must halt loudly.
struct ReportDivergence {
  Height height = 0;
  Digest expected;  // final on chain
  Digest own;
};

// Two conflicting blocks are proven final: a third of the stake or more broke the rules (the
// faults are reported too). This replica votes and finalizes no more; the driver must halt loudly.
struct ReportFork {
  Height height = 0;  // of our final block
  Digest ours;
  Certificate theirs;
};

using Effect = std::variant<Persist, Broadcast, Send, RequestPayload, Validate, Finalize,
                            FetchStored, TrimLog, ReportFault, ReportDivergence, ReportFork>;

}  // namespace hm::consensus
