// SPDX-License-Identifier: Apache-2.0
// The cases of lending and staking for refusal_test.cc, where they run.
#include <utility>

#include "core/ledger/limits.h"
#include "core/ledger/refusal_world.h"
#include "core/privacy/limits.h"

namespace hm::ledger {
namespace {

using privacy::Grant;
using sample::kDay;
using sample::key;
using sample::kHour;
using sample::lent_terms;
using sample::Market;
using sample::node_id;
using sample::owner_id;

// Owner 0's asset 20 is lent to anyone under `grant`; owner 1 asks for it.
struct Lent {
  explicit Lent(World& w, const std::function<void(Grant&)>& change = {},
                const assets::AssetTerms& terms = lent_terms())
      : asset(w.market.lend(20, terms)) {
    Grant made = w.market.open_grant();
    if (change) change(made);
    grant = w.market.grant(made);
    request = Market::request({{asset, grant}});
  }
  assets::AssetId asset;
  privacy::GrantId grant;
  OpenLease request;
};

// Under a grant of this kind the request, perhaps changed, is refused.
Case with_grant(const std::function<void(Grant&)>& change,
                const std::function<void(OpenLease&)>& ask = {}, std::uint32_t opened_before = 0) {
  return [=](World& w) {
    Lent lent(w, change);
    for (std::uint32_t i = 0; i < opened_before; ++i) w.market.open(2, lent.request);
    if (ask) ask(lent.request);
    return w.submit(1, lent.request);
  };
}

// A lease of owner 1's, accepted, and what is done to it.
Case with_lease(
    const std::function<std::optional<Refused>(World&, const LeaseId&, const Lent&)>& act) {
  return [=](World& w) {
    const Lent lent(w);
    return act(w, w.market.accepted(1, lent.request), lent);
  };
}

void add_grant_cases(Cases& cases) {
  cases[Refusal::GrantInvalid] = [](World& w) {
    Grant grant = w.market.open_grant();
    grant.share_percent = 0;
    return w.submit(0, w.market.signed_grant(grant));
  };
  cases[Refusal::GrantNotByIssuer] = [](World& w) {
    return w.submit(0, w.market.signed_grant(w.market.open_grant(1)));
  };
  cases[Refusal::GrantNotSigned] = [](World& w) {
    AddGrant action = w.market.signed_grant(w.market.open_grant());
    action.signature.falcon.bytes[100] ^= 1;
    return w.submit(0, action);
  };
  cases[Refusal::DuplicateGrant] = [](World& w) {
    w.market.grant(w.market.open_grant());
    return w.submit(0, w.market.signed_grant(w.market.open_grant()));
  };
  cases[Refusal::UnknownGrant] = [](World& w) {
    return w.submit(0, RevokeGrant{owner_id(0), privacy::GrantId{}});
  };
  cases[Refusal::GrantRevoked] = [](World& w) {
    const Lent lent(w);
    w.market.open(1, lent.request);
    EXPECT_FALSE(w.submit(0, RevokeGrant{owner_id(0), lent.grant}));
    return w.submit(1, lent.request);
  };
  cases[Refusal::GrantExpired] =
      with_grant([](Grant& g) { g.expiry = UnixMillis{sample::kGenesisTime + kHour}; });
  cases[Refusal::TooManyGrants] = [](World& w) {
    const auto operation = w.chain.by_owner(0, w.market.signed_grant(w.market.open_grant()));
    const auto plant = [](Tables& t) {
      t.owners.at(owner_id(0)).grants = privacy::kMaxGrantsPerOwner;
    };
    return w.submit_to(plant, operation);
  };
  cases[Refusal::GrantExceedsParent] = [](World& w) {
    Grant parent = w.market.open_grant();
    parent.share_percent = 50;
    parent.delegations = 1;
    w.market.grant(parent);
    Grant child = w.market.passed_on(parent, 1, 2);
    child.share_percent = 51;
    return w.submit(1, w.market.signed_grant(child, 1));
  };
}

privacy::Certificate certificate(const World& w, std::uint32_t issuer, std::uint32_t subject) {
  return {w.chain.id(), owner_id(issuer), owner_id(subject), "a.lab.example.org",
          UnixMillis{sample::kGenesisTime + kDay}};
}

RecordCertificate recorded(const privacy::Certificate& certificate, std::uint32_t signer) {
  return {certificate, sample::signed_by(signer, privacy::certificate_statement(certificate))};
}

void add_certificate_cases(Cases& cases) {
  cases[Refusal::GroupInvalid] = [](World& w) { return w.submit(0, SetGroup{"No Name", 0, {}}); };
  cases[Refusal::TooManyGroups] = [](World& w) {
    const auto operation = w.chain.by_owner(0, SetGroup{"one-more", 0, {}});
    const auto plant = [](Tables& t) {
      t.owners.at(owner_id(0)).groups = privacy::kMaxGroupsPerOwner;
    };
    return w.submit_to(plant, operation);
  };
  cases[Refusal::CertificateInvalid] = [](World& w) {
    return w.submit(0, recorded(certificate(w, 0, 0), 0));
  };
  cases[Refusal::CertificateExpired] = [](World& w) {
    auto old = certificate(w, 0, 1);
    old.expiry = UnixMillis{sample::kGenesisTime};
    return w.submit(0, recorded(old, 0));
  };
  cases[Refusal::CertificateNotSigned] = [](World& w) {
    return w.submit(0, recorded(certificate(w, 0, 1), 2));
  };
  cases[Refusal::UnknownIssuer] = [](World& w) {
    auto foreign = certificate(w, 0, 1);
    foreign.issuer_chain.bytes[0] ^= 1;
    return w.submit(0, recorded(foreign, 0));
  };
  cases[Refusal::TooManyCertificates] = [](World& w) {
    const auto operation = w.chain.by_owner(3, recorded(certificate(w, 2, 1), 2));
    const auto plant = [&w](Tables& t) {
      auto& rows = t.certificates[owner_id(1)].by_issuer;
      for (std::uint8_t i = 0; i < privacy::kMaxCertificatesPerOwner; ++i) {
        identity::OwnerId issuer;
        issuer.bytes.fill(i);
        rows[issuer] = {certificate(w, 0, 1), 1};
      }
    };
    return w.submit_to(plant, operation);
  };
}

// This chain and one whose root is owner 9, in order.
privacy::Federation federation(const World& w) {
  const privacy::MeshRoot ours{w.chain.id(), "sample", owner_id(0), sample::bundle(0)};
  privacy::MeshRoot theirs{w.chain.id(), "other", owner_id(9), sample::bundle(9)};
  theirs.chain.bytes[0] ^= 1;
  const UnixMillis expiry{sample::kGenesisTime + kDay};
  return ours.chain < theirs.chain ? privacy::Federation{ours, theirs, expiry}
                                   : privacy::Federation{theirs, ours, expiry};
}

RecordFederation recorded(const privacy::Federation& federation) {
  const auto statement = privacy::federation_statement(federation);
  const auto by = [&](const privacy::MeshRoot& root) {
    return sample::signed_by(root.name == "sample" ? 0 : 9, statement);
  };
  return {federation, by(federation.first), by(federation.second)};
}

void add_federation_cases(Cases& cases) {
  cases[Refusal::FederationInvalid] = [](World& w) {
    auto record = recorded(federation(w));
    std::swap(record.federation.first, record.federation.second);
    return w.submit(0, record);
  };
  cases[Refusal::FederationOfOthers] = [](World& w) {
    auto record = federation(w);
    (record.first.name == "sample" ? record.first : record.second).bundle = sample::bundle(1);
    return w.submit(0, recorded(record));
  };
  cases[Refusal::FederationNotSigned] = [](World& w) {
    auto record = recorded(federation(w));
    record.second.falcon.bytes[100] ^= 1;
    return w.submit(0, record);
  };
  cases[Refusal::NotTheRoot] = [](World& w) { return w.submit(1, recorded(federation(w))); };
  const auto registered = [](assets::AssetKind kind, const assets::AssetTerms& terms) {
    return [=](World& w) {
      return w.submit(0, RegisterAsset{w.market.id(30, kind), node_id(key(1000)), terms});
    };
  };
  auto open = sample::concealed_terms(assets::PrivacyLevel::PrivateNetwork);
  cases[Refusal::KindConcealed] = registered(assets::AssetKind::Cpu, open);
  open.descriptor["brand"] = std::string("known to all");
  cases[Refusal::TooTelling] = registered(assets::AssetKind::Concealed, open);
}

void add_decision_cases(Cases& cases) {
  cases[Refusal::NotGranted] = [](World& w) {
    return w.submit(1, Market::request({{w.market.lend(20), std::nullopt}}));
  };
  cases[Refusal::OwnNeedsNoGrant] = [](World& w) { return w.submit(0, Lent(w).request); };
  cases[Refusal::AssetUnavailable] = [](World& w) {
    auto paused = lent_terms();
    paused.state = assets::AssetState::Maintenance;
    return w.submit(1, Lent(w, {}, paused).request);
  };
  cases[Refusal::LevelForbids] = [](World& w) {
    auto closed = lent_terms();
    closed.level = assets::PrivacyLevel::PublicNetwork;
    return w.submit(1, Lent(w, {}, closed).request);
  };
  cases[Refusal::GrantForOtherAssets] =
      with_grant([](Grant& g) { g.assets.kind = assets::AssetKind::Gpu; });
  cases[Refusal::NotTheGrantee] =
      with_grant([](Grant& g) { g.to = privacy::ToOwner{owner_id(2)}; });
  // The sample's genesis is on a Thursday at 08:53 UTC.
  cases[Refusal::OutsideHours] = with_grant([](Grant& g) { g.hours = privacy::Hours{540, 600}; });
  cases[Refusal::NetworkTooOpen] =
      with_grant([](Grant& g) { g.network = privacy::NetworkClass::Mesh; },
                 [](OpenLease& a) { a.network = privacy::NetworkClass::Internet; });
  cases[Refusal::LeaseTooLong] = with_grant([](Grant& g) { g.limits.duration_ms = kHour - 1; });
  cases[Refusal::QuantityAboveGrant] = with_grant([](Grant& g) { g.limits.quantity = 1; });
  cases[Refusal::TooManyLeasesOfGrant] =
      with_grant([](Grant& g) { g.limits.concurrent = 1; }, {}, 1);
  cases[Refusal::OpenedTooOften] = with_grant([](Grant& g) { g.limits.opened_per_day = 2; }, {}, 2);
  cases[Refusal::ShareExceeded] = with_grant([](Grant& g) { g.share_percent = 49; }, {}, 1);
  cases[Refusal::NoPrice] = [](World& w) {
    auto priceless = lent_terms();
    priceless.price.reset();
    return w.submit(1, Lent(w, {}, priceless).request);
  };
  cases[Refusal::PriceTooHigh] =
      with_grant({}, [](OpenLease& a) { a.highest_price = {caesar::Amount{999'999'999}, 1}; });
  cases[Refusal::NotEnoughFree] = [](World& w) {
    auto busy = lent_terms();
    busy.quantity.available = 1;
    return w.submit(1, Lent(w, {}, busy).request);
  };
}

void add_request_cases(Cases& cases) {
  cases[Refusal::LeaseInvalid] =
      with_grant({}, [](OpenLease& a) { a.choices.push_back(a.choices.front()); });
  cases[Refusal::CostTooLarge] =
      with_grant({}, [](OpenLease& a) { a.highest_price.amount.value = UINT64_MAX; });
  cases[Refusal::TooManyLeases] = [](World& w) {
    const Lent lent(w);
    const auto plant = [](Tables& t) { t.owners.at(owner_id(1)).leases = kMaxLeasesPerTenant; };
    return w.submit_to(plant, w.chain.by_owner(1, lent.request));
  };
  cases[Refusal::UnknownLease] = [](World& w) { return w.submit(0, CloseLease{}); };
  cases[Refusal::LeaseEnded] = with_lease([](World& w, const LeaseId& id, const Lent&) {
    EXPECT_FALSE(w.submit(1, CloseLease{id}));
    return w.submit(1, CloseLease{id});
  });
  cases[Refusal::LeaseNotRequested] = with_lease(
      [](World& w, const LeaseId& id, const Lent&) { return w.submit(0, AcceptLease{id}); });
  cases[Refusal::LeaseNotActive] = [](World& w) {
    const LeaseId id = w.market.open(1, Lent(w).request);
    return w.submit(1, RenewLease{id, kHour});
  };
  cases[Refusal::NotTheTenant] = with_lease(
      [](World& w, const LeaseId& id, const Lent&) { return w.submit(2, CloseLease{id}); });
  cases[Refusal::NotTheProvider] = with_lease(
      [](World& w, const LeaseId& id, const Lent&) { return w.submit(1, ReclaimLease{id}); });
  cases[Refusal::NothingToSettle] = with_lease(
      [](World& w, const LeaseId& id, const Lent&) { return w.submit(2, SettleLease{id}); });
  cases[Refusal::AllowanceTooSmall] = [](World& w) {
    const Lent lent(w);
    EXPECT_FALSE(w.submit(1, SetAllowance{node_id(key(1001)), caesar::caes(3)}));
    return w.submit(w.chain.operation(node_id(key(1001)), lent.request), 1001);
  };
  cases[Refusal::GenerationNotNext] = [](World& w) {
    const CommitStorage first{node_id(key(1000)), 1, {}, {}};
    EXPECT_FALSE(w.submit(w.by_node(first), 1000));
    return w.submit(w.by_node(first), 1000);
  };
  cases[Refusal::AssetLeased] = with_lease([](World& w, const LeaseId&, const Lent& lent) {
    return w.submit(0, TransferAsset{lent.asset, 1, owner_id(1)});
  });
}

// The reading of an interval, at `intervals` after acceptance, in tenths.
Case with_reading(std::uint64_t tenths, std::uint32_t interval, std::uint64_t total) {
  return with_lease([=](World& w, const LeaseId& id, const Lent&) {
    w.market.wait(w.market.policy().meter_interval_ms * tenths / 10);
    return w.submit(0, MeterLease{w.market.reading(id, interval, total, total)});
  });
}

void add_meter_cases(Cases& cases) {
  cases[Refusal::LeaseNotMetered] = [](World& w) {
    const auto asset = w.market.lend(20);
    const LeaseId id = w.market.accepted(0, Market::request({{asset, std::nullopt}}));
    return w.submit(0, MeterLease{w.market.reading(id, 0, 0, 0, 1000, 1000)});
  };
  cases[Refusal::BadMeterSignature] = with_lease([](World& w, const LeaseId& id, const Lent&) {
    MeterReading reading = w.market.reading(id, 0, 0, 0);
    ++reading.tenant.delivered_ms;
    return w.submit(0, MeterLease{reading});
  });
  cases[Refusal::MeterNotByProvider] = with_lease([](World& w, const LeaseId& id, const Lent&) {
    return w.submit(0, MeterLease{w.market.reading(id, 0, 0, 0, 1002)});
  });
  cases[Refusal::MeterNotByTenant] = with_lease([](World& w, const LeaseId& id, const Lent&) {
    return w.submit(0, MeterLease{w.market.reading(id, 0, 0, 0, 1000, 1000)});
  });
  cases[Refusal::MeterOfOtherPlacement] = with_lease([](World& w, const LeaseId& id, const Lent&) {
    return w.submit(0, MeterLease{w.market.reading(id, 0, 0, 0, 1000, 1001, 1)});
  });
  cases[Refusal::MeterBackwards] = with_lease([](World& w, const LeaseId& id, const Lent&) {
    w.market.serve(id, 1);
    return w.submit(0, MeterLease{w.market.reading(id, 1, 4'999, 5'000)});
  });
  cases[Refusal::MeterTooEarly] = with_reading(9, 1, 0);
  cases[Refusal::MeterBeyondEnd] = with_reading(5, 720, 0);
  cases[Refusal::MeterTooLate] = with_reading(21, 0, 0);
  cases[Refusal::MeterTooMuch] = with_reading(5, 0, 2'501);
  cases[Refusal::MeterUsedTooMuch] = with_lease([](World& w, const LeaseId& id, const Lent&) {
    w.market.wait(w.market.policy().meter_interval_ms);
    // 2 threads for 5 s, and 5 s of slack.
    return w.submit(0, MeterLease{w.market.reading_of_use(id, 0, 5'000, 20, 21)});
  });
}

// Owner 1's runs of one purpose with the owners 0, 2 and 3, of which the last gives another result;
// `change` spoils the report.
struct Runs {
  explicit Runs(World& w, std::vector<std::uint32_t> providers = {0, 2, 3}) {
    leases = w.market.runs(1, providers);
    for (std::size_t i = 0; i < leases.size(); ++i) {
      const bool differs = i + 1 == leases.size();
      results.push_back(w.market.result(leases[i], 1000 + providers[i], differs ? 2 : 1));
    }
  }
  std::vector<LeaseId> leases;
  std::vector<SignedResult> results;
};
Case with_results(const std::function<void(World&, Runs&)>& change, std::uint8_t quorum = 2) {
  return [=](World& w) {
    Runs runs(w);
    change(w, runs);
    return w.submit(1, Market::disagreement(runs.results, quorum));
  };
}

void add_result_cases(Cases& cases) {
  cases[Refusal::ResultsInvalid] =
      with_results([](World&, Runs& runs) { runs.results[1] = runs.results[0]; });
  cases[Refusal::ResultNotCommitted] =
      with_results([](World&, Runs& runs) { runs.results[0].exit_code ^= 1; });
  cases[Refusal::BadResultSignature] =
      with_results([](World&, Runs& runs) { runs.results[0].signature.bytes[5] ^= 1; });
  cases[Refusal::ResultNotByNode] = with_results([](World& w, Runs& runs) {
    runs.results[0] = w.market.result(runs.leases[0], 0, 1);  // the owner's own key
  });
  cases[Refusal::ResultOfOwn] = with_results([](World& w, Runs& runs) {
    auto own = Market::request({{w.market.lend(30, lent_terms(), 1), std::nullopt}});
    own.purpose = crypto::sha256(Bytes{7});
    runs.results.push_back(w.market.result(w.market.accepted(1, own, 1001), 1001, 1));
  });
  cases[Refusal::ResultsKnown] = with_results(
      [](World& w, Runs& runs) { EXPECT_FALSE(w.submit(1, Market::disagreement(runs.results))); });
  cases[Refusal::ResultTooLate] = with_results([](World& w, Runs& runs) {
    for (const LeaseId& id : runs.leases) EXPECT_FALSE(w.submit(1, CloseLease{id}));
    w.market.wait(w.market.policy().evidence_window_ms + 1);
  });
  cases[Refusal::ResultsOfOtherRuns] = with_results([](World& w, Runs& runs) {
    auto other = Market::request({{w.market.lend(30), w.market.id_of(w.market.open_grant())}});
    other.purpose = crypto::sha256(Bytes{8});
    runs.results[0] = w.market.result(w.market.accepted(1, other), 1000, 1);
  });
  cases[Refusal::ResultProviderTwice] = with_results([](World& w, Runs& runs) {
    auto again = Market::request({{w.market.lend(30), w.market.id_of(w.market.open_grant())}});
    again.purpose = crypto::sha256(Bytes{7});
    runs.results.push_back(w.market.result(w.market.accepted(1, again), 1000, 1));
  });
  cases[Refusal::NoMajority] = with_results([](World&, Runs&) {}, 3);
  cases[Refusal::NoDisagreement] = with_results(
      [](World& w, Runs& runs) { runs.results[2] = w.market.result(runs.leases[2], 1003, 1); });
}

}  // namespace

void add_privacy_cases(Cases& cases) {
  add_grant_cases(cases);
  add_certificate_cases(cases);
  add_federation_cases(cases);
}

void add_lease_cases(Cases& cases) {
  add_decision_cases(cases);
  add_request_cases(cases);
  add_meter_cases(cases);
  add_result_cases(cases);
}

void add_staking_cases(Cases& cases) {
  const auto validator = node_id(key(1000));
  cases[Refusal::BondTied] = [](World& w) { return w.submit(0, Unbond{caesar::caes(1)}); };
  cases[Refusal::TooManyUnbondings] = [](World& w) {
    EXPECT_FALSE(w.submit(0, Bond{caesar::caes(20)}));
    for (std::size_t i = 0; i < kMaxUnbondings; ++i) {
      EXPECT_FALSE(w.submit(0, Unbond{caesar::caes(1)}));
    }
    return w.submit(0, Unbond{caesar::caes(1)});
  };
  cases[Refusal::NotAValidator] = [](World& w) {
    return w.submit(0, Delegate{node_id(key(99)), caesar::caes(1)});
  };
  cases[Refusal::DelegationRefused] = [validator](World& w) {
    const auto operation = w.chain.by_owner(1, Delegate{validator, caesar::Amount{1}});
    const auto plant = [validator](Tables& t) {
      t.validators.at(validator).delegated = {caesar::Amount{1'000}, 10};
    };
    return w.submit_to(plant, operation);
  };
  cases[Refusal::EvidenceProvesNothing] = [](World& w) {
    return w.submit(0, ReportFault{{1, 2, 3}});
  };
  cases[Refusal::FaultKnown] = [validator](World& w) {
    const ReportFault report{Bytes(validator.bytes.begin(), validator.bytes.end())};
    EXPECT_FALSE(w.submit(1, report));
    return w.submit(1, report);
  };
  cases[Refusal::NotEnoughShares] = [validator](World& w) {
    EXPECT_FALSE(w.submit(1, Delegate{validator, caesar::Amount{7}}));
    return w.submit(1, Undelegate{validator, 8});
  };
}

}  // namespace hm::ledger
