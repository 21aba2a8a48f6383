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
  LevelNeedsCommitment,  // this ledger has no salted commitments: never in the clear
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
};
inline constexpr Refusal kLastRefusal = Refusal::OverlapTooLong;

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
