// SPDX-License-Identifier: Apache-2.0
#include "simulator/consensus_process.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/consensus/certificate.h"
#include "foundation/base/check.h"
#include "foundation/codec/reader.h"

namespace hm::simulator {
namespace {

using consensus::FinalBlock;
using consensus::Pending;
using consensus::Verdict;
using ports::Space;

constexpr Duration kLongestJob = std::chrono::milliseconds(3);
constexpr Duration kLongestExecution = std::chrono::milliseconds(2);

// Big-endian, so that the store's order is the order of heights.
Bytes key_of(std::uint64_t number) {
  Bytes key(sizeof number);
  for (std::size_t i = 0; i < key.size(); ++i) {
    key[i] = static_cast<std::uint8_t>(number >> (8 * (key.size() - 1 - i)));
  }
  return key;
}

std::uint64_t number_of(ByteView key) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : key) number = number << 8 | byte;
  return number;
}

consensus::Config config_of(const ConsensusSetup& setup, const identity::NodeId& self) {
  consensus::Config config;
  config.domain = setup.domain;
  config.self = self;
  config.genesis_hash = setup.genesis_hash;
  config.genesis_root = setup.genesis_root;
  config.genesis_time_ms = kEpochMillis - 60'000;
  return config;
}

ports::Channel channel_of(consensus::Lane lane) {
  return lane == consensus::Lane::Consensus ? ports::Channel::Consensus : ports::Channel::Sync;
}

}  // namespace

ConsensusProcess::ConsensusProcess(World& world, std::size_t who, const ConsensusSetup& setup,
                                   std::optional<consensus::SigningKey> key, KnownOperation known)
    : world_(world),
      who_(who),
      honest_(world.is_honest(who)),
      setup_(setup),
      known_(std::move(known)),
      clock_(world.scheduler(), world.member(who).clock),
      timers_(world.scheduler(), clock_, *world.member(who).life),
      random_(world.fork_random()),
      workers_(world.scheduler(), *world.member(who).life, world.fork_random(), kLongestJob),
      journal_(world.scheduler(), *world.member(who).life, world.member(who).disk, *this),
      store_(world.member(who).disk),
      transport_(world.network(), world.member(who).place),
      replica_(config_of(setup, world.member(who).node), setup.validators, std::move(key)),
      root_(setup.genesis_root) {
  timer_ = timers_.create([this] {
    replica_.handle_tick(now());
    pump();
  });
}

void ConsensusProcess::start() {
  recover();
  replica_.start(now());
  pump();
}

void ConsensusProcess::recover() {
  std::optional<FinalBlock> newest;
  (void)store_.scan(Space::Blocks, {}, {}, [&](ByteView, ByteView value) {
    auto block = codec::decode<FinalBlock>(value);
    HM_CHECK(block.has_value());
    newest = std::move(*block);
    return true;
  });
  (void)store_.scan(Space::State, {}, {}, [&](ByteView key, ByteView value) {
    executed_.emplace(number_of(key), number_of(value));
    return true;
  });
  if (newest) {
    const consensus::BlockHeader& header = newest->block.header;
    if (honest_) {
      world_.checker().on_started(who_, header.height, consensus::hash_of(header));
    }
    replica_.restore_final(*newest);
    for (std::uint64_t h = header.exec.height; h <= header.height; ++h) {
      const auto root = root_at(h);
      HM_CHECK(root.has_value());
      replica_.restore_executed(h, *root);
      root_ = *root;
    }
  } else if (honest_) {
    world_.checker().on_started(who_, 0, {});
  }
  bool intact = true;
  const auto report = journal_.replay([&](ports::LogSequence sequence, ByteView record) {
    intact = replica_.restore_record(sequence, record) && intact;
  });
  const bool wiped = report->last == 0 && world_.member(who_).voted;
  if (!intact || wiped || report->tail == ports::ReplayReport::Tail::Damaged) {
    replica_.note_damaged_tail();
  }
}

std::optional<crypto::Digest> ConsensusProcess::root_at(std::uint64_t height) const {
  if (height == 0) return setup_.genesis_root;
  const auto stored = store_.get(Space::Meta, key_of(height));
  if (!stored || !*stored) return std::nullopt;
  return codec::decode<crypto::Digest>(**stored).value();
}

std::optional<crypto::Digest> ConsensusProcess::stored_hash(std::uint64_t height) const {
  const auto stored = store_.get(Space::Blocks, key_of(height));
  if (!stored || !*stored) return std::nullopt;
  return consensus::hash_of(codec::decode<FinalBlock>(**stored).value().block.header);
}

