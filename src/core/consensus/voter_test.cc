// SPDX-License-Identifier: Apache-2.0
// Each voting rule and its negation.
#include "core/consensus/voter.h"

#include <gtest/gtest.h>

#include "core/consensus/certificate.h"
#include "core/consensus/test_cluster.h"

namespace hm::consensus::testing {
namespace {

class VoterTest : public ::testing::Test {
 protected:
  static Digest block(std::uint8_t tag) {
    Digest digest;
    digest.bytes.fill(tag);
    return digest;
  }
  static Certificate notarization(View view, const Digest& hash) {
    return {{VoteKind::Notarize, view, hash}, {}, {}};
  }

  Voter voter_{test_domain(), 0, SigningKey::from_seed(make_keys(1)[0].seed())};
};

TEST_F(VoterTest, ProposesOncePerView) {
  EXPECT_TRUE(voter_.propose(3, block(1)));
  EXPECT_FALSE(voter_.propose(3, block(2)));
  EXPECT_FALSE(voter_.propose(3, block(1)));
  EXPECT_TRUE(voter_.propose(4, block(2)));
}

TEST_F(VoterTest, NotarizesOncePerView) {
  EXPECT_TRUE(voter_.notarize(3, block(1)));
  EXPECT_FALSE(voter_.notarize(3, block(2)));
  EXPECT_FALSE(voter_.notarize(3, block(1)));
}

// P3: without late notarize votes a third that moved on and a third that timed out both starve.
TEST_F(VoterTest, P3NotarizesEvenAfterNullifying) {
  EXPECT_TRUE(voter_.nullify(3, 3));
  EXPECT_TRUE(voter_.notarize(3, block(1)));
}

TEST_F(VoterTest, NullifiesUpToTheCurrentViewOnly) {
  EXPECT_TRUE(voter_.nullify(3, 2));
  EXPECT_TRUE(voter_.nullify(3, 3));
  EXPECT_FALSE(voter_.nullify(3, 4));
  EXPECT_FALSE(voter_.nullify(3, 3)) << "once is enough";
}

TEST_F(VoterTest, NeverNullifiesWhatItFinalized) {
  EXPECT_TRUE(voter_.finalize(notarization(3, block(1))));
  EXPECT_FALSE(voter_.nullify(3, 3));
}

TEST_F(VoterTest, NeverFinalizesWhatItNullified) {
  EXPECT_TRUE(voter_.nullify(3, 3));
#ifndef HM_PLANTED_BUG
  EXPECT_FALSE(voter_.finalize(notarization(3, block(1))));
#endif
}

TEST_F(VoterTest, FinalizesOnlyTheBlockThatItNotarized) {
  EXPECT_TRUE(voter_.notarize(3, block(1)));
  EXPECT_FALSE(voter_.finalize(notarization(3, block(2)))) << "would frame us (S3)";
  EXPECT_TRUE(voter_.finalize(notarization(3, block(1))));
  EXPECT_FALSE(voter_.finalize(notarization(3, block(1))));
}

TEST_F(VoterTest, FinalizesWithoutHavingNotarized) {
  EXPECT_TRUE(voter_.finalize(notarization(3, block(1))));
}

// Found by the search in safety_test.cc.
TEST_F(VoterTest, NotarizesNoOtherBlockThanTheOneItFinalized) {
  EXPECT_TRUE(voter_.finalize(notarization(3, block(1))));
  EXPECT_FALSE(voter_.notarize(3, block(2))) << "would frame us (S3)";
  EXPECT_TRUE(voter_.notarize(3, block(1)));
}

TEST_F(VoterTest, FinalizesOnlyOnANotarization) {
  EXPECT_FALSE(voter_.finalize({{VoteKind::Nullify, 3, {}}, {}, {}}));
  EXPECT_FALSE(voter_.finalize({{VoteKind::Finalize, 3, block(1)}, {}, {}}));
}

TEST_F(VoterTest, SignsNothingAtOrBelowTheFloor) {
  voter_.raise_floor(5);
  EXPECT_FALSE(voter_.propose(5, block(1)));
  EXPECT_FALSE(voter_.notarize(5, block(1)));
  EXPECT_FALSE(voter_.nullify(6, 5));
  EXPECT_FALSE(voter_.finalize(notarization(4, block(1))));
  EXPECT_TRUE(voter_.notarize(6, block(1)));
}

TEST_F(VoterTest, RestoredVotesBindLikeFreshOnes) {
  voter_.restore({VoteKind::Notarize, 3, block(1)});
  voter_.restore({VoteKind::Nullify, 4, {}});
  voter_.restore({VoteKind::Finalize, 5, block(1)});
  voter_.restore({VoteKind::Propose, 6, block(1)});
  EXPECT_FALSE(voter_.notarize(3, block(2)));
  EXPECT_FALSE(voter_.finalize(notarization(3, block(2))));
  EXPECT_TRUE(voter_.nullify(6, 3)) << "what was allowed before the restart still is";
#ifndef HM_PLANTED_BUG
  EXPECT_FALSE(voter_.finalize(notarization(4, block(1))));
#endif
  EXPECT_FALSE(voter_.nullify(6, 5));
  EXPECT_FALSE(voter_.propose(6, block(2)));
}

TEST_F(VoterTest, AbstainingSignsNothingUntilResumedAboveTheBound) {
  voter_.abstain();
  EXPECT_FALSE(voter_.notarize(3, block(1)));
  EXPECT_FALSE(voter_.nullify(3, 3));
  voter_.resume(7);
  EXPECT_FALSE(voter_.notarize(7, block(1)));
  EXPECT_TRUE(voter_.notarize(8, block(1)));
}

TEST_F(VoterTest, HaltedSignsNothingEvenIfResumed) {
  voter_.halt();
  voter_.resume(1);
  EXPECT_FALSE(voter_.notarize(3, block(1)));
}

TEST_F(VoterTest, WithoutAKeySignsNothing) {
  Voter follower(test_domain(), 0, std::nullopt);
  EXPECT_FALSE(follower.notarize(3, block(1)));
  EXPECT_FALSE(follower.nullify(3, 3));
}

TEST_F(VoterTest, SignaturesAreBoundToKindChainAndEpoch) {
  const auto vote = voter_.notarize(3, block(1));
  ASSERT_TRUE(vote);
  const ValidatorSet set = make_set(make_keys(1));
  EXPECT_TRUE(verify_vote(*vote, test_domain(), set));
  Vote finalize = *vote;
  finalize.statement.kind = VoteKind::Finalize;
  EXPECT_FALSE(verify_vote(finalize, test_domain(), set));
  ChainDomain other = test_domain();
  other.epoch = 1;
  EXPECT_FALSE(verify_vote(*vote, other, set));
  other = test_domain();
  other.chain.bytes[0] ^= 1;
  EXPECT_FALSE(verify_vote(*vote, other, set));
}

}  // namespace
}  // namespace hm::consensus::testing
