// SPDX-License-Identifier: Apache-2.0
// Machine: getting what we miss: bodies by hash, certificates by view, final blocks by height.
#include <algorithm>

#include "core/consensus/machine.h"

namespace hm::consensus {
namespace {

// A peer whose answer was wrong is left alone this long; one that had nothing, or was slow, less.
constexpr Duration kAvoidLiar = std::chrono::seconds(30);
constexpr Duration kAvoidUseless = std::chrono::seconds(1);

// Up to this lag the blocks are probably on their way already.
constexpr Height kTolerableLag = 8;

}  // namespace

void Machine::send(const NodeId& to, const Message& message, Lane lane) {
  emit(Send{to, std::make_shared<const Bytes>(encode_message(message)), lane});
}

void Machine::broadcast(Body body) {
  auto bytes = std::make_shared<const Bytes>(encode_message({beacon(), std::move(body)}));
  emit(Broadcast{std::move(bytes), Lane::Consensus});
}

// Remembers the body that keeps us from going on; the first one asked for in a round of rules wins.
void Machine::want(View view, const Digest& hash) {
  if (!wanted_) wanted_ = {view, hash};
}

// The next connected peer after `after`, in the order of ids, that claims a height above `above`.
std::optional<NodeId> Machine::next_peer(const std::optional<NodeId>& after, Height above,
                                         Now now) const {
  const auto usable = [&](const Peer& peer) {
    return peer.connected && peer.beacon.final_height >= above &&
           (!peer.avoid_until || *peer.avoid_until <= now.mono);
  };
  auto it = after ? peers_.upper_bound(*after) : peers_.begin();
  for (std::size_t i = 0; i <= peers_.size(); ++i, ++it) {
    if (it == peers_.end()) it = peers_.begin();
    if (it == peers_.end()) break;
    if (usable(it->second)) return it->first;
  }
  return std::nullopt;
}

// Whether that view is behind the final block of validators that we can ask: they keep no body by
// hash. Beacons are unsigned; enough of them must say so that an honest one is among them.
bool Machine::is_final_elsewhere(View view, Now now) const {
  std::uint64_t stake = 0;
  for (const Validator& validator : validators_.all()) {
    const auto found = peers_.find(validator.node);
    if (found == peers_.end()) continue;
    const Peer& peer = found->second;
    const bool usable = peer.connected && (!peer.avoid_until || *peer.avoid_until <= now.mono);
    if (usable && peer.beacon.final_view >= view && peer.beacon.final_height > tip().height) {
      stake += validator.stake;
    }
  }
  return validators_.is_honest_witness(stake);
}

// A notarized block whose body did not come (pitfall P4): ask one peer after the other.
void Machine::fetch_missing(Now now) {
  if (!wanted_) {
    fetch_.reset();
    return;
  }
  if (!fetch_ || fetch_->hash != wanted_->second) {
    // The proposal may just be late: give it half a Δ.
    fetch_ = Fetch{wanted_->first, wanted_->second, std::nullopt, now.mono + pace_.forward_delay()};
    return;
  }
  if (now.mono < fetch_->deadline) return;
  if (is_final_elsewhere(fetch_->view, now)) {
    fetch_->deadline = now.mono + pace_.answer_time();
    if (!session_) start_session(now);
    return;
  }
  // Only validators are sure to keep bodies that are not final.
  std::optional<NodeId> peer = last_asked_;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    peer = next_peer(peer, 0, now);
    if (!peer || validators_.index_of(*peer)) break;
  }
  fetch_->deadline = now.mono + std::min<Duration>(pace_.answer_time(), kFetchTimeout);
  if (!peer) return;
  last_asked_ = peer;
  fetch_->peer = peer;
  send(*peer, {beacon(), FetchBlock{fetch_->view, fetch_->hash}});
}

// We lead and lack proof for a view below: ask for all that is open.
void Machine::fetch_certificates(Now now) {
  if (!certificate_gap_) {
    certificate_fetch_at_.reset();
    return;
  }
  if (certificate_fetch_at_ && now.mono < *certificate_fetch_at_) return;
  certificate_fetch_at_ = now.mono + pace_.delta();
  const View last = certificate_gap_->second;
  const View span = kMaxHelpCertificates - 1;
  const View first = std::max(certificate_gap_->first, last > span ? last - span : 0);
  last_asked_ = next_peer(last_asked_, 0, now);
  if (last_asked_) send(*last_asked_, {beacon(), FetchCertificates{first, last}});
}

void Machine::catch_up(Now now) {
  if (session_) {
    if (now.mono >= session_->deadline) end_session(kAvoidUseless, now);
    if (session_) return;
  }
  const Height claimed = claimed_height();
  if (claimed <= tip().height || voter_.is_halted()) {
    lagging_since_.reset();
    return;
  }
  if (tip().height > executed_ + kMaxUnexecutedBlocks) return;
  if (!lagging_since_) lagging_since_ = now.mono;
  if (claimed > tip().height + kTolerableLag || now.mono >= *lagging_since_ + pace_.answer_time()) {
    start_session(now);
  }
}

