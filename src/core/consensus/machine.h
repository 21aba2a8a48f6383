// SPDX-License-Identifier: Apache-2.0
// The inside of Replica: state and reactions, split over machine_*.cc by concern. Every event
// changes some state and then calls react(), which applies the rules until nothing changes; so the
// outcome does not depend on which event brought the last missing piece.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/consensus/block_tree.h"
#include "core/consensus/messages.h"
#include "core/consensus/pacemaker.h"
#include "core/consensus/replica.h"
#include "core/consensus/vote_collector.h"
#include "core/consensus/vote_log.h"
#include "core/consensus/voter.h"

namespace hm::consensus {

class Machine {
 public:
  Machine(Config config, ValidatorSet validators, std::optional<SigningKey> key);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  void restore_final(const FinalBlock& newest);
  void restore_executed(Height height, const Digest& root);
  bool restore_record(LogSequence sequence, ByteView record);
  void note_damaged_tail();
  void start(Now now);

  void handle_peer_up(const NodeId& peer, Now now);
  void handle_peer_down(const NodeId& peer, Now now);
  void handle_message(const NodeId& from, ByteView message, Now now);
  void handle_durable(LogSequence sequence, Now now);
  std::optional<Digest> handle_payload(View view, Bytes payload, Now now);
  void handle_validated(const Digest& block, Verdict verdict, Now now);
  void handle_executed(Height height, const Digest& root, Now now);
  void handle_pending(Pending pending, Now now);
  void handle_stored(const NodeId& peer, Height from, std::vector<Bytes> blocks, Now now);
  void handle_tick(Now now);

  std::optional<MonoTime> next_deadline() const;
  std::optional<Effect> poll_effect();

  View view() const { return view_; }
  const Tip& tip() const { return tree_.tip(); }
  const std::optional<Certificate>& final_certificate() const { return final_certificate_; }
  Height claimed_height() const;
  const ValidatorSet& validators() const { return validators_; }
  std::optional<ValidatorIndex> own_index() const { return own_; }
  bool is_abstaining() const { return own_.has_value() && !voter_.can_vote(); }
  bool is_idle() const { return !timers_.armed; }
  Duration delta() const { return pace_.delta(); }
  const Counters& counters() const { return counters_; }
  const std::vector<Evidence>& faults() const { return faults_; }
  std::string describe() const;

 private:
  struct Peer {
    bool connected = false;
    bool suspect = false;       // led a view in silence; cleared by any message
    bool missed_turn = false;   // led a view without a proposal; cleared by its next proposal
    bool disconnected = false;  // was connected in this run and is not now
    bool abstains = false;      // said so; cleared by its next status or vote
    Beacon beacon;
    std::optional<View> first_view;  // first one heard in this run, see lift_abstention()
    std::optional<MonoTime> last_heard;
    std::optional<MonoTime> helped_at;
    std::optional<MonoTime> avoid_until;  // its answers were useless
    bool reading_store = false;           // a FetchStored is outstanding
  };
  struct ViewTimers {
    bool armed = false;
    bool expired = false;  // the leader or advance timer fired in this view
    unsigned retries = 0;
    MonoTime armed_at{};
    std::optional<MonoTime> leader, advance, retry, forward;
  };
  struct Draft {  // what a proposal of ours will extend
    View view = 0;
    Tip parent;
    Certificate parent_certificate;
    std::vector<Certificate> skips;
    std::uint64_t time_ms = 0;
    std::size_t max_bytes = 0;
  };
  struct Fetch {  // a body asked for by hash
    View view = 0;
    Digest hash;
    std::optional<NodeId> peer;
    MonoTime deadline{};
  };
  struct SyncSession {
    NodeId peer;
    Height next = 0;  // height of the first block still to come
    MonoTime deadline{};
    std::vector<FinalBlock> unproven;
    std::size_t unproven_bytes = 0;
  };
  enum class Check : std::uint8_t { Ready, Wait, Bad };

  // machine.cc
  void react(Now now);
  void drain_collector();
  bool is_own(const LogRecord& record) const;
  void notice_own_signature(const Certificate& certificate);
  bool lift_abstention();
  void refuse(Refusal refusal) { ++counters_.refused[static_cast<std::size_t>(refusal)]; }
  void emit(Effect effect) { effects_.push_back(std::move(effect)); }
  Beacon beacon() const { return {view_, tip().view, tip().height}; }

