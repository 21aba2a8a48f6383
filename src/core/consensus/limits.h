// SPDX-License-Identifier: Apache-2.0
// Every bound of the consensus module, each with its reason. Values that two nodes must agree on
// are marked [protocol] and are normative (docs/protocols/consensus.md); the others are local.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "foundation/base/time.h"

namespace hm::consensus {

// [protocol] Certificates carry one signature per signer: 512 × 64 B stays a small message.
inline constexpr std::size_t kMaxValidators = 512;

// [protocol] Keeps 3 × stake inside 64 bits in every quorum comparison.
inline constexpr std::uint64_t kMaxTotalStake = std::uint64_t{1} << 60;

// [protocol] Operations of one block. 1 MiB takes 80 ms at 100 Mbit/s, well inside a view.
inline constexpr std::size_t kMaxPayloadBytes = std::size_t{1} << 20;

// [protocol] Views that one block may skip. Each skipped view cost at least one time-out, so a
// longer gap means minutes without a quorum.
inline constexpr std::size_t kMaxSkippedViews = 1024;

// [protocol] One message: a full payload and 1024 skip certificates of a small mesh.
inline constexpr std::size_t kMaxMessageBytes = std::size_t{4} << 20;

// [protocol] Final blocks in one answer to a node that lags, by count and by bytes (one block may
// exceed the byte budget alone).
inline constexpr std::uint32_t kMaxSyncBlocks = 128;
inline constexpr std::size_t kMaxSyncBytes = std::size_t{2} << 20;

// Blocks held while waiting for the certificate that proves them final.
inline constexpr std::size_t kMaxUnprovenSyncBlocks = 2048;
inline constexpr std::size_t kMaxUnprovenSyncBytes = std::size_t{32} << 20;

// Votes and proposals are kept for this many views past the current one; what is further ahead
// has to come with a certificate.
inline constexpr std::uint64_t kFutureViews = 16;

// Views behind the last final one whose votes are still compared, to catch late equivocation.
inline constexpr std::uint64_t kPastViews = 8;

// Proposals kept per view: two prove equivocation, the notarized one of more is fetched by hash.
inline constexpr std::size_t kMaxProposalsPerView = 2;

// Non-final ancestors with payload: past this depth a leader proposes empty blocks only, so that
// a long spell without finality cannot fill memory.
inline constexpr std::size_t kMaxLoadedAncestors = 8;
// A payload up to this length counts as empty: the driver's spelling of "no operations".
inline constexpr std::size_t kEmptyPayloadBytes = 16;

// Certificates in one answer to a node in an older view.
inline constexpr std::size_t kMaxHelpCertificates = 64;

// Executed roots remembered for checking proposals.
inline constexpr std::size_t kMaxExecutionRoots = 4096;

// Catch-up pauses while this many final blocks wait for execution.
inline constexpr std::uint64_t kMaxUnexecutedBlocks = 256;

// Evidence kept for the getters; the same fault is reported once.
inline constexpr std::size_t kMaxEvidence = 256;

// Peers tracked. Transport limits connections; this bounds a transport that does not.
inline constexpr std::size_t kMaxPeers = 16384;

// Proposal time against the validator's own clock at the moment of voting.
inline constexpr std::uint64_t kDefaultClockBoundMillis = 5000;

// Delay bound Δ: the 95th percentile of the measured time from a proposal to its block notarized
// or final, within these, doubled per view lost to a timer up to kMaxBackoffDelta.
inline constexpr Duration kMinDelta = std::chrono::milliseconds(20);
inline constexpr Duration kMaxDelta = std::chrono::seconds(2);
inline constexpr Duration kMaxBackoffDelta = std::chrono::seconds(4);
inline constexpr Duration kInitialDelta = std::chrono::milliseconds(100);
inline constexpr std::size_t kRoundSamples = 64;

// While a view does not end, votes are sent again at growing intervals up to this one.
inline constexpr Duration kMaxRetryInterval = std::chrono::milliseconds(500);

// An empty block while idle: shows that the mesh lives and bounds the age of the newest anchor.
inline constexpr Duration kDefaultHeartbeat = std::chrono::seconds(10);

// A single peer that asks for a new block while we are idle is served this often at most.
inline constexpr Duration kWakeInterval = std::chrono::milliseconds(500);

// An answer to a fetch is expected within this; then another peer is asked.
inline constexpr Duration kFetchTimeout = std::chrono::milliseconds(1000);

}  // namespace hm::consensus
