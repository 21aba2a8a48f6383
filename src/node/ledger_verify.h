// SPDX-License-Identifier: Apache-2.0
// Replays a chain from its genesis and checks everything that can be checked without trusting who
// kept it: every block's link, justification, proposer, certificate and operations, every execution
// root that a block carries, and, for a store, every root, receipt and state entry in it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/consensus/types.h"
#include "core/consensus/validator_set.h"
#include "core/ledger/ledger.h"
#include "foundation/base/result.h"
#include "node/chain_store.h"

namespace hm::node {

struct VerifyReport {
  std::uint64_t height = 0;
  crypto::Digest hash;
  crypto::Digest state_root;
  std::uint64_t operations = 0;
  std::uint64_t refused = 0;  // of these
  std::uint64_t certificates = 0;
  std::uint64_t roots = 0;  // execution roots in blocks, and roots of the store
  // Newest blocks whose finalization certifies a descendant that is not there yet.
  std::uint64_t awaiting_descendant = 0;
};

// Where and how a chain is wrong.
struct VerifyFailure {
  std::uint64_t height = 0;
  std::string what;
  bool operator==(const VerifyFailure&) const = default;
};

class ChainVerifier {
 public:
  // Requires: validate(genesis) passed.
  explicit ChainVerifier(const ledger::Genesis& genesis);

  // The next block, from height 1 on. After a failure the verifier is of no more use.
  Result<ledger::BlockOutcome, VerifyFailure> add(const consensus::FinalBlock& final_block);

  const ledger::Ledger& ledger() const { return ledger_; }
  VerifyReport report() const;

 private:
  using Checked = Result<void, VerifyFailure>;
  // A block that an earlier block's certificate proves final and that must still come.
  struct Awaited {
    crypto::Digest block;
    std::uint64_t first_height = 0;  // the first block that rests on it
  };
  Checked check_header(const consensus::Block& block) const;
  Checked check_proposer(const consensus::Block& block, const crypto::Digest& hash) const;
  Checked check_justification(const consensus::Block& block);
  Checked check_finalization(const consensus::FinalBlock& final_block, const crypto::Digest& hash);
  Checked check_certificate(const consensus::Certificate& certificate, const char* what);
  Checked check_execution_root(const consensus::Block& block);
  std::unexpected<VerifyFailure> wrong(std::string what) const;

  consensus::ChainDomain domain_;
  ledger::Ledger ledger_;
  consensus::ValidatorSet validators_;
  consensus::BlockHeader tip_;  // of the newest block added; genesis at first
  crypto::Digest tip_hash_;
  std::vector<crypto::Digest> roots_;           // by height
  std::map<consensus::View, Awaited> awaited_;  // by the view of the certificate
  // The certificate checked last: consecutive blocks often share one.
  std::optional<consensus::Certificate> checked_;
  VerifyReport report_;
};

// Verifies what a store holds. `progress` is called now and then with the height reached. The error
// is the store's; a chain that is wrong is a value.
Result<Result<VerifyReport, VerifyFailure>> verify_store(
    const ledger::Genesis& genesis, const ChainStore& store,
    const std::function<void(std::uint64_t)>& progress);

}  // namespace hm::node
