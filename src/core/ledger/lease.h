// SPDX-License-Identifier: Apache-2.0
// A lease: a tenant's right to a quantity of one asset for a time, its escrow, and what both sides
// said was delivered. docs/protocols/lending.md, "Leases", is normative.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/assets/asset_id.h"
#include "core/caesar/price.h"
#include "core/identity/ids.h"
#include "core/ledger/policy.h"
#include "core/privacy/grant.h"
#include "foundation/base/time.h"
#include "foundation/crypto/ed25519.h"

namespace hm::ledger {

// The id of the operation that opened it.
struct LeaseIdTag;
using LeaseId = Id32<LeaseIdTag>;

enum class LeaseState : std::uint8_t {
  Requested,  // capacity and escrow are held; the provider has not accepted yet
  Active,
  Draining,  // ends at drain_until; its last interval may still be read
  Closed,
  Failed,
};
// "requested", "active", "draining", "closed", "failed".
std::string_view name_of(LeaseState state);

// Why a lease left an asset, or is about to.
enum class LeaseEnd : std::uint8_t {
  None,
  ByTenant,
  Expired,      // its time was over
  ByOwner,      // reclaimed
  Declined,     // by the provider's node
  NotAccepted,  // within the preset's window
  Dark,         // no reading signed by both sides for the preset's number of intervals
  AssetGone,    // retired, failed, in another unit, or less is offered than is leased
  WrongResult,  // most other runs of the same purpose gave another result
};
// "none", "by_tenant", "expired", "by_owner", "declined", "not_accepted", "dark", "asset_gone",
// "wrong_result".
std::string_view name_of(LeaseEnd end);

// An asset that the tenant would take, and the grant under which; none for its own.
struct LeaseChoice {
  assets::AssetId asset;
  std::optional<privacy::GrantId> grant;
  bool operator==(const LeaseChoice&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.asset, self.grant); }
};

// What one side says was delivered since the lease became active on this asset: milliseconds for
// which the whole quantity was there, and how much of it was in use, in the asset's unit times
// seconds (millicore-seconds, byte-seconds). Payment follows what was reserved, not what was used.
struct SignedTotal {
  std::uint64_t delivered_ms = 0;
  std::uint64_t used = 0;  // stops at 2⁶⁴ − 1
  crypto::PublicKey key;
  crypto::Signature signature;  // of meter_statement()
  bool operator==(const SignedTotal&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.delivered_ms, self.used, self.key, self.signature);
  }
};

// Both sides' words on one interval. Intervals count from 0, from the moment of acceptance.
struct MeterReading {
  LeaseId lease;
  std::uint32_t placement = 0;  // LeaseRecord::past.size(): how often the lease moved before
  std::uint32_t interval = 0;
  SignedTotal provider;
  SignedTotal tenant;
  bool operator==(const MeterReading&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.lease, self.placement, self.interval, self.provider, self.tenant);
  }
};
// H("hm.meter.v1", chain, lease, placement, interval, delivered_ms, used): what each side signs.
crypto::Digest meter_statement(const identity::ChainId& chain, const LeaseId& lease,
                               std::uint32_t placement, std::uint32_t interval,
                               std::uint64_t delivered_ms, std::uint64_t used);

// The most that can have been used of `quantity` in so many milliseconds: ⌊quantity · ms / 1000⌋,
// at most 2⁶⁴ − 1.
std::uint64_t most_used(std::uint64_t quantity, std::uint64_t ms);
// What a total of delivered_ms admits as used. One interval's slack, because counters of use are
// read at other moments than the time.
std::uint64_t used_limit(const Policy& policy, std::uint64_t quantity, std::uint64_t delivered_ms);

// Where a lease lies, or lay.
struct Placement {
  LeaseChoice choice;
  identity::OwnerId provider;
  identity::NodeId node;
  caesar::Price price;
  std::uint64_t notice_ms = 0;
  UnixMillis accepted;  // 0 while it is not
  // Readings. An interval that nobody signed in time is not counted.
  std::uint32_t next_interval = 0;
  std::uint32_t counted_intervals = 0;
  std::uint32_t disputed_intervals = 0;
  std::uint64_t provider_ms = 0;  // the last total that the provider signed
  std::uint64_t tenant_ms = 0;
  std::uint64_t counted_ms = 0;     // Σ of the smaller advance of each interval
  std::uint64_t provider_used = 0;  // the last total of use that the provider signed
  std::uint64_t tenant_used = 0;
  caesar::Amount paid;  // out of the escrow, fee included
  caesar::Amount fee;
  caesar::Amount reward;  // on top, out of the providers' pool
  LeaseEnd end = LeaseEnd::None;
  // Of the disagreement that its result was part of, on whichever side: each is judged once.
  std::optional<crypto::Digest> evidence;

  // What both sides agree on at least.
  std::uint64_t used() const { return std::min(provider_used, tenant_used); }

  bool operator==(const Placement&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.choice, self.provider, self.node, self.price, self.notice_ms,
                    self.accepted, self.next_interval, self.counted_intervals,
                    self.disputed_intervals, self.provider_ms, self.tenant_ms, self.counted_ms,
                    self.provider_used, self.tenant_used, self.paid, self.fee, self.reward,
                    self.end, self.evidence);
  }
};

struct LeaseRecord {
  identity::OwnerId tenant;
  std::uint64_t quantity = 0;
  std::uint64_t duration_ms = 0;  // from the first acceptance
  privacy::NetworkClass network = privacy::NetworkClass::None;
  caesar::Price highest_price;
  std::optional<crypto::Digest> purpose;  // of what is run under it; never its text
  std::vector<LeaseChoice> choices_left;  // where it goes if this asset fails it, best first
  LeaseState state = LeaseState::Requested;
  Placement placement;
  std::vector<Placement> past;
  caesar::Amount escrow;
  // The tenant's node that opened it out of its allowance; none: the tenant itself.
  std::optional<identity::NodeId> opened_by;
  std::uint64_t allowance_version = 0;  // of that node, when it last put in some of the escrow
  caesar::Amount allowance_held;        // of the escrow: what of that can still go back to it
  UnixMillis requested;                 // on the present asset
  UnixMillis until;                     // 0 before the first acceptance
  UnixMillis ends;                      // Draining: the end; Closed and Failed: when it ended
  std::uint64_t opened_height = 0;
  std::uint64_t changed_height = 0;
  crypto::Digest last_operation;

  bool is_open() const { return state <= LeaseState::Draining; }

  bool operator==(const LeaseRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.tenant, self.quantity, self.duration_ms, self.network, self.highest_price,
                    self.purpose, self.choices_left, self.state, self.placement, self.past,
                    self.escrow, self.opened_by, self.allowance_version, self.allowance_held,
                    self.requested, self.until, self.ends, self.opened_height, self.changed_height,
                    self.last_operation);
  }
};

}  // namespace hm::ledger

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::ledger::LeaseState> = hm::ledger::LeaseState::Failed;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::ledger::LeaseEnd> = hm::ledger::LeaseEnd::WrongResult;
