// SPDX-License-Identifier: Apache-2.0
#include "core/consensus/validator_set.h"

#include <algorithm>

#include "core/consensus/limits.h"

namespace hm::consensus {
namespace {

// Slots per validator in the leader schedule: stakes are honoured to about one part in eight of an
// average share, and the schedule stays small.
constexpr std::size_t kSlotsPerValidator = 8;

// Smooth weighted round robin: each slot adds every stake to its account, the richest leads and
// pays the total. `order` breaks ties. Stakes below 2^60 / slots keep the accounts in 64 bits.
std::vector<ValidatorIndex> make_schedule(const std::vector<Validator>& validators,
                                          std::uint64_t total,
                                          const std::vector<ValidatorIndex>& order) {
  const bool equal = std::ranges::all_of(
      validators, [&](const Validator& v) { return v.stake == validators.front().stake; });
  const std::size_t slots = validators.size() * (equal ? 1 : kSlotsPerValidator);
  std::vector<std::int64_t> accounts(validators.size(), 0);
  std::vector<ValidatorIndex> schedule;
  schedule.reserve(slots);
  for (std::size_t slot = 0; slot < slots; ++slot) {
    ValidatorIndex best = order.front();
    for (const ValidatorIndex index : order) {
      accounts[index] += static_cast<std::int64_t>(validators[index].stake);
      if (accounts[index] > accounts[best]) best = index;
    }
    accounts[best] -= static_cast<std::int64_t>(total);
    schedule.push_back(best);
  }
  return schedule;
}

}  // namespace

std::string_view name_of(ValidatorSetError error) {
  switch (error) {
    case ValidatorSetError::Empty: return "no validators";
    case ValidatorSetError::TooMany: return "too many validators";
    case ValidatorSetError::ZeroStake: return "validator without stake";
    case ValidatorSetError::StakeOverflow: return "total stake too large";
    case ValidatorSetError::DuplicateKey: return "validator key repeated";
    case ValidatorSetError::DuplicateNode: return "validator node repeated";
    case ValidatorSetError::InvalidKey: return "invalid validator key";
  }
  return "unknown";
}

Result<ValidatorSet, ValidatorSetError> ValidatorSet::create(std::vector<Validator> validators,
                                                             const Digest& seed) {
  if (validators.empty()) return fail(ValidatorSetError::Empty);
  if (validators.size() > kMaxValidators) return fail(ValidatorSetError::TooMany);
  std::ranges::sort(validators, {}, &Validator::key);
  std::vector<NodeId> nodes;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < validators.size(); ++i) {
    const Validator& validator = validators[i];
    if (validator.stake == 0) return fail(ValidatorSetError::ZeroStake);
    if (validator.stake > kMaxTotalStake - total) return fail(ValidatorSetError::StakeOverflow);
    total += validator.stake;
    if (i > 0 && validators[i - 1].key == validator.key) {
      return fail(ValidatorSetError::DuplicateKey);
    }
    if (!crypto::is_valid_key(validator.key)) return fail(ValidatorSetError::InvalidKey);
    nodes.push_back(validator.node);
  }
  std::ranges::sort(nodes);
  if (std::ranges::adjacent_find(nodes) != nodes.end()) {
    return fail(ValidatorSetError::DuplicateNode);
  }

  std::vector<std::pair<Digest, ValidatorIndex>> tickets;
  for (std::size_t i = 0; i < validators.size(); ++i) {
    codec::Writer writer;
    writer.write(seed);
    writer.write(validators[i].key);
    tickets.emplace_back(crypto::tagged_hash("hm.leader.v1", writer.bytes()),
                         static_cast<ValidatorIndex>(i));
  }
  std::ranges::sort(tickets);
  std::vector<ValidatorIndex> order;
  for (const auto& ticket : tickets) order.push_back(ticket.second);

  ValidatorSet set;
  set.schedule_ = make_schedule(validators, total, order);
  set.validators_ = std::move(validators);
  set.total_ = total;
  return set;
}

std::optional<ValidatorIndex> ValidatorSet::index_of(const NodeId& node) const {
  for (std::size_t i = 0; i < validators_.size(); ++i) {
    if (validators_[i].node == node) return static_cast<ValidatorIndex>(i);
  }
  return std::nullopt;
}

std::optional<ValidatorIndex> ValidatorSet::index_of_key(const PublicKey& key) const {
  const auto found = std::ranges::lower_bound(validators_, key, {}, &Validator::key);
  if (found == validators_.end() || found->key != key) return std::nullopt;
  return static_cast<ValidatorIndex>(found - validators_.begin());
}

}  // namespace hm::consensus
