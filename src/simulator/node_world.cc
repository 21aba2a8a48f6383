// SPDX-License-Identifier: Apache-2.0
#include "simulator/node_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/consensus/limits.h"
#include "foundation/base/check.h"
#include "foundation/codec/writer.h"
#include "simulator/byzantine.h"
#include "simulator/describe.h"
#include "simulator/node_process.h"

namespace hm::simulator {
namespace {

using crypto::SigningKey;
using Seed = std::array<std::uint8_t, SigningKey::kSeedSize>;

// A client's operations come in rounds: register an asset, pay, update the asset, retire it.
constexpr std::uint64_t kRound = 4;

class NodeWorld final : public World, public Clients {
 public:
  using World::World;

 protected:
  void build() override;
  std::unique_ptr<Process> make_process(std::size_t who) override;
  Duration view_timeout() const override;
  OperationName operation_name(std::uint64_t number) const override {
    const auto found = operations_.find(number);
    return found == operations_.end() ? OperationName{} : found->second.id;
  }
  void check_end() override;
  std::string describe(ports::Channel channel, ByteView payload) const override {
    return describe_message(channel, payload);
  }

 private:
  struct Signed {
    OperationName id;
    Bytes bytes;
  };
  struct Party {  // an owner with its node
    const identity::OwnerKeys* owner = nullptr;
    Seed node_seed{};
    identity::NodeId node;
  };

  Bytes operation(std::uint64_t number, const ledger::Anchor& anchor) override;
  ledger::Action action(std::size_t party, std::uint64_t sequence) const;
  assets::AssetId asset(std::size_t party, std::uint64_t round) const;
  Party draw_party(SimRandom& random) const;
  void make_genesis(SimRandom& random);
  void make_setup();
  const NodeProcess& process(std::size_t who) const {
    return static_cast<const NodeProcess&>(*member(who).process);
  }

