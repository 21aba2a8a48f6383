// SPDX-License-Identifier: Apache-2.0
#include "core/consensus/test_cluster.h"

#include <algorithm>

#include "foundation/base/check.h"

namespace hm::consensus::testing {

std::uint64_t Dice::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

ChainDomain test_domain() {
  ChainDomain domain;
  domain.chain.bytes.fill(7);
  return domain;
}

NodeId node_id(std::size_t i) {
  NodeId id;
  id.bytes[0] = static_cast<std::uint8_t>(i + 1);
  return id;
}

std::vector<SigningKey> make_keys(std::size_t count) {
  std::vector<SigningKey> keys;
  for (std::size_t i = 0; i < count; ++i) {
    std::array<std::uint8_t, SigningKey::kSeedSize> seed{};
    seed[0] = static_cast<std::uint8_t>(i + 1);
    keys.push_back(SigningKey::from_seed(seed));
  }
  std::ranges::sort(keys, {}, [](const SigningKey& key) { return key.public_key(); });
  return keys;
}

ValidatorSet make_set(const std::vector<SigningKey>& keys, std::vector<std::uint64_t> stakes) {
  std::vector<Validator> validators;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    validators.push_back({node_id(i), keys[i].public_key(), stakes.empty() ? 100 : stakes[i]});
  }
  auto set = ValidatorSet::create(std::move(validators), Digest{});
  HM_CHECK(set.has_value());
  return std::move(*set);
}

Config make_config(std::size_t self) {
  Config config;
  config.domain = test_domain();
  config.self = node_id(self);
  config.genesis_hash.bytes.fill(1);
  config.genesis_root.bytes.fill(2);
  config.genesis_time_ms = kStartMillis;
  return config;
}

Certificate certify(const Statement& statement, const std::vector<SigningKey>& keys,
                    const std::vector<ValidatorIndex>& signers) {
  std::vector<Vote> votes;
  for (const ValidatorIndex i : signers) {
    votes.push_back(sign_vote(statement, i, keys[i], test_domain()));
  }
  return assemble(statement, votes, keys.size());
}

Cluster::Cluster(std::size_t validators, std::uint64_t seed, std::size_t followers)
    : dice_(seed), keys_(make_keys(validators)), validator_count_(validators) {
  nodes_.resize(validators + followers);
}

Now Cluster::now_of(std::size_t i) const {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
  const std::int64_t wall =
      static_cast<std::int64_t>(kStartMillis) + 1000 + ms.count() + nodes_[i].wall_offset_ms;
  return {now_, UnixMillis(static_cast<std::uint64_t>(wall))};
}

void Cluster::at(Duration delay, std::function<void()> action) {
  events_.emplace(std::pair{now_ + delay, next_event_++}, std::move(action));
}

void Cluster::guarded(std::size_t i, Duration delay, std::function<void()> action) {
  at(delay, [this, i, life = nodes_[i].incarnation, action = std::move(action)] {
    if (!nodes_[i].up || nodes_[i].incarnation != life) return;
    action();
    pump(i);
  });
}

void Cluster::start_all() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) restart(i, Log::Intact);
}

bool Cluster::linked(std::size_t a, std::size_t b) const {
  return a != b && nodes_[a].up && nodes_[b].up && !cut_.contains(std::minmax(a, b));
}

void Cluster::crash(std::size_t i) {
  nodes_[i].up = false;
  nodes_[i].replica.reset();
  for (std::size_t j = 0; j < nodes_.size(); ++j) {
    if (j == i || !nodes_[j].up) continue;
    nodes_[j].replica->handle_peer_down(node_id(i), now_of(j));
    pump(j);
  }
}

