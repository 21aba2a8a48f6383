// SPDX-License-Identifier: Apache-2.0
// The one decision on who may use what. Pure: facts in, answer out, the same in the ledger, the
// scheduler, the API and every node. It explains itself: a denial names the first rule that fails
// for the grant that came furthest, with the numbers. It does not check words: grants, names and
// prices come valid. docs/protocols/lending.md is normative for the rules.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/assets/record.h"
#include "core/privacy/grant.h"

namespace hm::privacy {

struct CertifiedName {
  identity::OwnerId issuer;
  bool by_root = false;  // the issuer is this mesh's root or that of a federated mesh
  std::string_view name;
};

struct Requester {
  identity::OwnerId owner;
  std::span<const GroupId> groups;              // of which it is a member; sorted
  std::span<const CertifiedName> certificates;  // unexpired
};

enum class Action : std::uint8_t {
  // Learn that the asset exists. The owner always may, and anyone if the asset is FullPublic;
  // otherwise whoever has a grant for it that the level admits and that has not expired.
  Discover,
  Lease,  // open or renew a lease; the rest of Request counts
};

struct Request {
  Action action = Action::Lease;
  std::uint64_t quantity = 0;
  std::uint64_t duration_ms = 0;  // from now to the end of the lease
  NetworkClass network = NetworkClass::None;
  std::optional<caesar::Price> highest_price;  // none: whatever it costs
  bool renews = false;  // an open lease of this grant: GrantUse has it already, with `quantity`
  std::uint64_t held_ms = 0;  // of a renewal: from the opening of the lease to now
};

// What the ledger says about an asset.
struct AssetFacts {
  crypto::Digest hash;
  assets::AssetKind kind = assets::AssetKind::Cpu;
  identity::OwnerId owner;
  identity::NodeId node;
  assets::AssetState state = assets::AssetState::Available;
  assets::PrivacyLevel level = assets::PrivacyLevel::Private;
  std::uint64_t detected = 0;
  std::uint64_t free = 0;  // of what is offered, not leased; what a renewal holds counts as free
  std::optional<caesar::Price> price;
};

// What is in use under a grant and under those passed on from it.
struct GrantUse {
  std::uint64_t leased = 0;        // quantity on this asset
  std::uint32_t open_leases = 0;   // on all assets
  std::uint32_t opened_today = 0;  // on the UTC day of block time
};

struct GrantView {
  GrantId id;
  const Grant* grant = nullptr;
  GrantUse use;
  // The view of the grant that this one passes on, of which it takes: concurrent, opened_per_day
  // and share_percent hold for each link of the chain. Requires: set iff grant->parent is.
  const GrantView* parent = nullptr;
};

enum class Idleness : std::uint8_t {
  Unknown,  // not measured here: left to the machine that holds the asset
  Idle,
  Active,
};

struct Moment {
  UnixMillis now;
  Idleness idleness = Idleness::Unknown;
};

// In the order in which they are checked. Discover checks NoGrant and LevelForbids to Expired.
// In parentheses Deny's two numbers, given and allowed.
enum class Rule : std::uint8_t {
  NoGrant,           // the asset's owner has granted nothing
  AssetUnavailable,  // retired, failed, or paused (the state, 0)
  LevelForbids,      // the asset's privacy level admits none of this kind of grantee (its place in
                     // Grantee, the level)
  NotSelected,       // the grant is for other assets
  NotTheGrantee,     // the grant is for somebody else
  Expired,           // the grant's expiry has passed, or the lease would outlast it (now or the
                     // lease's end, the expiry)
  OutsideHours,      // at the moment (the minute of the week in the grant's local time, the one at
                     // which its next window begins; 0 is Monday 00:00)
  OwnerActive,       // idle-only, and the machine is in use
  NetworkTooOpen,    // (the two classes)
  DurationTooLong,   // (milliseconds)
  TooMuchAtOnce,     // above the grant's quantity of one lease
  TooManyLeases,     // at one time
  OpenedTooOften,    // in a UTC day
  ShareExceeded,     // with what is leased under the grant, above its share of the asset
  NoPrice,           // neither the grant nor the asset names one
  PriceTooHigh,      // above what the requester accepts (units of CAES for the quantity and hour,
                     // rounded down)
  NotEnoughFree,
};
inline constexpr Rule kLastRule = Rule::NotEnoughFree;
std::string_view name_of(Rule rule);

struct Allow {
  std::optional<GrantId> grant;  // none: the requester is the owner, or discovers what anyone may
  caesar::Price price;           // {0, 1} for the owner and to discover
  std::uint64_t notice_ms = 0;
  bool operator==(const Allow&) const = default;
};

struct Deny {
  Rule rule = Rule::NoGrant;
  // The one that came furthest (of several the smallest id), or that of its parents whose number
  // is reached. None for the owner, NoGrant and AssetUnavailable.
  std::optional<GrantId> grant;
  std::uint64_t given = 0;    // what was asked, in the rule's unit; the largest number if above it
  std::uint64_t allowed = 0;  // what the rule allows
  bool operator==(const Deny&) const = default;
};

class Decision {
 public:
  Decision(Allow allow) : outcome_(allow) {}  // NOLINT(google-explicit-constructor)
  Decision(Deny deny) : outcome_(deny) {}     // NOLINT(google-explicit-constructor)
  explicit operator bool() const { return std::holds_alternative<Allow>(outcome_); }
  const Allow& allowed() const { return std::get<Allow>(outcome_); }  // Requires: *this
  const Deny& denied() const { return std::get<Deny>(outcome_); }     // Requires: !*this
  bool operator==(const Decision&) const = default;

 private:
  std::variant<Allow, Deny> outcome_;
};

// `grants`: those of the asset's owner, in any order. Of several that allow, the cheapest is
// chosen, then the one with the longest notice, then the smallest id. The owner may always, as far
// as the asset is available and has enough free. Adding a grant never turns Allow into Deny.
Decision may(const Requester& requester, const Request& request, const AssetFacts& asset,
             std::span<const GrantView> grants, const Moment& moment);

// One sentence for a person: "grant 3f2a1b04… gives at most 4 of this asset: with this lease 5
// would be in use under it".
std::string explain(const Decision& decision);

// True iff the grantee includes the requester: what the issuer of a delegated grant must be in its
// parent, and one of the rules of may().
bool means(const Grantee& to, const Requester& requester);
// True iff one of the certificates is from the pattern's issuer (or, where it names none, a root)
// and for a name that fits.
bool means(const CertificatePattern& pattern, std::span<const CertifiedName> certificates);

// True iff `name` fits the pattern's name. Requires: both are valid.
bool fits(std::string_view pattern, std::string_view name);
// A DNS name in lower case (RFC 1035 §2.3.1, RFC 1123 §2.1): labels of 1 to 63 of [a-z0-9-], first
// and last a letter or digit, with points between them; at most kMaxCertifiedName.
bool is_valid_name(std::string_view name);
// A name, "*", or "*." and a name.
bool is_valid_pattern(std::string_view pattern);

// True iff the local time of `now` lies in a window.
bool is_within(const Hours& hours, UnixMillis now);

}  // namespace hm::privacy
