// SPDX-License-Identifier: Apache-2.0
// One replica against forged messages: the pitfalls of other implementations, rule by rule.
#include "core/consensus/replica.h"

#include <gtest/gtest.h>

#include "core/consensus/test_cluster.h"

namespace hm::consensus::testing {
namespace {

// Replica `self` of four; the test speaks for the other three. The disk is as fast as wished.
class Lone : public ::testing::Test {
 protected:
  Lone() { boot(); }

  void boot() {
    replica_ = std::make_unique<Replica>(make_config(self_), make_set(keys_),
                                         SigningKey::from_seed(keys_[self_].seed()));
    for (const auto& [sequence, record] : journal_) {
      ASSERT_TRUE(replica_->restore_record(sequence, record));
    }
    replica_->start(now());
    for (std::size_t i = 0; i < 4; ++i) {
      if (i != self_) replica_->handle_peer_up(node_id(i), now());
    }
    drain();
  }

  Now now() const { return {MonoTime(clock_), UnixMillis(kStartMillis + 1000 + wall_ms_)}; }

  void drain() {
    while (auto effect = replica_->poll_effect()) {
      if (auto* persist = std::get_if<Persist>(&*effect)) {
        journal_[persist->sequence] = persist->record;
        if (disk_works_) replica_->handle_durable(persist->sequence, now());
      } else if (auto* broadcast = std::get_if<Broadcast>(&*effect)) {
        note(*broadcast->message);
      } else if (auto* sent = std::get_if<Send>(&*effect)) {
        note(*sent->message, sent->peer);
      } else if (auto* request = std::get_if<RequestPayload>(&*effect)) {
        ++payload_requests_;
        replica_->handle_payload(request->view, Bytes{1}, now());
      } else if (auto* validate = std::get_if<Validate>(&*effect)) {
        validated_.push_back(validate->hash);
        replica_->handle_validated(validate->hash, verdict_, now());
      } else if (auto* block = std::get_if<Finalize>(&*effect)) {
        finals_.push_back(block->hash);
        if (executes_) replica_->handle_executed(block->block->header.height, root_, now());
      } else if (auto* fault = std::get_if<ReportFault>(&*effect)) {
        faults_.push_back(fault->kind);
      } else if (std::holds_alternative<ReportDivergence>(*effect)) {
        diverged_ = true;
      } else if (std::holds_alternative<ReportFork>(*effect)) {
        forked_ = true;
      }
    }
  }

  void note(const Bytes& bytes, std::optional<NodeId> to = std::nullopt) {
    auto message = decode_message(bytes);
    ASSERT_TRUE(message);
    if (auto* vote = std::get_if<VoteMessage>(&message->body)) votes_.push_back(vote->vote);
    if (to) direct_.emplace_back(*to, message->body);
    sent_.push_back(std::move(message->body));
  }

  void deliver(std::size_t from, Body body) {
    replica_->handle_message(node_id(from), encode_message({beacon_, std::move(body)}), now());
    drain();
  }

  void vote(std::size_t signer, VoteKind kind, View view, const Digest& hash = {}) {
    const auto index = static_cast<ValidatorIndex>(signer);
    deliver(signer, VoteMessage{sign_vote({kind, view, hash}, index, keys_[signer], test_domain()),
                                std::nullopt});
  }

  void certificate(VoteKind kind, View view, const Digest& hash = {}) {
    deliver(others_[0], Certificates{{certify({kind, view, hash}, keys_, others_)}});
  }

  void wait(Duration duration) {
    const Duration end = clock_ + duration;
    while (true) {
      const auto deadline = replica_->next_deadline();
      if (!deadline || deadline->time_since_epoch() > end) break;
      clock_ = std::max(clock_, deadline->time_since_epoch());
      replica_->handle_tick(now());
      drain();
    }
    clock_ = end;
  }

  // A block that extends `parent` (or genesis), with everything in order.
  Block make_block(View view, const Block* parent, std::uint8_t tag = 0) const {
    Block block;
    BlockHeader& header = block.header;
    header.domain = test_domain();
    header.view = view;
    header.parent_hash = make_config(0).genesis_hash;
    header.exec = {0, make_config(0).genesis_root};
    header.height = 1;
    header.time_ms = kStartMillis + 1000 + view;
    if (parent != nullptr) {
      header.parent_view = parent->header.view;
      header.parent_hash = hash_of(parent->header);
      header.height = parent->header.height + 1;
      block.parent_certificate =
          certify({VoteKind::Notarize, header.parent_view, header.parent_hash}, keys_, others_);
    }
    for (View skip = header.parent_view + 1; skip < view; ++skip) {
      block.skip_certificates.push_back(certify({VoteKind::Nullify, skip, {}}, keys_, others_));
    }
    block.payload = {tag};
    header.proposer = replica_->leader(view);
    seal(block);
    return block;
  }

