// SPDX-License-Identifier: Apache-2.0
// CAES: how much there is, what is staked, what lending earned and what it cost. Every line names
// the record of the ledger that it is read from.
#include <algorithm>

#include "core/api/ledger_json.h"
#include "core/api/lending_json.h"
#include "core/api/limits.h"
#include "core/api/text.h"
#include "core/caesar/amount.h"
#include "core/ledger/row_key.h"
#include "node/http_api/api.h"
#include "node/http_api/paging.h"

namespace hm::http_api {
namespace {

using api::JsonWriter;
using caesar::Amount;

// Sums over the leases that one chain keeps: no more than its supply.
struct Totals {
  Amount paid;
  Amount fee;
  Amount reward;
  std::uint64_t counted_ms = 0;
  std::uint64_t disputed_intervals = 0;

  void add(const ledger::Placement& placement) {
    paid.value += placement.paid.value;
    fee.value += placement.fee.value;
    reward.value += placement.reward.value;
    counted_ms += placement.counted_ms;
    disputed_intervals += placement.disputed_intervals;
  }
};

std::string earned(Amount paid, Amount fee, Amount reward) {
  return caesar::to_string(Amount{paid.value - fee.value + reward.value});
}

// Calls visit(placement, its number, whether it is the present one) in the order of time.
template <class Visit>
void each_placement(const ledger::LeaseRecord& lease, Visit visit) {
  for (std::size_t i = 0; i < lease.past.size(); ++i) visit(lease.past[i], i, false);
  visit(lease.placement, lease.past.size(), true);
}

void write_line_start(JsonWriter& json, const ledger::LeaseId& id, const ledger::LeaseRecord& lease,
                      const ledger::Placement& placement, std::size_t number, bool is_present) {
  json.member("lease", id.to_string());
  json.member("state_key", to_hex(ledger::row_key(ledger::Table::Lease, id)));
  json.member("placement", number);
  json.member("asset", placement.choice.asset.to_string());
  json.member("provider", placement.provider.to_string());
  json.member("tenant", lease.tenant.to_string());
  json.member("quantity", lease.quantity);
  json.member("price", caesar::to_string(placement.price));
  json.member("accepted_ms", placement.accepted.value);
  json.member("counted_ms", placement.counted_ms);
  json.member("used", placement.used());
  json.member("counted_intervals", placement.counted_intervals);
  json.member("disputed_intervals", placement.disputed_intervals);
  json.member("paid", caesar::to_string(placement.paid));
  json.member("fee", caesar::to_string(placement.fee));
  // A lease that moved on has left this asset, whatever it does now.
  json.member("state", is_present ? ledger::name_of(lease.state) : "moved");
  json.member("end", ledger::name_of(placement.end));
  json.member("operation", lease.last_operation.to_string());
}

void write_delegations(JsonWriter& json, const ledger::Tables& tables,
                       const identity::OwnerId& owner) {
  json.key("delegations").begin_array();
  for (const auto& [key, record] : tables.delegations) {
    if (key.second != owner) continue;
    const caesar::DelegationPool& pool = tables.validators.at(key.first).delegated;
    json.begin_object();
    json.member("validator", key.first.to_string());
    json.member("shares", record.shares);
    json.member("worth",
                caesar::to_string(
                    caesar::scale(pool.total, record.shares, pool.shares).value_or(Amount{})));
    json.member("state_key", to_hex(ledger::row_key(ledger::Table::Delegation, key)));
    json.end_object();
  }
  json.end_array();
}

}  // namespace

void Api::show_wallet(Call call) {
  const ledger::Ledger& ledger = node_.ledger();
  const ledger::Tables& tables = ledger.tables();
  const auto owner = named_owner(call.parameter);
  if (!owner) return answer(call, owner.error());
  const ledger::OwnerRecord& record = *ledger.owner(*owner);
  Amount escrowed;
  for (const ledger::LeaseId& id : ledger.lease_index().of_tenant(*owner)) {
    escrowed.value += ledger.lease(id)->escrow.value;
  }
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  json.member("owner", owner->to_string()).member("name", record.name);
  api::write_account_members(json, ledger.account(*owner));
  json.key("unbonding_entries").begin_array();
  if (const auto waiting = tables.unbondings.find(*owner); waiting != tables.unbondings.end()) {
    for (const ledger::UnbondingEntry& entry : waiting->second.entries) {
      // The account has those whose time has come.
      if (entry.release <= ledger.head().time) continue;
      json.begin_object().member("amount", caesar::to_string(entry.amount));
      json.member("release_ms", entry.release.value).end_object();
    }
  }
  json.end_array().member("staked", caesar::to_string(record.staked));
  json.member("escrowed", caesar::to_string(escrowed));
  write_delegations(json, tables, *owner);
  json.member("next_sequence", record.progress.sequence + 1);
  json.member("registered_height", record.registered_height);
  json.member("assets", ledger.index().of_owner(*owner).size());
  json.key("nodes").begin_array();
  for (const auto& [id, node] : tables.nodes) {
    if (node.binding.owner == *owner) json.value(id.to_string());
  }
  json.end_array().member("height", ledger.height()).end_object();
  answer(call, std::move(json));
}

void Api::show_supply(Call call) {
  const ledger::Ledger& ledger = node_.ledger();
  const ledger::Tables& tables = ledger.tables();
  const caesar::Economy& economy = tables.chain.economy;
  const std::uint64_t epoch = ledger.height() / economy.epoch_blocks;
  const Amount emitted =
      std::min(caesar::emission(economy, epoch), caesar::mintable(tables.supply));
  const Amount for_providers = caesar::providers_part(economy, emitted);
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  api::write_supply(json.key("supply"), tables.supply);
  api::write_pools(json.key("pools"), tables.pools);
  api::write_economy(json.key("economy"), economy);
  json.member("epoch", epoch);
  json.key("next_emission").begin_object();
  json.member("height", (epoch + 1) * economy.epoch_blocks);
  json.member("amount", caesar::to_string(emitted));
  json.member("providers", caesar::to_string(for_providers));
  json.member("validators", caesar::to_string(Amount{emitted.value - for_providers.value}));
  json.end_object().member("height", ledger.height()).end_object();
  answer(call, std::move(json));
}

void Api::show_staking(Call call) {
  const ledger::Ledger& ledger = node_.ledger();
  Amount staked;
  Amount delegated;
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).key("validators").begin_array();
  for (const auto& [id, validator] : ledger.tables().validators) {
    staked.value += validator.stake.value;
    delegated.value += validator.delegated.total.value;
    const identity::NodeBinding& binding = ledger.node(id)->binding;
    json.begin_object();
    json.member("node", id.to_string()).member("name", binding.name);
    json.member("owner", binding.owner.to_string());
    json.member("stake", caesar::to_string(validator.stake));
    json.member("delegated", caesar::to_string(validator.delegated.total));
    json.member("shares", validator.delegated.shares);
    json.member("commission_ppm", ledger.chain().economy.commission_ppm);
    json.end_object();
  }
  json.end_array().member("total_stake", caesar::to_string(staked));
  json.member("total_delegated", caesar::to_string(delegated));
  json.member("height", ledger.height()).end_object();
  answer(call, std::move(json));
}

