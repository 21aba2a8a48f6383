// SPDX-License-Identifier: Apache-2.0
#include "node/ledger_verify.h"

#include <gtest/gtest.h>

#include <map>

#include "core/consensus/certificate.h"
#include "core/ledger/payload.h"
#include "core/ledger/row_key.h"
#include "core/ledger/sample_chain.h"
#include "node/chain_validators.h"

namespace hm::node {
namespace {

using consensus::Certificate;
using consensus::FinalBlock;
using consensus::Statement;
using consensus::VoteKind;
namespace sample = ledger::sample;

// A store in memory.
class MapStore final : public ports::Store {
 public:
  Result<std::optional<Bytes>> get(ports::Space space, ByteView key) const override {
    const auto& rows = rows_[static_cast<std::size_t>(space)];
    const auto found = rows.find(to_bytes(key));
    return found == rows.end() ? std::optional<Bytes>() : std::optional(found->second);
  }
  Result<void> write(const ports::WriteBatch& batch) override {
    for (const auto& row : batch) {
      auto& rows = rows_[static_cast<std::size_t>(row.space)];
      if (row.value) {
        rows[row.key] = *row.value;
      } else {
        rows.erase(row.key);
      }
    }
    return {};
  }
  Result<void> sync() override { return {}; }
  Result<void> scan(ports::Space space, ByteView first, ByteView last,
                    const std::function<bool(ByteView, ByteView)>& visit) const override {
    const auto& rows = rows_[static_cast<std::size_t>(space)];
    for (auto at = rows.lower_bound(to_bytes(first)); at != rows.end(); ++at) {
      if (!last.empty() && at->first >= to_bytes(last)) break;
      if (!visit(at->first, at->second)) break;
    }
    return {};
  }
  std::map<Bytes, Bytes>& rows(ports::Space space) {
    return rows_[static_cast<std::size_t>(space)];
  }

 private:
  std::array<std::map<Bytes, Bytes>, ports::kSpaceCount> rows_;
};

// Makes a real chain: blocks by the leaders of their views, certificates of all four validators.
class Maker {
 public:
  Maker() : validators_(validators_of(ledger_)) {
    domain_ = {ledger_.chain().chain_id, 0};
    header_.domain = domain_;
    header_.time_ms = sample::kGenesisTime;
    header_.exec = {0, ledger_.root()};
    hash_ = genesis_hash(domain_.chain);
  }

  const ledger::Genesis& genesis() const { return genesis_; }
  const ledger::Ledger& ledger() const { return ledger_; }

  Certificate certificate(const Statement& statement, std::uint32_t signers = 4) const {
    std::vector<consensus::Vote> votes;
    for (consensus::ValidatorIndex i = 0; i < signers; ++i) {
      votes.push_back(sign_vote(statement, i, key_of(i), domain_));
    }
    return assemble(statement, votes, validators_.size());
  }

  // The next block, in the view `skipped` + 1 after its parent's.
  consensus::Block block(std::uint64_t skipped = 0) {
    consensus::Block block;
    consensus::BlockHeader& header = block.header;
    header.domain = domain_;
    header.view = header_.view + 1 + skipped;
    header.height = header_.height + 1;
    header.parent_view = header_.view;
    header.parent_hash = hash_;
    if (header.height > 1) {
      block.parent_certificate = certificate({VoteKind::Notarize, header_.view, hash_});
    }
    for (std::uint64_t view = header.parent_view + 1; view < header.view; ++view) {
      block.skip_certificates.push_back(certificate({VoteKind::Nullify, view, {}}));
    }
    block.payload = ledger::encode_payload({{payment()}});
    header.time_ms = header_.time_ms + 10;
    header.exec = {header_.height, ledger_.root()};
    return block;
  }

  void seal(consensus::Block& block) const {
    consensus::BlockHeader& header = block.header;
    header.justification_hash =
        justification_hash_of(block.parent_certificate, block.skip_certificates);
    header.payload_hash = crypto::sha256(block.payload);
    header.proposer = validators_.leader(header.view);
    const Statement statement{VoteKind::Propose, header.view, hash_of(header)};
    block.signature =
        sign_vote(statement, header.proposer, key_of(header.proposer), domain_).signature;
  }

  Certificate finalization(const consensus::Block& block) const {
    return certificate({VoteKind::Finalize, block.header.view, hash_of(block.header)});
  }

  // Makes the sealed block the tip.
  ledger::BlockOutcome execute(const consensus::Block& block) {
    header_ = block.header;
    hash_ = hash_of(block.header);
    const auto operations = ledger::validate_payload(block.payload, domain_.chain).value();
    return ledger_.apply({header_.height, hash_, UnixMillis{header_.time_ms}}, operations);
  }

