// SPDX-License-Identifier: Apache-2.0
// Every refusal is produced by an operation, the same at admission and in a block, and leaves the
// state as it was.
#include "core/ledger/refusal.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "core/ledger/limits.h"
#include "core/ledger/refusal_world.h"

namespace hm::ledger {
namespace {

using sample::asset_id;
using sample::key;
using sample::node_id;
using sample::owner_id;
using sample::terms;

void add_form_cases(Cases& cases) {
  cases[Refusal::Malformed] = [](World& w) { return w.submit(Bytes{1, 2, 3}); };
  cases[Refusal::OperationTooLarge] = [](World& w) {
    return w.submit(Bytes(kMaxOperationBytes + 1));
  };
  cases[Refusal::BadSignature] = [](World& w) {
    auto signed_operation = sign(w.payment(), key(0));
    signed_operation.operation.expiry_height += 1;
    return w.submit(codec::encode(signed_operation));
  };
  cases[Refusal::WrongChain] = [](World& w) {
    auto operation = w.payment();
    operation.chain_id.bytes[0] ^= 1;
    return w.submit(operation);
  };
  cases[Refusal::UnknownSpaceRecord] = [](World& w) {
    auto operation = w.payment();
    operation.proofs.space = crypto::Digest{};
    return w.submit(operation);
  };
  cases[Refusal::UnknownWorkRecord] = [](World& w) {
    auto operation = w.payment();
    operation.proofs.work = crypto::Digest{};
    return w.submit(operation);
  };
}

void add_stake_cases(Cases& cases) {
  cases[Refusal::UnknownActor] = [](World& w) {
    return w.submit(w.chain.operation(owner_id(99), w.payment().action), 99);
  };
  cases[Refusal::WrongKey] = [](World& w) { return w.submit(w.payment(), 1); };
  cases[Refusal::NotTheOwner] = [](World& w) {
    return w.submit(w.by_owner(RetireAsset{w.id(2), 1}));
  };
  cases[Refusal::NodeMayNot] = [](World& w) {
    return w.submit(w.by_node(TransferCaes{owner_id(1), caesar::caes(1)}), 1000);
  };
  cases[Refusal::NodeNotOwned] = [](World& w) {
    return w.submit(w.by_owner(RegisterAsset{w.id(9), node_id(key(1001)), terms()}));
  };
  cases[Refusal::NotOnThisNode] = [](World& w) {
    return w.submit(w.by_node(RegisterAsset{w.id(9), node_id(key(1001)), terms()}), 1000);
  };
  cases[Refusal::BondBelowMinimum] = [](World& w) {
    w.chain.block(
        {w.chain.by_owner(0, RegisterOwner{"newcomer", sample::bundle(50), caesar::caes(5), {}})});
    const RegisterOwner action{"other", sample::bundle(51), caesar::caes(1), {}};
    return w.submit(w.chain.operation(owner_id(50), action), 50);
  };
}

void add_time_cases(Cases& cases) {
  cases[Refusal::AlreadyApplied] = [](World& w) {
    const auto operation = w.payment();
    EXPECT_FALSE(w.submit(operation));
    return w.submit(operation);
  };
  cases[Refusal::SequenceUsed] = [](World& w) {
    auto operation = w.payment();
    operation.sequence = 1;
    return w.submit(operation);
  };
  cases[Refusal::SequenceGap] = [](World& w) {
    auto operation = w.payment();
    ++operation.sequence;
    return w.submit(operation);
  };
  cases[Refusal::Expired] = [](World& w) {
    auto operation = w.payment();
    operation.expiry_height = w.chain.ledger().height();
    return w.submit(operation);
  };
  cases[Refusal::ExpiryTooFar] = [](World& w) {
    auto operation = w.payment();
    operation.expiry_height = UINT64_MAX;
    return w.submit(operation);
  };
  cases[Refusal::UnknownAnchor] = [](World& w) {
    auto operation = w.payment();
    ++operation.anchor.height;
    return w.submit(operation);
  };
  cases[Refusal::AnchorTooOld] = [](World& w) {
    auto operation = w.payment();
    operation.anchor = {0, {w.chain.id().bytes}};
    const std::uint64_t window = w.chain.ledger().policy().anchor_max_age;
    while (w.chain.ledger().height() < window) w.chain.block({});
    operation.expiry_height = w.chain.ledger().height() + 5;
    return w.submit(operation);
  };
  cases[Refusal::AnchorOnAnotherBranch] = [](World& w) {
    auto operation = w.payment();
    operation.anchor.hash.bytes[0] ^= 1;
    return w.submit(operation);
  };
}

void add_identity_cases(Cases& cases) {
  cases[Refusal::BadName] = [](World& w) {
    return w.submit(w.by_owner(RegisterOwner{"No Name", sample::bundle(50), {}, {}}));
  };
  cases[Refusal::BadKeyBundle] = [](World& w) {
    return w.submit(w.by_owner(RegisterOwner{"name", {}, {}, {}}));
  };
  const auto bound = [](World& w) {
    return sample::binding(0, 1050, identity::binding_context(w.chain.id()), "node-x");
  };
  cases[Refusal::BindingNotByOwner] = [](World& w) {
    const auto context = identity::binding_context(w.chain.id());
    return w.submit(w.by_owner(RegisterNode{sample::binding(1, 1050, context, "n")}));
  };
  cases[Refusal::BindingNotByNode] = [bound](World& w) {
    auto binding = bound(w);
    binding.possession = binding.owner_signature.ed25519;
    return w.submit(w.by_owner(RegisterNode{binding}));
  };
  cases[Refusal::BadNodeKey] = [bound](World& w) {
    auto binding = bound(w);
    binding.node_key = {};
    return w.submit(w.by_owner(RegisterNode{binding}));
  };
  cases[Refusal::DuplicateOwner] = [](World& w) {
    return w.submit(w.by_owner(RegisterOwner{"again", sample::bundle(1), {}, {}}));
  };
  cases[Refusal::DuplicateNode] = [](World& w) {
    const auto context = identity::binding_context(w.chain.id());
    return w.submit(w.by_owner(RegisterNode{sample::binding(0, 1000, context, "n")}));
  };
  cases[Refusal::UnknownOwner] = [](World& w) {
    return w.submit(w.by_owner(TransferAsset{w.id(1), 1, owner_id(99)}));
  };
  cases[Refusal::UnknownNode] = [](World& w) {
    return w.submit(w.by_owner(RegisterAsset{w.id(9), node_id(key(99)), terms()}));
  };
}

// Owner 0 changes its keys to those of `to`; `change` spoils the rotation before it is submitted.
Operation rotation(const World& w, std::uint32_t from, std::uint32_t to,
                   const std::function<void(identity::KeyRotation&)>& change = {},
                   std::uint64_t overlap = 0) {
  Operation operation = w.by_owner(RotateKeys{});
  identity::KeyRotation rotation = identity::sign_rotation(
      sample::owner(from), sample::owner(to), {w.chain.id(), owner_id(0), operation.sequence},
      overlap, {sample::fixed_randomness(1), sample::fixed_randomness(2)});
  if (change) change(rotation);
  operation.action = RotateKeys{std::move(rotation)};
  return operation;
}

void add_key_cases(Cases& cases) {
  cases[Refusal::KeyRetired] = [](World& w) {
    EXPECT_FALSE(w.submit(rotation(w, 0, 60, {}, 1)));
    EXPECT_FALSE(w.submit(w.payment(), 0)) << "the old key signs for one block more";
    EXPECT_FALSE(w.submit(w.payment(), 60));
    return w.submit(w.payment(), 0);
  };
  cases[Refusal::NotFalconSigned] = [](World& w) {
    return w.submit(rotation(w, 0, 60, [](auto& r) { r.agreement = r.possession.falcon; }));
  };
  cases[Refusal::RotationNotHeld] = [](World& w) {
    return w.submit(rotation(w, 0, 60, [](auto& r) { r.possession.falcon = r.agreement; }));
  };
  cases[Refusal::RotationKeyNotNew] = [](World& w) { return w.submit(rotation(w, 0, 0)); };
  cases[Refusal::RotationByOldKey] = [](World& w) {
    EXPECT_FALSE(w.submit(rotation(w, 0, 60, {}, 10)));
    return w.submit(rotation(w, 60, 61), 0);
  };
  cases[Refusal::OverlapTooLong] = [](World& w) {
    const std::uint64_t longest = w.chain.ledger().policy().expiry_max_ahead;
    return w.submit(rotation(w, 0, 60, {}, longest + 1));
  };
}

// Registers a new asset with its terms changed by `change`.
Case with_terms(const std::function<void(assets::AssetTerms&)>& change) {
  return [change](World& w) {
    auto changed = terms();
    change(changed);
    return w.submit(w.by_owner(RegisterAsset{w.id(9), node_id(key(1000)), changed}));
  };
}

// A new asset at the address of another: no two real ids are known that collide, so the other one
// is planted in the tables and the rules are asked directly.
std::optional<Refused> collide(World& w) {
  const auto prepared = w.chain.by_owner(0, RegisterAsset{w.id(9), node_id(key(1000)), terms()});
  const auto plant = [&w](Tables& tables) {
    tables.addresses.emplace(assets::address_of(w.chain.id(), w.id(9).hash), w.id(1).hash);
  };
  return w.submit_to(plant, prepared);
}

void add_asset_cases(Cases& cases) {
  cases[Refusal::AssetIdInvalid] = [](World& w) {
    auto id = w.id(9);
    id.kind = assets::AssetKind::Gpu;
    return w.submit(w.by_owner(RegisterAsset{id, node_id(key(1000)), terms()}));
  };
  cases[Refusal::AssetIdOfAnotherChain] = [](World& w) {
    identity::ChainId other = w.chain.id();
    other.bytes[0] ^= 1;
    return w.submit(w.by_owner(RetireAsset{asset_id(other, 1), 1}));
  };
  cases[Refusal::DuplicateAsset] = [](World& w) {
    return w.submit(w.by_owner(RegisterAsset{w.id(1), node_id(key(1000)), terms()}));
  };
  cases[Refusal::AddressCollision] = collide;
  cases[Refusal::UnknownAsset] = [](World& w) {
    return w.submit(w.by_owner(RetireAsset{w.id(9), 1}));
  };
  cases[Refusal::VersionMismatch] = [](World& w) {
    return w.submit(w.by_owner(UpdateAsset{w.id(1), 2, terms()}));
  };
  cases[Refusal::AssetRetired] = [](World& w) {
    return w.submit(w.by_owner(UpdateAsset{w.id(3), 2, terms()}));
  };
}

void add_terms_cases(Cases& cases) {
  cases[Refusal::DescriptorTooLarge] =
      with_terms([](auto& t) { t.descriptor["k"] = std::string(600, 'x'); });
  cases[Refusal::DescriptorInvalid] = with_terms([](auto& t) { t.descriptor["K"] = true; });
  cases[Refusal::BadUnit] = with_terms([](auto& t) { t.quantity.unit = "GiB "; });
  cases[Refusal::OfferedAboveDetected] = with_terms([](auto& t) { t.quantity.offered = 9; });
  cases[Refusal::AvailableAboveOffered] = with_terms([](auto& t) { t.quantity.offered = 7; });
  cases[Refusal::LevelNeedsCommitment] =
      with_terms([](auto& t) { t.level = assets::PrivacyLevel::Private; });
  cases[Refusal::StateNotSettable] =
      with_terms([](auto& t) { t.state = assets::AssetState::InUse; });
  cases[Refusal::ZeroAmount] = [](World& w) {
    return w.submit(w.by_owner(TransferCaes{owner_id(1), {}}));
  };
  cases[Refusal::OverBalance] = [](World& w) {
    return w.submit(w.by_owner(TransferCaes{owner_id(1), caesar::caes(1'001)}));
  };
  cases[Refusal::TransferToSelf] = [](World& w) {
    return w.submit(w.by_owner(TransferCaes{owner_id(0), caesar::caes(1)}));
  };
}

Cases all_cases() {
  Cases cases;
  add_form_cases(cases);
  add_stake_cases(cases);
  add_time_cases(cases);
  add_identity_cases(cases);
  add_key_cases(cases);
  add_asset_cases(cases);
  add_terms_cases(cases);
  add_privacy_cases(cases);
  add_lease_cases(cases);
  add_staking_cases(cases);
  return cases;
}

TEST(Refusal, EveryRuleRefusesAndChangesNothing) {
  const Cases cases = all_cases();
  for (std::size_t i = 0; i <= static_cast<std::size_t>(kLastRefusal); ++i) {
    const auto rule = static_cast<Refusal>(i);
    SCOPED_TRACE(name_of(rule));
    const auto found = cases.find(rule);
    if (found == cases.end()) {
      ADD_FAILURE() << "no case produces this refusal";
      continue;
    }
    World world;
    const auto refused = found->second(world);
    ASSERT_TRUE(refused);
    EXPECT_EQ(name_of(refused->rule), name_of(rule));
    EXPECT_EQ(explain(*refused).find('{'), std::string::npos);
  }
}

TEST(Refusal, NamesAndSentencesAreDistinct) {
  std::set<std::string> names;
  std::set<std::string> sentences;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(kLastRefusal); ++i) {
    names.emplace(name_of(static_cast<Refusal>(i)));
    sentences.insert(explain({static_cast<Refusal>(i), 3, 4}));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kLastRefusal) + 1);
  EXPECT_EQ(sentences.size(), names.size());
}

TEST(Refusal, SentencesCarryTheNumbers) {
  EXPECT_EQ(explain({Refusal::SequenceGap, 7, 5}), "sequence 7 leaves a gap; the next is 5");
  EXPECT_EQ(explain({Refusal::OverBalance, 1'500'000'000, 2'000'000'000}),
            "the owner's balance is 1.5 CAES; this takes 2 CAES");
}

TEST(Refusal, SaysWhichProofFailed) {
  EXPECT_EQ(proof_of(Refusal::WrongKey), proofs::ProofKind::Stake);
  EXPECT_EQ(proof_of(Refusal::Expired), proofs::ProofKind::Time);
  EXPECT_EQ(proof_of(Refusal::UnknownSpaceRecord), proofs::ProofKind::Space);
  EXPECT_EQ(proof_of(Refusal::UnknownWorkRecord), proofs::ProofKind::Work);
  EXPECT_EQ(proof_of(Refusal::VersionMismatch), std::nullopt);
}

}  // namespace
}  // namespace hm::ledger