void Api::show_rewards(Call call) {
  const auto owner = named_owner(call.parameter);
  if (!owner) return answer(call, owner.error());
  const auto page = Page<ledger::LeaseId>::of(call.request);
  if (!page) return answer(call, page.error());
  const ledger::Ledger& ledger = node_.ledger();
  const auto earns = [&](const ledger::LeaseRecord& lease, const ledger::Placement& placement) {
    return placement.provider == *owner && lease.tenant != *owner;
  };
  Totals totals;
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("owner", owner->to_string());
  write_page(
      json, "leases", ledger.tables().leases, *page, ledger.height(),
      [&](const auto&, const auto& lease) {
        bool any = false;
        each_placement(lease, [&](const auto& placement, std::size_t, bool) {
          if (!earns(lease, placement)) return;
          any = true;
          totals.add(placement);
        });
        return any;
      },
      [&](const auto& id, const auto& lease) {
        each_placement(lease, [&](const auto& placement, std::size_t number, bool is_present) {
          if (!earns(lease, placement)) return;
          json.begin_object();
          write_line_start(json, id, lease, placement, number, is_present);
          json.member("reward", caesar::to_string(placement.reward));
          json.member("earned", earned(placement.paid, placement.fee, placement.reward));
          json.end_object();
        });
      });
  write_delegations(json, ledger.tables(), *owner);
  json.key("totals").begin_object();
  json.member("counted_ms", totals.counted_ms);
  json.member("paid", caesar::to_string(totals.paid));
  json.member("fee", caesar::to_string(totals.fee));
  json.member("reward", caesar::to_string(totals.reward));
  json.member("earned", earned(totals.paid, totals.fee, totals.reward)).end_object();
  json.key("computed_from").begin_object();
  json.member("height", ledger.height()).member("state_root", ledger.root().to_string());
  json.member("fee_ppm", ledger.chain().economy.fee_ppm);
  json.member("reward_ppm", ledger.chain().economy.reward_ppm);
  json.member("leases_kept_ms", ledger.policy().lease_retention_ms).end_object();
  json.end_object();
  answer(call, std::move(json));
}

void Api::show_bill(Call call) {
  const auto owner = named_owner(call.parameter);
  if (!owner) return answer(call, owner.error());
  std::uint64_t since = 0;
  if (const auto text = call.request.query_value("since")) {
    const auto number = api::parse_number(*text);
    if (!number) {
      return answer(call, api::bad_request("since is a time in milliseconds since 1970", "since"));
    }
    since = *number;
  }
  const auto page = Page<ledger::LeaseId>::of(call.request);
  if (!page) return answer(call, page.error());
  const ledger::Ledger& ledger = node_.ledger();
  Totals totals;
  Amount escrowed;
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("owner", owner->to_string());
  json.member("since_ms", since);
  write_page(
      json, "lines", ledger.tables().leases, *page, ledger.height(),
      [&](const auto&, const auto& lease) {
        if (lease.tenant != *owner || (!lease.is_open() && lease.ends.value < since)) return false;
        escrowed.value += lease.escrow.value;
        each_placement(lease,
                       [&](const auto& placement, std::size_t, bool) { totals.add(placement); });
        return true;
      },
      [&](const auto& id, const auto& lease) {
        each_placement(lease, [&](const auto& placement, std::size_t number, bool is_present) {
          json.begin_object();
          write_line_start(json, id, lease, placement, number, is_present);
          json.end_object();
        });
      });
  json.key("totals").begin_object();
  json.member("counted_ms", totals.counted_ms);
  json.member("paid", caesar::to_string(totals.paid));
  json.member("fee", caesar::to_string(totals.fee));
  json.member("disputed_intervals", totals.disputed_intervals);
  json.member("escrowed", caesar::to_string(escrowed)).end_object();
  json.member("state_root", ledger.root().to_string()).end_object();
  answer(call, std::move(json));
}

}  // namespace hm::http_api
