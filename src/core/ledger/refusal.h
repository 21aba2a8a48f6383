// SPDX-License-Identifier: Apache-2.0
// Why an operation is refused: one enumerator per rule. A refused operation changes nothing. The
// numbers are part of receipts and never change meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/proofs/record.h"
#include "foundation/codec/reader.h"

namespace hm::ledger {

enum class Refusal : std::uint8_t {
  // Form, checked without any state.
  Malformed,          // not the one encoding of a signed operation
  OperationTooLarge,  // more than kMaxOperationBytes
  BadSignature,       // the signature does not verify under the key given
  WrongChain,         // made for another chain
  // PoStake: who.
  UnknownActor,      // no such owner or node
  WrongKey,          // the key given is not the actor's registered key
  NotTheOwner,       // the asset belongs to somebody else
  NodeMayNot,        // a node's key does not allow this action
  NodeNotOwned,      // the node belongs to somebody else
  NotOnThisNode,     // a node's key acts only on assets on that node
  BondBelowMinimum,  // the acting owner's bond is below the preset's minimum
  // PoTime: when.
  AlreadyApplied,         // this very operation was applied before
  SequenceUsed,           // another operation of the actor had this sequence
  SequenceGap,            // an earlier operation of the actor is missing
  Expired,                // the including block is above expiry_height
  ExpiryTooFar,           // expiry_height is further from the anchor than the preset allows
  UnknownAnchor,          // the anchor is above the last final block
  AnchorTooOld,           // the anchor is further back than the preset allows
  AnchorOnAnotherBranch,  // a different block is final at the anchor's height
  // PoSpace and PoWork: where and what.
  UnknownSpaceRecord,  // cites a PoSpace record that the ledger does not hold
  UnknownWorkRecord,   // cites a PoWork record that the ledger does not hold
  // Identity.
  BadName,            // not a valid name
  BadKeyBundle,       // the bundle is not one this version accepts
  BindingNotByOwner,  // the node binding is for, or signed by, somebody else
  BindingNotByNode,   // the node's proof of possession does not verify
  BadNodeKey,         // not a valid Ed25519 key
  DuplicateOwner,     // the owner is registered
  DuplicateNode,      // the node is registered
  UnknownOwner,       // the operation names an owner that is not registered
  UnknownNode,        // the operation names a node that is not registered
  // Assets.
  AssetIdInvalid,         // mistyped: the hash does not cover kind and uuid, or not version 7
  AssetIdOfAnotherChain,  // the id was made for another chain
  DuplicateAsset,         // the id is registered
  AddressCollision,       // another asset has the same address
  UnknownAsset,           // no such asset
  VersionMismatch,        // the asset changed since the version the operation expects
  AssetRetired,           // a retired asset never changes again
  DescriptorTooLarge,
  DescriptorInvalid,
  BadUnit,
  OfferedAboveDetected,
  AvailableAboveOffered,
  LevelNeedsCommitment,  // Private is never on the ledger; others of the closed levels need one
  StateNotSettable,      // Allocated and InUse follow from leases, Retired from retiring
  // CAES.
  ZeroAmount,
  OverBalance,  // the acting owner's balance is too small
  TransferToSelf,
  // Keys of owners.
  KeyRetired,         // PoStake: the key was replaced, and the overlap is over
  NotFalconSigned,    // the Falcon signature of the owner does not verify
  RotationNotHeld,    // the new keys did not sign the rotation
  RotationKeyNotNew,  // a new key is the one that it replaces
  RotationByOldKey,   // a retiring key signs no rotation
  OverlapTooLong,     // the old key would sign for longer than the preset allows
  // Privacy.
  GrantInvalid,          // a share, limit, hours, pattern or price that means nothing
  GrantNotByIssuer,      // signed or revoked by somebody who may not
  GrantNotSigned,        // the issuer's Ed25519 or Falcon signature does not verify
  DuplicateGrant,        // the very same grant stands
  UnknownGrant,          // no such grant of that owner
  GrantRevoked,          // the grant, or one that it came through, was revoked
  GrantExpired,          // the grant has expired, or would before the lease ends
  TooManyGrants,         // the issuer has as many as one owner may
  GrantExceedsParent,    // the grant passed on reaches beyond the one it comes from
  GroupInvalid,          // a name, pattern or member that cannot be
  TooManyGroups,         // the owner has as many as one owner may
  CertificateInvalid,    // the name is no DNS name, the subject issued it, or a later one stands
  CertificateExpired,    // a certificate or federation record that has ended
  CertificateNotSigned,  // the issuer's signature does not verify
  UnknownIssuer,         // neither an owner here nor the root of a federated mesh
  TooManyCertificates,   // the subject has as many as one owner may
  FederationInvalid,     // the record is not one of two meshes in order
  FederationOfOthers,    // it is not about this mesh and its root as they are
  FederationNotSigned,   // a root's signature does not verify
  NotTheRoot,            // only this mesh's root federates
  KindConcealed,         // the kind 'concealed' and the level PrivateNetwork go together
  TooTelling,            // a concealed asset's record says more than its level allows
  // Leases.
  LeaseInvalid,      // no or too many choices, one twice, or a quantity, time or price of nothing
  CostTooLarge,      // the escrow would exceed all CAES
  LeaseTooLong,      // longer than the grant or the preset allows
  TooManyLeases,     // the asset or the tenant has as many as it may
  NotGranted,        // another owner's asset, and no grant named
  OwnNeedsNoGrant,   // a grant named for one's own asset
  AssetUnavailable,  // failed or paused
  LevelForbids,      // the asset's privacy level does not admit such a grantee
  GrantForOtherAssets,    // the grant does not select the asset
  NotTheGrantee,          // the grant is for somebody else
  OutsideHours,           // outside the grant's hours
  NetworkTooOpen,         // a more open network class than the grant's
  QuantityAboveGrant,     // more in one lease than the grant allows
  TooManyLeasesOfGrant,   // more at one time than the grant allows
  OpenedTooOften,         // more in a day than the grant allows
  ShareExceeded,          // more than the grant's share of the asset
  NoPrice,                // neither grant nor asset names a price
  PriceTooHigh,           // above what the tenant accepts
  NotEnoughFree,          // less is free than asked for
  UnknownLease,           // no such lease, or it was forgotten
  LeaseEnded,             // the lease is closed or has failed
  LeaseNotRequested,      // accepted or ending already
  LeaseNotActive,         // not accepted yet, or ending
  LeaseNotMetered,        // a lease of one's own asset
  NotTheTenant,           // somebody else's lease
  NotTheProvider,         // the lease is of somebody else's asset
  BadMeterSignature,      // a signature of the reading does not verify
  MeterNotByProvider,     // the provider's half is signed by another key
  MeterNotByTenant,       // the tenant's half is signed by another key
  MeterOfOtherPlacement,  // the lease has moved since, or has not yet
  MeterBackwards,         // an interval or total before the last one
  MeterTooEarly,          // its interval has not begun
  MeterBeyondEnd,         // its interval begins after the lease ends
  MeterTooLate,           // its interval can no longer be read
  MeterTooMuch,           // more time than has passed
  NothingToSettle,        // nothing was earned since the last time
  AssetLeased,            // an asset with open leases is not transferred
  // Stake.
  BondTied,               // what backs validators and records stays bonded
  TooManyUnbondings,      // as many amounts wait as may
  NotAValidator,          // no validator has this node id
  DelegationRefused,      // the amount buys, or the shares are worth, nothing
  NotEnoughShares,        // more shares than the delegator has
  EvidenceProvesNothing,  // no two votes that an honest validator never signs both
  FaultKnown,             // this validator was punished within the window
  // Use and results.
  MeterUsedTooMuch,     // more was used than the quantity allows in the time delivered
  ResultsInvalid,       // too few or many, out of order, or a quorum that means nothing
  ResultNotCommitted,   // what a node committed to is not what it is said to have put out
  BadResultSignature,   // a signature of a result does not verify
  ResultOfOwn,          // a tenant's own asset is no other opinion
  ResultNotByNode,      // signed by another key than that of the provider's node
  ResultsKnown,         // a result was part of a disagreement before
  ResultTooLate,        // its lease ended too long ago
  ResultsOfOtherRuns,   // the leases have not all the same purpose
  ResultProviderTwice,  // two of the leases are with one provider
  NoMajority,           // fewer agree than half of them and one, or than the quorum
  NoDisagreement,       // all results are alike
  // Allowances.
  AllowanceTooSmall,  // more than the node may still take out of its owner's balance
  // Storage.
  GenerationNotNext,  // PoTime: the commitment does not follow the node's last one
};
inline constexpr Refusal kLastRefusal = Refusal::GenerationNotNext;

// Stable lower-case name, e.g. "bond_below_minimum".
std::string_view name_of(Refusal rule);

// Which of the four proofs failed; none for rules about form, identity, assets and CAES.
std::optional<proofs::ProofKind> proof_of(Refusal rule);

// A rule and the two numbers that explain it, where it has some: what the operation said and what
// the ledger wants (sequence, height, version, units, bytes).
struct Refused {
  Refusal rule = Refusal::Malformed;
  std::uint64_t given = 0;
  std::uint64_t wanted = 0;

  bool operator==(const Refused&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.rule, self.given, self.wanted); }
};

// One sentence for a person, with the numbers: "sequence 7 leaves a gap: the next is 5".
std::string explain(const Refused& refused);

}  // namespace hm::ledger

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::ledger::Refusal> = hm::ledger::kLastRefusal;
