// SPDX-License-Identifier: Apache-2.0
#include "core/consensus/certificate.h"

#include <gtest/gtest.h>

#include "core/consensus/limits.h"
#include "core/consensus/messages.h"
#include "core/consensus/test_cluster.h"
#include "core/consensus/vote_collector.h"

namespace hm::consensus::testing {
namespace {

Digest block(std::uint8_t tag) {
  Digest digest;
  digest.bytes.fill(tag);
  return digest;
}

class CertificateTest : public ::testing::Test {
 protected:
  Vote vote(VoteKind kind, View view, const Digest& hash, ValidatorIndex signer) const {
    return sign_vote({kind, view, hash}, signer, keys_[signer], test_domain());
  }

  std::vector<SigningKey> keys_ = make_keys(4);
  ValidatorSet set_ = make_set(keys_);
  Statement statement_{VoteKind::Notarize, 7, block(1)};
};

TEST_F(CertificateTest, QuorumIsStrictlyMoreThanTwoThirdsOfTheStake) {
  EXPECT_TRUE(verify_certificate(certify(statement_, keys_, {0, 1, 3}), test_domain(), set_));
  EXPECT_EQ(verify_certificate(certify(statement_, keys_, {0, 3}), test_domain(), set_).error(),
            CertificateError::NoQuorum);
  const auto three = make_keys(3);
  const ValidatorSet exact = make_set(three);
  EXPECT_EQ(verify_certificate(certify(statement_, three, {0, 1}), test_domain(), exact).error(),
            CertificateError::NoQuorum)
      << "exactly two thirds is not enough";
  const ValidatorSet weighted = make_set(three, {1, 1, 5});
  EXPECT_TRUE(verify_certificate(certify(statement_, three, {2}), test_domain(), weighted));
  EXPECT_FALSE(verify_certificate(certify(statement_, three, {0, 1}), test_domain(), weighted));
}

TEST_F(CertificateTest, RefusesEveryOtherSpelling) {
  const Certificate good = certify(statement_, keys_, {0, 1, 2});
  Certificate bad = good;
  bad.signers.push_back(0);
  EXPECT_EQ(verify_certificate(bad, test_domain(), set_).error(), CertificateError::BadBitmap);
  bad = good;
  bad.signers[0] |= 0x10;  // a fifth validator
  bad.signatures.push_back(good.signatures[0]);
  EXPECT_EQ(verify_certificate(bad, test_domain(), set_).error(), CertificateError::BadBitmap);
  bad = good;
  bad.signatures.push_back(good.signatures[0]);
  EXPECT_EQ(verify_certificate(bad, test_domain(), set_).error(), CertificateError::SignatureCount);
  bad = good;
  std::swap(bad.signatures[0], bad.signatures[1]);
  EXPECT_EQ(verify_certificate(bad, test_domain(), set_).error(), CertificateError::BadSignature);
  bad = good;
  bad.statement.view = 8;
  EXPECT_EQ(verify_certificate(bad, test_domain(), set_).error(), CertificateError::BadSignature);
  bad = good;
  bad.statement.kind = VoteKind::Propose;
  EXPECT_EQ(verify_certificate(bad, test_domain(), set_).error(), CertificateError::WrongKind);
  bad = good;
  bad.statement.kind = VoteKind::Nullify;
  EXPECT_EQ(verify_certificate(bad, test_domain(), set_).error(), CertificateError::WrongKind);
  EXPECT_EQ(check_form(Certificate{}, set_).error(), CertificateError::BadBitmap);
}

// P9: a signature that some verifiers take and others refuse would split honest nodes on whether
// a certificate exists. S + L is such a spelling; the one verifier refuses it.
TEST_F(CertificateTest, P9RefusesMalleatedSignatures) {
  constexpr std::array<std::uint8_t, 32> kOrder = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                                   0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                                   0,    0,    0,    0,    0,    0,    0,    0,
                                                   0,    0,    0,    0,    0,    0,    0,    0x10};
  Certificate certificate = certify(statement_, keys_, {0, 1, 2});
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    const unsigned sum = certificate.signatures[1].bytes[32 + i] + kOrder[i] + carry;
    certificate.signatures[1].bytes[32 + i] = static_cast<std::uint8_t>(sum);
    carry = sum >> 8;
  }
  EXPECT_EQ(verify_certificate(certificate, test_domain(), set_).error(),
            CertificateError::BadSignature);
}

