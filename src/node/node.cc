// SPDX-License-Identifier: Apache-2.0
#include "node/node.h"

#include <algorithm>
#include <utility>

#include "core/identity/key_bundle.h"
#include "foundation/base/check.h"
#include "foundation/base/log.h"
#include "foundation/codec/writer.h"
#include "node/chain_validators.h"
#include "node/fault_judge.h"
#include "node/limits.h"

namespace hm::node {
Node::Node(NodeConfig config, crypto::SigningKey key, NodePorts ports)
    : config_(std::move(config)),
      key_(std::move(key)),
      ports_(ports),
      id_(identity::node_id_of(key_.public_key())),
      chain_(ledger::chain_id(config_.genesis)),
      checker_(ports_.workers, chain_) {
  consensus_timer_ =
      ports_.timers.create([this] { step([this] { replica_->handle_tick(now()); }); });
  gossip_timer_ = ports_.timers.create([this] { retry_gossip(); });
}

Node::~Node() { *alive_ = false; }

consensus::Now Node::now() const { return {ports_.clock.now(), ports_.clock.wall()}; }

Result<void> Node::recover(ports::Store& store, ports::Journal& journal) {
  store_ = &store;
  journal_ = &journal;
  chain_store_ = std::make_unique<ChainStore>(store);
  auto genesis_state = ledger::Ledger::from_genesis(config_.genesis, judge_fault);
  const crypto::Digest genesis_root = genesis_state.root();
  HM_TRY(const auto head, chain_store_->head(chain_));
  if (head) {
    HM_TRY(const auto entries, chain_store_->state());
    auto restored = ledger::Ledger::restore(entries, head->state_root, judge_fault);
    if (!restored) {
      return fail(ErrorCode::Corrupt,
                  "the ledger store does not hold the state of block " +
                      std::to_string(head->height) + ": " + std::string(name_of(restored.error())),
                  "move the data folder away and start again: the node fetches the chain from its "
                  "peers");
    }
    ledger_ = std::make_unique<ledger::Ledger>(std::move(*restored));
  } else {
    HM_TRY_VOID(chain_store_->initialise(genesis_state));
    ledger_ = std::make_unique<ledger::Ledger>(std::move(genesis_state));
  }

  const crypto::Digest seed = genesis_hash(chain_);
  auto validators = validators_of(*ledger_);
  std::optional<crypto::SigningKey> voting_key;
  if (validators.index_of_key(key_.public_key())) {
    voting_key = crypto::SigningKey::from_seed(key_.seed());
  }
  consensus::Config consensus_config;
  consensus_config.domain = {chain_, 0};
  consensus_config.self = id_;
  consensus_config.genesis_hash = seed;
  consensus_config.genesis_root = genesis_root;
  consensus_config.genesis_time_ms = config_.genesis.time.value;
  consensus_config.heartbeat = config_.heartbeat;
  consensus_config.clock_bound_ms = config_.clock_bound_ms;
  replica_ = std::make_unique<consensus::Replica>(consensus_config, std::move(validators),
                                                  std::move(voting_key));

  const std::uint64_t height = ledger_->height();
  if (height > 0) {
    HM_TRY(const auto newest, chain_store_->decoded_block(height));
    if (!newest) return fail(ErrorCode::Corrupt, "the ledger store has lost its newest block");
    replica_->restore_final(*newest);
    HM_TRY(const auto roots, chain_store_->roots(newest->block.header.exec.height, height));
    for (const auto& [root_height, root] : roots) replica_->restore_executed(root_height, root);
  }
  bool decodes = true;
  HM_TRY(const auto report, journal.replay([&](ports::LogSequence sequence, ByteView record) {
    // To the end in any case: new records are numbered after the last.
    decodes = replica_->restore_record(sequence, record) && decodes;
  }));
  const bool wiped =
      report.last == 0 && (height > 0 || config_.key_history == NodeConfig::KeyHistory::UsedBefore);
  journal_damaged_ = report.tail == ports::ReplayReport::Tail::Damaged;
  if (journal_damaged_ || wiped || !decodes) {
    log::warning("node", "the vote log is damaged or gone; not voting until a newer final block",
                 {{"height", height}});
    replica_->note_damaged_tail();
  }
  flushed_height_ = height;
  return {};
}

void Node::start(ports::Transport& transport) {
  HM_CHECK(replica_ != nullptr);
  transport_ = &transport;
  last_final_at_ = ports_.clock.now();
  step([this] { replica_->start(now()); });
}

void Node::stop() {
  transport_ = nullptr;
  consensus_timer_->cancel();
  gossip_timer_->cancel();
  if (store_ != nullptr) {
    if (auto done = store_->sync(); !done) {
      log::warning("node", "cannot flush the ledger store", {{"why", done.error().detail}});
    }
  }
}

void Node::step(const std::function<void()>& event) {
  if (halt_reason_ || transport_ == nullptr) return;
  event();
  pump();
}

void Node::pump() {
  // An effect may call back into step(); the outer loop carries out what that adds.
  if (pumping_) return;
  pumping_ = true;
  bool more = true;
  while (more && !halt_reason_) {
    more = false;
    while (auto effect = replica_->poll_effect()) {
      std::visit([this](auto& e) { on_effect(std::move(e)); }, *effect);
      if (halt_reason_) break;
    }
    if (halt_reason_) break;
    auto pending = consensus::Pending::None;
    if (mempool_.waiting() > 0) {
      pending = consensus::Pending::Some;
    } else if (mempool_.ready() > 0) {
      pending = consensus::Pending::Included;
    }
    replica_->handle_pending(pending, now());
    if (auto effect = replica_->poll_effect()) {
      std::visit([this](auto& e) { on_effect(std::move(e)); }, *effect);
      more = true;
    }
  }
  pumping_ = false;
  if (halt_reason_) return;
  if (journal_damaged_ && !replica_->is_abstaining()) {
    journal_damaged_ = false;
    journal_->acknowledge_damage();
  }
  if (const auto deadline = replica_->next_deadline()) {
    consensus_timer_->arm(*deadline);
  } else {
    consensus_timer_->cancel();
  }
}

void Node::halt(std::string reason) {
  if (halt_reason_) return;
  log::error("node", "halted: this node votes and admits nothing more", {{"why", reason}});
  halt_reason_ = std::move(reason);
  consensus_timer_->cancel();
  gossip_timer_->cancel();
  for (NodeObserver* observer : std::vector(observers_)) observer->on_halted(*halt_reason_);
}

void Node::on_peer_up(const identity::NodeId& peer) {
  peers_.insert(peer);
  for (NodeObserver* observer : std::vector(observers_)) observer->on_connected(peer);
  step([&] { replica_->handle_peer_up(peer, now()); });
}

void Node::on_peer_down(const identity::NodeId& peer, const std::string& reason) {
  log::debug("node", "peer is gone", {{"peer", peer.to_string()}, {"why", reason}});
  peers_.erase(peer);
  for (NodeObserver* observer : std::vector(observers_)) observer->on_disconnected(peer);
  step([&] { replica_->handle_peer_down(peer, now()); });
}

void Node::on_message(const identity::NodeId& from, ports::Channel channel, ByteView payload) {
  if (halt_reason_) return;
  if (channel == ports::Channel::Gossip) {
    on_gossip(payload);
    return;
  }
  if (channel == ports::Channel::Leases) {
    for (NodeObserver* observer : std::vector(observers_)) {
      observer->on_lease_message(from, payload);
    }
    return;
  }
  if (channel == ports::Channel::Containers) {
    for (NodeObserver* observer : std::vector(observers_)) {
      observer->on_container_message(from, payload);
    }
    return;
  }
  if (channel == ports::Channel::Storage) {
    for (NodeObserver* observer : std::vector(observers_)) {
      observer->on_storage_message(from, payload);
    }
    return;
  }
  step([&] { replica_->handle_message(from, payload, now()); });
}

void Node::on_durable(ports::LogSequence sequence) {
  step([&] { replica_->handle_durable(sequence, now()); });
}

void Node::on_journal_failed(const Error& error) {
  halt("the vote log cannot be written: " + error.message);
}

WatchId Node::watch(const crypto::Digest& operation,
                    std::function<void(const FinalReceipt&)> done) {
  const WatchId id = next_watch_++;
  if (const auto known = receipts_.find(operation); known != receipts_.end()) {
    done(known->second);
    return id;
  }
  watches_.emplace(id, Watch{operation, std::move(done)});
  watches_by_operation_.emplace(operation, id);
  return id;
}

void Node::unwatch(WatchId watch) {
  const auto found = watches_.find(watch);
  if (found == watches_.end()) return;
  const auto [first, last] = watches_by_operation_.equal_range(found->second.operation);
  watches_by_operation_.erase(
      std::find_if(first, last, [&](const auto& entry) { return entry.second == watch; }));
  watches_.erase(found);
}

std::optional<FinalReceipt> Node::receipt(const crypto::Digest& operation) const {
  const auto found = receipts_.find(operation);
  if (found == receipts_.end()) return std::nullopt;
  return found->second;
}

void Node::add_observer(NodeObserver& observer) { observers_.push_back(&observer); }
void Node::remove_observer(NodeObserver& observer) { std::erase(observers_, &observer); }

void Node::on_effect(consensus::Persist effect) {
  const ports::LogSequence sequence = journal_->append(effect.record);
  HM_CHECK(sequence == effect.sequence);
}

void Node::send_to(const identity::NodeId& peer, consensus::Lane lane,
                   const ports::SharedBytes& message) {
  const auto channel =
      lane == consensus::Lane::Consensus ? ports::Channel::Consensus : ports::Channel::Sync;
  if (transport_->send(peer, channel, message) == ports::SendResult::QueueFull) {
    ++counters_.send_dropped;
  }
}

bool Node::send_lease_message(const identity::NodeId& peer, Bytes message) {
  return send_on(ports::Channel::Leases, peer, std::move(message));
}

bool Node::send_container_message(const identity::NodeId& peer, Bytes message) {
  return send_on(ports::Channel::Containers, peer, std::move(message));
}

bool Node::send_storage_message(const identity::NodeId& peer, Bytes message,
                                ports::SharedBytes rest) {
  return send_on(ports::Channel::Storage, peer, std::move(message), std::move(rest));
}

bool Node::send_on(ports::Channel channel, const identity::NodeId& peer, Bytes message,
                   ports::SharedBytes rest) {
  if (halt_reason_ || transport_ == nullptr) return false;
  auto head = std::make_shared<const Bytes>(std::move(message));
  const auto sent = rest ? transport_->send_joined(peer, channel, std::move(head), std::move(rest))
                         : transport_->send(peer, channel, std::move(head));
  if (sent == ports::SendResult::QueueFull) ++counters_.send_dropped;
  return sent == ports::SendResult::Queued;
}

void Node::on_effect(consensus::Broadcast effect) {
  for (const identity::NodeId& peer : peers_) send_to(peer, effect.lane, effect.message);
}

void Node::on_effect(consensus::Send effect) { send_to(effect.peer, effect.lane, effect.message); }

void Node::on_effect(consensus::FetchStored effect) {
  auto blocks = chain_store_->blocks(effect.from, effect.count, effect.max_bytes);
  if (!blocks) {
    halt("the ledger store cannot be read: " + blocks.error().message);
    return;
  }
  replica_->handle_stored(effect.peer, effect.from, std::move(*blocks), now());
}

void Node::on_effect(consensus::TrimLog effect) {
  trim_wanted_ = effect.first;
  trim_journal();
}

// The journal repeats what the store may still lose in a power failure: it is cut only after the
// store was flushed.
void Node::trim_journal() {
  const std::uint64_t height = ledger_->height();
  if (flush_running_ || !trim_wanted_ || !finals_.empty() ||
      height < flushed_height_ + kBlocksPerStoreFlush)
    return;
  flush_running_ = true;
  auto outcome = std::make_shared<Result<void>>();
  ports_.workers.submit([store = store_, outcome] { *outcome = store->sync(); },
                        [this, alive = alive_, outcome, height, first = *trim_wanted_] {
                          if (!*alive) return;
                          flush_running_ = false;
                          if (!*outcome) {
                            halt("the ledger store cannot be flushed: " + outcome->error().message);
                            return;
                          }
                          flushed_height_ = height;
                          journal_->trim(first);
                        });
}

void Node::on_effect(consensus::ReportFault effect) {
  ++counters_.faults_reported;
  const auto signer = effect.evidence.first.signer;
  log::warning("consensus", "a validator provably broke a voting rule",
               {{"fault", name_of(effect.kind)},
                {"node", replica_->validators().at(signer).node.to_string()},
                {"view", effect.evidence.first.statement.view}});
  for (NodeObserver* observer : std::vector(observers_)) observer->on_fault(effect.evidence);
}

void Node::on_effect(consensus::ReportDivergence effect) {
  halt("state differs from the chain at height " + std::to_string(effect.height) + ": own root " +
       effect.own.to_string() + ", final root " + effect.expected.to_string());
}

void Node::on_effect(consensus::ReportFork effect) {
  halt("two blocks are proven final at height " + std::to_string(effect.height) +
       ": a third of the stake or more broke the rules; own block " + effect.ours.to_string() +
       ", other block " + effect.theirs.statement.block.to_string());
}

}  // namespace hm::node
