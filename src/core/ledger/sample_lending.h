// SPDX-License-Identifier: Apache-2.0
// A sample chain on which owners lend, under block times of the caller's: one operation, one block.
// For tests, benches and fuzz targets. Not for programs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ledger/sample_chain.h"
#include "core/privacy/group.h"

namespace hm::ledger::sample {

inline constexpr std::uint64_t kSecond = 1'000;
inline constexpr std::uint64_t kHour = 3'600 * kSecond;
inline constexpr std::uint64_t kDay = 24 * kHour;

// `cores` threads for anyone whom a grant lets in, at one CAES for each of them and hour.
inline assets::AssetTerms lent_terms(std::uint64_t cores = 8) {
  assets::AssetTerms lent = terms(cores);
  lent.level = assets::PrivacyLevel::FullPublic;
  lent.price = caesar::Price{caesar::caes(1), 1};
  return lent;
}

// Parts of something that the record does not show.
inline assets::AssetTerms concealed_terms(assets::PrivacyLevel level) {
  assets::AssetTerms concealed;
  concealed.quantity = {10'000, 10'000, 10'000, "basis_points"};
  concealed.level = level;
  concealed.commitment = crypto::sha256(Bytes{1});
  concealed.price = caesar::Price{caesar::caes(1), 10'000};
  return concealed;
}

inline identity::OwnerSignature signed_by(std::uint32_t owner_seed,
                                          const crypto::Digest& statement) {
  return owner(owner_seed).sign(statement, fixed_randomness());
}

inline SignedTotal signed_total(const identity::ChainId& chain, const LeaseId& lease,
                                std::uint32_t placement, std::uint32_t interval,
                                std::uint64_t delivered_ms, const crypto::SigningKey& signer,
                                std::uint64_t used = 0) {
  const auto statement = meter_statement(chain, lease, placement, interval, delivered_ms, used);
  return {delivered_ms, used, signer.public_key(), signer.sign(statement.view())};
}

// Owner 0 lends what is on its node 1000; the others are tenants.
class Market {
 public:
  explicit Market(const Genesis& document = genesis()) : chain_(document, judge_by_node_id) {}

  Chain& chain() { return chain_; }
  const Chain& chain() const { return chain_; }
  const Ledger& ledger() const { return chain_.ledger(); }
  const Policy& policy() const { return ledger().policy(); }
  UnixMillis now() const { return now_; }

  // A block of these at the present time, which does not move.
  BlockOutcome block(const std::vector<PreparedOperation>& operations) {
    return chain_.block_at(now_, operations);
  }
  // A block of nothing, so much later.
  BlockOutcome wait(std::uint64_t ms) {
    now_.value += ms;
    return block({});
  }
  // So much later, without a block: the next one is the first to know.
  void pass(std::uint64_t ms) { now_.value += ms; }

  // A block of this alone: why it was refused, if it was.
  std::optional<Refused> apply(const PreparedOperation& operation) {
    last_ = LeaseId{operation.id.bytes};
    return block({operation}).receipts.at(0).refused;
  }
  std::optional<Refused> by_owner(std::uint32_t seed, Action action) {
    return apply(chain_.by_owner(seed, std::move(action)));
  }
  std::optional<Refused> by_node(std::uint32_t seed, Action action) {
    return apply(chain_.by_node(seed, std::move(action)));
  }
  // The lease that the last operation opened, if it opened one.
  LeaseId last() const { return last_; }

  assets::AssetId id(std::uint64_t number, assets::AssetKind kind = assets::AssetKind::Cpu) const {
    return asset_id(chain_.id(), number, kind);
  }
  // Registers it for owner `seed` on its node.
  assets::AssetId lend(std::uint64_t number, const assets::AssetTerms& lent = lent_terms(),
                       std::uint32_t seed = 0) {
    const bool hides_kind = lent.level == assets::PrivacyLevel::PrivateNetwork;
    const auto made =
        id(number, hides_kind ? assets::AssetKind::Concealed : assets::AssetKind::Cpu);
    HM_CHECK(!by_owner(seed, RegisterAsset{made, node_id(key(1000 + seed)), lent}));
    return made;
  }

  // Of all assets of owner `of`, to anyone, without a limit.
  privacy::Grant open_grant(std::uint32_t of = 0) const {
    privacy::Grant grant;
    grant.owner = grant.issuer = owner_id(of);
    grant.to = privacy::ToAnyone{};
    grant.share_percent = privacy::kWholeShare;
    grant.network = privacy::NetworkClass::Internet;
    return grant;
  }
  privacy::GrantId id_of(const privacy::Grant& grant) const {
    return privacy::grant_id(chain_.id(), grant);
  }
  AddGrant signed_grant(const privacy::Grant& grant, std::uint32_t issuer = 0) const {
    return {grant, signed_by(issuer, privacy::grant_statement(id_of(grant)))};
  }
  std::optional<Refused> add(const privacy::Grant& grant, std::uint32_t issuer = 0) {
    return by_owner(issuer, signed_grant(grant, issuer));
  }
  privacy::GrantId grant(const privacy::Grant& grant, std::uint32_t issuer = 0) {
    HM_CHECK(!add(grant, issuer));
    return id_of(grant);
  }
  // `parent` passed on by `issuer` to owner `to`, with one link less to follow.
  privacy::Grant passed_on(const privacy::Grant& parent, std::uint32_t issuer,
                           std::uint32_t to) const {
    privacy::Grant child = parent;
    child.issuer = owner_id(issuer);
    child.parent = id_of(parent);
    child.to = privacy::ToOwner{owner_id(to)};
    --child.delegations;
    return child;
  }

  privacy::GroupId group_id(std::uint32_t of, const std::string& name) const {
    return privacy::group_id(chain_.id(), owner_id(of), name);
  }

  // Of two threads for an hour, at up to 2 CAES for each thread and hour.
  static OpenLease request(std::vector<LeaseChoice> choices) {
    return {.choices = std::move(choices),
            .quantity = 2,
            .duration_ms = kHour,
            .highest_price = {caesar::caes(2), 1}};
  }
  // Owner `tenant` opens it.
  LeaseId open(std::uint32_t tenant, const OpenLease& action) {
    HM_CHECK(!by_owner(tenant, action));
    return last();
  }
  // The same, and node `node` accepts it.
  LeaseId accepted(std::uint32_t tenant, const OpenLease& action, std::uint32_t node = 1000) {
    const LeaseId id = open(tenant, action);
    HM_CHECK(!by_node(node, AcceptLease{id}));
    return id;
  }
  const LeaseRecord& lease(const LeaseId& id) const {
    const LeaseRecord* found = ledger().lease(id);
    HM_CHECK(found != nullptr);
    return *found;
  }

  // Signed by the keys of these seeds.
  MeterReading reading(const LeaseId& lease, std::uint32_t interval, std::uint64_t by_provider,
                       std::uint64_t by_tenant, std::uint32_t provider = 1000,
                       std::uint32_t tenant = 1001, std::uint32_t placement = 0) const {
    return {lease, placement, interval,
            signed_total(chain_.id(), lease, placement, interval, by_provider, key(provider)),
            signed_total(chain_.id(), lease, placement, interval, by_tenant, key(tenant))};
  }
  // The same by the nodes 1000 and 1001, with what each says was used.
  MeterReading reading_of_use(const LeaseId& lease, std::uint32_t interval, std::uint64_t total,
                              std::uint64_t by_provider, std::uint64_t by_tenant) const {
    return {lease, 0, interval,
            signed_total(chain_.id(), lease, 0, interval, total, key(1000), by_provider),
            signed_total(chain_.id(), lease, 0, interval, total, key(1001), by_tenant)};
  }
  // Submitted by owner 0.
  std::optional<Refused> meter(const LeaseId& lease, std::uint32_t interval,
                               std::uint64_t by_provider, std::uint64_t by_tenant) {
    return by_owner(0, MeterLease{reading(lease, interval, by_provider, by_tenant)});
  }
  // Waits for the next `count` intervals, each delivered whole and read at its end.
  void serve(const LeaseId& id, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const Placement& placement = lease(id).placement;
      const std::uint32_t interval = placement.next_interval;
      const std::uint64_t end =
          placement.accepted.value + (interval + 1) * policy().meter_interval_ms;
      const std::uint64_t total = placement.provider_ms + policy().meter_interval_ms;
      if (end > now_.value) now_.value = end;
      HM_CHECK(!meter(id, interval, total, total));
    }
  }

  // Runs of one purpose by owner `tenant` with each of these owners, accepted by their nodes.
  std::vector<LeaseId> runs(std::uint32_t tenant, const std::vector<std::uint32_t>& providers,
                            const crypto::Digest& purpose = crypto::sha256(Bytes{7})) {
    std::vector<LeaseId> leases;
    for (const std::uint32_t provider : providers) {
      const auto asset = lend(100 + provider, lent_terms(), provider);
      OpenLease action = request({{asset, grant(open_grant(provider), provider)}});
      action.purpose = purpose;
      leases.push_back(accepted(tenant, action, 1000 + provider));
    }
    return leases;
  }
  // What node `node` says came out: a digest of this byte.
  SignedResult result(const LeaseId& lease, std::uint32_t node, std::uint8_t output,
                      std::uint8_t exit_code = 0) const {
    return sign_result(chain_.id(), lease, crypto::sha256(Bytes{output}), exit_code,
                       ResultSalt{output}, key(node));
  }
  // In the order that the ledger wants.
  static ReportDisagreement disagreement(std::vector<SignedResult> results,
                                         std::uint8_t quorum = 2) {
    std::ranges::sort(results, {}, &SignedResult::lease);
    return {std::move(results), quorum};
  }

  caesar::Amount balance(std::uint32_t seed) const {
    return ledger().account(owner_id(seed)).balance;
  }

 private:
  Chain chain_;
  UnixMillis now_{kGenesisTime + kSecond};
  LeaseId last_;
};

}  // namespace hm::ledger::sample
