// SPDX-License-Identifier: Apache-2.0
// Services on the machines of three owners, some of whom go away, lie, or take back what they lent.
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "core/containers/limits.h"
#include "node/hosting/hosting_fixture.h"

namespace hm::hosting {
namespace {

using Port = memory::MemoryRuntime::Port;

class Services : public Lenders {
 protected:
  containers::ServiceSpec service(std::uint32_t replicas,
                                  std::vector<std::string> arguments = {"serve"}) {
    containers::ServiceSpec made;
    made.name = "web";
    made.run = spec(std::move(arguments));
    made.run.lifetime = containers::Lifetime::Detached;
    made.image = "web:1";
    made.duration_ms = 3'600'000;
    made.replicas = replicas;
    made.health = {.kind = containers::HealthKind::Tcp, .port = 80};
    return made;
  }
  ServiceKeeper& keeper() { return machine(kTenant).services; }
  const KeptService& web() {
    const KeptService* found = keeper().find("web");
    if (found == nullptr) throw std::runtime_error("there is no such service");
    return *found;
  }
  void create(const containers::ServiceSpec& made) {
    const auto created = keeper().create(made);
    ASSERT_TRUE(created) << created.error().message;
  }

  void step() {
    if (!mesh.world().step()) mesh.world().pass(std::chrono::milliseconds(1));
  }
  std::size_t containers_of_all() {
    std::size_t count = 0;
    for (const auto& runtime : runtimes) count += runtime->count();
    return count;
  }
  std::size_t open_leases() {
    std::size_t count = 0;
    for (const auto& [id, lease] : mesh.ledger().tables().leases) count += lease.is_open() ? 1 : 0;
    return count;
  }
  std::size_t running_runs() {
    const auto records = machine(kTenant).desk.records();
    return static_cast<std::size_t>(std::ranges::count_if(
        records, [](const RunRecord& each) { return each.phase == DeskPhase::Running; }));
  }
  // So many, each on another owner's machine, and nothing beside them.
  void expect_whole(std::size_t count, const std::string& when = "") {
    EXPECT_EQ(web().state(), "running") << when << web().waiting();
    EXPECT_EQ(web().count(Standing::Healthy), count) << when;
    std::set<identity::OwnerId> owners;
    for (const auto& replica : web().replicas()) {
      if (!replica->is_over()) owners.insert(replica->record().owner);
    }
    EXPECT_EQ(owners.size(), count) << when;
    EXPECT_EQ(containers_of_all(), count) << when;
    EXPECT_EQ(open_leases(), 2 * count) << when;
    EXPECT_EQ(running_runs(), count) << when;
  }
  std::uint32_t machine_of(const Replica& replica) {
    for (std::uint32_t i = 0; i < 4; ++i) {
      if (mesh.id(i) == replica.record().provider) return i;
    }
    return 4;
  }
  // One on a machine that can be cut off without stopping the ledger.
  std::uint32_t some_provider() {
    for (const auto& replica : web().replicas()) {
      if (machine_of(*replica) != 0) return machine_of(*replica);
    }
    return 0;
  }
  bool is_on(std::uint32_t i) {
    return std::ranges::any_of(web().replicas(),
                               [&](const auto& replica) { return machine_of(*replica) == i; });
  }
  const LeftOut* left_out(std::uint32_t owner) {
    const auto& all = web().record().left_out;
    const auto found = std::ranges::find(all, sample::owner_id(owner), &LeftOut::owner);
    return found == all.end() ? nullptr : &*found;
  }
  void remove_web() {
    EXPECT_TRUE(keeper().remove("web"));
    mesh.run(5'000);
    EXPECT_EQ(keeper().find("web"), nullptr);
    EXPECT_EQ(containers_of_all(), 0U);
    EXPECT_EQ(open_leases(), 0U);
    EXPECT_EQ(running_runs(), 0U);
  }
};

TEST_F(Services, ReplicasAreOnMachinesOfDifferentOwnersAndLeaveNothingWhenRemoved) {
  create(service(3));
  mesh.run(3'000);
  expect_whole(3);
  for (const auto& replica : web().replicas()) {
    EXPECT_EQ(keeper().service_of(replica->record().run), &web());
  }
  EXPECT_FALSE(keeper().create(service(1))) << "the name is taken";
  remove_web();
  mesh.run(5'000);
  EXPECT_TRUE(service_books[kTenant].empty());
  EXPECT_TRUE(keeper().create(service(1))) << "and free again";
}

TEST_F(Services, TheTenantsOwnMachineIsOneOfThemAndNeedsNoLease) {
  const auto own = sample::asset_id(mesh.node(0).chain_id(), 40, assets::AssetKind::Cpu);
  assets::AssetTerms terms = sample::terms(std::uint64_t{1} << 32);
  terms.quantity.unit = "millicores";
  EXPECT_FALSE(mesh.submit(kTenant, ledger::RegisterAsset{own, mesh.id(kTenant), terms}));
  create(service(4));
  mesh.run(3'000);
  EXPECT_EQ(web().count(Standing::Healthy), 4U) << web().waiting();
  EXPECT_TRUE(is_on(kTenant));
  EXPECT_EQ(open_leases(), 6U);
  end_machine(kTenant);
  open_machine(kTenant);
  mesh.run(10'000);
  EXPECT_EQ(web().count(Standing::Healthy), 4U);
  EXPECT_EQ(containers_of_all(), 4U);
  remove_web();
}

TEST_F(Services, WhereThereIsNoRoomItWaitsAndSaysSoAndGoesOnWhenThereIs) {
  create(service(4));
  mesh.run(20'000);
  EXPECT_EQ(web().state(), "waiting");
  EXPECT_EQ(web().count(Standing::Healthy), 3U) << "it goes on with what it has";
  EXPECT_NE(web().waiting().find("no machine"), std::string::npos) << web().waiting();
  EXPECT_TRUE(keeper().scale("web", 3));
  mesh.run(2'000);
  expect_whole(3);
  EXPECT_TRUE(keeper().scale("web", 1));
  mesh.run(5'000);
  expect_whole(1);
  EXPECT_TRUE(keeper().scale("web", 2));
  mesh.run(5'000);
  expect_whole(2);
}

TEST_F(Services, AProviderThatGoesDarkIsReplacedAndNotDoubledWhenItReturns) {
  create(service(2));
  mesh.run(3'000);
  expect_whole(2);
  const std::uint32_t dark = some_provider();
  cut_off(dark);
  mesh.run(8'000);
  EXPECT_TRUE(is_on(dark)) << "a node that is only restarted is back by now";
  mesh.run(30'000);
  EXPECT_FALSE(is_on(dark));
  EXPECT_EQ(web().count(Standing::Healthy), 2U);
  ASSERT_NE(left_out(dark), nullptr);
  EXPECT_NE(left_out(dark)->why.find("cannot be reached"), std::string::npos);
  join_again(dark);
  mesh.run(60'000);
  expect_whole(2, "after it returned: ");
}

TEST_F(Services, AProviderThatIsBackInTimeKeepsItsReplica) {
  create(service(2));
  mesh.run(3'000);
  const std::uint32_t away = some_provider();
  cut_off(away);
  mesh.run(8'000);
  join_again(away);
  mesh.run(60'000);
  expect_whole(2);
  EXPECT_TRUE(is_on(away));
  EXPECT_EQ(left_out(away), nullptr);
}

TEST_F(Services, ATenantsNodeThatIsCutOffItselfBlamesNobody) {
  create(service(2));
  mesh.run(3'000);
  cut_off(kTenant);
  mesh.run(13'000);
  join_again(kTenant);
  mesh.run(30'000);
  expect_whole(2);
  EXPECT_TRUE(web().record().left_out.empty());
}

TEST_F(Services, WhoSaysThatItRunsWhileItsPortIsDeadIsReplacedByANewOneFirstAndLeftOut) {
  create(service(1));
  mesh.run(3'000);
  expect_whole(1);
  const std::uint32_t liar = machine_of(*web().replicas()[0]);
  runtimes[liar]->port = Port::Dead;
  std::set<std::size_t> seen;
  for (int i = 0; i < 100'000 && is_on(liar); ++i) {
    step();
    seen.insert(containers_of_all());
  }
  EXPECT_TRUE(seen.contains(2)) << "both for a while";
  EXPECT_FALSE(seen.contains(0));
  mesh.run(5'000);
  expect_whole(1);
  EXPECT_FALSE(is_on(liar));
  ASSERT_NE(left_out(liar), nullptr);
  EXPECT_NE(left_out(liar)->why.find("says it runs"), std::string::npos) << left_out(liar)->why;
  EXPECT_NE(left_out(liar)->why.find("nothing listens"), std::string::npos);
  EXPECT_EQ(keeper().counters().unhealthy, 1U);
  // Also after a restart, and although two of three owners are wanted now.
  end_machine(kTenant);
  open_machine(kTenant);
  EXPECT_TRUE(keeper().scale("web", 3));
  mesh.run(20'000);
  EXPECT_FALSE(is_on(liar));
  EXPECT_EQ(web().count(Standing::Healthy), 2U);
  runtimes[liar]->port = Port::Answers;
  mesh.run(kLeftOutMillis);
  expect_whole(3, "it is taken again after its time: ");
}

TEST_F(Services, WhatFailsAndCannotBeReplacedIsKeptAndGoesOnWhenItIsInOrderAgain) {
  create(service(3));
  mesh.run(3'000);
  const std::uint32_t bad = some_provider();
  const std::uint64_t number = web().record().last_number;
  runtimes[bad]->port = Port::Dead;
  mesh.run(60'000);
  EXPECT_EQ(web().state(), "replacing");
  EXPECT_TRUE(is_on(bad));
  EXPECT_FALSE(web().waiting().empty());
  runtimes[bad]->port = Port::Answers;
  mesh.run(60'000);
  expect_whole(3);
  EXPECT_EQ(web().record().last_number, number) << "no other was placed";
}

TEST_F(Services, ChecksOfEachKindPassAndFailAsTheyShould) {
  const auto verdict = [&](containers::HealthCheck check,
                           const std::function<void(memory::MemoryRuntime&)>& change) {
    auto made = service(1);
    made.health = std::move(check);
    create(made);
    mesh.run(3'000);
    EXPECT_EQ(web().count(Standing::Healthy), 1U);
    for (const auto& runtime : runtimes) change(*runtime);
    mesh.run(30'000);
    const std::string failure =
        web().replicas().empty() ? "nothing" : web().replicas()[0]->last_failure();
    for (const auto& runtime : runtimes) {
      runtime->port = Port::Answers;
      runtime->answer = "HTTP/1.1 200 OK\r\n\r\n";
      runtime->exec_code = 0;
    }
    remove_web();
    mesh.run(kLeftOutMillis);
    return failure;
  };
  using containers::HealthKind;
  const containers::HealthCheck http{.kind = HealthKind::Http, .port = 80, .path = "/"};
  EXPECT_EQ(verdict(http, [](auto&) {}), "");
  EXPECT_EQ(verdict(http, [](auto& r) { r.answer = "HTTP/1.0 302 Found\r\n"; }), "");
  EXPECT_EQ(verdict(http, [](auto& r) { r.answer = "HTTP/1.1 500 No\r\n"; }), "it answers 500");
  EXPECT_EQ(verdict(http, [](auto& r) { r.answer = "SSH-2.0-x\r\n"; }),
            "it does not answer in HTTP");
  EXPECT_EQ(verdict(http, [](auto& r) { r.answer = std::string(5'000, 'x'); }),
            "it does not answer in HTTP");
  EXPECT_EQ(verdict(http, [](auto& r) { r.port = Port::Mute; }), "no answer in time");
  const containers::HealthCheck exec{.kind = HealthKind::Exec, .command = "test -e /ready"};
  EXPECT_EQ(verdict(exec, [](auto&) {}), "");
  EXPECT_EQ(verdict(exec, [](auto& r) { r.exec_code = 2; }), "the command exits with 2");
  EXPECT_EQ(verdict({}, [](auto& r) { r.port = Port::Dead; }), "") << "nobody looks";
}

TEST_F(Services, WhatIsTakenBackIsReplacedElsewhere) {
  create(service(2));
  mesh.run(3'000);
  const auto& replica = *web().replicas()[0];
  const std::uint32_t owner = machine_of(replica);
  EXPECT_FALSE(
      mesh.submit(owner, ledger::ReclaimLease{replica.leases().front(), ledger::Notice::None}));
  mesh.run(10'000);
  expect_whole(2);
  EXPECT_FALSE(is_on(owner));
  EXPECT_EQ(keeper().counters().lost_lease, 1U);
  EXPECT_NE(left_out(owner)->why.find("by_owner"), std::string::npos);
}

TEST_F(Services, ARunThatIsRemovedByHandComesAgain) {
  create(service(2));
  mesh.run(3'000);
  machine(kTenant).desk.forget(web().replicas()[0]->record().run);
  mesh.run(30'000);
  expect_whole(2);
}

TEST_F(Services, AProgramThatEndsAtOnceIsNotStartedWithoutEnd) {
  create(service(1, {"exit", "3"}));
  mesh.run(600'000);
  EXPECT_LT(keeper().counters().placed, 40U);
  EXPECT_GT(keeper().counters().placed, 5U);
  EXPECT_EQ(web().count(Standing::Healthy), 0U);
  EXPECT_FALSE(web().waiting().empty());
  EXPECT_LE(open_leases(), 2U);
}

TEST_F(Services, LeasesAreRenewedBeforeTheyEnd) {
  auto made = service(2);
  made.duration_ms = 60'000;
  create(made);
  mesh.run(3'000);
  const auto before = books[kTenant].size();
  std::set<RunId> runs;
  for (const auto& replica : web().replicas()) runs.insert(replica->record().run);
  mesh.run(600'000);
  expect_whole(2);
  for (const auto& replica : web().replicas()) {
    EXPECT_TRUE(runs.contains(replica->record().run)) << "the same as ten leases before";
  }
  EXPECT_EQ(books[kTenant].size(), before);
}

TEST_F(Services, WhatIsNotRenewedIsReplacedBeforeItEndsIfItCanBe) {
  auto made = service(2);
  made.duration_ms = 60'000;
  create(made);
  mesh.run(3'000);
  const std::uint32_t owner = some_provider();
  EXPECT_FALSE(mesh.submit(owner, ledger::RevokeGrant{sample::owner_id(owner), lent[owner].grant}));
  for (int i = 0; i < 100; ++i) {
    mesh.run(1'000);
    EXPECT_GE(containers_of_all(), 2U);
  }
  expect_whole(2);
  EXPECT_FALSE(is_on(owner));
  EXPECT_EQ(left_out(owner), nullptr) << "it is its right";
}

TEST_F(Services, WithoutAnAllowanceItSaysSoAndTakesWhatCostsNothing) {
  for (const std::uint32_t owner : {0U, kStranger}) {
    EXPECT_FALSE(
        mesh.submit(owner, ledger::RevokeGrant{sample::owner_id(owner), lent[owner].grant}));
  }
  const caesar::Price price{caesar::Amount{1'000}, 1};
  make_grant(privacy::ToOwner{sample::owner_id(kTenant)}, kStranger, price);
  auto made = service(2);
  made.run.limits.memory_bytes = containers::kMinMemory;
  create(made);
  mesh.run(10'000);
  EXPECT_EQ(web().count(Standing::Healthy), 1U);
  EXPECT_EQ(web().state(), "waiting");
  EXPECT_NE(web().waiting().find("this node may spend 0 CAES by itself; hypermesh allow AMOUNT"),
            std::string::npos)
      << web().waiting();
  EXPECT_FALSE(mesh.submit(
      kTenant, ledger::SetAllowance{mesh.id(kTenant), caesar::Amount{std::uint64_t{1} << 40}}));
  mesh.run(70'000);
  expect_whole(2);
}

TEST_F(Services, ARestartAtAnyStepNeitherDoublesNorLosesAReplica) {
  // As many steps as it takes to be there.
  std::size_t steps = 0;
  create(service(2));
  while (web().count(Standing::Healthy) < 2) {
    step();
    ++steps;
  }
  remove_web();
  ASSERT_GT(steps, 50U);
  for (std::size_t at = 0; at <= steps + 10; at += 1 + steps / 60 / 2 * 2) {
    create(service(2));
    for (std::size_t i = 0; i < at; ++i) {
      step();
    }
    // Cut off first, it starts again before anybody has what it asked for.
    const bool is_cut_off = at % 2 == 1;
    if (is_cut_off) {
      mesh.isolate(kTenant);
      machines[kTenant].reset();
      open_machine(kTenant);
      mesh.run(100);
      join_again(kTenant);
      mesh.run(3'000);
    } else {
      end_machine(kTenant);
      open_machine(kTenant);
    }
    mesh.run(4'000);
    expect_whole(2, "at step " + std::to_string(at) + ": ");
    remove_web();
    if (HasFailure()) return;
  }
}

TEST_F(Services, ARestartWhileAReplicaIsReplacedNeitherDoublesNorLosesOne) {
  for (std::uint64_t after = 8'000; after <= 12'000; after += 500) {
    create(service(2));
    mesh.run(3'000);
    const std::uint32_t dark = some_provider();
    cut_off(dark);
    mesh.run(after);
    end_machine(kTenant);
    if (after % 1'000 != 0) mesh.disconnect(kTenant, dark);
    open_machine(kTenant);
    mesh.run(60'000);
    join_again(dark);
    join_again(kTenant);
    mesh.run(30'000);
    expect_whole(2, "after " + std::to_string(after) + " ms: ");
    remove_web();
    if (HasFailure()) return;
  }
}

TEST_F(Services, ARecordThatIsDamagedIsRefused) {
  create(service(1));
  auto records = all_of(service_books[kTenant]);
  records[0].pop_back();
  ServiceKeeper other(
      mesh.node(kTenant), mesh.operations(kTenant), machine(kTenant).mux, machine(kTenant).desk,
      [](auto&, auto&) { return Result<void>(); }, [] { return node::RoundTrips(); });
  EXPECT_FALSE(other.recall(records));
}

}  // namespace
}  // namespace hm::hosting
