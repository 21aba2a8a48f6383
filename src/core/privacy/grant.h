// SPDX-License-Identifier: Apache-2.0
// A grant: an owner's signed word on who may lease how much of which assets, when, for which price.
// Grants only ever allow; what no grant allows is denied. The five privacy levels are presets of
// grants (level.h), and decision.h judges them. docs/protocols/lending.md is normative for bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>

#include "core/assets/kind.h"
#include "core/assets/record.h"
#include "core/identity/ids.h"
#include "core/privacy/limits.h"
#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/crypto/hash.h"

namespace hm::privacy {

// SHA-256 of the grant under "hm.grant.v1" with the chain id.
struct GrantIdTag;
using GrantId = Id32<GrantIdTag>;

// SHA-256 of owner and name under "hm.group.v1" with the chain id.
struct GroupIdTag;
using GroupId = Id32<GroupIdTag>;

// One owner.
struct ToOwner {
  identity::OwnerId owner;
  bool operator==(const ToOwner&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.owner); }
};
// The members of a group, as the ledger has them at the moment of the question.
struct ToGroup {
  GroupId group;
  bool operator==(const ToGroup&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.group); }
};
// Whoever holds a certificate for a name that fits. `name`: labels separated by points; the first
// label may be "*", which stands for one or more labels; "*" alone fits every name.
struct CertificatePattern {
  std::optional<identity::OwnerId> issuer;  // none: any root that this mesh recognises
  std::string name;
  bool operator==(const CertificatePattern&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.issuer, self.name); }
};
// Every owner on the ledger.
struct ToAnyone {
  bool operator==(const ToAnyone&) const = default;
  static constexpr auto fields(auto&) { return std::tie(); }
};
using Grantee = std::variant<ToOwner, ToGroup, CertificatePattern, ToAnyone>;

// The granting owner's assets that have all that is named; nothing named selects all.
struct AssetSelector {
  std::optional<assets::AssetKind> kind;
  std::optional<identity::NodeId> node;
  std::optional<crypto::Digest> asset;  // AssetId::hash
  bool operator==(const AssetSelector&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.kind, self.node, self.asset); }
};

// How far what runs under a lease may reach. From closed to open.
enum class NetworkClass : std::uint8_t { None, Mesh, Internet };

// "none", "mesh", "internet".
std::string_view name_of(NetworkClass network);
std::optional<NetworkClass> parse_network(std::string_view name);

enum class When : std::uint8_t {
  Always,
  Idle,  // only while the machine's owner is not using it; measured on the machine
};
// "always", "idle".
std::string_view name_of(When when);
std::optional<When> parse_when(std::string_view name);

// A daily window [from, to) in minutes of the day, over midnight if to < from; from = to is
// refused, and to = 1440 is the end of the day. The local time is UTC + (utc_offset - 1440)
// minutes, fixed. Bit d of `weekdays` is the local weekday on which a window begins, 0 = Monday.
struct Hours {
  std::uint16_t from = 0;
  std::uint16_t to = 0;
  std::uint16_t utc_offset = kMinutesPerDay;  // 0 … 2880
  std::uint8_t weekdays = 0x7f;
  bool operator==(const Hours&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.from, self.to, self.utc_offset, self.weekdays);
  }
};

// None: not limited by this grant.
struct Limits {
  std::optional<std::uint32_t> concurrent;      // leases under the grant at one time
  std::optional<std::uint64_t> quantity;        // of one lease, in the asset's unit
  std::optional<std::uint64_t> duration_ms;     // of one lease, renewals included
  std::optional<std::uint32_t> opened_per_day;  // leases opened on one UTC day
  bool operator==(const Limits&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.concurrent, self.quantity, self.duration_ms, self.opened_per_day);
  }
};

struct Grant {
  identity::OwnerId owner;        // whose assets
  identity::OwnerId issuer;       // who signs: the owner, or who passes on a grant it has
  std::optional<GrantId> parent;  // the grant passed on; none iff issuer is the owner
  std::uint64_t number = 0;       // the issuer's own, so that equal words have unequal ids
  Grantee to;
  AssetSelector assets;
  std::uint8_t share_percent = 0;  // of what each asset has (detected), over all leases under it
  Limits limits;
  NetworkClass network = NetworkClass::None;
  std::optional<Hours> hours;  // none: at all hours
  When when = When::Always;
  std::optional<caesar::Price> price;  // none: the asset's own
  std::optional<UnixMillis> expiry;    // no lease under it is opened or lasts beyond
  std::uint64_t notice_ms = 0;         // what a tenant is given before an ordinary reclaim
  std::uint8_t delegations = 0;        // links that may follow this one

  bool operator==(const Grant&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.owner, self.issuer, self.parent, self.number, self.to, self.assets,
                    self.share_percent, self.limits, self.network, self.hours, self.when,
                    self.price, self.expiry, self.notice_ms, self.delegations);
  }
};

// What the issuer signs with both its keys, and what names the grant.
GrantId grant_id(const identity::ChainId& chain, const Grant& grant);
crypto::Digest grant_statement(const GrantId& id);  // H("hm.grant-statement.v1", id)

GroupId group_id(const identity::ChainId& chain, const identity::OwnerId& owner,
                 const std::string& name);

enum class GrantError : std::uint8_t {
  ShareOutOfRange,     // 0 or above 100 percent
  BadHours,            // a minute, offset or weekday that does not exist, or no window at all
  BadPattern,          // the certificate pattern is no name
  BadLimit,            // a limit of 0 allows nothing
  BadPrice,            // a price for 0 units
  TooManyDelegations,  // above kMaxDelegations
  ParentMismatch,      // a parent without another issuer, or another issuer without a parent
  GrantToSelf,         // the owner needs no grant
};
std::string_view name_of(GrantError error);

// Everything about a grant that needs no ledger.
Result<void, GrantError> validate(const Grant& grant);

// How a delegated grant reaches beyond the one it passes on; the first such way. A limit, expiry or
// kind of window that the parent has must be in the child, too. Requires: both are valid.
enum class Excess : std::uint8_t {
  Owner,     // assets of another owner
  Selector,  // assets that the parent does not select
  Share,
  Limits,
  Network,
  Hours,
  When,
  Price,  // cheaper than the parent's, or a price where the other has none: the asset's may rise
  Expiry,
  Notice,       // more notice than the parent gives
  Delegations,  // not fewer further links than the parent allows
};
std::string_view name_of(Excess excess);
std::optional<Excess> excess_over(const Grant& parent, const Grant& child);

}  // namespace hm::privacy

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::privacy::NetworkClass> =
    hm::privacy::NetworkClass::Internet;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::privacy::When> = hm::privacy::When::Idle;