void Machine::start_session(Now now) {
  const auto peer = next_peer(last_synced_, tip().height + 1, now);
  lagging_since_ = now.mono;  // the next look, if nobody is usable now
  if (!peer) return;
  last_synced_ = peer;
  session_ = SyncSession{*peer, tip().height + 1, now.mono + kFetchTimeout, {}, 0};
  ++counters_.sync_requests;
  send(*peer, {beacon(), FetchFinal{session_->next, kMaxSyncBlocks}});
}

void Machine::end_session(Duration avoid, Now now) {
  peers_[session_->peer].avoid_until = now.mono + avoid;
  session_.reset();
  lagging_since_ = now.mono;
}

void Machine::receive(const NodeId& from, FinalBlocks& body, Now now) {
  if (!session_ || session_->peer != from || body.from != session_->next) {
    return refuse(Refusal::UnexpectedReply);
  }
  if (body.blocks.empty()) return end_session(kAvoidUseless, now);
  if (!accept_final_blocks(body.blocks) || !commit_proven(now)) {
    refuse(Refusal::UnexpectedReply);
    return end_session(kAvoidLiar, now);
  }
  const NodeId peer = session_->peer;
  const bool more = session_->next <= peers_[peer].beacon.final_height &&
                    tip().height <= executed_ + kMaxUnexecutedBlocks;
  if (!more) {
    session_.reset();
    lagging_since_.reset();
    return;
  }
  session_->deadline = now.mono + kFetchTimeout;
  ++counters_.sync_requests;
  send(peer, {beacon(), FetchFinal{session_->next, kMaxSyncBlocks}});
}

// Appends blocks to the unproven chain of the session; false if they do not link up.
bool Machine::accept_final_blocks(std::vector<FinalBlock>& blocks) {
  for (FinalBlock& final_block : blocks) {
    const BlockHeader& header = final_block.block.header;
    if (header.height <= tip().height) {  // became final otherwise in the meantime
      ++session_->next;
      continue;
    }
    const bool first = session_->unproven.empty();
    const Digest parent = first ? tip().hash : hash_of(session_->unproven.back().block.header);
    const View parent_view = first ? tip().view : session_->unproven.back().block.header.view;
    const Height height =
        first ? tip().height + 1 : session_->unproven.back().block.header.height + 1;
    if (header.height != height || header.parent_hash != parent ||
        header.parent_view != parent_view || header.domain != config_.domain ||
        !is_well_formed(final_block.block)) {
      return false;
    }
    session_->unproven_bytes += final_block.block.payload.size();
    session_->unproven.push_back(std::move(final_block));
    ++session_->next;
  }
  return session_->unproven.size() <= kMaxUnprovenSyncBlocks &&
         session_->unproven_bytes <= kMaxUnprovenSyncBytes;
}

// Finalizes the unproven chain as far as finalizations of its own blocks reach; every one of them
// is verified, because it goes to the store.
bool Machine::commit_proven(Now now) {
  std::vector<FinalBlock>& chain = session_->unproven;
  std::size_t begin = 0;
  while (begin < chain.size() && chain[begin].block.header.height <= tip().height) ++begin;
  if (begin > 0 && hash_of(chain[begin - 1].block.header) != tip().hash &&
      chain[begin - 1].block.header.height == tip().height) {
    return false;
  }
  std::vector<Digest> hashes;
  std::optional<std::size_t> last;
  for (std::size_t i = begin; i < chain.size(); ++i) {
    hashes.push_back(hash_of(chain[i].block.header));
    const Certificate& certificate = chain[i].certificate;
    const Statement direct{VoteKind::Finalize, chain[i].block.header.view, hashes.back()};
    if (certificate.statement != direct) continue;
    counters_.signatures_verified += certificate.signatures.size();
    if (!verify_certificate(certificate, config_.domain, validators_)) return false;
    last = i;
  }
  if (!last) {
    chain.erase(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(begin));
    return true;
  }
  std::vector<std::size_t> proof(*last + 1, *last);  // which certificate stands for which block
  for (std::size_t i = *last + 1; i-- > begin;) {
    const auto& statement = chain[i].certificate.statement;
    const bool direct =
        statement.kind == VoteKind::Finalize && statement.block == hashes[i - begin];
    proof[i] = direct ? i : (i == *last ? i : proof[i + 1]);
  }
  for (std::size_t i = begin; i <= *last; ++i) {
    auto block = std::make_shared<const Block>(chain[i].block);
    finalize_block(block, hashes[i - begin], chain[proof[i]].certificate, now);
  }
  chain.erase(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(*last + 1));
  session_->unproven_bytes = 0;
  for (const FinalBlock& rest : chain) session_->unproven_bytes += rest.block.payload.size();
  settle(now);
  return true;
}

void Machine::handle_stored(const NodeId& to, Height from, std::vector<Bytes> blocks, Now now) {
  const auto found = peers_.find(to);
  if (found == peers_.end() || !found->second.reading_store) return;
  found->second.reading_store = false;
  std::size_t bytes = 0;
  std::size_t count = 0;
  while (count < blocks.size() && count < kMaxSyncBlocks) {
    bytes += blocks[count].size();
    if (count > 0 && bytes > kMaxSyncBytes) break;
    ++count;
  }
  blocks.resize(count);
  auto message = std::make_shared<const Bytes>(encode_final_blocks(beacon(), from, blocks));
  if (message->size() <= kMaxMessageBytes) emit(Send{to, std::move(message), Lane::Sync});
  react(now);
}

}  // namespace hm::consensus
