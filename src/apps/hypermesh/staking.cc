// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/staking.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/lease_view.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

__extension__ using Wide = unsigned __int128;

std::string caes_text(caesar::Amount amount) { return caesar::to_string(amount) + " CAES"; }

}  // namespace

std::optional<std::uint64_t> shares_worth(const caesar::DelegationPool& pool,
                                          caesar::Amount amount) {
  if (pool.total.value == 0 || amount > pool.total) return std::nullopt;
  // ⌊s · total / shares⌋ ≥ amount exactly if s ≥ amount · shares / total.
  const Wide product = Wide{amount.value} * pool.shares;
  return static_cast<std::uint64_t>((product + pool.total.value - 1) / pool.total.value);
}

caesar::Amount worth_of(const caesar::DelegationPool& pool, std::uint64_t shares) {
  return caesar::scale(pool.total, shares, pool.shares).value_or(caesar::Amount{});
}

Answer<caesar::Amount> amount_above_zero(const std::string& text) {
  const auto amount = caesar::parse_amount(text);
  if (amount && *amount > caesar::Amount{}) return *amount;
  return failed(ExitCode::Usage, fmt::format("'{}' is no amount of CAES above 0", text),
                "digits, and at most nine after a point", "for example 12.5");
}

Answer<Delegated> delegated_with(const ordered_json& staking, const ordered_json& wallet,
                                 const std::string& validator) {
  Delegated delegated;
  const ordered_json& validators = list_of(staking, "validators");
  const auto pool = std::ranges::find_if(
      validators, [&](const ordered_json& item) { return text_of(item, "node") == validator; });
  if (pool == validators.end()) {
    return failed(ExitCode::Failure, fmt::format("node {} is no validator", short_id(validator)),
                  "only with validators can be staked", "'hypermesh validators' lists them");
  }
  delegated.pool = {amount_of(*pool, "delegated").value_or(caesar::Amount{}),
                    number_of(*pool, "shares")};
  for (const ordered_json& item : list_of(wallet, "delegations")) {
    if (text_of(item, "validator") == validator) delegated.shares = number_of(item, "shares");
  }
  if (delegated.shares == 0) {
    return failed(ExitCode::Failure,
                  fmt::format("nothing of this owner is staked with {}", short_id(validator)),
                  "it has no shares of that validator's pool",
                  "'hypermesh wallet' lists what is delegated");
  }
  return delegated;
}

Answer<std::uint64_t> shares_to_take(const Delegated& delegated,
                                     std::optional<caesar::Amount> amount) {
  if (!amount) return delegated.shares;
  const auto shares = shares_worth(delegated.pool, *amount);
  if (shares && *shares <= delegated.shares) return *shares;
  return failed(ExitCode::Failure,
                fmt::format("{} is more than is delegated there", caes_text(*amount)),
                fmt::format("the owner's {} shares are worth {}", delegated.shares,
                            caes_text(worth_of(delegated.pool, delegated.shares))),
                "ask for less, or for --all");
}

std::uint64_t last_release(const ordered_json& wallet) {
  std::uint64_t last = 0;
  for (const ordered_json& entry : list_of(wallet, "unbonding_entries")) {
    last = std::max(last, number_of(entry, "release_ms"));
  }
  return last;
}

std::vector<ordered_json> allowances_of(const ordered_json& nodes, const std::string& owner,
                                        const std::string& node) {
  std::vector<ordered_json> found;
  for (const ordered_json& item : list_of(nodes, "nodes")) {
    const std::string id = text_of(item, "id");
    if (text_of(item, "owner") != owner || (!node.empty() && id != node)) continue;
    found.push_back(
        {{"id", id}, {"name", text_of(item, "name")}, {"allowance", text_of(item, "allowance")}});
  }
  return found;
}

std::string allowance_in_words(const std::string& node, caesar::Amount amount) {
  if (amount.value == 0) return fmt::format("{} spends nothing on leases by itself", node);
  return fmt::format("{} may spend up to {} on leases by itself", node, caes_text(amount));
}

std::vector<std::pair<std::string, std::string>> wallet_lines(const ordered_json& wallet,
                                                              UnixMillis now) {
  std::vector<std::pair<std::string, std::string>> lines = {
      {"owner", fmt::format("{} ({})", text_of(wallet, "name"), text_of(wallet, "owner"))},
      {"balance", text_of(wallet, "balance") + " CAES"},
      {"bond", text_of(wallet, "bond") + " CAES"}};
  const auto amount = [&](const char* name, const char* key, std::string_view what) {
    const std::string text = text_of(wallet, key);
    if (!text.empty()) lines.emplace_back(name, fmt::format("{} CAES {}", text, what));
  };
  amount("staked", "staked", "of the bond, behind own validators");
  amount("escrow", "escrowed", "held by leases");
  for (const ordered_json& entry : list_of(wallet, "unbonding_entries")) {
    lines.emplace_back("unbonding",
                       fmt::format("{} CAES, free {}", text_of(entry, "amount"),
                                   moment_from_now(number_of(entry, "release_ms"), now)));
  }
  for (const ordered_json& item : list_of(wallet, "delegations")) {
    const std::string name = text_of(item, "name");
    const std::string validator = text_of(item, "validator");
    lines.emplace_back(
        "delegated",
        fmt::format("{} CAES with {} ({} shares)", text_of(item, "worth"),
                    name.empty() ? short_id(validator) : name, number_of(item, "shares")));
  }
  lines.emplace_back("assets", text_of(wallet, "assets"));
  lines.emplace_back("nodes", std::to_string(list_of(wallet, "nodes").size()));
  lines.emplace_back("sequence", fmt::format("{} is the next", number_of(wallet, "next_sequence")));
  return lines;
}

}  // namespace hm::cli
