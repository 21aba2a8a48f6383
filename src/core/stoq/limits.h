// SPDX-License-Identifier: Apache-2.0
// Every limit of the STOQ transport, with its reason (docs/protocols/stoq.md §7).
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "foundation/base/time.h"

namespace hm::stoq {

using namespace std::chrono_literals;

// Channels by number, as on the wire: 0 consensus, 1 gossip, 2 sync, 3 leases, 4 containers,
// 5 storage (ports::Channel).
inline constexpr std::size_t kChannels = 6;

// Longest frame by channel. Consensus: a proposal with a full payload and its certificates.
// Gossip: a batch of operations. Sync: a run of final blocks, at least one of the largest.
// Leases: one side of a reading, below 300 bytes. Containers: a run's spec, or a piece of a stream.
// Storage: the longest shard with its head.
inline constexpr std::array<std::size_t, kChannels> kMaxFrame = {
    std::size_t{8} << 20, std::size_t{2} << 20,   std::size_t{16} << 20,
    std::size_t{1} << 10, std::size_t{256} << 10, (std::size_t{4} << 20) + (std::size_t{64} << 10)};

// Bytes queued or unacknowledged per peer and channel, after which messages are refused. Two of
// the largest frames, so that one may be on its way while the next is queued; of leases what a
// thousand of them say at once; of containers what the windows of all streams to one peer allow; of
// storage what is asked for and given both ways at once.
inline constexpr std::array<std::size_t, kChannels> kMaxQueue = {
    std::size_t{16} << 20,  std::size_t{4} << 20,  std::size_t{32} << 20,
    std::size_t{256} << 10, std::size_t{40} << 20, std::size_t{32} << 20};

// A frame's buffer grows in steps as bytes arrive, never to the announced length at once: an
// announced length costs the announcer a sixteenth of the bytes that it costs us. Twice as many
// would be fairer, and copy a shard twice.
inline constexpr std::size_t kFrameGrowth = std::size_t{64} << 10;
inline constexpr std::size_t kFrameGrowthFactor = 16;

// Receive windows: what a peer may have in flight towards us. Frames are consumed as they arrive,
// so this bounds the memory for data out of order, per peer.
inline constexpr std::uint64_t kStreamWindow = std::uint64_t{2} << 20;
inline constexpr std::uint64_t kMaxStreamWindow = std::uint64_t{8} << 20;
inline constexpr std::uint64_t kConnectionWindow = std::uint64_t{4} << 20;
inline constexpr std::uint64_t kMaxConnectionWindow = std::uint64_t{16} << 20;

// Live connections of one node; ten thousand members, and as many again while they replace
// connections after a partition.
inline constexpr std::size_t kMaxConnections = 20'000;

// Unfinished handshakes of others, all together: about 60 KB each.
inline constexpr std::size_t kMaxHalfOpen = 256;
// Of those, kept for the addresses of known peers, so that strangers cannot lock them out.
inline constexpr std::size_t kReservedHalfOpen = 64;
// From this many on, a client first proves its address (RFC 9000 §8.1.2).
inline constexpr std::size_t kRetryAboveHalfOpen = 16;
// New handshakes per second from addresses that are not a known peer's, about 10 % of a core, and
// the burst that is let through at once.
inline constexpr std::uint32_t kStrangerHandshakesPerSecond = 200;
inline constexpr std::uint32_t kStrangerBurst = 128;
// Answers without state (Retry, Version Negotiation, stateless reset, refusal of a token) per
// second and burst: enough for a mesh that restarts, too few to be a weapon.
inline constexpr std::uint32_t kStatelessPerSecond = 2'000;
inline constexpr std::uint32_t kStatelessBurst = 2'000;

inline constexpr Duration kHandshakeTimeout = 5s;
inline constexpr Duration kRetryTokenLifetime = 10s;

// An idle connection sends one small packet per interval; three lost ones in a row end it.
inline constexpr Duration kKeepAlive = 10s;
inline constexpr Duration kIdleTimeout = 35s;

// Assumed before the first measurement; a first packet is repeated after three times this.
inline constexpr Duration kInitialRtt = 100ms;
// Acknowledgements wait at most this long for a packet to ride on.
inline constexpr Duration kMaxAckDelay = 5ms;

// Timers of connections are rounded up to this where the round trip is shorter than kPaceAbove, so
// that an acknowledgement rides on the next message instead of waking both ends by itself.
inline constexpr Duration kTimerGranularity = 1ms;
// After this many bytes an acknowledgement goes out with the turn that read them.
inline constexpr std::size_t kAckAfterBytes = std::size_t{8} << 10;
// Below this round-trip time the timer that pacing needs costs more than the burst it avoids.
inline constexpr Duration kPaceAbove = 2ms;

// A peer that owes answers and is silent for this long, or for kSilencePtos probe timeouts if that
// is longer, is down. Longer than a pause of an overloaded machine, since a process that ends is
// reported by its kernel at once.
inline constexpr Duration kSilenceLimit = 2s;
inline constexpr unsigned kSilencePtos = 4;
// When this process itself was not scheduled for so long, its peers' silence says nothing.
inline constexpr Duration kOwnPause = 100ms;
// "Port unreachable" is unauthenticated. It is believed when it comes this often, over this time
// and over three round trips, without one authentic packet in between.
inline constexpr unsigned kUnreachableHints = 3;
inline constexpr Duration kUnreachableFor = 30ms;
// How often a suspected peer is asked for a sign of life.
inline constexpr Duration kSuspectProbe = 10ms;

// Redial: at once after a loss, then 25 ms doubling to 5 s, each spread by half.
inline constexpr Duration kBackoffFirst = 25ms;
inline constexpr Duration kBackoffMax = 5s;
// A connection that lived this long starts the back-off anew.
inline constexpr Duration kStableAfter = 10s;
// The node with the higher id waits this long before it dials, since the other one's connection
// wins if both dial at the same time.
inline constexpr Duration kPoliteDelay = 40ms;

// Own handshakes at the same time, when many peers are to be dialled at once.
inline constexpr std::size_t kMaxDialling = 64;

// Difference of clocks that certificates allow, both ways.
inline constexpr std::chrono::seconds kClockSkew = 300s;

}  // namespace hm::stoq