  void seal(Block& block) const {
    BlockHeader& header = block.header;
    header.justification_hash =
        justification_hash_of(block.parent_certificate, block.skip_certificates);
    header.payload_hash = crypto::sha256(block.payload);
    block.signature = sign_vote({VoteKind::Propose, header.view, hash_of(header)}, header.proposer,
                                keys_[header.proposer], test_domain())
                          .signature;
  }

  bool voted(VoteKind kind, View view, std::optional<Digest> hash = std::nullopt) const {
    for (const Vote& vote : votes_) {
      if (vote.statement.kind == kind && vote.statement.view == view &&
          (!hash || vote.statement.block == *hash)) {
        return true;
      }
    }
    return false;
  }
  // Whether it told anybody that it abstains, or that it does not.
  bool says(bool abstains) const {
    return std::ranges::any_of(sent_, [&](const Body& body) {
      const auto* status = std::get_if<Status>(&body);
      return status != nullptr && status->abstains == abstains;
    });
  }
  std::uint64_t refused(Refusal refusal) const {
    return replica_->counters().refused[static_cast<std::size_t>(refusal)];
  }
  template <class T>
  std::size_t sent() const {
    std::size_t count = 0;
    for (const Body& body : sent_) count += std::holds_alternative<T>(body) ? 1 : 0;
    return count;
  }