void Cluster::restart(std::size_t i, Log log) {
  Machinery& node = nodes_[i];
  ++node.incarnation;
  node.up = true;
  node.armed.reset();
  if (log != Log::Intact)
    node.journal.erase(node.journal.upper_bound(node.durable), node.journal.end());
  if (log == Log::Damaged && !node.journal.empty())
    node.journal.erase(std::prev(node.journal.end()));
  if (log == Log::Wiped) {
    node.journal.clear();
    node.store.clear();
    node.roots.clear();
    node.applied.clear();
  }
  std::optional<SigningKey> key;
  if (i < validator_count_) key = SigningKey::from_seed(keys_[i].seed());
  node.replica = std::make_unique<Replica>(make_config(i), make_set(keys_), std::move(key));
  if (!node.store.empty()) {
    const auto newest = codec::decode<FinalBlock>(node.store.rbegin()->second);
    HM_CHECK(newest.has_value());
    node.replica->restore_final(*newest);
    for (const auto& [height, root] : node.roots) {
      if (height >= newest->block.header.exec.height) node.replica->restore_executed(height, root);
    }
  }
  for (const auto& [sequence, record] : node.journal) {
    HM_CHECK(node.replica->restore_record(sequence, record));
  }
  node.durable = node.journal.empty() ? 0 : node.journal.rbegin()->first;
  if (log == Log::Damaged || log == Log::Wiped) node.replica->note_damaged_tail();
  node.replica->start(now_of(i));
  node.replica->handle_pending(node.pool.empty() ? Pending::None : Pending::Some, now_of(i));
  for (std::size_t j = 0; j < nodes_.size(); ++j) {
    if (!linked(i, j)) continue;
    node.replica->handle_peer_up(node_id(j), now_of(i));
    nodes_[j].replica->handle_peer_up(node_id(i), now_of(j));
    pump(j);
  }
  pump(i);
}

void Cluster::disconnect(std::size_t a, std::size_t b) {
  if (!linked(a, b)) {
    cut_.insert(std::minmax(a, b));
    return;
  }
  cut_.insert(std::minmax(a, b));
  nodes_[a].replica->handle_peer_down(node_id(b), now_of(a));
  nodes_[b].replica->handle_peer_down(node_id(a), now_of(b));
  pump(a);
  pump(b);
}

void Cluster::connect(std::size_t a, std::size_t b) {
  if (cut_.erase(std::minmax(a, b)) == 0 || !linked(a, b)) return;
  nodes_[a].replica->handle_peer_up(node_id(b), now_of(a));
  nodes_[b].replica->handle_peer_up(node_id(a), now_of(b));
  pump(a);
  pump(b);
}

void Cluster::submit_to(std::size_t i, std::uint64_t operation) {
  Machinery& node = nodes_[i];
  if (node.applied.contains(operation)) return;
  node.pool.insert(operation);
  if (!node.up) return;
  node.replica->handle_pending(Pending::Some, now_of(i));
  pump(i);
}

void Cluster::submit(std::uint64_t operation) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) submit_to(i, operation);
}

void Cluster::run_for(Duration duration) {
  run_until([] { return false; }, duration);
}

bool Cluster::run_until(const std::function<bool()>& done, Duration limit) {
  const MonoTime end = now_ + limit;
  while (!done()) {
    if (events_.empty() || events_.begin()->first.first > end) {
      now_ = end;
      return done();
    }
    auto event = events_.extract(events_.begin());
    now_ = event.key().first;
    event.mapped()();
  }
  return true;
}

bool Cluster::run_until_height(Height height, Duration limit) {
  return run_until(
      [&] {
        return std::ranges::all_of(nodes_, [&](const Machinery& node) {
          return !node.up || node.replica->final_height() >= height;
        });
      },
      limit);
}

void Cluster::pump(std::size_t i) {
  Machinery& node = nodes_[i];
  if (!node.up) return;
  while (auto effect = node.replica->poll_effect()) perform(i, *effect);
  const auto deadline = node.replica->next_deadline();
  if (!deadline || deadline == node.armed) return;
  node.armed = deadline;
  guarded(i, std::max(Duration{}, *deadline - now_), [this, i, deadline] {
    if (nodes_[i].armed != deadline) return;
    nodes_[i].armed.reset();
    nodes_[i].replica->handle_tick(now_of(i));
  });
}

