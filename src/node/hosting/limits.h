// SPDX-License-Identifier: Apache-2.0
// Bounds of sessions between nodes and of what runs here for others, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "foundation/base/time.h"

namespace hm::hosting {

// Longest message: a run's spec (core/containers/limits.h) with its frame, or one piece of data.
inline constexpr std::size_t kMaxMessage = std::size_t{256} << 10;
inline constexpr std::size_t kMaxPiece = std::size_t{64} << 10;

// Bytes that may be on their way in one direction of a stream, unread: at 50 ms there and back
// 5 MB/s for a terminal or a port; an image gets more, since it fills the path.
inline constexpr std::size_t kWindow = std::size_t{256} << 10;
inline constexpr std::size_t kBulkWindow = std::size_t{4} << 20;

// Open streams with one peer, by who opened them. With the windows above they stay below the
// transport's queue for the channel, so that a message is never refused for want of room.
inline constexpr std::size_t kMaxStreams = 64;
inline constexpr std::size_t kMaxBulkStreams = 2;

// Runs of one tenant and of all on one machine. Each has a process, mounts and a folder.
inline constexpr std::size_t kMaxRunsPerTenant = 256;
inline constexpr std::size_t kMaxRuns = 1024;
// Leases of one run: processor, memory, disk.
inline constexpr std::size_t kMaxRunLeases = 4;

// An attached run whose tenant's node is not connected any more is ended after this long; a link
// that is only dialled anew is back before.
inline constexpr Duration kAttachedGrace = std::chrono::seconds(10);
// Between the end that was told and the removal: the last counters are read meanwhile.
inline constexpr Duration kLastLook = std::chrono::milliseconds(100);
// A tenant's ledger may be ahead of the provider's by a block that comes late.
inline constexpr Duration kLedgerLag = std::chrono::seconds(5);
// What has ended is kept for whoever asks how, if nobody removes it.
inline constexpr Duration kKeepEnded = std::chrono::hours(1);
// A restarted service that fails at once is started after this long, then after twice as long, up
// to the longest; one that ran for the longest starts anew with the shortest.
inline constexpr Duration kRestartPause = std::chrono::milliseconds(100);
inline constexpr Duration kLongestRestartPause = std::chrono::seconds(60);
// How often counters are read for the readings of leases.
inline constexpr Duration kUsagePause = std::chrono::seconds(2);
// How often the tenant's node looks after what it runs elsewhere.
inline constexpr Duration kDeskPause = std::chrono::seconds(2);
// A stopped container has this long to end by itself, unless its tenant says otherwise.
inline constexpr std::uint32_t kStopGraceMillis = 10'000;
inline constexpr std::uint32_t kMaxStopGraceMillis = 600'000;

// What a sealed run may write: it is held in memory until it is revealed.
inline constexpr std::size_t kMaxSealedOutput = std::size_t{8} << 20;
// Of one job: with fewer nobody knows who is wrong; more fit no report to the ledger.
inline constexpr std::size_t kMinReplicas = 3;
inline constexpr std::size_t kMaxReplicas = 16;
// For all to show what they committed to.
inline constexpr Duration kRevealPatience = std::chrono::seconds(60);
// Services that one node keeps: each is looked at every second, and its checks are streams.
inline constexpr std::size_t kMaxServices = 32;
// With those that are removed and not over yet.
inline constexpr std::size_t kMaxServiceRecords = 256;
// Owners that a service leaves out at one time; the longest known goes first.
inline constexpr std::size_t kMaxLeftOut = 64;
// How often a service is looked at, whatever happens; and soon after something did.
inline constexpr Duration kServicePause = std::chrono::seconds(1);
inline constexpr Duration kServiceSoon = std::chrono::milliseconds(100);
// A provider's node that is restarted is back before; one that is not counts as dark.
inline constexpr Duration kUnreachableGrace = std::chrono::seconds(10);
// For all leases of a replica to be accepted; then, without a word from the provider, for the
// start.
inline constexpr Duration kLeasesPatience = std::chrono::seconds(30);
inline constexpr Duration kStartPatience = std::chrono::minutes(5);
// A container that runs has this long until its first good check, which is looked for often.
inline constexpr Duration kFirstCheckPatience = std::chrono::seconds(90);
inline constexpr Duration kFirstCheckPause = std::chrono::seconds(1);
// What fails and cannot be replaced is kept this long, in case it recovers.
inline constexpr Duration kKeepFailing = std::chrono::minutes(5);
// Between attempts to place what is missing: after each that failed twice as long.
inline constexpr Duration kPlacePause = std::chrono::seconds(1);
inline constexpr Duration kLongestPlacePause = std::chrono::minutes(1);
// A lease is renewed when this part of its time is left, or this much; a refusal is not repeated
// at once.
inline constexpr std::uint64_t kRenewPart = 4;
inline constexpr std::uint64_t kRenewAheadMillis = 600'000;
inline constexpr Duration kRenewPause = std::chrono::seconds(15);
// For how long an owner is left out of a service: first, and at most after twice as long each
// time. The shorter ones are for what may not be the provider's doing.
inline constexpr std::uint64_t kLeftOutMillis = 120'000;
inline constexpr std::uint64_t kLongestLeftOutMillis = 6 * 3'600'000;
inline constexpr std::uint64_t kPassedOverMillis = 15'000;
inline constexpr std::uint64_t kLongestPassedOverMillis = 600'000;
// An owner that gave no reason for so long begins anew with the shortest.
inline constexpr std::uint64_t kForgiveMillis = 24 * 3'600'000;
// Of an answer to a check: its first line is all that counts.
inline constexpr std::size_t kMaxHealthAnswer = 512;

// SIGKILL, as Linux numbers it.
inline constexpr int kKillSignal = 9;
// The most that is sent of a log at once.
inline constexpr std::uint64_t kMaxLogTail = std::uint64_t{16} << 20;
// An image that one run may have shipped.
inline constexpr std::uint64_t kMaxImageBytes = std::uint64_t{32} << 30;

}  // namespace hm::hosting
