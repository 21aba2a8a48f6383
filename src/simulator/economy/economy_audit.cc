// SPDX-License-Identifier: Apache-2.0
#include "simulator/economy/economy_audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/ledger/limits.h"

namespace hm::simulator {
namespace {

using ledger::LeaseRecord;
using ledger::Tables;

__extension__ using Wide = unsigned __int128;

using Finding = std::optional<Violation>;

template <class... Values>
Violation violated(std::string_view check, fmt::format_string<Values...> text, Values&&... values) {
  return {std::string(check), fmt::format(text, std::forward<Values>(values)...)};
}

std::string short_name(ByteView id) { return to_hex(id.first(6)); }

struct AssetCount {
  Wide leased = 0;
  std::set<ledger::LeaseId> leases;
};
struct GrantCount {
  std::uint32_t open_leases = 0;
  std::map<crypto::Digest, Wide> leased;
};

// What the leases and grants say.
struct Counted {
  std::map<crypto::Digest, AssetCount> assets;
  std::map<ledger::GrantKey, GrantCount> grants;
  std::map<identity::OwnerId, std::uint32_t> leases_of;
  std::map<identity::OwnerId, std::uint32_t> grants_of;
  std::map<identity::OwnerId, std::uint32_t> groups_of;
  std::map<identity::OwnerId, Wide> staked_of;
};

// The lease, under its grant and all that the grant came through.
Finding count_grants(const Tables& tables, const ledger::LeaseId& id, const LeaseRecord& lease,
                     Counted& counted) {
  const ledger::LeaseChoice& choice = lease.placement.choice;
  for (auto grant = choice.grant; grant;) {
    const ledger::GrantKey key{lease.placement.provider, *grant};
    const auto record = tables.grants.find(key);
    if (record == tables.grants.end()) {
      return violated("grant_use", "lease {} is under a grant that is gone", short_name(id.bytes));
    }
    GrantCount& count = counted.grants[key];
    ++count.open_leases;
    count.leased[choice.asset.hash] += lease.quantity;
    grant = record->second.grant.parent;
  }
  return std::nullopt;
}

// Nothing was used beyond what was delivered, and no more was delivered than both sides say.
Finding check_placement(const Tables& tables, const ledger::LeaseId& id, const LeaseRecord& lease,
                        const ledger::Placement& placement) {
  const ledger::Policy& policy = ledger::policy_of(tables.chain.preset);
  const auto exceeds = [&](std::uint64_t used, std::uint64_t delivered_ms) {
    const Wide most = Wide{lease.quantity} * (delivered_ms + policy.meter_interval_ms) / 1000;
    return Wide{used} > most;
  };
  if (exceeds(placement.provider_used, placement.provider_ms) ||
      exceeds(placement.tenant_used, placement.tenant_ms)) {
    return violated("lease", "lease {} was used more than it was there", short_name(id.bytes));
  }
  const bool is_outvoted = placement.end == ledger::LeaseEnd::WrongResult;
  if (is_outvoted && (!placement.evidence || lease.state != ledger::LeaseState::Failed)) {
    return violated("lease", "lease {} was outvoted without evidence, or goes on",
                    short_name(id.bytes));
  }
  if (placement.counted_ms > std::min(placement.provider_ms, placement.tenant_ms)) {
    return violated("lease", "lease {} counts more than a side said", short_name(id.bytes));
  }
  return std::nullopt;
}

Finding check_placements(const Tables& tables, const ledger::LeaseId& id,
                         const LeaseRecord& lease) {
  for (const ledger::Placement& past : lease.past) {
    if (auto finding = check_placement(tables, id, lease, past)) return finding;
  }
  return check_placement(tables, id, lease, lease.placement);
}

Finding count_leases(const Tables& tables, Counted& counted) {
  for (const auto& [id, lease] : tables.leases) {
    ++counted.leases_of[lease.tenant];
    if (auto finding = check_placements(tables, id, lease)) return finding;
    if (lease.allowance_held > lease.escrow) {
      return violated("lease", "lease {} holds less than can go back to an allowance",
                      short_name(id.bytes));
    }
    const ledger::LeaseChoice& choice = lease.placement.choice;
    if (!lease.is_open()) {
      if (lease.escrow.value == 0) continue;
      return violated("lease", "lease {} has ended with an escrow", short_name(id.bytes));
    }
    const auto asset = tables.assets.find(choice.asset.hash);
    if (asset == tables.assets.end() || asset->second.owner != lease.placement.provider) {
      return violated("lease", "lease {} lies on nobody's asset", short_name(id.bytes));
    }
    AssetCount& count = counted.assets[choice.asset.hash];
    count.leased += lease.quantity;
    count.leases.insert(id);
    if (auto finding = count_grants(tables, id, lease, counted)) return finding;
  }
  return std::nullopt;
}

Finding check_assets(const Tables& tables, const Counted& counted) {
  for (const auto& [hash, count] : counted.assets) {
    const assets::AssetRecord& asset = tables.assets.at(hash);
    const bool is_usable = asset.terms.state != assets::AssetState::Failed &&
                           asset.terms.state != assets::AssetState::Retired;
    const std::uint64_t offered = is_usable ? asset.terms.quantity.offered : 0;
    if (count.leased > offered || offered > asset.terms.quantity.detected) {
      return violated("over_commit", "asset {} offers {} and has more leased",
                      short_name(hash.bytes), offered);
    }
    if (count.leases.size() > ledger::kMaxLeasesPerAsset) {
      return violated("over_commit", "asset {} has {} leases", short_name(hash.bytes),
                      count.leases.size());
    }
  }
  if (counted.assets.size() != tables.asset_uses.size()) {
    return violated("asset_use", "{} assets are leased, {} say so", counted.assets.size(),
                    tables.asset_uses.size());
  }
  for (const auto& [hash, use] : tables.asset_uses) {
    const auto count = counted.assets.find(hash);
    if (count == counted.assets.end() || count->second.leased != use.leased ||
        count->second.leases != std::set(use.leases.begin(), use.leases.end()) ||
        count->second.leases.size() != use.leases.size()) {
      return violated("asset_use", "asset {}: its leases add up to another use",
                      short_name(hash.bytes));
    }
  }
  return std::nullopt;
}

Finding check_grants(const Tables& tables, const Counted& counted) {
  for (const auto& [key, count] : counted.grants) {
    if (!tables.grant_uses.contains(key)) {
      return violated("grant_use", "grant {} is in use and says nothing",
                      short_name(key.second.bytes));
    }
  }
  for (const auto& [key, use] : tables.grant_uses) {
    const auto found = counted.grants.find(key);
    const GrantCount count = found != counted.grants.end() ? found->second : GrantCount{};
    const bool is_equal =
        count.open_leases == use.open_leases && count.leased.size() == use.leased.size() &&
        std::ranges::equal(count.leased, use.leased, [](const auto& a, const auto& b) {
          return a.first == b.first && a.second == b.second;
        });
    if (!is_equal || !tables.grants.contains(key)) {
      return violated("grant_use", "grant {}: its leases add up to another use",
                      short_name(key.second.bytes));
    }
  }
  for (const auto& [key, record] : tables.grants) {
    if (!record.revoked || counted.grants.contains(key)) continue;
    return violated("grant_use", "grant {} is revoked, unused and kept",
                    short_name(key.second.bytes));
  }
  return std::nullopt;
}

void count_owners(const Tables& tables, Counted& counted) {
  for (const auto& [key, record] : tables.grants) {
    if (!record.revoked) ++counted.grants_of[record.grant.issuer];
  }
  for (const auto& [id, record] : tables.groups) ++counted.groups_of[record.group.owner];
  for (const auto& [node, validator] : tables.validators) {
    counted.staked_of[tables.nodes.at(node).binding.owner] += validator.stake.value;
  }
}

template <class Map, class Key>
auto value_or_none(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found != map.end() ? found->second : typename Map::mapped_type{};
}

Finding check_owners(const Tables& tables, const Counted& counted) {
  for (const auto& [id, owner] : tables.owners) {
    const Wide staked = value_or_none(counted.staked_of, id);
    if (owner.leases != value_or_none(counted.leases_of, id) ||
        owner.grants != value_or_none(counted.grants_of, id) ||
        owner.groups != value_or_none(counted.groups_of, id)) {
      return violated("owner_counter", "owner {} ({}) counts its leases, grants or groups wrong",
                      owner.name, short_name(id.bytes));
    }
    if (staked != owner.staked.value || owner.staked > owner.account.bond) {
      return violated("stake", "owner {}: its validators' stake is not in its bond", owner.name);
    }
    Wide waiting = 0;
    const auto record = tables.unbondings.find(id);
    if (record != tables.unbondings.end()) {
      const auto& entries = record->second.entries;
      for (const ledger::UnbondingEntry& entry : entries) waiting += entry.amount.value;
      if (entries.empty() || entries.size() > ledger::kMaxUnbondings ||
          !std::ranges::is_sorted(entries, {}, &ledger::UnbondingEntry::release)) {
        return violated("unbonding", "owner {} has {} amounts unbonding, or out of order",
                        owner.name, entries.size());
      }
    }
    if (waiting != owner.account.unbonding.value) {
      return violated("unbonding", "owner {}: what waits does not add up", owner.name);
    }
  }
  return std::nullopt;
}

Finding check_pools(const Tables& tables) {
  std::map<identity::NodeId, Wide> shares;
  for (const auto& [key, record] : tables.delegations) {
    if (record.shares == 0) return violated("stake", "a delegation of nothing is kept");
    shares[key.first] += record.shares;
  }
  for (const auto& [node, validator] : tables.validators) {
    const caesar::DelegationPool& pool = validator.delegated;
    if (value_or_none(shares, node) != pool.shares || (pool.shares == 0 && pool.total.value != 0)) {
      return violated("stake", "validator {}: its delegators' shares do not add up",
                      short_name(node.bytes));
    }
  }
  return std::nullopt;
}

// An amount that went below nothing is one of more than can exist.
Finding check_supply(const Tables& tables) {
  Wide balances = 0;
  Wide bonds = 0;
  Wide escrows = 0;
  bool is_negative = false;
  const auto add = [&](Wide& sum, caesar::Amount amount) {
    is_negative |= amount > caesar::kMaxSupply;
    sum += amount.value;
  };
  for (const auto& [id, owner] : tables.owners) {
    add(balances, owner.account.balance);
    add(bonds, owner.account.bond);
    add(bonds, owner.account.unbonding);
  }
  for (const auto& [node, validator] : tables.validators) add(bonds, validator.delegated.total);
  for (const auto& [id, lease] : tables.leases) add(escrows, lease.escrow);
  Wide pools = 0;
  for (const auto pool : {tables.pools.validators, tables.pools.providers, tables.pools.starter}) {
    add(pools, pool);
  }
  const caesar::Supply& supply = tables.supply;
  if (is_negative) return violated("conservation", "an amount is negative");
  if (!supply.is_conserved()) return violated("conservation", "the supply is not conserved");
  if (balances != supply.balances.value || bonds != supply.bonds.value ||
      escrows != supply.escrows.value || pools != supply.pools.value) {
    return violated("conservation", "the records do not add up to the supply");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Violation> audit(const ledger::Tables& tables) {
  if (auto finding = check_supply(tables)) return finding;
  Counted counted;
  if (auto finding = count_leases(tables, counted)) return finding;
  count_owners(tables, counted);
  if (auto finding = check_assets(tables, counted)) return finding;
  if (auto finding = check_grants(tables, counted)) return finding;
  if (auto finding = check_owners(tables, counted)) return finding;
  return check_pools(tables);
}

}  // namespace hm::simulator
