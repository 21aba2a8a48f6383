// SPDX-License-Identifier: Apache-2.0
// Draws the operations of a random economy: mostly right, so that things happen, often wrong in one
// way, and now and then wrong in the frame. Looks at the ledger as its clients do, as it stood
// after the last block; what others do within the block, and what time it will have, they do not
// know, so that some operations come too late.
//
// The operations go to the ledger as prepare() would hand them on: ids are drawn, and signatures
// that only prepare() looks at are empty. Signatures that the ledger itself checks are real.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "core/ledger/ledger.h"
#include "simulator/economy/economy_cast.h"
#include "simulator/economy/economy_leases.h"
#include "simulator/random.h"

namespace hm::simulator {

// An operation, and what a node's pool says about it: waiting operations one upon the other, at the
// time of the last block.
struct Proposed {
  ledger::PreparedOperation operation;
  std::optional<ledger::Refused> expected;
};

// Actions with Falcon signatures, kept to be tried again: what was revoked or has expired comes
// back, what stands comes twice, and few new signatures are made.
template <class Signed>
class Repertoire {
 public:
  explicit Repertoire(std::size_t room) : room_(room) {}
  bool wants_more(SimRandom& random) const {
    return kept_.size() < room_ || random.chance(kNewPermille);
  }
  bool is_empty() const { return kept_.empty(); }
  // Requires: not empty.
  const Signed& any(SimRandom& random) const { return kept_[random.below(kept_.size())]; }
  void keep(Signed made, SimRandom& random) {
    if (kept_.size() < room_) {
      kept_.push_back(std::move(made));
    } else {
      kept_[random.below(room_)] = std::move(made);
    }
  }

 private:
  static constexpr std::uint32_t kNewPermille = 60;
  std::size_t room_;
  std::vector<Signed> kept_;
};

class Draw {
 public:
  // All three outlive this. `operations`: how many the run has, for what grows with it.
  Draw(Cast& cast, const ledger::Ledger& ledger, SimRandom& random, std::uint64_t operations);

  // Begins a block.
  void begin();
  Proposed next();
  // What the block did.
  void follow(const ledger::BlockOutcome& outcome);

  // A right operation of the owner's, for the end of a run.
  ledger::PreparedOperation by_owner(std::size_t person, ledger::Action action);

 private:
  using Drawn = std::optional<ledger::PreparedOperation>;
  struct Verb {
    std::uint32_t weight;
    Drawn (Draw::*draw)();
  };
  static const std::vector<Verb>& verbs();

  ledger::PreparedOperation draw();
  ledger::PreparedOperation make(const ledger::Actor& actor, ledger::Action action);
  std::uint64_t next_sequence(const ledger::Actor& actor) const;
  void spoil(ledger::PreparedOperation& operation);
  crypto::PublicKey key_of(const ledger::Actor& actor) const;

  std::size_t any_person();
  std::size_t registered_person();
  const identity::OwnerId& id_of(std::size_t person) const { return cast_.people[person].id; }
  bool is_registered(std::size_t person) const;
  const assets::AssetRecord* any_asset();
  const assets::AssetRecord* asset_of(const identity::OwnerId& owner);
  ledger::LeaseId unknown_lease();
  caesar::Amount part_of(caesar::Amount amount);
  std::uint64_t quota(std::uint64_t first, std::uint64_t last) const;
  UnixMillis later(std::uint64_t shortest_ms, std::uint64_t longest_ms);

  // economy_draw.cc: identity and CAES.
  Drawn register_owner();
  Drawn register_node();
  Drawn rotate_keys();
  Drawn transfer_caes();
  Drawn bond();
  Drawn unbond();
  Drawn delegate();
  Drawn undelegate();
  Drawn commit_vault();
  Drawn commit_storage();

  // economy_draw_assets.cc: assets and who may use them.
  Drawn register_asset();
  Drawn update_asset();
  Drawn transfer_asset();
  Drawn retire_asset();
  Drawn add_grant();
  Drawn revoke_grant();
  Drawn set_group();
  Drawn record_certificate();
  Drawn record_federation();
  std::optional<ledger::AddGrant> sign_grant();
  std::optional<ledger::RecordCertificate> sign_certificate();
  ledger::RecordFederation sign_federation();
  assets::AssetTerms terms(assets::AssetKind kind);
  privacy::Grant grant(std::size_t owner);
  std::optional<privacy::Grant> passed_on();
  privacy::Grantee grantee(std::size_t owner);
  std::string certified_name();

  // economy_draw_leases.cc
  Drawn open_lease();
  Drawn accept_lease();
  Drawn decline_lease();
  Drawn renew_lease();
  Drawn close_lease();
  Drawn reclaim_lease();
  Drawn meter_lease();
  Drawn settle_lease();
  Drawn report_disagreement();
  Drawn set_allowance();
  const Machine* machine_at(const identity::OwnerId& owner);
  ledger::SignedResult result(const ledger::LeaseId& id, const ledger::LeaseRecord& lease);
  ledger::Actor provider_of(const ledger::LeaseRecord& lease);
  ledger::Actor tenant_of(const ledger::LeaseRecord& lease);
  ledger::Actor spender_of(const identity::OwnerId& tenant);
  bool is_dark(const ledger::LeaseRecord& lease) const;
  std::optional<ledger::LeaseChoice> choice(const identity::OwnerId& tenant,
                                            ledger::OpenLease& lease);
  bool may_be_meant(const privacy::Grantee& to, const identity::OwnerId& tenant) const;
  const ledger::GrantRecord* grant_for(const assets::AssetRecord& asset,
                                       const identity::OwnerId& tenant, privacy::GrantId& id,
                                       bool& fits);
  ledger::MeterReading reading(const ledger::LeaseId& id, const ledger::LeaseRecord& lease);
  void spoil(ledger::MeterReading& reading);

  Cast& cast_;
  const ledger::Ledger& ledger_;
  SimRandom& random_;
  const std::uint64_t operations_;
  std::uint64_t drawn_ = 0;
  std::uint64_t retired_ = 0;  // assets
  std::uint64_t rotations_ = 0;
  UnixMillis time_;
  OpenLeases leases_;
  std::map<ledger::Actor, std::uint64_t> sequences_;  // of the last admitted
  std::deque<ledger::PreparedOperation> recent_;      // to be sent again
  std::optional<ledger::Speculation> pool_;
  Repertoire<ledger::AddGrant> signed_grants_{400};
  Repertoire<ledger::RecordCertificate> signed_certificates_{60};
  Repertoire<ledger::RecordFederation> signed_federations_{6};
};

}  // namespace hm::simulator
