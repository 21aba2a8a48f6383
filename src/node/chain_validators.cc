// SPDX-License-Identifier: Apache-2.0
#include "node/chain_validators.h"

#include <utility>
#include <vector>

#include "foundation/base/check.h"

namespace hm::node {

crypto::Digest genesis_hash(const identity::ChainId& chain) { return {chain.bytes}; }

consensus::ValidatorSet validators_of(const ledger::Ledger& ledger) {
  std::vector<consensus::Validator> validators;
  for (const auto& [node, record] : ledger.tables().validators) {
    validators.push_back({node, record.key, record.stake.value});
  }
  auto set =
      consensus::ValidatorSet::create(std::move(validators), genesis_hash(ledger.chain().chain_id));
  // validate(genesis) refuses every document for which this could fail.
  HM_CHECK(set.has_value());
  return std::move(*set);
}

}  // namespace hm::node
