// SPDX-License-Identifier: Apache-2.0
// The life of leases in a layer: opening, accepting, reading, settling, moving, ending, and what
// the clock alone does. Keeps what is leased of an asset, what is in use under each grant, and the
// escrow in step with the leases. docs/protocols/lending.md, "Leases".
#pragma once

#include <optional>
#include <vector>

#include "core/ledger/account_book.h"
#include "core/ledger/lending_actions.h"
#include "core/ledger/operation.h"
#include "core/privacy/decision.h"

namespace hm::ledger {

// When the clock next changes the lease.
UnixMillis due_of(const Policy& policy, const LeaseRecord& lease);

// What the ledger says about an asset, for privacy::may(). A tenant that already holds `own` of it
// and asks to go on is not asked for it twice.
privacy::AssetFacts facts_of(const assets::AssetRecord& asset, const AssetUseRecord* use,
                             std::uint64_t own = 0);
// What is in use under a grant, seen from one asset.
privacy::GrantUse use_of(const GrantUseRecord* use, const crypto::Digest& asset, UnixMillis now);

class LeaseBook {
 public:
  using Checked = std::optional<Refused>;

  // `operation`: none when the block itself acts.
  LeaseBook(Layer& layer, const Frame& frame, std::optional<crypto::Digest> operation)
      : layer_(layer), frame_(frame), operation_(operation), accounts_(layer, frame) {}

  // The tenant's node that acts, within its allowance; none: the tenant itself.
  using Opener = std::optional<identity::NodeId>;
  Checked open(const LeaseId& id, const identity::OwnerId& tenant, const Opener& node,
               const OpenLease& action);
  // The lease is open and the caller may act on it (rules_lease.cc checks who).
  Checked accept(const LeaseId& id);
  Checked decline(const LeaseId& id);
  Checked renew(const LeaseId& id, const Opener& node, std::uint64_t extra_ms);
  Checked close(const LeaseId& id);
  Checked reclaim(const LeaseId& id, Notice notice);
  Checked meter(const MeterReading& reading);
  Checked settle(const LeaseId& id);

  // The result of where the lease lies is part of this evidence, and of no other one.
  void remember(const LeaseId& id, const crypto::Digest& evidence);
  // Most results of the same purpose differ from that of this lease: it fails, unpaid from here on,
  // also if it had ended.
  void outvote(const LeaseId& id);

  // Everything that the time of the block brings about. False: nothing was due.
  bool catch_up(const LeaseId& id);

  // The asset's newest leases leave it until no more than `offered` is leased.
  void shrink(const crypto::Digest& asset, std::uint64_t offered);

 private:
  struct Terms {
    identity::OwnerId tenant;
    std::uint64_t quantity = 0;
    std::uint64_t duration_ms = 0;  // from now
    std::uint64_t held_ms = 0;      // before now
    privacy::NetworkClass network = privacy::NetworkClass::None;
    caesar::Price highest_price;
    bool renews = false;
  };
  Result<privacy::Allow, Refused> judge(const LeaseChoice& choice, const Terms& terms) const;
  // A grant and those that it was passed on from, each with its use; the first is the last link.
  using GrantChain = std::vector<privacy::GrantView>;
  Result<GrantChain, Refused> chain_of(const GrantKey& key, const crypto::Digest& asset) const;
  Result<privacy::Allow, Refused> judge_link(const privacy::GrantView& link,
                                             const identity::OwnerId& owner,
                                             const privacy::Request& request,
                                             const privacy::AssetFacts& facts) const;
  Result<Placement, Refused> place(const LeaseChoice& choice, const Terms& terms) const;
  Checked check_follows(const MeterReading& reading, const LeaseRecord& lease) const;

  Checked hold(LeaseRecord& lease, const Opener& node, caesar::Amount amount);
  void restore_allowance(LeaseRecord& lease);
  void take(const LeaseId& id, const LeaseRecord& lease);
  void give_back(const LeaseId& id, const LeaseRecord& lease);
  template <class Change>
  void change_uses(const LeaseChoice& choice, Change change);
  caesar::Amount pay(LeaseRecord& lease);
  // Off its asset: settled, then to the next choice that admits it, or to its end.
  void leave(const LeaseId& id, LeaseEnd why);
  void vacate(const LeaseId& id, LeaseEnd why);
  void finish(const LeaseId& id, LeaseState state);
  UnixMillis expiry_of(const Placement& placement) const;
  void judge_provider(const LeaseRecord& lease, LeaseEnd why);
  bool tick(const LeaseId& id);
  void note(const LeaseId& id, LeaseEvent event);
  void note(const Placement& placement, trust::Event event);
  LeaseRecord& edit(const LeaseId& id);

  Layer& layer_;
  const Frame& frame_;
  std::optional<crypto::Digest> operation_;
  AccountBook accounts_;
};

}  // namespace hm::ledger
