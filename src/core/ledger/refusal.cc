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
     "the operation expects version {g} of the asset; it is at version {w}"},
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
     "this privacy level keeps only a salted commitment on the ledger, which this ledger does not "
     "have; the asset is not written in the clear"},
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
