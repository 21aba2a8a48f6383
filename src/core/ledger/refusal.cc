// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/refusal.h"

#include <array>

#include "core/caesar/amount.h"

namespace hm::ledger {
namespace {

using proofs::ProofKind;

// What the two numbers of a refusal mean, for the sentence.
enum class Numbers : std::uint8_t { None, Plain, Caes };

struct Rule {
  Refusal rule;
  std::string_view name;
  std::optional<ProofKind> proof;
  Numbers numbers;
  // {g} and {w} stand for the numbers given and wanted.
  std::string_view sentence;
};

constexpr auto kNone = std::nullopt;

// In the order of the enumeration.
constexpr std::array<Rule, static_cast<std::size_t>(kLastRefusal) + 1> kRules = {{
    {Refusal::Malformed, "malformed", kNone, Numbers::None,
     "the bytes are not the one encoding of a signed operation"},
    {Refusal::OperationTooLarge, "operation_too_large", kNone, Numbers::Plain,
     "the operation has {g} bytes; at most {w} are taken"},
    {Refusal::BadSignature, "bad_signature", ProofKind::Stake, Numbers::None,
     "the signature does not verify under the key given"},
    {Refusal::WrongChain, "wrong_chain", kNone, Numbers::None,
     "the operation was made for another chain"},
    {Refusal::UnknownActor, "unknown_actor", ProofKind::Stake, Numbers::None,
     "the acting owner or node is not registered"},
    {Refusal::WrongKey, "wrong_key", ProofKind::Stake, Numbers::None,
     "the key that signed is not the registered key of the actor"},
    {Refusal::NotTheOwner, "not_the_owner", ProofKind::Stake, Numbers::None,
     "the asset belongs to another owner"},
    {Refusal::NodeMayNot, "node_may_not", ProofKind::Stake, Numbers::None,
     "a node's key cannot do this; sign with the owner's key"},
    {Refusal::NodeNotOwned, "node_not_owned", ProofKind::Stake, Numbers::None,
     "the node belongs to another owner"},
    {Refusal::NotOnThisNode, "not_on_this_node", ProofKind::Stake, Numbers::None,
     "a node's key acts only on assets on that node"},
    {Refusal::BondBelowMinimum, "bond_below_minimum", ProofKind::Stake, Numbers::Caes,
     "the owner has {g} CAES bonded; this needs {w} CAES"},
    {Refusal::AlreadyApplied, "already_applied", ProofKind::Time, Numbers::Plain,
     "this operation was applied before (sequence {g}; the next is {w})"},
    {Refusal::SequenceUsed, "sequence_used", ProofKind::Time, Numbers::Plain,
     "sequence {g} was used by an earlier operation; the next is {w}"},
    {Refusal::SequenceGap, "sequence_gap", ProofKind::Time, Numbers::Plain,
     "sequence {g} leaves a gap; the next is {w}"},
    {Refusal::Expired, "expired", ProofKind::Time, Numbers::Plain,
     "the operation expired at height {g}; the block has height {w}"},
    {Refusal::ExpiryTooFar, "expiry_too_far", ProofKind::Time, Numbers::Plain,
     "expiry height {g} is too far ahead; with this anchor at most {w}"},
    {Refusal::UnknownAnchor, "unknown_anchor", ProofKind::Time, Numbers::Plain,
     "no block is final at the anchor's height {g}; the last final one has height {w}"},
    {Refusal::AnchorTooOld, "anchor_too_old", ProofKind::Time, Numbers::Plain,
     "the anchor has height {g}; the oldest one taken now has height {w}"},
    {Refusal::AnchorOnAnotherBranch, "anchor_on_another_branch", ProofKind::Time, Numbers::Plain,
     "another block is final at the anchor's height {g}"},
    {Refusal::UnknownSpaceRecord, "unknown_space_record", ProofKind::Space, Numbers::None,
     "the PoSpace record cited is not on the ledger"},
    {Refusal::UnknownWorkRecord, "unknown_work_record", ProofKind::Work, Numbers::None,
     "the PoWork record cited is not on the ledger"},
    {Refusal::BadName, "bad_name", kNone, Numbers::None,
     "a name is 1 to 63 of a-z 0-9 . _ - and begins and ends with a letter or digit"},
    {Refusal::BadKeyBundle, "bad_key_bundle", kNone, Numbers::None,
     "a key bundle holds exactly one valid key each of Ed25519, Falcon-1024 and ML-KEM-1024"},
    {Refusal::BindingNotByOwner, "binding_not_by_owner", ProofKind::Stake, Numbers::None,
     "the node binding is for, or signed by, another owner"},
    {Refusal::BindingNotByNode, "binding_not_by_node", ProofKind::Stake, Numbers::None,
     "the node has not proven that it holds its key"},
    {Refusal::BadNodeKey, "bad_node_key", kNone, Numbers::None,
     "the node's key is not a valid Ed25519 key"},
    {Refusal::DuplicateOwner, "duplicate_owner", kNone, Numbers::None,
     "an owner with this key bundle is registered"},
    {Refusal::DuplicateNode, "duplicate_node", kNone, Numbers::None,
     "a node with this key is registered"},
    {Refusal::UnknownOwner, "unknown_owner", kNone, Numbers::None,
     "the owner named is not registered"},
    {Refusal::UnknownNode, "unknown_node", kNone, Numbers::None,
     "the node named is not registered"},
    {Refusal::AssetIdInvalid, "asset_id_invalid", kNone, Numbers::None,
     "the asset id is mistyped: its hash does not cover its kind and uuid"},
    {Refusal::AssetIdOfAnotherChain, "asset_id_of_another_chain", kNone, Numbers::None,
     "the asset id was made for another chain"},
    {Refusal::DuplicateAsset, "duplicate_asset", kNone, Numbers::None,
     "an asset with this id is registered"},
    {Refusal::AddressCollision, "address_collision", kNone, Numbers::None,
     "another asset has the same address; take a new uuid"},
    {Refusal::UnknownAsset, "unknown_asset", kNone, Numbers::None, "there is no such asset"},
    {Refusal::VersionMismatch, "version_mismatch", kNone, Numbers::Plain,
     "the operation expects version {g}; what it changes is at version {w}"},
    {Refusal::AssetRetired, "asset_retired", kNone, Numbers::None,
     "the asset is retired and never changes again"},
    {Refusal::DescriptorTooLarge, "descriptor_too_large", kNone, Numbers::None,
     "the descriptor has too many or too large entries"},
    {Refusal::DescriptorInvalid, "descriptor_invalid", kNone, Numbers::None,
     "a descriptor key is not of a-z 0-9 _ . or a text has control characters"},
    {Refusal::BadUnit, "bad_unit", kNone, Numbers::None, "a unit is 1 to 32 of a-z 0-9 _"},
    {Refusal::OfferedAboveDetected, "offered_above_detected", ProofKind::Work, Numbers::Plain,
     "{g} are offered; only {w} were detected"},
    {Refusal::AvailableAboveOffered, "available_above_offered", ProofKind::Work, Numbers::Plain,
     "{g} are available; only {w} are offered"},
    {Refusal::LevelNeedsCommitment, "level_needs_commitment", kNone, Numbers::None,
     "a private asset is never on the ledger; at private_network and p2p its record holds a salted "
     "commitment, and at the open levels none"},
    {Refusal::StateNotSettable, "state_not_settable", kNone, Numbers::None,
     "an owner sets available, maintenance or failed; the other states follow from leases and from "
     "retiring"},
    {Refusal::ZeroAmount, "zero_amount", kNone, Numbers::None, "the amount is zero"},
    {Refusal::OverBalance, "over_balance", kNone, Numbers::Caes,
     "the owner's balance is {g} CAES; this takes {w} CAES"},
    {Refusal::TransferToSelf, "transfer_to_self", kNone, Numbers::None,
     "the receiver is the owner itself"},
    {Refusal::KeyRetired, "key_retired", ProofKind::Stake, Numbers::Plain,
     "the key that signed was replaced and was good up to height {w}; the block has height {g}"},
    {Refusal::NotFalconSigned, "not_falcon_signed", ProofKind::Stake, Numbers::None,
     "the signature of the owner's Falcon key does not verify"},
    {Refusal::RotationNotHeld, "rotation_not_held", ProofKind::Stake, Numbers::None,
     "the new keys have not signed the rotation"},
    {Refusal::RotationKeyNotNew, "rotation_key_not_new", kNone, Numbers::None,
     "a rotation replaces every key; one of the new ones is the old one"},
    {Refusal::RotationByOldKey, "rotation_by_old_key", ProofKind::Stake, Numbers::None,
     "a key that is being replaced signs no rotation; sign with the current one"},
    {Refusal::OverlapTooLong, "overlap_too_long", kNone, Numbers::Plain,
     "the old key would sign for {g} more blocks; at most {w} are allowed"},
    {Refusal::GrantInvalid, "grant_invalid", kNone, Numbers::Plain,
     "the grant says something that has no meaning (fault {g}, see the documentation of grants)"},
    {Refusal::GrantNotByIssuer, "grant_not_by_issuer", ProofKind::Stake, Numbers::None,
     "only the issuer signs a grant, and only the issuer or the owner of the assets revokes it"},
    {Refusal::GrantNotSigned, "grant_not_signed", ProofKind::Stake, Numbers::None,
     "the issuer's signature of the grant does not verify: both its Ed25519 and its Falcon key "
     "must sign"},
    {Refusal::DuplicateGrant, "duplicate_grant", kNone, Numbers::None,
     "this very grant stands already"},
    {Refusal::UnknownGrant, "unknown_grant", ProofKind::Stake, Numbers::None,
     "the owner of the asset has no such grant"},
    {Refusal::GrantRevoked, "grant_revoked", ProofKind::Stake, Numbers::None,
     "the grant, or one that it was passed on from, was revoked"},
    {Refusal::GrantExpired, "grant_expired", ProofKind::Time, Numbers::Plain,
     "the grant ends at {w} ms of block time; this would last until {g}"},
    {Refusal::TooManyGrants, "too_many_grants", kNone, Numbers::Plain,
     "the owner has issued {g} grants; at most {w} may stand at one time: revoke some"},
    {Refusal::GrantExceedsParent, "grant_exceeds_parent", ProofKind::Stake, Numbers::Plain,
     "a grant that is passed on stays within the one it comes from; this one exceeds it (way {g}, "
     "see the documentation of grants)"},
    {Refusal::GroupInvalid, "group_invalid", kNone, Numbers::Plain,
     "the group's name or members are not valid (fault {g})"},
    {Refusal::TooManyGroups, "too_many_groups", kNone, Numbers::Plain,
     "the owner keeps {g} groups; at most {w} are allowed"},
    {Refusal::CertificateInvalid, "certificate_invalid", kNone, Numbers::None,
     "the certificate names no valid name, its subject is its issuer, or one of the same issuer "
     "stands that does not end sooner"},
    {Refusal::CertificateExpired, "certificate_expired", ProofKind::Time, Numbers::Plain,
     "it ended at {g} ms of block time; the block has {w}"},
    {Refusal::CertificateNotSigned, "certificate_not_signed", ProofKind::Stake, Numbers::None,
     "the issuer's signature of the certificate does not verify: both its keys must sign"},
    {Refusal::UnknownIssuer, "unknown_issuer", ProofKind::Stake, Numbers::None,
     "the issuer is neither an owner on this ledger nor the root of a federated mesh"},
    {Refusal::TooManyCertificates, "too_many_certificates", kNone, Numbers::Plain,
     "the subject holds {g} certificates; at most {w} are kept"},
    {Refusal::FederationInvalid, "federation_invalid", kNone, Numbers::Plain,
     "the federation record is not one of two meshes in order (fault {g})"},
    {Refusal::FederationOfOthers, "federation_of_others", kNone, Numbers::None,
     "the federation record does not name this mesh and its root with its present keys"},
    {Refusal::FederationNotSigned, "federation_not_signed", ProofKind::Stake, Numbers::None,
     "both roots must sign the federation record with both their keys"},
    {Refusal::NotTheRoot, "not_the_root", ProofKind::Stake, Numbers::None,
     "only the root of this mesh federates"},
    {Refusal::KindConcealed, "kind_concealed", kNone, Numbers::None,
     "an asset at level private_network has an id of kind 'concealed', and no other has"},
    {Refusal::TooTelling, "too_telling", kNone, Numbers::None,
     "at this level the record holds a commitment, 10000 basis_points and, at p2p, a coarse class; "
     "nothing else"},
    {Refusal::LeaseInvalid, "lease_invalid", kNone, Numbers::None,
     "a lease asks for a quantity and a time above 0 of one to eight different assets, at a price "
     "for a quantity above 0"},
    {Refusal::CostTooLarge, "cost_too_large", kNone, Numbers::None,
     "the cost at the highest price exceeds all CAES that can exist"},
    {Refusal::LeaseTooLong, "lease_too_long", kNone, Numbers::Plain,
     "the lease would last {g} ms; at most {w} ms are allowed"},
    {Refusal::TooManyLeases, "too_many_leases", kNone, Numbers::Plain,
     "there are {g} leases; at most {w} are allowed"},
    {Refusal::NotGranted, "not_granted", ProofKind::Stake, Numbers::None,
     "the asset belongs to another owner and no grant is named"},
    {Refusal::OwnNeedsNoGrant, "own_needs_no_grant", kNone, Numbers::None,
     "an owner needs no grant for its own asset"},
    {Refusal::AssetUnavailable, "asset_unavailable", kNone, Numbers::None,
     "the asset takes no leases now: it is failed or paused"},
    {Refusal::LevelForbids, "level_forbids", ProofKind::Stake, Numbers::None,
     "the asset's privacy level does not admit this kind of grantee"},
    {Refusal::GrantForOtherAssets, "grant_for_other_assets", ProofKind::Stake, Numbers::None,
     "the grant is for other assets"},
    {Refusal::NotTheGrantee, "not_the_grantee", ProofKind::Stake, Numbers::None,
     "the grant is for somebody else"},
    {Refusal::OutsideHours, "outside_hours", ProofKind::Time, Numbers::None,
     "the grant's hours are over"},
    {Refusal::NetworkTooOpen, "network_too_open", kNone, Numbers::Plain,
     "network class {g} is more open than the grant's {w} (0 none, 1 mesh, 2 internet)"},
    {Refusal::QuantityAboveGrant, "quantity_above_grant", kNone, Numbers::Plain,
     "{g} are asked for; the grant allows {w} in one lease"},
    {Refusal::TooManyLeasesOfGrant, "too_many_leases_of_grant", kNone, Numbers::Plain,
     "there would be {g} leases under the grant; it allows {w} at one time"},
    {Refusal::OpenedTooOften, "opened_too_often", ProofKind::Time, Numbers::Plain,
     "it would be lease number {g} of the day; the grant allows {w}"},
    {Refusal::ShareExceeded, "share_exceeded", kNone, Numbers::Plain,
     "{g} would be leased under the grant; its share of the asset is {w}"},
    {Refusal::NoPrice, "no_price", kNone, Numbers::None,
     "neither the grant nor the asset names a price"},
    {Refusal::PriceTooHigh, "price_too_high", kNone, Numbers::None,
     "the price is above what the tenant accepts"},
    {Refusal::NotEnoughFree, "not_enough_free", ProofKind::Work, Numbers::Plain,
     "{g} are asked for; {w} are free"},
    {Refusal::UnknownLease, "unknown_lease", kNone, Numbers::None,
     "there is no such lease, or it ended long ago"},
    {Refusal::LeaseEnded, "lease_ended", kNone, Numbers::None, "the lease has ended"},
    {Refusal::LeaseNotRequested, "lease_not_requested", kNone, Numbers::None,
     "the lease is not waiting to be accepted"},
    {Refusal::LeaseNotActive, "lease_not_active", kNone, Numbers::None, "the lease is not active"},
    {Refusal::LeaseNotMetered, "lease_not_metered", kNone, Numbers::None,
     "an owner's lease of its own asset is not metered"},
    {Refusal::NotTheTenant, "not_the_tenant", ProofKind::Stake, Numbers::None,
     "the lease is another owner's"},
    {Refusal::NotTheProvider, "not_the_provider", ProofKind::Stake, Numbers::None,
     "the leased asset is another owner's"},
    {Refusal::BadMeterSignature, "bad_meter_signature", ProofKind::Stake, Numbers::None,
     "a side's signature of the reading does not verify"},
    {Refusal::MeterNotByProvider, "meter_not_by_provider", ProofKind::Stake, Numbers::None,
     "the provider's half of the reading is not signed by its node or owner"},
    {Refusal::MeterNotByTenant, "meter_not_by_tenant", ProofKind::Stake, Numbers::None,
     "the tenant's half of the reading is not signed by the tenant or one of its nodes"},
    {Refusal::MeterOfOtherPlacement, "meter_of_other_placement", ProofKind::Time, Numbers::Plain,
     "the reading is of placement {g}; the lease is at placement {w}"},
    {Refusal::MeterBackwards, "meter_backwards", ProofKind::Time, Numbers::Plain,
     "the reading says {g}; the last one was {w}, and a meter never goes backwards"},
    {Refusal::MeterTooEarly, "meter_too_early", ProofKind::Time, Numbers::Plain,
     "at {g} ms the interval has not begun; it begins at {w}"},
    {Refusal::MeterBeyondEnd, "meter_beyond_end", ProofKind::Time, Numbers::Plain,
     "the interval begins at {g} ms; the lease ends at {w}"},
    {Refusal::MeterTooLate, "meter_too_late", ProofKind::Time, Numbers::Plain,
     "at {g} ms the interval can no longer be read; it could until {w}"},
    {Refusal::MeterTooMuch, "meter_too_much", ProofKind::Time, Numbers::Plain,
     "the reading advances by {g} ms; at most {w} have passed"},
    {Refusal::NothingToSettle, "nothing_to_settle", kNone, Numbers::None,
     "nothing is due that was not paid already"},
    {Refusal::AssetLeased, "asset_leased", kNone, Numbers::Plain,
     "{g} leases of the asset are open; it can be transferred when they have ended"},
    {Refusal::BondTied, "bond_tied", ProofKind::Stake, Numbers::Caes,
     "{g} CAES are to be unbonded; {w} CAES do not back validators or records"},
    {Refusal::TooManyUnbondings, "too_many_unbondings", kNone, Numbers::Plain,
     "{g} amounts are unbonding; at most {w} may at one time"},
    {Refusal::NotAValidator, "not_a_validator", kNone, Numbers::None, "the node is no validator"},
    {Refusal::DelegationRefused, "delegation_refused", kNone, Numbers::Plain,
     "{g} buys no share of the pool, or its stake was slashed to nothing"},
    {Refusal::NotEnoughShares, "not_enough_shares", ProofKind::Stake, Numbers::Plain,
     "{g} shares are to be withdrawn; the delegator has {w}"},
    {Refusal::EvidenceProvesNothing, "evidence_proves_nothing", ProofKind::Stake, Numbers::None,
     "the evidence does not prove that a validator broke a rule"},
    {Refusal::FaultKnown, "fault_known", kNone, Numbers::None,
     "the validator was punished for a fault within the unbonding time already"},
    {Refusal::MeterUsedTooMuch, "meter_used_too_much", ProofKind::Work, Numbers::Plain,
     "the reading says that {g} unit-seconds were used; the quantity and the time admit {w}"},
    {Refusal::ResultsInvalid, "results_invalid", kNone, Numbers::None,
     "a disagreement has 3 to 16 results in the order of their leases, none twice, and a quorum of "
     "2 up to all of them"},
    {Refusal::ResultNotCommitted, "result_not_committed", ProofKind::Work, Numbers::None,
     "output, exit code and salt do not open what the node committed to"},
    {Refusal::BadResultSignature, "bad_result_signature", ProofKind::Stake, Numbers::None,
     "the signature of a result does not verify"},
    {Refusal::ResultOfOwn, "result_of_own", kNone, Numbers::None,
     "a result from the tenant's own asset is no other opinion"},
    {Refusal::ResultNotByNode, "result_not_by_node", ProofKind::Stake, Numbers::None,
     "a result is not signed by the provider's node on which its lease lies"},
    {Refusal::ResultsKnown, "results_known", kNone, Numbers::None,
     "a result was part of a disagreement that was reported before"},
    {Refusal::ResultTooLate, "result_too_late", ProofKind::Time, Numbers::Plain,
     "a lease ended {g} ms ago; its result can be disputed for {w} ms"},
    {Refusal::ResultsOfOtherRuns, "results_of_other_runs", kNone, Numbers::None,
     "the leases have not all the same purpose"},
    {Refusal::ResultProviderTwice, "result_provider_twice", kNone, Numbers::None,
     "two of the leases are with the same provider"},
    {Refusal::NoMajority, "no_majority", ProofKind::Work, Numbers::Plain,
     "{g} results agree; {w} are needed"},
    {Refusal::NoDisagreement, "no_disagreement", kNone, Numbers::None, "all results are alike"},
    {Refusal::AllowanceTooSmall, "allowance_too_small", ProofKind::Stake, Numbers::Caes,
     "the node may still spend {g} CAES for its owner; this takes {w} CAES"},
    {Refusal::GenerationNotNext, "generation_not_next", ProofKind::Time, Numbers::Plain,
     "the storage commitment has generation {g}; the node's next is {w}"},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    if (static_cast<std::size_t>(kRules[i].rule) != i) return false;
  }
  return true;
}
static_assert(in_order());

const Rule& rule_of(Refusal rule) { return kRules.at(static_cast<std::size_t>(rule)); }

std::string number(Numbers kind, std::uint64_t value) {
  return kind == Numbers::Caes ? caesar::to_string(caesar::Amount{value}) : std::to_string(value);
}

}  // namespace

std::string_view name_of(Refusal rule) { return rule_of(rule).name; }

std::optional<ProofKind> proof_of(Refusal rule) { return rule_of(rule).proof; }

std::string explain(const Refused& refused) {
  const Rule& rule = rule_of(refused.rule);
  std::string text(rule.sentence);
  if (rule.numbers == Numbers::None) return text;
  for (const auto& [mark, value] : {std::pair{"{g}", refused.given}, {"{w}", refused.wanted}}) {
    if (const std::size_t at = text.find(mark); at != std::string::npos) {
      text.replace(at, 3, number(rule.numbers, value));
    }
  }
  return text;
}

}  // namespace hm::ledger
