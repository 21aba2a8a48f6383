// SPDX-License-Identifier: Apache-2.0
// The validators of one epoch: their order, stake, quorum arithmetic and leader rotation.
// Immutable.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/consensus/types.h"
#include "foundation/base/result.h"

namespace hm::consensus {

struct Validator {
  NodeId node;
  PublicKey key;
  std::uint64_t stake = 0;
};

enum class ValidatorSetError : std::uint8_t {
  Empty,
  TooMany,  // above kMaxValidators
  ZeroStake,
  StakeOverflow,  // total above kMaxTotalStake
  DuplicateKey,
  DuplicateNode,
  InvalidKey,  // not a canonical prime-order Ed25519 point
};
std::string_view name_of(ValidatorSetError error);

class ValidatorSet {
 public:
  // Sorts by key; `seed` (the epoch's) fixes the leader rotation.
  static Result<ValidatorSet, ValidatorSetError> create(std::vector<Validator> validators,
                                                        const Digest& seed);

  std::size_t size() const { return validators_.size(); }
  const Validator& at(ValidatorIndex index) const { return validators_.at(index); }
  const std::vector<Validator>& all() const { return validators_; }
  std::uint64_t total_stake() const { return total_; }

  // Strictly more than two thirds: 3·stake > 2·total.
  bool is_quorum(std::uint64_t stake) const { return 3 * stake > 2 * total_; }
  // Strictly more than one third: at least one honest signer among them.
  bool is_honest_witness(std::uint64_t stake) const { return 3 * stake > total_; }

  std::optional<ValidatorIndex> index_of(const NodeId& node) const;
  std::optional<ValidatorIndex> index_of_key(const PublicKey& key) const;

  // Stake-weighted rotation: a smooth weighted round robin over a fixed schedule, ties broken by
  // the seed. Equal stakes take turns.
  ValidatorIndex leader(View view) const { return schedule_[view % schedule_.size()]; }

 private:
  ValidatorSet() = default;
  std::vector<Validator> validators_;
  std::vector<ValidatorIndex> schedule_;
  std::uint64_t total_ = 0;
};

}  // namespace hm::consensus