TEST_F(CertificateTest, EvidenceOfEveryKindIsProvable) {
  const struct {
    VoteKind first, second;
    Digest a, b;
    FaultKind fault;
  } cases[] = {
      {VoteKind::Propose, VoteKind::Propose, block(1), block(2), FaultKind::DoubleProposal},
      {VoteKind::Notarize, VoteKind::Notarize, block(1), block(2), FaultKind::DoubleNotarize},
      {VoteKind::Notarize, VoteKind::Finalize, block(1), block(2),
       FaultKind::NotarizeOtherFinalize},
      {VoteKind::Finalize, VoteKind::Finalize, block(1), block(2), FaultKind::DoubleFinalize},
      {VoteKind::Nullify, VoteKind::Finalize, {}, block(2), FaultKind::NullifyAndFinalize},
  };
  for (const auto& c : cases) {
    const Evidence evidence{vote(c.first, 7, c.a, 2), vote(c.second, 7, c.b, 2)};
    const auto fault = verify_evidence(evidence, test_domain(), set_);
    ASSERT_TRUE(fault) << name_of(c.fault);
    EXPECT_EQ(*fault, c.fault);
    EXPECT_EQ(verify_evidence({evidence.second, evidence.first}, test_domain(), set_).error(),
              EvidenceError::NotCanonical);
    Evidence forged = evidence;
    forged.second.signature.bytes[5] ^= 1;
    EXPECT_EQ(verify_evidence(forged, test_domain(), set_).error(), EvidenceError::BadSignature);
    forged = evidence;
    forged.second.signer = 1;
    EXPECT_EQ(verify_evidence(forged, test_domain(), set_).error(),
              EvidenceError::DifferentSigners);
  }
}

TEST_F(CertificateTest, HonestPairsAreNoEvidence) {
  const auto error = [&](const Vote& a, const Vote& b) {
    return verify_evidence({a, b}, test_domain(), set_).error();
  };
  // Notarize and nullify in one view is allowed (P3), and so are the same votes in two views.
  EXPECT_EQ(error(vote(VoteKind::Notarize, 7, block(1), 0), vote(VoteKind::Nullify, 7, {}, 0)),
            EvidenceError::NoConflict);
  EXPECT_EQ(
      error(vote(VoteKind::Notarize, 7, block(1), 0), vote(VoteKind::Finalize, 7, block(1), 0)),
      EvidenceError::NoConflict);
  EXPECT_EQ(
      error(vote(VoteKind::Notarize, 7, block(1), 0), vote(VoteKind::Notarize, 8, block(2), 0)),
      EvidenceError::DifferentViews);
  EXPECT_EQ(
      error(vote(VoteKind::Propose, 7, block(1), 0), vote(VoteKind::Notarize, 7, block(2), 0)),
      EvidenceError::NoConflict);
}

TEST_F(CertificateTest, CollectorAssemblesVerifiesOnceAndKeepsTwoVotesPerSigner) {
  VoteCollector collector(test_domain(), set_);
  using Outcome = VoteCollector::Outcome;
  for (ValidatorIndex i = 0; i < 3; ++i) {
    EXPECT_EQ(collector.add(vote(VoteKind::Notarize, 7, block(1), i)), Outcome::Counted);
  }
  ASSERT_NE(collector.notarization(7), nullptr);
  EXPECT_TRUE(verify_certificate(*collector.notarization(7), test_domain(), set_));
  EXPECT_EQ(collector.verified_count(), 3u);
  EXPECT_EQ(collector.add(vote(VoteKind::Notarize, 7, block(1), 3)), Outcome::Kept);
  EXPECT_EQ(collector.add_certificate(certify(statement_, keys_, {1, 2, 3})),
            VoteCollector::Certified::Known);
  EXPECT_EQ(collector.verified_count(), 3u) << "nothing of this was worth a verification";
  // A late vote for another block proves a fault, now both are verified.
  EXPECT_EQ(collector.add(vote(VoteKind::Notarize, 7, block(2), 3)), Outcome::Kept);
  const auto faults = collector.take_faults();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_TRUE(verify_evidence(faults[0].second, test_domain(), set_));
  EXPECT_EQ(collector.verified_count(), 5u);
  EXPECT_EQ(collector.add(vote(VoteKind::Notarize, 7, block(3), 3)), Outcome::Dropped);
}

