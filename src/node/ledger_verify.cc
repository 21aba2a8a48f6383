// SPDX-License-Identifier: Apache-2.0
#include "node/ledger_verify.h"

#include <algorithm>
#include <utility>

#include "core/consensus/certificate.h"
#include "core/ledger/payload.h"
#include "node/chain_validators.h"
#include "node/fault_judge.h"

namespace hm::node {
namespace {

using consensus::Block;
using consensus::BlockHeader;
using consensus::Certificate;
using consensus::Statement;
using consensus::VoteKind;
using crypto::Digest;

// Blocks between two reports of progress.
constexpr std::uint64_t kProgressInterval = 256;

BlockHeader genesis_header(const consensus::ChainDomain& domain, const ledger::Ledger& ledger) {
  BlockHeader header;
  header.domain = domain;
  header.time_ms = ledger.head().time.value;
  header.exec = {0, ledger.root()};
  return header;
}

std::string short_hash(const Digest& digest) { return digest.to_string().substr(0, 16); }

// What the store says of a block beside the block itself.
Result<std::optional<std::string>> compare_rows(const ChainStore& store, std::uint64_t height,
                                                const Digest& hash,
                                                const ledger::BlockOutcome& outcome,
                                                std::uint64_t& roots) {
  HM_TRY(const auto receipts, store.receipts(height));
  if (receipts != outcome.receipts) return std::optional<std::string>("other receipts are stored");
  HM_TRY(const auto indexed, store.height_of(hash));
  if (indexed != height) return std::optional<std::string>("its hash is not in the index");
  HM_TRY(const auto stored, store.roots(height, height));
  for (const auto& [at, root] : stored) {
    ++roots;
    if (root != outcome.root) {
      return std::optional<std::string>("the stored root is " + short_hash(root) +
                                        "…, execution gives " + short_hash(outcome.root) + "…");
    }
  }
  return std::optional<std::string>();
}

// The state entries as stored, against those of the replayed ledger; the first difference.
std::optional<std::string> compare_state(std::vector<ledger::StateEntry> stored,
                                         const ledger::Ledger& ledger) {
  std::ranges::sort(stored, {}, &ledger::StateEntry::key);
  const auto replayed = ledger.export_state();
  const auto [left, right] = std::ranges::mismatch(stored, replayed);
  if (left == stored.end() && right == replayed.end()) return std::nullopt;
  const Bytes& key = left != stored.end() ? left->key : right->key;
  return "the stored state differs from the replayed one at key " + to_hex(key);
}

}  // namespace

ChainVerifier::ChainVerifier(const ledger::Genesis& genesis)
    : domain_{ledger::chain_id(genesis), 0},
      ledger_(ledger::Ledger::from_genesis(genesis, judge_fault)),
      validators_(validators_of(ledger_)),
      tip_(genesis_header(domain_, ledger_)),
      tip_hash_(genesis_hash(domain_.chain)),
      roots_{ledger_.root()} {}

std::unexpected<VerifyFailure> ChainVerifier::wrong(std::string what) const {
  return fail(VerifyFailure{ledger_.height() + 1, std::move(what)});
}

Result<ledger::BlockOutcome, VerifyFailure> ChainVerifier::add(
    const consensus::FinalBlock& final_block) {
  const Block& block = final_block.block;
  const Digest hash = hash_of(block.header);
  HM_TRY_VOID(check_header(block));
  HM_TRY_VOID(check_proposer(block, hash));
  HM_TRY_VOID(check_justification(block));
  HM_TRY_VOID(check_finalization(final_block, hash));
  HM_TRY_VOID(check_execution_root(block));
  const auto operations = ledger::validate_payload(block.payload, domain_.chain);
  if (!operations) return wrong("payload: " + std::string(name_of(operations.error())));

  const ledger::BlockContext context{block.header.height, hash, UnixMillis{block.header.time_ms}};
  ledger::BlockOutcome outcome = ledger_.apply(context, *operations);
  report_.operations += outcome.receipts.size();
  report_.refused += static_cast<std::uint64_t>(
      std::ranges::count_if(outcome.receipts, [](const auto& r) { return r.refused.has_value(); }));
  roots_.push_back(outcome.root);
  tip_ = block.header;
  tip_hash_ = hash;
  return outcome;
}

VerifyReport ChainVerifier::report() const {
  VerifyReport report = report_;
  report.height = ledger_.height();
  report.hash = tip_hash_;
  report.state_root = ledger_.root();
  std::uint64_t first = report.height + 1;
  for (const auto& [view, target] : awaited_) first = std::min(first, target.first_height);
  report.awaiting_descendant = report.height + 1 - first;
  return report;
}

ChainVerifier::Checked ChainVerifier::check_header(const Block& block) const {
  const BlockHeader& header = block.header;
  if (header.domain != domain_) return wrong("a block of another chain or epoch");
  if (header.height != tip_.height + 1) {
    return wrong("the block says height " + std::to_string(header.height));
  }
  if (header.parent_hash != tip_hash_ || header.parent_view != tip_.view) {
    return wrong("its parent is not the block before it");
  }
  if (header.view <= tip_.view) return wrong("its view is not above its parent's");
  if (header.time_ms <= tip_.time_ms) return wrong("its time is not after its parent's");
  if (!body_matches(block)) return wrong("the header's hashes do not fit the body");
  return {};
}

ChainVerifier::Checked ChainVerifier::check_proposer(const Block& block, const Digest& hash) const {
  const BlockHeader& header = block.header;
  if (header.proposer != validators_.leader(header.view)) {
    return wrong("its proposer was not the leader of view " + std::to_string(header.view));
  }
  const consensus::Vote vote{
      {VoteKind::Propose, header.view, hash}, header.proposer, block.signature};
  if (!verify_vote(vote, domain_, validators_)) return wrong("the proposer's signature is bad");
  return {};
}

// The parent was notarized, and every view between was given up.
ChainVerifier::Checked ChainVerifier::check_justification(const Block& block) {
  const BlockHeader& header = block.header;
  if (header.height == 1) {
    if (block.parent_certificate != Certificate{}) return wrong("genesis has no certificate");
  } else {
    const Statement& parent = block.parent_certificate.statement;
    const bool fits = parent.view == header.parent_view && parent.block == header.parent_hash &&
                      (parent.kind == VoteKind::Notarize || parent.kind == VoteKind::Finalize);
    if (!fits) return wrong("the parent's certificate is for something else");
    HM_TRY_VOID(check_certificate(block.parent_certificate, "parent certificate"));
  }
  if (block.skip_certificates.size() != header.view - header.parent_view - 1) {
    return wrong("skip certificates do not cover the views since its parent");
  }
  for (std::size_t i = 0; i < block.skip_certificates.size(); ++i) {
    const Statement expected{VoteKind::Nullify, header.parent_view + 1 + i, {}};
    if (block.skip_certificates[i].statement != expected) {
      return wrong("a skip certificate is for something else");
    }
    HM_TRY_VOID(check_certificate(block.skip_certificates[i], "skip certificate"));
  }
  return {};
}

ChainVerifier::Checked ChainVerifier::check_finalization(const consensus::FinalBlock& final_block,
                                                         const Digest& hash) {
  const Certificate& certificate = final_block.certificate;
  if (certificate.statement.kind != VoteKind::Finalize) {
    return wrong("its certificate is not a finalization");
  }
  if (checked_ != certificate) {
    HM_TRY_VOID(check_certificate(certificate, "finalization"));
    checked_ = certificate;
  }
  // A certificate of a descendant proves this block once that descendant has come.
  const BlockHeader& header = final_block.block.header;
  const Statement& proven = certificate.statement;
  if (proven.view < header.view) return wrong("its finalization is of an earlier view");
  const Awaited target{proven.block, header.height};
  const auto place = awaited_.try_emplace(proven.view, target).first;
  if (place->second.block != proven.block) return wrong("two blocks are finalized in one view");
  // What should have come by this view is this very block.
  const auto due = awaited_.begin();
  if (due->first < header.view || (due->first == header.view && due->second.block != hash)) {
    return wrong("block " + short_hash(due->second.block) + "…, finalized in view " +
                 std::to_string(due->first) + ", is not in the chain");
  }
  if (due->first == header.view) awaited_.erase(due);
  return {};
}

ChainVerifier::Checked ChainVerifier::check_certificate(const Certificate& certificate,
                                                        const char* what) {
  ++report_.certificates;
  if (const auto checked = verify_certificate(certificate, domain_, validators_); !checked) {
    return wrong(std::string(what) + ": " + std::string(name_of(checked.error())));
  }
  return {};
}

ChainVerifier::Checked ChainVerifier::check_execution_root(const Block& block) {
  const consensus::ExecutionRoot& exec = block.header.exec;
  ++report_.roots;
  if (exec.height >= roots_.size()) return wrong("it carries the root of a later block");
  if (exec.height < tip_.exec.height) return wrong("it carries an older root than its parent");
  const Digest& own = roots_[exec.height];
  if (exec.root != own) {
    return wrong("it carries root " + short_hash(exec.root) + "… for height " +
                 std::to_string(exec.height) + ", execution gives " + short_hash(own) + "…");
  }
  return {};
}

Result<Result<VerifyReport, VerifyFailure>> verify_store(
    const ledger::Genesis& genesis, const ChainStore& store,
    const std::function<void(std::uint64_t)>& progress) {
  using Verdict = Result<VerifyReport, VerifyFailure>;
  ChainVerifier verifier(genesis);
  HM_TRY(const auto head, store.head(verifier.ledger().chain().chain_id));
  if (!head) return fail(ErrorCode::NotFound, "the ledger store is empty", "start the node first");
  std::uint64_t roots = 0;
  for (std::uint64_t height = 1; height <= head->height; ++height) {
    const auto wrong = [&](std::string what) {
      return Verdict(std::unexpect, VerifyFailure{height, std::move(what)});
    };
    HM_TRY(const auto final_block, store.decoded_block(height));
    if (!final_block) return wrong("the block is missing");
    const auto outcome = verifier.add(*final_block);
    if (!outcome) return Verdict(std::unexpect, outcome.error());
    HM_TRY(const auto difference,
           compare_rows(store, height, hash_of(final_block->block.header), *outcome, roots));
    if (difference) return wrong(*difference);
    if (height % kProgressInterval == 0) progress(height);
  }
  VerifyReport report = verifier.report();
  report.roots += roots;
  const auto at_head = [&](std::string what) {
    return Verdict(std::unexpect, VerifyFailure{head->height, std::move(what)});
  };
  if (head->hash != report.hash) return at_head("the head names another block");
  if (head->state_root != report.state_root) return at_head("the head names another root");
  HM_TRY(auto entries, store.state());
  if (auto difference = compare_state(std::move(entries), verifier.ledger())) {
    return at_head(std::move(*difference));
  }
  return Verdict(report);
}

}  // namespace hm::node
