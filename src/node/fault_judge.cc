// SPDX-License-Identifier: Apache-2.0
#include "node/fault_judge.h"

#include "core/consensus/certificate.h"
#include "foundation/codec/reader.h"
#include "node/chain_validators.h"

namespace hm::node {

std::optional<ledger::ProvenFault> judge_fault(
    ByteView evidence, const identity::ChainId& chain,
    const std::map<identity::NodeId, ledger::ValidatorRecord>& validators) {
  const auto decoded = codec::decode<consensus::Evidence>(evidence);
  if (!decoded) return std::nullopt;
  const consensus::ValidatorSet set = validators_of(chain, validators);
  // The validators are those of genesis: epoch 0.
  const auto fault = consensus::verify_evidence(*decoded, {.chain = chain, .epoch = 0}, set);
  if (!fault) return std::nullopt;
  return ledger::ProvenFault{set.at(decoded->first.signer).node, caesar::Fault::DoubleVote};
}

}  // namespace hm::node