TEST_F(CertificateTest, CollectorFindsFaultsInsideCertificates) {
  VoteCollector collector(test_domain(), set_);
  collector.add(vote(VoteKind::Finalize, 7, block(1), 2));
  EXPECT_EQ(collector.add_certificate(certify({VoteKind::Nullify, 7, {}}, keys_, {1, 2, 3})),
            VoteCollector::Certified::New);
  const auto faults = collector.take_faults();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].first, FaultKind::NullifyAndFinalize);
  EXPECT_EQ(faults[0].second.first.signer, 2);
}

TEST_F(CertificateTest, CollectorIgnoresForgedVotes) {
  VoteCollector collector(test_domain(), set_);
  Vote forged = vote(VoteKind::Notarize, 7, block(1), 0);
  forged.signer = 1;
  EXPECT_EQ(collector.add(forged), VoteCollector::Outcome::BadSignature);
  EXPECT_EQ(collector.add(vote(VoteKind::Notarize, 7, block(1), 1)),
            VoteCollector::Outcome::Counted);
}

TEST(ValidatorSetTest, EqualStakesTakeTurnsAndStakeIsHonoured) {
  const auto keys = make_keys(4);
  const ValidatorSet equal = make_set(keys);
  for (View view = 0; view < 12; ++view) {
    EXPECT_EQ(equal.leader(view), equal.leader(view + 4));
    EXPECT_NE(equal.leader(view), equal.leader(view + 1));
  }
  const ValidatorSet weighted = make_set(keys, {400, 200, 100, 100});
  std::array<int, 4> turns{};
  for (View view = 0; view < 32; ++view) ++turns[weighted.leader(view)];
  EXPECT_EQ(turns, (std::array<int, 4>{16, 8, 4, 4}));
}

TEST(ValidatorSetTest, RefusesWhatCannotBeASet) {
  const auto keys = make_keys(2);
  const auto error = [](std::vector<Validator> validators) {
    return ValidatorSet::create(std::move(validators), {}).error();
  };
  const Validator a{node_id(0), keys[0].public_key(), 1};
  const Validator b{node_id(1), keys[1].public_key(), 1};
  EXPECT_EQ(error({}), ValidatorSetError::Empty);
  EXPECT_EQ(error({a, a}), ValidatorSetError::DuplicateKey);
  EXPECT_EQ(error({a, {a.node, b.key, 1}}), ValidatorSetError::DuplicateNode);
  EXPECT_EQ(error({{a.node, a.key, 0}}), ValidatorSetError::ZeroStake);
  EXPECT_EQ(error({a, {b.node, b.key, kMaxTotalStake}}), ValidatorSetError::StakeOverflow);
  EXPECT_EQ(error({{a.node, PublicKey{}, 1}}), ValidatorSetError::InvalidKey);
}

TEST(MessagesTest, RoundTripAndTheShortcutsSpellTheSameBytes) {
  const auto keys = make_keys(4);
  FinalBlock final_block;
  final_block.block.payload = {1, 2, 3};
  final_block.certificate = certify({VoteKind::Finalize, 3, block(1)}, keys, {0, 1, 2});
  const Beacon beacon{5, 4, 3};
  const Message message{beacon, FinalBlocks{9, {final_block, final_block}}};
  const Bytes bytes = encode_message(message);
  const Bytes stored = encode_final_block(final_block.block, final_block.certificate);
  EXPECT_EQ(bytes, encode_final_blocks(beacon, 9, {stored, stored}));
  const auto back = decode_message(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, message);
  EXPECT_EQ(encode_proposal(beacon, final_block.block),
            encode_message({beacon, Proposal{final_block.block}}));
  EXPECT_EQ(encode_block_reply(beacon, final_block.block),
            encode_message({beacon, BlockReply{final_block.block}}));
}

TEST(MessagesTest, RefusesWhatExceedsALimit) {
  Message message{{}, Proposal{}};
  std::get<Proposal>(message.body).block.payload.resize(kMaxPayloadBytes + 1);
  EXPECT_EQ(decode_message(encode_message(message)).error(), MessageError::OverLimit);
  message.body = Certificates{std::vector<Certificate>(kMaxHelpCertificates + 1)};
  EXPECT_EQ(decode_message(encode_message(message)).error(), MessageError::OverLimit);
  EXPECT_EQ(decode_message(Bytes(kMaxMessageBytes + 1, 0)).error(), MessageError::TooLong);
  EXPECT_EQ(decode_message({}).error(), MessageError::Undecodable);
  Bytes trailing = encode_message({{}, Status{}});
  trailing.push_back(0);
  EXPECT_EQ(decode_message(trailing).error(), MessageError::Undecodable);
}

}  // namespace
}  // namespace hm::consensus::testing