void Cluster::perform(std::size_t i, Effect& effect) {
  Machinery& node = nodes_[i];
  if (auto* persist = std::get_if<Persist>(&effect)) {
    node.journal[persist->sequence] = std::move(persist->record);
    guarded(i, disk_delay, [this, i, sequence = persist->sequence] {
      nodes_[i].durable = std::max(nodes_[i].durable, sequence);
      nodes_[i].replica->handle_durable(sequence, now_of(i));
    });
  } else if (auto* broadcast = std::get_if<Broadcast>(&effect)) {
    for (std::size_t j = 0; j < nodes_.size(); ++j) transmit(i, j, broadcast->message);
  } else if (auto* sent = std::get_if<Send>(&effect)) {
    for (std::size_t j = 0; j < nodes_.size(); ++j) {
      if (node_id(j) == sent->peer) transmit(i, j, sent->message);
    }
  } else if (auto* request = std::get_if<RequestPayload>(&effect)) {
    guarded(i, Duration{}, [this, i, view = request->view, payload = payload_for(i, *request)] {
      nodes_[i].replica->handle_payload(view, payload, now_of(i));
    });
  } else if (auto* validate = std::get_if<Validate>(&effect)) {
    guarded(i, validation_delay, [this, i, hash = validate->hash] {
      nodes_[i].replica->handle_validated(hash, Verdict::Valid, now_of(i));
    });
  } else if (auto* final_block = std::get_if<Finalize>(&effect)) {
    finalize(i, *final_block);
  } else if (auto* fetch = std::get_if<FetchStored>(&effect)) {
    std::vector<Bytes> blocks;
    std::size_t bytes = 0;
    for (Height h = fetch->from; h < fetch->from + fetch->count && bytes < fetch->max_bytes; ++h) {
      const auto found = node.store.find(h);
      if (found == node.store.end()) break;
      blocks.push_back(found->second);
      bytes += found->second.size();
    }
    node.replica->handle_stored(fetch->peer, fetch->from, std::move(blocks), now_of(i));
  } else if (auto* trim = std::get_if<TrimLog>(&effect)) {
    node.journal.erase(node.journal.begin(), node.journal.lower_bound(trim->first));
  } else if (auto* fault = std::get_if<ReportFault>(&effect)) {
    HM_CHECK(verify_evidence(fault->evidence, test_domain(), make_set(keys_)).has_value());
    node.faults.push_back(fault->kind);
  } else if (std::holds_alternative<ReportDivergence>(effect)) {
    node.diverged = true;
  } else if (std::holds_alternative<ReportFork>(effect)) {
    node.forked = true;
  }
}

void Cluster::transmit(std::size_t from, std::size_t to, const SharedBytes& bytes) {
  if (!linked(from, to)) return;
  ++messages_sent_;
  if (dice_.below(100) < loss_percent) return;
  if (deliver) {
    const auto message = decode_message(*bytes);
    HM_CHECK(message.has_value());
    if (!deliver(from, to, *message)) return;
  }
  const auto spread = static_cast<std::uint64_t>((max_delay - min_delay).count());
  const Duration delay = min_delay + Duration(static_cast<std::int64_t>(dice_.below(spread + 1)));
  const std::uint64_t sender_life = nodes_[from].incarnation;
  guarded(to, delay, [this, from, to, bytes, sender_life] {
    // Nothing outlives its connection.
    if (!linked(from, to) || nodes_[from].incarnation != sender_life) return;
    nodes_[to].replica->handle_message(node_id(from), *bytes, now_of(to));
  });
}

Bytes Cluster::payload_for(std::size_t i, const RequestPayload& effect) const {
  std::set<std::uint64_t> known;
  for (const BlockPtr& block : effect.ancestors) {
    const auto operations = codec::decode<std::vector<std::uint64_t>>(block->payload);
    if (operations) known.insert(operations->begin(), operations->end());
  }
  std::vector<std::uint64_t> chosen;
  for (const std::uint64_t operation : nodes_[i].pool) {
    if (!known.contains(operation) && effect.max_bytes > 0) chosen.push_back(operation);
  }
  return codec::encode(chosen);
}

void Cluster::finalize(std::size_t i, const Finalize& effect) {
  Machinery& node = nodes_[i];
  const Height height = effect.block->header.height;
  const auto [known, fresh] = finals_.try_emplace(height, effect.hash);
  if (!fresh && known->second != effect.hash) forked_ = true;
  HM_CHECK(node.store.empty() ? true : node.store.rbegin()->first < height);
  node.store[height] = encode_final_block(*effect.block, effect.certificate);
  const auto operations = codec::decode<std::vector<std::uint64_t>>(effect.block->payload);
  HM_CHECK(operations.has_value());
  for (const std::uint64_t operation : *operations) {
    node.applied.insert(operation);
    node.pool.erase(operation);
  }
  node.replica->handle_pending(node.pool.empty() ? Pending::None : Pending::Some, now_of(i));
  const Digest previous = height == 1 ? make_config(i).genesis_root : node.roots[height - 1];
  const Digest root = crypto::hash_pair(previous, effect.hash);
  node.roots[height] = root;
  guarded(i, execution_delay,
          [this, i, height, root] { nodes_[i].replica->handle_executed(height, root, now_of(i)); });
}

}  // namespace hm::consensus::testing