  // machine_chain.cc: views and final blocks
  bool enter_views(Now now);
  void enter(View view, Now now);
  bool commit(Now now);
  void finalize_block(const BlockPtr& block, const Digest& hash, const Certificate& certificate,
                      Now now);
  void settle(Now now);
  void check_execution(Height height, const Digest& final_root);
  void halt_on_fork(const Certificate& theirs);
  bool is_tail_open() const;

  // machine_vote.cc: what we sign
  bool vote_finalize();
  bool vote_notarize(Now now);
  bool vote_nullify(Now now);
  bool propose(Now now);
  bool wants_to_propose(Now now) const;
  bool find_parent(Draft& draft);
  Check check_context(TreeBlock& candidate, Now now);
  ExecutionRoot choose_execution_root(const Tip& parent) const;
  Check check_execution_root(TreeBlock& candidate, const Tip& parent);
  void condemn(TreeBlock& candidate, Refusal refusal);
  void cast(std::vector<Vote> votes, BlockPtr block);
  void send_vote(const Vote& vote, const BlockPtr& block);

  // machine_receive.cc: what others say
  void receive(const NodeId& from, Status& body, Now now);
  void receive(const NodeId& from, Proposal& body, Now now);
  void receive(const NodeId& from, VoteMessage& body, Now now);
  void receive(const NodeId& from, Certificates& body, Now now);
  void receive(const NodeId& from, FetchCertificates& body, Now now);
  void receive(const NodeId& from, FetchBlock& body, Now now);
  void receive(const NodeId& from, BlockReply& body, Now now);
  void receive(const NodeId& from, FetchFinal& body, Now now);
  void receive(const NodeId& from, FinalBlocks& body, Now now);
  bool is_well_formed(const Block& block) const;
  bool learn_justification(const Block& block);
  bool has_proposer_signature(const Block& block, const Digest& hash);
  bool is_in_window(View view) const;

  // machine_timing.cc: when
  bool has_work(Now now) const;
  void arm_timers(Now now);
  void fire_timers(Now now);
  bool should_skip_leader() const;
  void resend(std::optional<NodeId> to);
  void help(const NodeId& to, View from_view, View from_final, Now now);
  Peer* touch(const NodeId& peer);
  bool may_help(Peer& peer, Now now);

  // machine_sync.cc: getting what we miss
  void want(View view, const Digest& hash);
  bool is_final_elsewhere(View view, Now now) const;
  void fetch_missing(Now now);
  void fetch_certificates(Now now);
  void catch_up(Now now);
  void start_session(Now now);
  void end_session(Duration avoid, Now now);
  bool accept_final_blocks(std::vector<FinalBlock>& blocks);
  bool commit_proven(Now now);
  std::optional<NodeId> next_peer(const std::optional<NodeId>& after, Height above, Now now) const;
  void send(const NodeId& to, const Message& message, Lane lane = Lane::Consensus);
  void broadcast(Body body);

  Config config_;
  ValidatorSet validators_;
  std::optional<ValidatorIndex> own_;
  Voter voter_;
  VoteCollector collector_;
  BlockTree tree_;
  VoteLog log_;
  Pacemaker pace_;
  std::deque<Effect> effects_;
  Counters counters_;
  std::vector<Evidence> faults_;
  bool started_ = false;

  View view_ = 1;
  MonoTime entered_at_{};
  MonoTime reacted_at_{};  // passive deadlines before this were considered already
  ViewTimers timers_;
  MonoTime last_final_at_{};
  std::optional<Certificate> final_certificate_;
  Pending pending_ = Pending::None;
  std::map<Height, Digest> roots_;  // of executed heights
  std::map<Height, Digest> cited_;  // by final blocks, for heights not executed yet
  Height executed_ = 0;
  std::map<View, MonoTime> proposal_seen_;
  std::set<View> bad_views_;  // the leader signed a proposal that breaks the rules
  std::map<View, std::vector<VoteMessage>> own_votes_;  // durable, above the floor
  std::optional<Draft> draft_;
  std::optional<View> abstain_bound_;
  View unknown_signature_view_ = 0;

  std::map<NodeId, Peer> peers_;
  std::optional<std::pair<View, Digest>> wanted_;
  std::optional<Fetch> fetch_;
  std::optional<std::pair<View, View>> certificate_gap_;
  std::optional<MonoTime> certificate_fetch_at_;
  std::optional<NodeId> last_asked_;
  std::optional<SyncSession> session_;
  std::optional<MonoTime> lagging_since_;
  std::optional<NodeId> last_synced_;
};

}  // namespace hm::consensus