void ConsensusProcess::pump() {
  if (halted_) return;
  while (auto effect = replica_.poll_effect()) {
    std::visit([this](auto& e) { perform(e); }, *effect);
    if (halted_) return;
  }
  if (world_.member(who_).disk.damaged() && !replica_.is_abstaining()) {
    journal_.acknowledge_damage();
  }
  if (const auto deadline = replica_.next_deadline()) {
    timer_->arm(*deadline);
  } else {
    timer_->cancel();
  }
}

void ConsensusProcess::submit(std::uint64_t number) {
  if (halted_) return;
  if (const auto found = executed_.find(number); found != executed_.end()) {
    world_.acknowledge(number, found->second);
    return;
  }
  clients_.insert(number);
  learn({number});
  gossip(std::nullopt, {number});
  pump();
}

bool ConsensusProcess::learn(const Numbers& numbers) {
  bool any = false;
  for (const std::uint64_t number : numbers) {
    if (!known_(number) || executed_.contains(number)) continue;
    any = pending_.insert(number).second || any;
  }
  if (any) replica_.handle_pending(Pending::Some, now());
  return any;
}

void ConsensusProcess::gossip(const std::optional<identity::NodeId>& to, const Numbers& numbers) {
  const auto message = std::make_shared<const Bytes>(codec::encode(numbers));
  if (to) {
    (void)transport_.send(*to, ports::Channel::Gossip, message);
    return;
  }
  for (const identity::NodeId& peer : transport_.connected_peers()) {
    (void)transport_.send(peer, ports::Channel::Gossip, message);
  }
}

void ConsensusProcess::on_peer_up(const identity::NodeId& peer) {
  if (halted_) return;
  if (!pending_.empty()) gossip(peer, {pending_.begin(), pending_.end()});
  replica_.handle_peer_up(peer, now());
  pump();
}

void ConsensusProcess::on_peer_down(const identity::NodeId& peer, const std::string&) {
  if (halted_) return;
  replica_.handle_peer_down(peer, now());
  pump();
}

void ConsensusProcess::on_message(const identity::NodeId& from, ports::Channel channel,
                                  ByteView payload) {
  if (halted_) return;
  if (channel == ports::Channel::Gossip) {
    const auto numbers = codec::decode<Numbers>(payload);
    if (numbers) learn(*numbers);
  } else {
    replica_.handle_message(from, payload, now());
  }
  pump();
}

void ConsensusProcess::on_durable(ports::LogSequence sequence) {
  if (halted_) return;
  world_.member(who_).voted = true;
  replica_.handle_durable(sequence, now());
  pump();
}

void ConsensusProcess::on_journal_failed(const Error&) {
  world_.trace(who_, "journal failed, halts");
  halted_ = true;
}

void ConsensusProcess::perform(consensus::Persist& effect) {
  const ports::LogSequence sequence = journal_.append(effect.record);
  if (sequence != effect.sequence) {
    world_.checker().fail(
        "log", fmt::format("node {} numbers record {} as {}", who_, sequence, effect.sequence));
  }
}

void ConsensusProcess::perform(consensus::Broadcast& effect) {
  for (const identity::NodeId& peer : transport_.connected_peers()) {
    (void)transport_.send(peer, channel_of(effect.lane), effect.message);
  }
}

void ConsensusProcess::perform(consensus::Send& effect) {
  (void)transport_.send(effect.peer, channel_of(effect.lane), effect.message);
}

void ConsensusProcess::perform(consensus::RequestPayload& effect) {
  std::set<std::uint64_t> taken;
  for (const consensus::BlockPtr& ancestor : effect.ancestors) {
    const auto numbers = codec::decode<Numbers>(ancestor->payload);
    if (numbers) taken.insert(numbers->begin(), numbers->end());
  }
  Numbers numbers;
  for (const std::uint64_t number : pending_) {
    if (effect.max_bytes == 0 || numbers.size() == kMaxOperationsPerBlock) break;
    if (!taken.contains(number)) numbers.push_back(number);
  }
  workers_.submit([] {},
                  [this, view = effect.view, payload = codec::encode(numbers)] {
                    replica_.handle_payload(view, payload, now());
                    pump();
                  });
}

Verdict ConsensusProcess::judge(const consensus::Validate& effect) const {
  if (!honest_) return Verdict::Valid;
  const auto numbers = codec::decode<Numbers>(effect.block->payload);
  const bool valid =
      numbers && numbers->size() <= kMaxOperationsPerBlock &&
      std::ranges::adjacent_find(*numbers, std::ranges::greater_equal{}) == numbers->end() &&
      std::ranges::all_of(*numbers, known_);
  return valid ? Verdict::Valid : Verdict::Invalid;
}

