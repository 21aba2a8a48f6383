// SPDX-License-Identifier: Apache-2.0
#include "node/fault_judge.h"

#include <gtest/gtest.h>

#include "core/consensus/certificate.h"
#include "core/ledger/sample_chain.h"
#include "foundation/codec/writer.h"
#include "node/chain_validators.h"

namespace hm::node {
namespace {

using ledger::sample::Chain;
using ledger::sample::key;

class FaultJudge : public testing::Test {
 protected:
  consensus::Vote vote(consensus::VoteKind kind, consensus::View view, std::uint8_t block) const {
    const auto signer = key(1002);
    const auto index = set_.index_of_key(signer.public_key()).value();
    crypto::Digest hash;
    hash.bytes.fill(block);
    return consensus::sign_vote({kind, view, hash}, index, signer,
                                {.chain = chain_.id(), .epoch = 0});
  }
  std::optional<ledger::ProvenFault> judge(const consensus::Vote& a,
                                           const consensus::Vote& b) const {
    const bool is_ordered = a.statement < b.statement;
    return judge_fault(codec::encode(consensus::Evidence{is_ordered ? a : b, is_ordered ? b : a}),
                       chain_.id(), chain_.ledger().tables().validators);
  }

  Chain chain_;
  consensus::ValidatorSet set_ = validators_of(chain_.ledger());
};

TEST_F(FaultJudge, NamesTheValidatorThatSignedTwoBlocksOfAView) {
  const auto fault =
      judge(vote(consensus::VoteKind::Notarize, 5, 1), vote(consensus::VoteKind::Notarize, 5, 2));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->validator, ledger::sample::node_id(key(1002)));
}

TEST_F(FaultJudge, FindsNothingInHonestOrForgedVotes) {
  EXPECT_FALSE(
      judge(vote(consensus::VoteKind::Notarize, 5, 1), vote(consensus::VoteKind::Notarize, 6, 2)));
  auto forged = vote(consensus::VoteKind::Notarize, 5, 2);
  forged.signature.bytes[3] ^= 1;
  EXPECT_FALSE(judge(vote(consensus::VoteKind::Notarize, 5, 1), forged));
  EXPECT_FALSE(judge_fault(Bytes{1, 2}, chain_.id(), chain_.ledger().tables().validators));
}

TEST_F(FaultJudge, DoesNotTakeAnotherChainsVotes) {
  const auto a = vote(consensus::VoteKind::Notarize, 5, 1);
  const auto b = vote(consensus::VoteKind::Notarize, 5, 2);
  identity::ChainId other = chain_.id();
  other.bytes[0] ^= 1;
  EXPECT_FALSE(judge_fault(codec::encode(consensus::Evidence{a, b}), other,
                           chain_.ledger().tables().validators));
}

}  // namespace
}  // namespace hm::node
