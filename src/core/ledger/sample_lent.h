// SPDX-License-Identifier: Apache-2.0
// The chain that operations from hostile bytes meet, and whose operations are the seeds: leases,
// grants and stake of every kind that owner 0 and its node 1000 can act on. The same every time.
#pragma once

#include "core/ledger/sample_lending.h"

namespace hm::ledger::sample {

struct LendingChain {
  static Genesis document() {
    static const Genesis made = genesis(4);
    return made;
  }
  Market market{document()};
  assets::AssetId lent = market.lend(1);
  assets::AssetId unused = market.lend(3);
  assets::AssetId others = market.lend(2, lent_terms(), 1);
  privacy::Grant grant = [this] {
    privacy::Grant made = market.open_grant();
    made.delegations = 1;
    made.notice_ms = 10'000;
    return made;
  }();
  privacy::GrantId given = market.grant(grant);
  privacy::GrantId got = market.grant(market.open_grant(1), 1);
  LeaseId asked_of_us = market.open(1, Market::request({{lent, given}}));
  LeaseId from_us = market.accepted(1, Market::request({{lent, given}}));
  LeaseId to_us = market.accepted(0, Market::request({{others, got}}), 1001);
  LeaseId by_our_node = [this] {
    HM_CHECK(!market.by_owner(0, SetAllowance{node_id(key(1000)), caesar::caes(10)}));
    HM_CHECK(!market.by_node(1000, Market::request({{others, got}})));
    return market.last();
  }();
  std::vector<LeaseId> runs = [this] {
    std::vector<LeaseId> leases = market.runs(0, {2, 3});
    OpenLease third = Market::request({{others, got}});
    third.purpose = market.lease(leases[0]).purpose;
    leases.push_back(market.accepted(0, third, 1001));
    return leases;
  }();

  LendingChain() {
    const auto done = [](const std::optional<Refused>& refused) { HM_CHECK(!refused); };
    market.wait(market.policy().meter_interval_ms);
    done(market.meter(from_us, 0, 5'000, 4'000));
    done(market.by_owner(0, SettleLease{from_us}));
    done(market.by_owner(0, SetGroup{"lab", 0, {privacy::ToOwner{owner_id(1)}}}));
    done(market.by_owner(0, Bond{caesar::caes(10)}));
    done(market.by_owner(0, Unbond{caesar::caes(1)}));
    done(market.by_owner(0, Delegate{node_id(key(1001)), caesar::caes(5)}));
    done(market.by_owner(0, certificate(kDay)));
    done(market.by_node(1000, CommitVault{node_id(key(1000)), crypto::sha256(Bytes{1})}));
    done(market.by_node(1000, CommitStorage{node_id(key(1000)), 1, crypto::sha256(Bytes{1}),
                                            crypto::sha256(Bytes{2})}));
    market.wait(market.policy().meter_interval_ms / 2);
  }

  RecordCertificate certificate(std::uint64_t lasts) const {
    const privacy::Certificate word{market.chain().id(), owner_id(0), owner_id(1),
                                    "a.lab.example.org", UnixMillis{kGenesisTime + lasts}};
    return {word, signed_by(0, privacy::certificate_statement(word))};
  }
};

}  // namespace hm::ledger::sample
