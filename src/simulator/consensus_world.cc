// SPDX-License-Identifier: Apache-2.0
#include "simulator/consensus_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "foundation/base/check.h"
#include "simulator/byzantine.h"
#include "simulator/consensus_process.h"
#include "simulator/describe.h"

namespace hm::simulator {
namespace {

using consensus::SigningKey;

Bytes big_endian(std::uint64_t number) {
  Bytes bytes(sizeof number);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(number >> (8 * (bytes.size() - 1 - i)));
  }
  return bytes;
}

class ConsensusWorld final : public World {
 public:
  using World::World;

 protected:
  void build() override;
  std::unique_ptr<Process> make_process(std::size_t who) override;
  Duration view_timeout() const override;
  OperationName operation_name(std::uint64_t number) const override {
    return crypto::sha256(big_endian(number));
  }
  void check_end() override;
  std::string describe(ports::Channel channel, ByteView payload) const override {
    return describe_message(channel, payload);
  }

 private:
  const ConsensusProcess& process(std::size_t who) const {
    return static_cast<const ConsensusProcess&>(*member(who).process);
  }
  SigningKey key_of(std::size_t validator) const {
    return SigningKey::from_seed(seeds_[validator]);
  }

  std::vector<std::array<std::uint8_t, SigningKey::kSeedSize>> seeds_;
  std::vector<std::optional<std::size_t>> validator_of_;  // member → validator
  std::optional<ConsensusSetup> setup_;
};

void ConsensusWorld::build() {
  SimRandom random = fork_random();
  std::vector<consensus::Validator> validators;
  for (std::size_t i = 0; i < plan().nodes; ++i) {
    random.fill(seeds_.emplace_back());
    const crypto::PublicKey key = key_of(i).public_key();
    const auto digest = crypto::tagged_hash("hm.node.v1", key.view());
    validators.push_back({identity::NodeId{digest.bytes}, key, 10});
  }
  const auto genesis = crypto::sha256(big_endian(plan().seed));
  setup_.emplace(
      ConsensusSetup{.domain = {.chain = identity::ChainId{genesis.bytes}, .epoch = 0},
                     .validators = consensus::ValidatorSet::create(validators, genesis).value(),
                     .genesis_hash = genesis,
                     .genesis_root = crypto::sha256(as_bytes("empty"))});

  const std::vector<Treason> treasons = draw_treasons();
  for (std::size_t i = 0; i < plan().nodes; ++i) {
    // Which index a key gets is random, so the first members are as good as any.
    const bool byzantine = i < treasons.size();
    const std::size_t who =
        add_member(validators[i].node, byzantine ? Role::Byzantine : Role::Honest);
    validator_of_.push_back(i);
    if (!byzantine) continue;
    member(who).treason = treasons[i];
    if (treasons[i] != Treason::Twins) {
      network().set_tamper(member(who).place,
                           make_tamper(treasons[i], *this, who, *setup_, key_of(i)));
    }
  }
  for (std::size_t i = 0; i < treasons.size(); ++i) {
    if (treasons[i] != Treason::Twins) continue;
    member(add_member(validators[i].node, Role::Byzantine)).treason = Treason::Twins;
    validator_of_.push_back(i);
  }
  if (scenario().late_follower) {
    identity::NodeId node;
    random.fill(node.bytes);
    add_member(node, Role::Follower);
    validator_of_.push_back(std::nullopt);
  }
}

std::unique_ptr<Process> ConsensusWorld::make_process(std::size_t who) {
  std::optional<SigningKey> key;
  if (validator_of_[who]) key = key_of(*validator_of_[who]);
  return std::make_unique<ConsensusProcess>(
      *this, who, *setup_, std::move(key),
      [this](std::uint64_t number) { return was_submitted(number); });
}

Duration ConsensusWorld::view_timeout() const {
  Duration delta = consensus::kInitialDelta;
  for (std::size_t who = 0; who < member_count(); ++who) {
    if (is_honest(who)) delta = std::max(delta, process(who).replica().delta());
  }
  return std::max<Duration>(4 * delta, std::chrono::seconds(1));
}

void ConsensusWorld::check_end() {
  const auto& chain = checker().chain();
  for (std::size_t who = 0; who < member_count(); ++who) {
    if (!is_honest(who)) continue;
    for (const auto& [height, record] : chain) {
      const auto hash = process(who).stored_hash(height);
      if (!hash) {
        checker().fail("lost", fmt::format("node {} has no block {}", who, height));
        return;
      }
      checker().on_served(who, height, *hash);
    }
    std::map<OperationName, std::uint64_t> held;
    for (const auto& [number, height] : process(who).executed()) {
      held.emplace(operation_name(number), height);
    }
    checker().check_kept(who, held);
  }
}

}  // namespace

std::unique_ptr<World> make_consensus_world(const Plan& plan) {
  return std::make_unique<ConsensusWorld>(plan);
}

}  // namespace hm::simulator
