// SPDX-License-Identifier: Apache-2.0
#include "node/chain_validators.h"

#include <utility>
#include <vector>

#include "foundation/base/check.h"

namespace hm::node {

crypto::Digest genesis_hash(const identity::ChainId& chain) { return {chain.bytes}; }

consensus::ValidatorSet validators_of(
    const identity::ChainId& chain,
    const std::map<identity::NodeId, ledger::ValidatorRecord>& validators) {
  std::vector<consensus::Validator> members;
  for (const auto& [node, record] : validators) {
    members.push_back({node, record.key, record.stake.value});
  }
  auto set = consensus::ValidatorSet::create(std::move(members), genesis_hash(chain));
  // validate(genesis) refuses every document for which this could fail.
  HM_CHECK(set.has_value());
  return std::move(*set);
}

consensus::ValidatorSet validators_of(const ledger::Ledger& ledger) {
  return validators_of(ledger.chain().chain_id, ledger.tables().validators);
}

}  // namespace hm::node
