// SPDX-License-Identifier: Apache-2.0
// An owner's CAES as people read it, what its nodes may spend, and how many shares of a validator's
// pool are worth an amount.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/hypermesh/failure.h"
#include "core/caesar/delegation.h"
#include "foundation/base/time.h"

namespace hm::cli {

// The fewest shares that are worth at least the amount; nothing if the pool is worth less.
std::optional<std::uint64_t> shares_worth(const caesar::DelegationPool& pool,
                                          caesar::Amount amount);
// What so many shares are paid, rounded down.
caesar::Amount worth_of(const caesar::DelegationPool& pool, std::uint64_t shares);

// An amount of CAES above 0, named in the failure.
Answer<caesar::Amount> amount_above_zero(const std::string& text);

// What an owner has with a validator.
struct Delegated {
  caesar::DelegationPool pool;
  std::uint64_t shares = 0;
};
// Of the documents /caesar/staking and /wallet. Fails if the node is no validator, or the
// owner has nothing there.
Answer<Delegated> delegated_with(const nlohmann::ordered_json& staking,
                                 const nlohmann::ordered_json& wallet,
                                 const std::string& validator);

// How many shares to take back: all, or the fewest that bring the amount. Refused if there are not
// so many.
Answer<std::uint64_t> shares_to_take(const Delegated& delegated,
                                     std::optional<caesar::Amount> amount);

// The last release among what is unbonding; 0 if nothing is.
std::uint64_t last_release(const nlohmann::ordered_json& wallet);

// Of the document /nodes, {id, name, allowance} of the owner's nodes, or of `node` alone if it is
// named and is the owner's.
std::vector<nlohmann::ordered_json> allowances_of(const nlohmann::ordered_json& nodes,
                                                  const std::string& owner,
                                                  const std::string& node);
std::string allowance_in_words(const std::string& node, caesar::Amount amount);

// What `hypermesh wallet` prints.
std::vector<std::pair<std::string, std::string>> wallet_lines(const nlohmann::ordered_json& wallet,
                                                              UnixMillis now);

}  // namespace hm::cli
