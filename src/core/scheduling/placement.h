// SPDX-License-Identifier: Apache-2.0
// Which assets to ask for a lease: of all candidates those that the tenant's filter and the owner's
// grants allow, best first, and for each of the others the first rule that it fails. Pure: facts
// in, plan out; the ledger decides again, with the facts of its block, and takes the first choice
// that still works.
//
// The order. A candidate's terms are compared one after the other, each in steps (limits.h) so
// that small differences leave the word to the next: cost, lowest first; trust, highest first;
// round-trip time, shortest first and unmeasured last; what would be left free, least first, so
// that large assets stay whole for who needs them; then the exact cost, and last the asset's hash.
// The choices go by cost step; within one, first the best of each owner, then each owner's second
// best, and so on, so that one owner's trouble does not take all fallbacks. No choice costs more
// than one further down would, but for a step.
//
// Laws. The order of `candidates` changes nothing but the order of rejections. The first choice is
// the best by terms: a candidate with worse terms never displaces it, and without it the next best
// by terms is first, which is the second choice unless the same owner has a better one in its cost
// step. If all owners are distinct, taking a choice away moves up those below it and changes
// nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/scheduling/candidate.h"
#include "core/scheduling/filter.h"

namespace hm::scheduling {

// In the order in which they are checked.
enum class Reason : std::uint8_t {
  WrongKind,
  OwnerNotListed,   // the filter names owners, and not this one
  NodeNotListed,    // the filter names nodes, and not this one
  OwnerExcluded,    // the filter excludes this owner
  NodeExcluded,     // the filter excludes this node
  DescriptorLacks,  // wanted: which of the filter's requirements
  TrustTooLow,
  DistanceUnknown,  // the filter bounds a round-trip time that nobody measured
  TooFar,           // microseconds
  NotConnected,
  NotAllowed,   // by privacy::may, whose denial is `deny`; a price above the filter's is one
  CostTooHigh,  // units of CAES for the whole lease
  RankedLower,  // would do. given: how many would; wanted: how many were asked for
};
inline constexpr Reason kLastReason = Reason::RankedLower;
std::string_view name_of(Reason reason);

struct Rejection {
  std::size_t candidate = 0;  // index into the candidates
  assets::AssetId asset;
  Reason reason = Reason::WrongKind;
  std::uint64_t given = 0;
  std::uint64_t wanted = 0;
  std::optional<privacy::Deny> deny;  // iff NotAllowed
  bool operator==(const Rejection&) const = default;
};

// What a choice was ranked by, rounded down to its step.
struct Terms {
  caesar::Amount cost;
  std::uint16_t trust = 0;
  std::optional<std::uint64_t> rtt_us;
  std::uint64_t left = 0;  // free once this lease is open; exact
  bool operator==(const Terms&) const = default;
};

struct Choice {
  std::size_t candidate = 0;  // index into the candidates
  assets::AssetId asset;
  std::optional<privacy::GrantId> grant;  // none: the requester is the owner
  caesar::Price price;
  caesar::Amount cost;  // of the filter's quantity for its duration
  std::uint64_t notice_ms = 0;
  std::uint16_t trust = 0;
  std::optional<std::uint64_t> rtt_us;
  Terms terms;
  bool operator==(const Choice&) const = default;
};

struct Plan {
  std::vector<Choice> choices;        // best first, at most filter.choices
  std::vector<Rejection> rejections;  // all other candidates, in the order given; RankedLower last
};

// Requires: no asset twice.
Plan place(const Filter& filter, const privacy::Requester& requester,
           std::span<const Candidate> candidates, UnixMillis now);

// What place() asks privacy::may() for.
privacy::Request request_of(const Filter& filter);

// One sentence for a person: "its trust is 412; at least 600 is wanted".
std::string explain(const Rejection& rejection, const Filter& filter);

// What is there for the filter but for its quantity: how much in all, and the most that one asset
// and one node have. Enough in sum may be too little anywhere.
struct Totals {
  std::size_t assets = 0;  // allowed, or denied only because too little is free
  std::uint64_t free = 0;  // sums stop at 2^64 - 1
  std::uint64_t largest_asset = 0;
  std::uint64_t largest_node = 0;
  bool operator==(const Totals&) const = default;
};
// `plan`: what place() made of the same candidates.
Totals totals(const Plan& plan, std::span<const Candidate> candidates);
// True iff the sum would do and no single asset does.
bool is_fragmented(const Totals& totals, const Filter& filter);
std::string explain(const Totals& totals, const Filter& filter);

}  // namespace hm::scheduling
