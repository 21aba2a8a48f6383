// SPDX-License-Identifier: Apache-2.0
#include "simulator/node_process.h"

#include <fmt/format.h>

#include "foundation/base/check.h"

namespace hm::simulator {
namespace {

constexpr Duration kLongestJob = std::chrono::milliseconds(3);

node::NodeConfig config_of(const ledger::Genesis& genesis, const Member& member) {
  node::NodeConfig config;
  config.genesis = genesis;
  if (member.voted) config.key_history = node::NodeConfig::KeyHistory::UsedBefore;
  return config;
}

}  // namespace

NodeProcess::NodeProcess(World& world, std::size_t who, const ledger::Genesis& genesis,
                         crypto::SigningKey key, Clients& clients)
    : world_(world),
      who_(who),
      honest_(world.is_honest(who)),
      clients_(clients),
      clock_(world.scheduler(), world.member(who).clock),
      timers_(world.scheduler(), clock_, *world.member(who).life),
      random_(world.fork_random()),
      workers_(world.scheduler(), *world.member(who).life, world.fork_random(), kLongestJob),
      store_(world.member(who).disk),
      transport_(world.network(), world.member(who).place),
      node_(config_of(genesis, world.member(who)), std::move(key),
            node::NodePorts{clock_, random_, timers_, workers_}),
      journal_(world.scheduler(), *world.member(who).life, world.member(who).disk, *this) {
  node_.add_observer(*this);
}

NodeProcess::~NodeProcess() { node_.remove_observer(*this); }

void NodeProcess::start() {
  const auto recovered = node_.recover(store_, journal_);
  if (!recovered) {
    world_.checker().fail("recovery", fmt::format("node {}: {}", who_, recovered.error().message));
    return;
  }
  if (honest_) {
    world_.checker().on_started(who_, node_.ledger().height(), node_.ledger().head().hash);
    world_.checker().on_root(who_, node_.ledger().height(), node_.ledger().root());
  }
  node_.start(transport_);
}

void NodeProcess::submit(std::uint64_t number) {
  const Bytes bytes = clients_.operation(number, node_.ledger().anchor());
  node_.submit(bytes, [this, number](const node::Admission& admission) {
    if (const auto* refused = std::get_if<ledger::Refused>(&admission)) {
      if (world_.tracing()) {
        world_.trace(who_, fmt::format("refuses {}: {}", number, name_of(refused->rule)));
      }
      return;
    }
    const auto* admitted = std::get_if<node::Admitted>(&admission);
    if (admitted == nullptr) return;
    node_.watch(admitted->id, [this, number](const node::FinalReceipt& receipt) {
      if (receipt.receipt.refused) {
        world_.checker().fail("refused", fmt::format("a valid operation {} was refused: {}", number,
                                                     name_of(receipt.receipt.refused->rule)));
        return;
      }
      // Receipts come just before the observers hear of the block.
      Scheduler& scheduler = world_.scheduler();
      scheduler.at(scheduler.now(),
                   [number, height = receipt.height, honest = honest_, world = &world_] {
                     if (honest) world->acknowledge(number, height);
                   });
    });
  });
}

std::map<crypto::Digest, std::uint64_t> NodeProcess::held() const {
  std::map<crypto::Digest, std::uint64_t> held;
  for (std::uint64_t height = 1; height <= node_.ledger().height(); ++height) {
    const auto receipts = node_.chain().receipts(height);
    if (!receipts) continue;
    for (const ledger::Receipt& receipt : *receipts) {
      if (!receipt.refused) held.emplace(receipt.operation, height);
    }
  }
  return held;
}

void NodeProcess::on_final(const node::FinalEvent& event) {
  const consensus::BlockHeader& header = event.block.header;
  if (world_.tracing()) {
    world_.trace(who_, fmt::format("FINAL height {} view {} {}", header.height, header.view,
                                   event.hash.to_string().substr(0, 8)));
  }
  if (!honest_) return;
  FinalRecord record{header.height, event.hash, header.parent_hash, {}};
  for (const ledger::Receipt& receipt : event.outcome.receipts) {
    if (!receipt.refused) record.operations.push_back(receipt.operation);
  }
  Checker& checker = world_.checker();
  checker.on_final(who_, record);
  checker.on_root(who_, header.height, event.outcome.root);
  const auto counted = node_.ledger().recount();
  checker.on_supply(
      who_, header.height,
      counted && counted->is_conserved() && *counted == node_.ledger().tables().supply);
}

void NodeProcess::on_halted(const std::string& reason) {
  world_.trace(who_, fmt::format("halts: {}", reason));
  if (!honest_ || world_.member(who_).disk.failed()) return;
  world_.checker().fail("halt", fmt::format("node {} halted: {}", who_, reason));
}

}  // namespace hm::simulator