 private:
  Bytes payment() const {
    const auto signer = sample::key(0);
    const ledger::Actor actor = sample::owner_id(0);
    const ledger::Operation operation{
        .chain_id = domain_.chain,
        .actor = actor,
        .sequence = ledger_.next_sequence(actor).value(),
        .anchor = ledger_.anchor(),
        .expiry_height = ledger_.height() + 10,
        .action = ledger::TransferCaes{sample::owner_id(1), caesar::caes(1)}};
    return codec::encode(sign(operation, signer));
  }
  crypto::SigningKey key_of(consensus::ValidatorIndex index) const {
    for (std::uint32_t seed = 1000; seed < 1004; ++seed) {
      if (validators_.at(index).key == sample::key(seed).public_key()) return sample::key(seed);
    }
    return sample::key(0);
  }

  ledger::Genesis genesis_ = sample::genesis();
  ledger::Ledger ledger_ = ledger::Ledger::from_genesis(genesis_);
  consensus::ValidatorSet validators_;
  consensus::ChainDomain domain_;
  consensus::BlockHeader header_;
  crypto::Digest hash_;
};

// Adds a good block to both.
void grow(Maker& maker, ChainVerifier& verifier, std::uint64_t skipped = 0) {
  auto block = maker.block(skipped);
  maker.seal(block);
  ASSERT_TRUE(verifier.add({block, maker.finalization(block)}));
  maker.execute(block);
}

TEST(LedgerVerify, AGoodChainVerifiesWithAllItsCertificates) {
  Maker maker;
  ChainVerifier verifier(maker.genesis());
  grow(maker, verifier);
  grow(maker, verifier, 2);
  grow(maker, verifier);
  const VerifyReport report = verifier.report();
  EXPECT_EQ(report.height, 3u);
  EXPECT_EQ(report.state_root, maker.ledger().root());
  EXPECT_EQ(report.operations, 3u);
  EXPECT_EQ(report.certificates, 3u + 2u + 2u);  // finalizations, parents, skips
  EXPECT_EQ(report.awaiting_descendant, 0u);
}

TEST(LedgerVerify, ADescendantsCertificateProvesItsAncestors) {
  Maker maker;
  ChainVerifier verifier(maker.genesis());
  auto first = maker.block();
  maker.seal(first);
  maker.execute(first);
  auto second = maker.block();
  maker.seal(second);
  const auto certificate = maker.finalization(second);
  ASSERT_TRUE(verifier.add({first, certificate}));
  EXPECT_EQ(verifier.report().awaiting_descendant, 1u);
  ASSERT_TRUE(verifier.add({second, certificate}));
  EXPECT_EQ(verifier.report().awaiting_descendant, 0u);
}

TEST(LedgerVerify, ACertificateOfABlockThatNeverComesProvesNothing) {
  Maker maker;
  ChainVerifier verifier(maker.genesis());
  auto block = maker.block();
  maker.seal(block);
  const auto elsewhere = maker.certificate({VoteKind::Finalize, 2, crypto::sha256({})});
  ASSERT_TRUE(verifier.add({block, elsewhere}));
  maker.execute(block);
  auto next = maker.block();
  maker.seal(next);
  EXPECT_FALSE(verifier.add({next, maker.finalization(next)}));
}

struct Fault {
  const char* name;
  std::function<void(FinalBlock&, const Maker&)> plant;  // into a good sealed block
};

std::vector<Fault> faults() {
  const auto finalize = [](FinalBlock& f, const Maker& m) {
    m.seal(f.block);
    f.certificate = m.finalization(f.block);
  };
  const auto sealed = [finalize](const std::function<void(consensus::Block&)>& change) {
    return [=](FinalBlock& f, const Maker& m) {
      change(f.block);
      finalize(f, m);
    };
  };
  using consensus::Block;
  return {
      {"signature", [](FinalBlock& f, const Maker&) { f.block.signature.bytes[0] ^= 1; }},
      {"payload", [](FinalBlock& f, const Maker&) { f.block.payload.clear(); }},
      {"certificate bytes",
       [](FinalBlock& f, const Maker&) { f.certificate.signatures[1].bytes[0] ^= 1; }},
      {"no quorum",
       [](FinalBlock& f, const Maker& m) {
         f.certificate = m.certificate(f.certificate.statement, 2);
       }},
      {"notarization only",
       [](FinalBlock& f, const Maker& m) {
         f.certificate = m.certificate(
             {VoteKind::Notarize, f.block.header.view, f.certificate.statement.block});
       }},
      {"other chain", sealed([](Block& b) { b.header.domain.chain.bytes[0] ^= 1; })},
      {"height", sealed([](Block& b) { ++b.header.height; })},
      {"parent", sealed([](Block& b) { b.header.parent_hash.bytes[0] ^= 1; })},
      {"time", sealed([](Block& b) { b.header.time_ms = sample::kGenesisTime; })},
      {"execution root", sealed([](Block& b) { b.header.exec.root.bytes[0] ^= 1; })},
      {"root of the future", sealed([](Block& b) { b.header.exec.height = b.header.height; })},
      {"parent certificate", sealed([](Block& b) { b.parent_certificate = {}; })},
      {"forged operation", sealed([](Block& b) { b.payload.back() ^= 1; })},
      {"missing skip", sealed([](Block& b) { ++b.header.view; })},
  };
}

TEST(LedgerVerify, EachFaultInABlockIsFound) {
  for (const Fault& fault : faults()) {
    Maker maker;
    ChainVerifier verifier(maker.genesis());
    grow(maker, verifier);
    FinalBlock final_block;
    final_block.block = maker.block();
    maker.seal(final_block.block);
    final_block.certificate = maker.finalization(final_block.block);
    fault.plant(final_block, maker);
    const auto added = verifier.add(final_block);
    ASSERT_FALSE(added) << fault.name;
    EXPECT_EQ(added.error().height, 2u) << fault.name;
    EXPECT_FALSE(added.error().what.empty()) << fault.name;
  }
}

class StoreVerify : public ::testing::Test {
 protected:
  StoreVerify() {
    EXPECT_TRUE(chain_.initialise(maker_.ledger()));
    for (int i = 0; i < 3; ++i) {
      auto block = maker_.block();
      maker_.seal(block);
      const auto certificate = maker_.finalization(block);
      const auto outcome = maker_.execute(block);
      EXPECT_TRUE(chain_.append(block, hash_of(block.header), certificate, outcome));
    }
  }
  Result<VerifyReport, VerifyFailure> verify() const {
    return verify_store(maker_.genesis(), chain_, [](std::uint64_t) {}).value();
  }
  Maker maker_;
  MapStore store_;
  ChainStore chain_{store_};
};

TEST_F(StoreVerify, AGoodStoreVerifies) {
  const auto report = verify();
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->height, 3u);
  EXPECT_EQ(report->roots, 6u);
}

TEST_F(StoreVerify, FindsADamagedRoot) {
  auto& rows = store_.rows(ports::Space::Meta);
  Bytes key = to_bytes(as_bytes("root/"));
  key.insert(key.end(), {0, 0, 0, 0, 0, 0, 0, 2});
  rows.at(key).back() ^= 1;
  EXPECT_EQ(verify().error().height, 2u);
}

TEST_F(StoreVerify, FindsDamagedReceipts) {
  auto& rows = store_.rows(ports::Space::Meta);
  auto at = rows.lower_bound(to_bytes(as_bytes("receipts/")));
  at->second = codec::encode(std::vector<ledger::Receipt>{});
  EXPECT_EQ(verify().error().height, 1u);
}

TEST_F(StoreVerify, FindsADamagedStateEntry) {
  auto& rows = store_.rows(ports::Space::State);
  rows.at(ledger::row_key(ledger::Table::Supply)).back() ^= 1;
  const auto failure = verify().error();
  EXPECT_NE(failure.what.find("at key 01"), std::string::npos) << failure.what;
}

TEST_F(StoreVerify, FindsAMissingStateEntry) {
  auto& rows = store_.rows(ports::Space::State);
  rows.erase(std::prev(rows.end()));
  EXPECT_FALSE(verify());
}

TEST_F(StoreVerify, FindsAMissingBlock) {
  auto& rows = store_.rows(ports::Space::Blocks);
  rows.erase(std::next(rows.begin()));
  EXPECT_EQ(verify().error(), (VerifyFailure{2, "the block is missing"}));
}

TEST_F(StoreVerify, FindsAHeadThatNamesAnotherBlock) {
  auto head = chain_.head(maker_.ledger().chain().chain_id).value().value();
  head.hash.bytes[0] ^= 1;
  store_.rows(ports::Space::Meta)[to_bytes(as_bytes("head"))] = codec::encode(head);
  EXPECT_EQ(verify().error().what, "the head names another block");
}

TEST_F(StoreVerify, RefusesAStoreOfAnotherChain) {
  auto genesis = maker_.genesis();
  std::swap(genesis.validators[0], genesis.validators[1]);
  const auto verified = verify_store(genesis, chain_, [](std::uint64_t) {});
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::FailedPrecondition);
}

}  // namespace
}  // namespace hm::node
