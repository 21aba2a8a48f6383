// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/job_result.h"

#include <map>
#include <utility>

#include "foundation/codec/writer.h"

namespace hm::ledger {

crypto::Digest result_commitment(const identity::ChainId& chain, const LeaseId& lease,
                                 const crypto::Digest& output, std::uint8_t exit_code,
                                 const ResultSalt& salt) {
  codec::Writer writer;
  writer.write(chain);
  writer.write(lease);
  writer.write(output);
  writer.write(exit_code);
  writer.write(salt);
  return crypto::tagged_hash("hm.result-commitment.v1", std::move(writer).take());
}

crypto::Digest result_statement(const identity::ChainId& chain, const LeaseId& lease,
                                const crypto::Digest& commitment) {
  codec::Writer writer;
  writer.write(chain);
  writer.write(lease);
  writer.write(commitment);
  return crypto::tagged_hash("hm.result.v1", std::move(writer).take());
}

SignedResult sign_result(const identity::ChainId& chain, const LeaseId& lease,
                         const crypto::Digest& output, std::uint8_t exit_code,
                         const ResultSalt& salt, const crypto::SigningKey& key) {
  const crypto::Digest commitment = result_commitment(chain, lease, output, exit_code, salt);
  return {.lease = lease,
          .commitment = commitment,
          .output = output,
          .exit_code = exit_code,
          .salt = salt,
          .key = key.public_key(),
          .signature = key.sign(result_statement(chain, lease, commitment).view())};
}

std::optional<ResultFault> check_result(const identity::ChainId& chain,
                                        const SignedResult& result) {
  if (result.commitment !=
      result_commitment(chain, result.lease, result.output, result.exit_code, result.salt)) {
    return ResultFault::NotCommitted;
  }
  const crypto::Digest statement = result_statement(chain, result.lease, result.commitment);
  if (!crypto::verify(result.key, statement.view(), result.signature)) {
    return ResultFault::BadSignature;
  }
  return std::nullopt;
}

Tally tally(std::span<const SignedResult> results) {
  using ResultKey = std::pair<crypto::Digest, std::uint8_t>;
  const auto answer = [](const SignedResult& r) { return ResultKey{r.output, r.exit_code}; };
  std::map<ResultKey, std::size_t> counts;
  for (const SignedResult& result : results) ++counts[answer(result)];
  Tally made;
  ResultKey most;
  for (const auto& [key, count] : counts) {
    if (count <= made.agreeing) continue;
    made.agreeing = count;
    most = key;
  }
  made.has_majority = 2 * made.agreeing > results.size();
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (answer(results[i]) != most) made.dissenting.push_back(i);
  }
  return made;
}

crypto::Digest evidence_hash(const identity::ChainId& chain,
                             const std::vector<SignedResult>& results) {
  codec::Writer writer;
  writer.write(chain);
  writer.write(results);
  return crypto::tagged_hash("hm.disagreement.v1", std::move(writer).take());
}

}  // namespace hm::ledger