void ConsensusProcess::perform(consensus::Validate& effect) {
  const Verdict verdict = judge(effect);
  workers_.submit([] {},
                  [this, hash = effect.hash, verdict] {
                    replica_.handle_validated(hash, verdict, now());
                    pump();
                  });
}

crypto::Digest ConsensusProcess::execute(std::uint64_t height, const consensus::Block& block) {
  // Numbers that an earlier block holds change nothing: operations are idempotent.
  const Numbers numbers = codec::decode<Numbers>(block.payload).value();
  for (const std::uint64_t number : numbers) {
    pending_.erase(number);
    if (!executed_.emplace(number, height).second) continue;
    root_ = crypto::hash_pair(root_, crypto::sha256(key_of(number)));
  }
  root_ = crypto::hash_pair(root_, crypto::sha256(key_of(height)));
  return root_;
}

void ConsensusProcess::perform(consensus::Finalize& effect) {
  const consensus::Block& block = *effect.block;
  const std::uint64_t height = block.header.height;
  if (world_.tracing()) {
    world_.trace(who_, fmt::format("FINAL height {} view {} {}", height, block.header.view,
                                   effect.hash.to_string().substr(0, 8)));
  }
  const auto numbers = codec::decode<Numbers>(block.payload);
  if (honest_) {
    FinalRecord record{height, effect.hash, block.header.parent_hash, {}};
    if (!numbers) {
      world_.checker().fail("payload", fmt::format("height {} holds an invalid payload", height));
      halted_ = true;
      return;
    }
    for (const std::uint64_t n : *numbers) record.operations.push_back(crypto::sha256(key_of(n)));
    world_.checker().on_final(who_, record);
  }
  if (!numbers) return;
  const crypto::Digest root = execute(height, block);
  ports::WriteBatch batch{
      {Space::Blocks, key_of(height), consensus::encode_final_block(block, effect.certificate)},
      {Space::Meta, key_of(height), codec::encode(root)}};
  for (const std::uint64_t n : *numbers) {
    batch.push_back({Space::State, key_of(n), key_of(executed_.at(n))});
  }
  if (!store_.write(batch)) {
    world_.trace(who_, "store failed, halts");
    halted_ = true;
    return;
  }
  if (honest_) {
    world_.checker().on_root(who_, height, root);
    for (const std::uint64_t n : *numbers) {
      if (clients_.erase(n) > 0) world_.acknowledge(n, executed_.at(n));
    }
  }
  executed_at_ = std::max(executed_at_, world_.scheduler().now()) +
                 random_.between(Duration(0), kLongestExecution);
  world_.scheduler().at(executed_at_, world_.member(who_).life->guard([this, height, root] {
    if (halted_) return;
    replica_.handle_executed(height, root, now());
    replica_.handle_pending(pending_.empty() ? Pending::None : Pending::Some, now());
    pump();
  }));
}

void ConsensusProcess::perform(consensus::FetchStored& effect) {
  std::vector<Bytes> blocks;
  std::size_t bytes = 0;
  for (std::uint64_t h = effect.from; h < effect.from + effect.count; ++h) {
    const auto stored = store_.get(Space::Blocks, key_of(h));
    if (!stored || !*stored) break;
    bytes += (*stored)->size();
    blocks.push_back(**stored);
    if (bytes >= effect.max_bytes) break;
  }
  workers_.submit([] {},
                  [this, peer = effect.peer, from = effect.from, blocks] {
                    replica_.handle_stored(peer, from, blocks, now());
                    pump();
                  });
}

void ConsensusProcess::perform(consensus::TrimLog& effect) {
  // What the log no longer says must be said by the store, durably.
  if (!store_.sync()) {
    halted_ = true;
    return;
  }
  journal_.trim(effect.first);
}

void ConsensusProcess::perform(consensus::ReportFault& effect) {
  if (!honest_) return;
  const auto proven = consensus::verify_evidence(effect.evidence, setup_.domain, setup_.validators);
  const auto& accused = setup_.validators.at(effect.evidence.first.signer).node;
  if (world_.tracing()) world_.trace(who_, fmt::format("evidence: {}", name_of(effect.kind)));
  if (!proven) {
    world_.checker().fail("evidence", fmt::format("node {} reports what it cannot prove", who_));
  }
  world_.check_accused(who_, accused);
  world_.count_fault("evidence reported");
}

void ConsensusProcess::perform(consensus::ReportDivergence& effect) {
  if (!honest_) return;
  world_.checker().fail(
      "root", fmt::format("node {} finds its root at height {} foreign", who_, effect.height));
}

void ConsensusProcess::perform(consensus::ReportFork& effect) {
  if (!honest_) return;
  world_.checker().fail(
      "fork", fmt::format("node {} holds proof of another final block at {}", who_, effect.height));
}

}  // namespace hm::simulator