  std::vector<SigningKey> keys_ = make_keys(4);
  // Chosen such that others lead the first two views.
  std::size_t self_ = make_set(keys_).leader(3);
  std::vector<ValidatorIndex> others_ = [this] {
    std::vector<ValidatorIndex> others;
    for (ValidatorIndex i = 0; i < 4; ++i) {
      if (i != self_) others.push_back(i);
    }
    return others;
  }();
  std::unique_ptr<Replica> replica_;
  Duration clock_{};
  std::uint64_t wall_ms_ = 0;
  Beacon beacon_;
  bool disk_works_ = true;
  bool executes_ = true;
  Verdict verdict_ = Verdict::Valid;
  Digest root_ = make_config(0).genesis_root;
  std::map<LogSequence, Bytes> journal_;
  std::vector<Vote> votes_;
  std::vector<Body> sent_;
  std::vector<std::pair<NodeId, Body>> direct_;
  std::vector<Digest> validated_;
  std::vector<Digest> finals_;
  std::vector<FaultKind> faults_;
  int payload_requests_ = 0;
  bool diverged_ = false;
  bool forked_ = false;
};

TEST_F(Lone, NotarizesFinalizesAndCommits) {
  const Block b1 = make_block(1, nullptr);
  const Digest hash = hash_of(b1.header);
  deliver(b1.header.proposer, Proposal{b1});
  EXPECT_TRUE(voted(VoteKind::Notarize, 1, hash));
  EXPECT_FALSE(voted(VoteKind::Finalize, 1));
  vote(others_[0], VoteKind::Notarize, 1, hash);
  EXPECT_FALSE(voted(VoteKind::Finalize, 1)) << "two of four are no quorum";
  vote(others_[1], VoteKind::Notarize, 1, hash);
  EXPECT_TRUE(voted(VoteKind::Finalize, 1, hash));
  EXPECT_EQ(replica_->view(), 2u);
  EXPECT_TRUE(finals_.empty());
  vote(others_[0], VoteKind::Finalize, 1, hash);
  vote(others_[1], VoteKind::Finalize, 1, hash);
  EXPECT_EQ(finals_, std::vector{hash});
  EXPECT_EQ(replica_->final_height(), 1u);
  EXPECT_TRUE(faults_.empty());
}

// Otherwise the slowest timer, doubled in every lost view, sets the pace of all.
TEST_F(Lone, JoinsANullificationOnceAnHonestValidatorIsAmongIt) {
  std::vector<ValidatorIndex> impatient = others_;
  std::erase(impatient, replica_->leader(1));
  vote(impatient[0], VoteKind::Nullify, 1);
  EXPECT_FALSE(voted(VoteKind::Nullify, 1)) << "it may be the malicious one";
  vote(impatient[1], VoteKind::Nullify, 1);
  EXPECT_TRUE(voted(VoteKind::Nullify, 1));
  EXPECT_EQ(replica_->view(), 2u);
}

TEST_F(Lone, NoVoteCountsOrLeavesBeforeItIsDurable) {
  disk_works_ = false;
  const Block b1 = make_block(1, nullptr);
  const Digest hash = hash_of(b1.header);
  deliver(b1.header.proposer, Proposal{b1});
  vote(others_[0], VoteKind::Notarize, 1, hash);
  vote(others_[1], VoteKind::Notarize, 1, hash);
  EXPECT_TRUE(votes_.empty());
  EXPECT_EQ(replica_->view(), 1u) << "our own vote must not have been counted";
  disk_works_ = true;
  replica_->handle_durable(journal_.rbegin()->first, now());
  drain();
  EXPECT_TRUE(voted(VoteKind::Notarize, 1, hash));
  EXPECT_EQ(replica_->view(), 2u);
}

// P1: a child that skips a view without its nullification would fork the chain.
TEST_F(Lone, P1SkippedViewsNeedExactlyTheirNullifications) {
  const Block good = make_block(4, nullptr);
  Block bad = good;
  bad.skip_certificates.pop_back();
  seal(bad);
  deliver(others_[0], Proposal{bad});
  bad = make_block(5, nullptr);
  bad.skip_certificates[1] = bad.skip_certificates[0];
  seal(bad);
  deliver(others_[0], Proposal{bad});
  bad = make_block(6, nullptr);
  bad.skip_certificates.push_back(certify({VoteKind::Nullify, 6, {}}, keys_, others_));
  seal(bad);
  deliver(others_[0], Proposal{bad});
  EXPECT_EQ(refused(Refusal::BadBlock), 3u);
  bad = make_block(8, nullptr);
  bad.skip_certificates[0] =
      certify({VoteKind::Nullify, 1, {}}, keys_, {others_[0], others_[1]});  // no quorum
  seal(bad);
  deliver(others_[0], Proposal{bad});
  EXPECT_EQ(refused(Refusal::BadCertificate), 1u);
  EXPECT_TRUE(validated_.empty());
}

TEST_F(Lone, GapCertificatesInTheProposalTakeUsToItsView) {
  View view = 4;
  while (replica_->leader(view) == self_) ++view;
  const Block block = make_block(view, nullptr);
  deliver(others_[0], Proposal{block});
  EXPECT_EQ(replica_->view(), view);
  EXPECT_TRUE(voted(VoteKind::Notarize, view));
}

// P2: who is stuck repeats its votes and the certificate by which it came, and who is ahead
// answers.
TEST_F(Lone, P2RepeatsVotesWithEntryCertificateAndHelpsThoseBehind) {
  certificate(VoteKind::Nullify, 1);
  EXPECT_EQ(replica_->view(), 2u);
  replica_->handle_pending(Pending::Some, now());
  wait(std::chrono::seconds(3));
  EXPECT_TRUE(voted(VoteKind::Nullify, 2));
  const std::size_t votes = votes_.size();
  const std::size_t certificates = sent<Certificates>();
  wait(std::chrono::seconds(2));
  EXPECT_GT(votes_.size(), votes);
  EXPECT_GT(sent<Certificates>(), certificates);
  EXPECT_GT(sent<Status>(), 0u);
  direct_.clear();
  beacon_ = {1, 0, 0};
  deliver(others_[1], Status{});
  ASSERT_EQ(direct_.size(), 1u);
  const auto* help = std::get_if<Certificates>(&direct_[0].second);
  ASSERT_NE(help, nullptr);
  EXPECT_EQ(help->certificates.at(0).statement, (Statement{VoteKind::Nullify, 1, {}}));
}

// P3: we timed out, a third notarized and moved on: our late notarize vote lets the rest follow,
// and we do not finalize what we nullified.
TEST_F(Lone, P3LateNotarizeAfterNullifyButNoFinalize) {
  replica_->handle_pending(Pending::Some, now());
  wait(std::chrono::milliseconds(700));
  ASSERT_TRUE(voted(VoteKind::Nullify, 1));
  const Block b1 = make_block(1, nullptr);
  const Digest hash = hash_of(b1.header);
  deliver(b1.header.proposer, Proposal{b1});
  EXPECT_TRUE(voted(VoteKind::Notarize, 1, hash));
  vote(others_[0], VoteKind::Notarize, 1, hash);
  vote(others_[1], VoteKind::Notarize, 1, hash);
  EXPECT_EQ(replica_->view(), 2u) << "a notarization ends the view however we voted";
#ifndef HM_PLANTED_BUG
  EXPECT_FALSE(voted(VoteKind::Finalize, 1));
#endif
}

// P4: the leader showed us another block; the notarized one is fetched.
TEST_F(Lone, P4FetchesTheNotarizedBlockOfAnEquivocatingLeader) {
  const Block mine = make_block(1, nullptr, 1);
  const Block theirs = make_block(1, nullptr, 2);
  deliver(mine.header.proposer, Proposal{mine});
  certificate(VoteKind::Notarize, 1, hash_of(theirs.header));
  EXPECT_FALSE(voted(VoteKind::Finalize, 1)) << "we notarized another block";
  const Block child = make_block(2, &theirs);
  deliver(child.header.proposer, Proposal{child});
  EXPECT_FALSE(voted(VoteKind::Notarize, 2)) << "parent unknown";
  wait(std::chrono::milliseconds(200));
  ASSERT_GE(sent<FetchBlock>(), 1u);
  NodeId asked;
  for (const auto& [peer, body] : direct_) {
    if (std::holds_alternative<FetchBlock>(body)) asked = peer;
  }
  for (const ValidatorIndex i : others_) {
    if (node_id(i) == asked) deliver(i, BlockReply{theirs});
  }
  EXPECT_TRUE(voted(VoteKind::Notarize, 2, hash_of(child.header)));
}

// Whoever has made a block final no longer hands it out by hash.
TEST_F(Lone, BlocksThatAreFinalElsewhereAreAskedForByHeight) {
  const Block b1 = make_block(1, nullptr);
  const Block b2 = make_block(2, &b1);
  deliver(b2.header.proposer, Proposal{b2});
  beacon_ = {3, 2, 2};
  certificate(VoteKind::Finalize, 2, hash_of(b2.header));
  deliver(others_[1], Status{});
  EXPECT_TRUE(finals_.empty());
  wait(kInitialDelta);
  EXPECT_EQ(sent<FetchBlock>(), 0u);
  ASSERT_EQ(sent<FetchFinal>(), 1u);
  const Certificate proof = certify({VoteKind::Finalize, 2, hash_of(b2.header)}, keys_, others_);
  deliver(others_[0], FinalBlocks{1, {{b1, proof}, {b2, proof}}});
  EXPECT_EQ(finals_, (std::vector{hash_of(b1.header), hash_of(b2.header)}));
}

TEST_F(Lone, OneThatOnlySaysABlockIsFinalDoesNotKeepUsFromAskingByHash) {
  const Block b1 = make_block(1, nullptr);
  const Block b2 = make_block(2, &b1);
  certificate(VoteKind::Notarize, 1, hash_of(b1.header));
  deliver(b2.header.proposer, Proposal{b2});
  beacon_ = {3, 2, 2};
  deliver(others_[2], Status{});
  wait(kInitialDelta);
  EXPECT_GE(sent<FetchBlock>(), 1u);
}

// P5: a finalization ahead of the bodies does not skip them.
TEST_F(Lone, P5NeverFinalizesABlockBeforeItsAncestors) {
  const Block b1 = make_block(1, nullptr);
  const Block b2 = make_block(2, &b1);
  certificate(VoteKind::Finalize, 2, hash_of(b2.header));
  EXPECT_EQ(replica_->view(), 3u);
  EXPECT_TRUE(finals_.empty());
  deliver(b2.header.proposer, Proposal{b2});
  EXPECT_TRUE(finals_.empty());
  deliver(b1.header.proposer, Proposal{b1});
  EXPECT_EQ(finals_, (std::vector{hash_of(b1.header), hash_of(b2.header)}));
}

TEST_F(Lone, RefusesUnreasonableTimes) {
  Block block = make_block(1, nullptr);
  block.header.time_ms = kStartMillis + 1000 + kDefaultClockBoundMillis + 1;
  seal(block);
  deliver(block.header.proposer, Proposal{block});
  EXPECT_FALSE(voted(VoteKind::Notarize, 1));
  EXPECT_EQ(refused(Refusal::BadTime), 1u);
  wall_ms_ = 1;  // now within the bound
  vote(others_[0], VoteKind::Notarize, 1, hash_of(block.header));
  EXPECT_TRUE(voted(VoteKind::Notarize, 1));
}

TEST_F(Lone, LeaderWithAWrongClockCostsNoTimeout) {
  Block block = make_block(1, nullptr);
  block.header.time_ms = kStartMillis + 3'600'000;
  seal(block);
  deliver(block.header.proposer, Proposal{block});
  EXPECT_FALSE(voted(VoteKind::Notarize, 1));
  EXPECT_TRUE(voted(VoteKind::Nullify, 1));
}

TEST_F(Lone, RefusesTimeNotAfterTheParent) {
  const Block b1 = make_block(1, nullptr);
  deliver(b1.header.proposer, Proposal{b1});
  Block b2 = make_block(2, &b1);
  b2.header.time_ms = b1.header.time_ms;
  seal(b2);
  deliver(b2.header.proposer, Proposal{b2});
  EXPECT_FALSE(voted(VoteKind::Notarize, 2));
  EXPECT_TRUE(voted(VoteKind::Nullify, 2)) << "an invalid proposal ends the view at once";
}

TEST_F(Lone, ExecutionRootIsCheckedAndWaitedFor) {
  executes_ = false;
  const Block b1 = make_block(1, nullptr);
  deliver(b1.header.proposer, Proposal{b1});
  certificate(VoteKind::Finalize, 1, hash_of(b1.header));
  ASSERT_EQ(replica_->final_height(), 1u);
  Block b2 = make_block(2, &b1);
  b2.header.exec.height = 1;
  b2.header.exec.root.bytes.fill(9);
  seal(b2);
  deliver(b2.header.proposer, Proposal{b2});
  EXPECT_TRUE(validated_.size() == 1) << "not executed here yet: wait";
  replica_->handle_executed(1, b2.header.exec.root, now());
  drain();
  EXPECT_TRUE(voted(VoteKind::Notarize, 2));
}

TEST_F(Lone, WrongExecutionRootIsNotVotedForAndAFinalOneHalts) {
  const Block b1 = make_block(1, nullptr);
  deliver(b1.header.proposer, Proposal{b1});
  certificate(VoteKind::Finalize, 1, hash_of(b1.header));
  Block b2 = make_block(2, &b1);
  b2.header.exec.height = 1;
  b2.header.exec.root.bytes.fill(9);
  seal(b2);
  deliver(b2.header.proposer, Proposal{b2});
  EXPECT_FALSE(voted(VoteKind::Notarize, 2));
  EXPECT_EQ(refused(Refusal::BadExecutionRoot), 1u);
  EXPECT_FALSE(diverged_);
  certificate(VoteKind::Finalize, 2, hash_of(b2.header));
  EXPECT_TRUE(diverged_);
  EXPECT_TRUE(replica_->is_abstaining());
}

TEST_F(Lone, InvalidPayloadIsNotVotedForAndEndsTheView) {
  verdict_ = Verdict::Invalid;
  const Block b1 = make_block(1, nullptr);
  deliver(b1.header.proposer, Proposal{b1});
  EXPECT_FALSE(voted(VoteKind::Notarize, 1));
  EXPECT_TRUE(voted(VoteKind::Nullify, 1));
}

TEST_F(Lone, OnlyTheLeaderProposesAndOnlySignersVote) {
  Block block = make_block(1, nullptr);
  block.header.proposer = static_cast<ValidatorIndex>((block.header.proposer + 1) % 4);
  seal(block);
  deliver(others_[0], Proposal{block});
  EXPECT_EQ(refused(Refusal::NotLeader), 1u);
  block = make_block(1, nullptr);
  block.signature.bytes[3] ^= 1;
  deliver(others_[0], Proposal{block});
  EXPECT_EQ(refused(Refusal::BadSignature), 1u);
  const Vote foreign =
      sign_vote({VoteKind::Nullify, 1, {}}, others_[0], keys_[others_[0]], test_domain());
  deliver(others_[1], VoteMessage{foreign, std::nullopt});
  EXPECT_EQ(refused(Refusal::ForeignVote), 1u);
  deliver(others_[0], VoteMessage{{{VoteKind::Nullify, 1, {}}, 77, {}}, std::nullopt});
  EXPECT_EQ(refused(Refusal::UnknownSigner), 1u);
  replica_->handle_message(node_id(others_[0]), Bytes{1, 2, 3}, now());
  EXPECT_EQ(refused(Refusal::Malformed), 1u);
  vote(others_[0], VoteKind::Nullify, 1 + kFutureViews + 1);
  EXPECT_EQ(refused(Refusal::OutsideWindow), 1u);
}

TEST_F(Lone, EquivocationShowsAtOnceInTheVotesOfOthers) {
  const Block one = make_block(1, nullptr, 1);
  const Block two = make_block(1, nullptr, 2);
  deliver(one.header.proposer, Proposal{one});
  const ValidatorIndex voter = one.header.proposer == others_[0] ? others_[1] : others_[0];
  const Vote vote =
      sign_vote({VoteKind::Notarize, 1, hash_of(two.header)}, voter, keys_[voter], test_domain());
  deliver(voter, VoteMessage{vote, two.signature});
  EXPECT_EQ(faults_, std::vector{FaultKind::DoubleProposal});
  EXPECT_TRUE(voted(VoteKind::Nullify, 1)) << "rule 3: the leader equivocated";
  const auto& evidence = replica_->faults().at(0);
  EXPECT_TRUE(verify_evidence(evidence, test_domain(), make_set(keys_)));
  deliver(voter, VoteMessage{vote, two.signature});
  EXPECT_EQ(faults_.size(), 1u) << "reported once";
}

TEST_F(Lone, DoubleVotesOfEveryKindAreReported) {
  const Digest a = hash_of(make_block(1, nullptr, 1).header);
  const Digest b = hash_of(make_block(1, nullptr, 2).header);
  vote(others_[0], VoteKind::Notarize, 1, a);
  vote(others_[0], VoteKind::Notarize, 1, b);
  vote(others_[0], VoteKind::Finalize, 1, a);
  vote(others_[0], VoteKind::Finalize, 1, b);
  vote(others_[0], VoteKind::Nullify, 1);
  for (const FaultKind kind : {FaultKind::DoubleNotarize, FaultKind::NotarizeOtherFinalize,
                               FaultKind::DoubleFinalize, FaultKind::NullifyAndFinalize}) {
    EXPECT_EQ(std::ranges::count(faults_, kind), 1) << name_of(kind);
  }
}

TEST_F(Lone, IdleMeansNoVotesNoTimersUntilTheHeartbeat) {
  votes_.clear();
  wait(std::chrono::seconds(9));
  EXPECT_TRUE(votes_.empty());
  EXPECT_TRUE(replica_->is_idle());
  wait(std::chrono::seconds(3));
  EXPECT_TRUE(voted(VoteKind::Nullify, 1)) << "the leader owed a heartbeat";
}

TEST_F(Lone, WorkStartsTheTimersAtOnce) {
  replica_->handle_pending(Pending::Some, now());
  EXPECT_FALSE(replica_->is_idle());
  wait(3 * kInitialDelta + kMillisecond);
  EXPECT_TRUE(voted(VoteKind::Nullify, 1));
}

TEST_F(Lone, LeaderWhoseConnectionBrokeIsSkippedWithoutATimeout) {
  replica_->handle_peer_down(node_id(replica_->leader(1)), now());
  drain();
  EXPECT_FALSE(voted(VoteKind::Nullify, 1)) << "idle";
  replica_->handle_pending(Pending::Some, now());
  drain();
  EXPECT_TRUE(voted(VoteKind::Nullify, 1));
}

TEST_F(Lone, LeaderThatSaysItAbstainsIsSkippedWithoutATimeoutUntilItVotesAgain) {
  const auto leader = replica_->leader(1);
  deliver(leader, Status{true});
  EXPECT_FALSE(voted(VoteKind::Nullify, 1)) << "idle";
  replica_->handle_pending(Pending::Some, now());
  drain();
  EXPECT_TRUE(voted(VoteKind::Nullify, 1));
  vote(leader, VoteKind::Nullify, 1);
  certificate(VoteKind::Nullify, 1);
  View next = 2;
  while (replica_->leader(next) != leader) certificate(VoteKind::Nullify, next++);
  EXPECT_EQ(replica_->view(), next);
  EXPECT_FALSE(voted(VoteKind::Nullify, next));
}

TEST_F(Lone, ProposesOnNotarizationWithoutWaitingForFinality) {
  const Block b1 = make_block(1, nullptr);
  const Block b2 = make_block(2, &b1);
  deliver(b1.header.proposer, Proposal{b1});
  replica_->handle_pending(Pending::Some, now());
  deliver(b2.header.proposer, Proposal{b2});
  EXPECT_EQ(payload_requests_, 0);
  certificate(VoteKind::Notarize, 2, hash_of(b2.header));
  EXPECT_EQ(payload_requests_, 1);
  EXPECT_TRUE(finals_.empty());
  const auto proposal = std::ranges::find_if(
      sent_, [](const Body& body) { return std::holds_alternative<Proposal>(body); });
  ASSERT_NE(proposal, sent_.end());
  EXPECT_EQ(std::get<Proposal>(*proposal).block.header.parent_hash, hash_of(b2.header));
  EXPECT_TRUE(voted(VoteKind::Notarize, 3));
}

TEST_F(Lone, LeaderExtendsOverNullifiedViewsAndAttachesTheirCertificates) {
  certificate(VoteKind::Nullify, 1);
  replica_->handle_pending(Pending::Some, now());
  certificate(VoteKind::Nullify, 2);
  const auto proposal = std::ranges::find_if(
      sent_, [](const Body& body) { return std::holds_alternative<Proposal>(body); });
  ASSERT_NE(proposal, sent_.end());
  const Block& block = std::get<Proposal>(*proposal).block;
  EXPECT_EQ(block.header.parent_view, 0u);
  EXPECT_EQ(block.skip_certificates.size(), 2u);
}

TEST_F(Lone, LeaderThatLacksACertificateAsksForIt) {
  replica_->handle_pending(Pending::Some, now());
  certificate(VoteKind::Nullify, 2);
  EXPECT_EQ(replica_->view(), 3u);
  EXPECT_EQ(payload_requests_, 0);
  EXPECT_EQ(sent<FetchCertificates>(), 1u);
  certificate(VoteKind::Nullify, 1);
  EXPECT_EQ(payload_requests_, 1);
}

TEST_F(Lone, RestartKeepsEveryPromiseAndCarriesOn) {
  const Block b1 = make_block(1, nullptr, 1);
  const Block other = make_block(1, nullptr, 2);
  deliver(b1.header.proposer, Proposal{b1});
  ASSERT_TRUE(voted(VoteKind::Notarize, 1, hash_of(b1.header)));
  votes_.clear();
  boot();
  EXPECT_TRUE(voted(VoteKind::Notarize, 1, hash_of(b1.header))) << "repeated to peers that appear";
  deliver(other.header.proposer, Proposal{other});
  EXPECT_FALSE(voted(VoteKind::Notarize, 1, hash_of(other.header)));
  certificate(VoteKind::Notarize, 1, hash_of(other.header));
  EXPECT_FALSE(voted(VoteKind::Finalize, 1)) << "notarized another block before the restart";
  EXPECT_EQ(replica_->view(), 2u);
}

TEST_F(Lone, RestartedLeaderRepeatsItsProposalAndMakesNoOther) {
  replica_->handle_pending(Pending::Some, now());
  certificate(VoteKind::Nullify, 1);
  certificate(VoteKind::Nullify, 2);
  ASSERT_EQ(payload_requests_, 1);
  ASSERT_TRUE(voted(VoteKind::Notarize, 3));
  sent_.clear();
  wall_ms_ = 77;
  boot();
  replica_->handle_pending(Pending::Some, now());
  drain();
  EXPECT_EQ(replica_->view(), 3u) << "the certificates are in the log";
  EXPECT_EQ(payload_requests_, 1);
  EXPECT_GE(sent<Proposal>(), 1u);
}

TEST_F(Lone, AVoteOfOursThatWeDoNotKnowStopsUs) {
  std::vector<ValidatorIndex> with_us{static_cast<ValidatorIndex>(self_), others_[0], others_[1]};
  std::ranges::sort(with_us);
  deliver(others_[0], Certificates{{certify({VoteKind::Nullify, 1, {}}, keys_, with_us)}});
  EXPECT_TRUE(replica_->is_abstaining());
  EXPECT_TRUE(says(true));
  const Block block = make_block(2, nullptr);
  deliver(block.header.proposer, Proposal{block});
  EXPECT_FALSE(voted(VoteKind::Notarize, 2));
}

TEST_F(Lone, AbstainsUntilAFinalizationAboveEverythingItCouldHaveSigned) {
  replica_ = std::make_unique<Replica>(make_config(self_), make_set(keys_),
                                       SigningKey::from_seed(keys_[self_].seed()));
  replica_->note_damaged_tail();
  replica_->start(now());
  beacon_ = {4, 0, 0};
  const Block b1 = make_block(1, nullptr);
  const Block b2 = make_block(2, &b1);
  const Block b5 = make_block(5, &b2);
  for (const ValidatorIndex i : others_) deliver(i, Status{});
  deliver(b1.header.proposer, Proposal{b1});
  deliver(b2.header.proposer, Proposal{b2});
  certificate(VoteKind::Finalize, 2, hash_of(b2.header));
  EXPECT_EQ(replica_->final_height(), 2u);
  EXPECT_TRUE(replica_->is_abstaining()) << "it may have voted in views up to 5";
  sent_.clear();
  replica_->handle_peer_up(node_id(others_[0]), now());
  drain();
  EXPECT_TRUE(says(true));
  EXPECT_FALSE(says(false));
  EXPECT_TRUE(votes_.empty());
  deliver(b5.header.proposer, Proposal{b5});
  certificate(VoteKind::Finalize, 5, hash_of(b5.header));
  EXPECT_FALSE(replica_->is_abstaining());
  EXPECT_TRUE(says(false));
}

TEST_F(Lone, CatchUpVerifiesRetriesElsewhereAndFinalizesInOrder) {
  std::vector<FinalBlock> chain;
  const Block b1 = make_block(1, nullptr);
  const Block b2 = make_block(2, &b1);
  const Block b3 = make_block(3, &b2);
  for (const Block* block : {&b1, &b2, &b3}) {
    chain.push_back(
        {*block, certify({VoteKind::Finalize, block->header.view, hash_of(block->header)}, keys_,
                         others_)});
  }
  chain[1].certificate = chain[2].certificate;  // became final as an ancestor
  beacon_ = {50, 49, 40};
  for (const ValidatorIndex i : others_) deliver(i, Status{});
  const auto asked = [&] {
    NodeId peer;
    for (const auto& [to, body] : direct_) {
      if (std::holds_alternative<FetchFinal>(body)) peer = to;
    }
    return static_cast<std::size_t>(peer.bytes[0] - 1);
  };
  const std::size_t liar = asked();
  std::vector<FinalBlock> forged = chain;
  forged[2].certificate.signatures[0].bytes[0] ^= 1;
  deliver(liar, FinalBlocks{1, forged});
  EXPECT_TRUE(finals_.empty());
  wait(std::chrono::seconds(2));
  const std::size_t next = asked();
  EXPECT_NE(next, liar);
  deliver(next, FinalBlocks{1, {chain[0], chain[1]}});
  EXPECT_EQ(finals_.size(), 1u) << "the second is proven by the third only";
  deliver(next, FinalBlocks{3, {chain[2]}});
  EXPECT_EQ(finals_, (std::vector{hash_of(b1.header), hash_of(b2.header), hash_of(b3.header)}));
  EXPECT_EQ(replica_->view(), 4u);
  EXPECT_FALSE(forked_);
}

TEST_F(Lone, ConflictingFinalizationsHaltIt) {
  const Block b1 = make_block(1, nullptr, 1);
  deliver(b1.header.proposer, Proposal{b1});
  certificate(VoteKind::Finalize, 1, hash_of(b1.header));
  const Block rival = make_block(2, nullptr, 2);  // skips view 1
  certificate(VoteKind::Finalize, 2, hash_of(rival.header));
  EXPECT_FALSE(forked_) << "the body is not known, so nothing is proven";
  EXPECT_EQ(finals_.size(), 1u);
  wait(std::chrono::milliseconds(200));
  for (const auto& [peer, body] : direct_) {
    if (std::holds_alternative<FetchBlock>(body)) {
      deliver(static_cast<std::size_t>(peer.bytes[0] - 1), BlockReply{rival});
      break;
    }
  }
  EXPECT_TRUE(forked_);
  EXPECT_EQ(finals_.size(), 1u);
}

// The data folder of another chain or another node: its checksums are right all the same.
TEST_F(Lone, TheVoteLogOfAnotherChainKeyOrMeshIsRefused) {
  const Block b1 = make_block(1, nullptr);
  deliver(b1.header.proposer, Proposal{b1});
  certificate(VoteKind::Notarize, 1, hash_of(b1.header));
  deliver(b1.header.proposer, Proposal{make_block(2, &b1)});
  ASSERT_GE(journal_.size(), 2u);
  const auto restores = [&](const Config& config, ValidatorSet set, std::size_t key) {
    Replica replica(config, std::move(set), SigningKey::from_seed(keys_[key].seed()));
    bool all = true;
    for (const auto& [sequence, record] : journal_) {
      all = replica.restore_record(sequence, record) && all;
    }
    return all;
  };
  EXPECT_TRUE(restores(make_config(self_), make_set(keys_), self_));
  Config elsewhere = make_config(self_);
  elsewhere.domain.chain.bytes.fill(8);
  EXPECT_FALSE(restores(elsewhere, make_set(keys_), self_));
  EXPECT_FALSE(restores(make_config(others_[0]), make_set(keys_), others_[0]));
  std::vector<SigningKey> alone;
  alone.push_back(SigningKey::from_seed(keys_[self_].seed()));
  EXPECT_FALSE(restores(make_config(self_), make_set(alone), self_));
}

}  // namespace
}  // namespace hm::consensus::testing