  std::vector<Party> parties_;
  std::vector<std::size_t> party_of_;  // member → party
  ledger::Genesis genesis_;
  identity::ChainId chain_;
  std::optional<ConsensusSetup> setup_;
  std::map<std::uint64_t, Signed> operations_;
};

// Keys of owners take long to make and decide nothing: those of the same place are the same in
// every run of a process.
const identity::OwnerKeys& owner_keys(std::size_t place) {
  static std::map<std::size_t, identity::OwnerKeys> made;
  const auto found = made.find(place);
  if (found != made.end()) return found->second;
  identity::OwnerSeeds seeds;
  for (const auto& part :
       {std::span<std::uint8_t>(seeds.ed25519), std::span<std::uint8_t>(seeds.falcon),
        std::span<std::uint8_t>(seeds.ml_kem)}) {
    SimRandom(place).fill(part);
  }
  return made.emplace(place, identity::OwnerKeys::generate(seeds, falcon::Arithmetic::Hardware))
      .first->second;
}

NodeWorld::Party NodeWorld::draw_party(SimRandom& random) const {
  Party party;
  random.fill(party.node_seed);
  party.owner = &owner_keys(parties_.size());
  party.node = identity::node_id_of(SigningKey::from_seed(party.node_seed).public_key());
  return party;
}

void NodeWorld::make_genesis(SimRandom& random) {
  genesis_.chain_name = "simulated";
  genesis_.preset = ledger::Preset::Localhost;
  genesis_.time = UnixMillis(kEpochMillis - 60'000);
  const auto context = identity::genesis_binding_context(genesis_.chain_name, genesis_.time.value);
  // One more than there are validators: the node of the last is a follower.
  for (std::size_t i = 0; i <= plan().nodes; ++i) {
    const Party& party = parties_.emplace_back(draw_party(random));
    genesis_.owners.push_back({.name = fmt::format("owner-{}", i),
                               .bundle = party.owner->bundle(),
                               .balance = caesar::caes(1000),
                               .bond = caesar::caes(1000)});
    falcon::SigningRandomness randomness;
    random.fill(randomness.nonce);
    random.fill(randomness.seed);
    genesis_.nodes.push_back(identity::bind_node(*party.owner,
                                                 SigningKey::from_seed(party.node_seed), context,
                                                 fmt::format("node-{}", i), randomness));
    if (i < plan().nodes) genesis_.validators.push_back({party.node, caesar::caes(100)});
  }
  genesis_.root = parties_[0].owner->id();
  genesis_.economy = ledger::economy_of(genesis_.preset);
  HM_CHECK(ledger::validate(genesis_).has_value());
  chain_ = ledger::chain_id(genesis_);
}

void NodeWorld::make_setup() {
  std::vector<consensus::Validator> validators;
  for (std::size_t i = 0; i < plan().nodes; ++i) {
    validators.push_back({parties_[i].node,
                          SigningKey::from_seed(parties_[i].node_seed).public_key(),
                          genesis_.validators[i].stake.value});
  }
  const crypto::Digest hash{chain_.bytes};
  setup_.emplace(
      ConsensusSetup{.domain = {.chain = chain_, .epoch = 0},
                     .validators = consensus::ValidatorSet::create(validators, hash).value(),
                     .genesis_hash = hash,
                     .genesis_root = ledger::Ledger::from_genesis(genesis_).root()});
}

void NodeWorld::build() {
  SimRandom random = fork_random();
  make_genesis(random);
  make_setup();
  const std::vector<Treason> treasons = draw_treasons();
  for (std::size_t i = 0; i < plan().nodes; ++i) {
    const bool byzantine = i < treasons.size();
    const std::size_t who =
        add_member(parties_[i].node, byzantine ? Role::Byzantine : Role::Honest);
    party_of_.push_back(i);
    if (!byzantine) continue;
    member(who).treason = treasons[i];
    if (treasons[i] != Treason::Twins) {
      network().set_tamper(member(who).place,
                           make_tamper(treasons[i], *this, who, *setup_,
                                       SigningKey::from_seed(parties_[i].node_seed)));
    }
  }
  for (std::size_t i = 0; i < treasons.size(); ++i) {
    if (treasons[i] != Treason::Twins) continue;
    member(add_member(parties_[i].node, Role::Byzantine)).treason = Treason::Twins;
    party_of_.push_back(i);
  }
  if (scenario().late_follower) {
    add_member(parties_[plan().nodes].node, Role::Follower);
    party_of_.push_back(plan().nodes);
  }
}

std::unique_ptr<Process> NodeWorld::make_process(std::size_t who) {
  return std::make_unique<NodeProcess>(
      *this, who, genesis_, SigningKey::from_seed(parties_[party_of_[who]].node_seed), *this);
}

Duration NodeWorld::view_timeout() const {
  Duration delta = consensus::kInitialDelta;
  for (std::size_t who = 0; who < member_count(); ++who) {
    if (is_honest(who)) delta = std::max(delta, process(who).node().replica().delta());
  }
  return std::max<Duration>(4 * delta, std::chrono::seconds(1));
}

assets::AssetId NodeWorld::asset(std::size_t party, std::uint64_t round) const {
  const auto digest = crypto::tagged_hash("hm.sim.asset", codec::encode(round * 1000 + party));
  std::array<std::uint8_t, assets::kUuidRandomSize> bytes{};
  std::copy_n(digest.bytes.begin(), bytes.size(), bytes.begin());
  return assets::AssetId::make(chain_, assets::AssetKind::Memory, UnixMillis(kEpochMillis), bytes);
}

ledger::Action NodeWorld::action(std::size_t party, std::uint64_t sequence) const {
  const std::uint64_t round = (sequence - 1) / kRound;
  assets::AssetTerms terms;
  terms.descriptor = {{"model", std::string("simulated")}};
  terms.quantity = {.detected = 1024, .offered = 512, .available = 512, .unit = "bytes"};
  switch ((sequence - 1) % kRound) {
    case 0: return ledger::RegisterAsset{asset(party, round), parties_[party].node, terms};
    case 1: {
      const Party& next = parties_[(party + 1) % parties_.size()];
      return ledger::TransferCaes{next.owner->id(), caesar::Amount{1'000 + sequence}};
    }
    case 2: {
      terms.quantity.offered = 256 + sequence % 100;
      terms.quantity.available = terms.quantity.offered;
      return ledger::UpdateAsset{asset(party, round), 1, terms};
    }
    default: return ledger::RetireAsset{asset(party, round), 2};
  }
}

Bytes NodeWorld::operation(std::uint64_t number, const ledger::Anchor& anchor) {
  const auto [found, is_new] = operations_.try_emplace(number);
  if (is_new) {
    const std::size_t party = (number - 1) % parties_.size();
    const std::uint64_t sequence = (number - 1) / parties_.size() + 1;
    ledger::Operation operation;
    operation.chain_id = chain_;
    operation.actor = parties_[party].owner->id();
    operation.sequence = sequence;
    operation.anchor = anchor;
    operation.expiry_height =
        anchor.height + ledger::policy_of(genesis_.preset).expiry_max_ahead / 2;
    operation.action = action(party, sequence);
    const auto signed_operation =
        ledger::sign(std::move(operation), parties_[party].owner->ed25519());
    found->second = {ledger::operation_id(signed_operation.operation),
                     codec::encode(signed_operation)};
  }
  return found->second.bytes;
}

void NodeWorld::check_end() {
  for (std::size_t who = 0; who < member_count(); ++who) {
    if (!is_honest(who)) continue;
    const node::Node& node = process(who).node();
    for (const auto& [height, record] : checker().chain()) {
      const auto block = node.chain().decoded_block(height);
      if (!block || !*block) {
        checker().fail("lost", fmt::format("node {} has no block {}", who, height));
        return;
      }
      checker().on_served(who, height, hash_of((*block)->block.header));
    }
    checker().on_root(who, node.ledger().height(), node.ledger().root());
    for (const consensus::Evidence& evidence : node.replica().faults()) {
      check_accused(who, setup_->validators.at(evidence.first.signer).node);
    }
    checker().check_kept(who, process(who).held());
  }
}

}  // namespace

std::unique_ptr<World> make_node_world(const Plan& plan) {
  return std::make_unique<NodeWorld>(plan);
}

}  // namespace hm::simulator
