// SPDX-License-Identifier: Apache-2.0
// Runs over several nodes in memory: one owner's container on another owner's machine.
#include <gtest/gtest.h>

#include "node/hosting/hosting_fixture.h"

namespace hm::hosting {
namespace {

TEST_F(Hosting, AContainerOnAnotherOwnersMachineGivesItsOutputAndItsExit) {
  const auto made = spec({"exit", "3"});
  const auto under = leases(made);
  const auto ear = start(made, under);
  mesh.run(100);
  EXPECT_EQ(ear->code(), 3) << ear->failure();
  EXPECT_FALSE(is_open(under[0])) << "what has ended costs nothing more";
  EXPECT_FALSE(is_open(under[1]));
  mesh.run(60'000);
  EXPECT_EQ(runtimes[kProvider]->count(), 0U) << "and nothing of it is left";
  EXPECT_TRUE(machine(kProvider).host.runs().empty());
  EXPECT_TRUE(machine(kTenant).desk.records().empty());
  EXPECT_TRUE(books[kTenant].empty());
}

TEST_F(Hosting, BytesFlowBothWaysAndTheEndOfInputArrives) {
  const auto made = spec({"echo"});
  const auto ear = start(made, leases(made));
  stream->send(Lane::Main, as_bytes("hello "));
  stream->send(Lane::Main, as_bytes("world"));
  mesh.world().settle();
  EXPECT_EQ(ear->out, "hello world");
  EXPECT_EQ(stream->room(), kWindow) << "what was read may be written again";
  stream->end_input();
  mesh.world().settle();
  EXPECT_EQ(ear->code(), 0);
}

TEST_F(Hosting, AReaderThatDoesNotReadHasNoMoreThanItsWindowOnTheWay) {
  const auto made = spec({"print", "10000000"});
  const auto ear = start(made, leases(made), kTenant, kProvider, Reading::Later);
  mesh.run(1'000);
  EXPECT_LE(ear->untaken, kWindow);
  EXPECT_FALSE(ear->outcome) << "the program waits for its reader";
  ear->stream = &stream;
  stream->take(ear->untaken);
  mesh.run(1'000);
  EXPECT_EQ(ear->out.size(), 10'000'000U);
  EXPECT_EQ(ear->code(), 0);
}

TEST_F(Hosting, NothingRunsThatIsNotLeased) {
  const auto made = spec({"exit", "0"});
  const auto refused = [&](const containers::RunSpec& what, std::vector<LeaseId> under,
                           std::uint32_t tenant = kTenant) {
    const auto ear = start(what, std::move(under), tenant);
    mesh.run(10);
    EXPECT_FALSE(ear->code()) << "it ran";
    return ear->failure();
  };
  EXPECT_NE(refused(made, {}).find("millicores"), std::string::npos);
  EXPECT_NE(refused(made, {lease(cpu, 1000, made)}).find("memory"), std::string::npos);
  EXPECT_NE(refused(made, {lease(cpu, 999, made), lease(ram, made.limits.memory_bytes, made)})
                .find("999"),
            std::string::npos);
  auto other = made;
  other.process.arguments = {"exit", "1"};
  EXPECT_NE(refused(other, leases(made)).find("something else"), std::string::npos);
  EXPECT_NE(refused(made, leases(made), kStranger).find("not the asking owner's"),
            std::string::npos);
  auto networked = made;
  networked.network = privacy::NetworkClass::Mesh;
  EXPECT_NE(refused(networked, leases(networked)).find("network class"), std::string::npos);
  auto with_disk = made;
  with_disk.limits.disk_bytes = 64 << 20;
  EXPECT_NE(refused(with_disk, leases(with_disk)).find("storage"), std::string::npos);
  const auto once = lease(cpu, 1000, made);
  EXPECT_NE(refused(made, {once, once}).find("twice"), std::string::npos);
}

TEST_F(Hosting, WhatItsTenantRemovedIsGoneHereAndThere) {
  auto made = spec({"sleep"});
  made.lifetime = containers::Lifetime::Detached;
  const auto under = leases(made);
  (void)start(made, under);
  machine(kTenant).desk.forget(run);
  mesh.run(10'000);
  EXPECT_TRUE(machine(kTenant).desk.records().empty());
  EXPECT_TRUE(books[kTenant].empty());
  EXPECT_EQ(runtimes[kProvider]->count(), 0U);
  EXPECT_FALSE(is_open(under[0]));
}

TEST_F(Hosting, AStartThatComesBeforeTheBlockOfItsLeaseWaitsForIt) {
  const auto made = spec({"exit", "4"});
  const auto memory = lease(ram, made.limits.memory_bytes, made);
  const auto opening = mesh.sign(kTenant, lease_request(cpu, made.limits.cpu_millicores, made));
  const LeaseId processors{ledger::operation_id(opening.operation).bytes};
  const auto ear = start(made, {processors, memory});
  EXPECT_FALSE(ear->outcome) << "the tenant's ledger may be ahead";
  EXPECT_EQ(runtimes[kProvider]->count(), 0U);
  EXPECT_FALSE(mesh.submit(opening));
  mesh.run(100);
  EXPECT_EQ(ear->code(), 4) << ear->failure();
}

TEST_F(Hosting, AStartWhoseLeaseDoesNotComeIsRefusedInTheEndAndOneThatIsLeftIsForgotten) {
  const auto made = spec({"exit", "0"});
  const auto memory = lease(ram, made.limits.memory_bytes, made);
  const auto ear = start(made, {LeaseId{}, memory});
  const auto lag = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(kLedgerLag).count());
  mesh.run(lag - 1'000);
  EXPECT_FALSE(ear->outcome);
  mesh.run(2'000);
  EXPECT_NE(ear->failure().find("not the asking owner's"), std::string::npos) << ear->failure();

  const auto other = lease(ram, made.limits.memory_bytes, made);
  const auto opening = mesh.sign(kTenant, lease_request(cpu, made.limits.cpu_millicores, made));
  (void)start(made, {LeaseId{ledger::operation_id(opening.operation).bytes}, other});
  stream.reset();
  mesh.world().settle();
  EXPECT_FALSE(mesh.submit(opening));
  mesh.run(2 * lag);
  EXPECT_EQ(runtimes[kProvider]->count(), 0U) << "nobody waits for it any more";
}

TEST_F(Hosting, ALeaseThatIsUsedIsNotUsedTwice) {
  const auto made = spec({"sleep"});
  const auto under = leases(made);
  const auto first = start(made, under);
  const auto kept = stream;
  const auto again = machine(kTenant).desk.start(
      {.provider = mesh.id(kProvider), .spec = made, .leases = under}, std::make_shared<Ear>());
  EXPECT_FALSE(again) << "the tenant's node refuses it";
  const auto second = std::make_shared<Ear>();
  const auto forged = machine(kTenant).mux.open(
      mesh.id(kProvider), StartRun{.run = {}, .spec = made, .leases = under}, second);
  mesh.world().settle();
  EXPECT_NE(second->failure().find("has a container already"), std::string::npos);
  EXPECT_FALSE(first->outcome);
}

TEST_F(Hosting, WhoComesUnderAGrantToAnyoneRunsInTheStrictClassOnly) {
  const auto open_grant = make_grant(privacy::ToAnyone{});
  auto made = spec({"exit", "0"});
  const auto under = [&](const containers::RunSpec& purpose) {
    return std::vector{lease(cpu, 1000, purpose, kStranger, open_grant),
                       lease(ram, purpose.limits.memory_bytes, purpose, kStranger, open_grant)};
  };
  images[kStranger] = images[kTenant];
  const auto plain = start(made, under(made), kStranger);
  EXPECT_NE(plain->failure().find("container+"), std::string::npos);
  made.isolation = containers::Isolation::ContainerPlus;
  made.root = containers::Access::ReadOnly;
  const auto strict = start(made, under(made), kStranger);
  mesh.run(10);
  EXPECT_EQ(strict->code(), 0) << strict->failure();
}

TEST_F(Hosting, TheEndOfALeaseIsTheEndOfItsContainerInTheSameTurn) {
  auto made = spec({"sleep"});
  made.lifetime = containers::Lifetime::Detached;
  const auto under = leases(made);
  (void)start(made, under);
  ASSERT_EQ(runtimes[kProvider]->count(), 1U);
  const MonoTime before = mesh.world().now();
  EXPECT_FALSE(mesh.submit(kProvider, ledger::ReclaimLease{under[1], ledger::Notice::None}));
  EXPECT_EQ(runtimes[kProvider]->count(), 0U);
  EXPECT_EQ(mesh.world().now(), before);
  EXPECT_EQ(machine(kProvider).host.counters().ended_by_lease, 1U);
  mesh.run(10'000);
  EXPECT_FALSE(is_open(under[0])) << "the tenant gives back what it holds for nothing";
}

TEST_F(Hosting, AnAttachedRunEndsWhenItsTenantWantsNoMore) {
  const auto made = spec({"sleep"});
  const auto under = leases(made);
  (void)start(made, under);
  ASSERT_EQ(runtimes[kProvider]->count(), 1U);
  stream->abandon();
  mesh.run(100);
  EXPECT_EQ(runtimes[kProvider]->count(), 0U);
}

TEST_F(Hosting, AnAttachedRunWhoseTenantsNodeIsGoneIsEndedAfterItsGrace) {
  const auto made = spec({"sleep"});
  (void)start(made, leases(made));
  cut_off(kTenant);
  mesh.run(1'000);
  EXPECT_EQ(runtimes[kProvider]->count(), 1U);
  mesh.run(20'000);
  EXPECT_EQ(runtimes[kProvider]->count(), 0U);
  EXPECT_EQ(machine(kProvider).host.counters().ended_alone, 1U);
}

TEST_F(Hosting, ADetachedRunOutlivesTheTenantsNodeAndThatFindsItAgain) {
  auto made = spec({"sleep"});
  made.lifetime = containers::Lifetime::Detached;
  const auto under = leases(made);
  const auto ear = start(made, under);
  EXPECT_TRUE(ear->outcome && std::holds_alternative<Done>(*ear->outcome)) << ear->failure();
  end_machine(kTenant);
  mesh.run(3'000);
  EXPECT_EQ(runtimes[kProvider]->count(), 1U);
  open_machine(kTenant);
  ASSERT_EQ(machine(kTenant).desk.records().size(), 1U);
  EXPECT_EQ(machine(kTenant).desk.records()[0].phase, DeskPhase::Running);
  mesh.run(1'000);
  runtimes[kProvider]->signal(container_name(run), 9, [](const auto&) {});
  mesh.run(10'000);
  ASSERT_NE(machine(kTenant).desk.record(run), nullptr);
  EXPECT_EQ(machine(kTenant).desk.record(run)->exit->code, 137);
  EXPECT_FALSE(is_open(under[0]));
}

TEST_F(Hosting, ARestartedTenantsNodeGivesBackTheLeasesOfAttachedRuns) {
  const auto made = spec({"sleep"});
  const auto under = leases(made);
  (void)start(made, under);
  const auto book = books[kTenant];
  end_machine(kTenant);
  books[kTenant] = book;  // as kill -9 would leave it
  open_machine(kTenant);
  mesh.run(10'000);
  EXPECT_FALSE(is_open(under[0]));
  EXPECT_FALSE(is_open(under[1]));
  EXPECT_EQ(runtimes[kProvider]->count(), 0U);
  EXPECT_TRUE(books[kTenant].empty());
}

TEST_F(Hosting, ARestartedProviderGoesOnWithDetachedRunsAndEndsTheOthers) {
  auto service = spec({"sleep"});
  service.lifetime = containers::Lifetime::Detached;
  service.name = "service";
  (void)start(service, leases(service));
  const RunId kept = run;
  const auto attached = spec({"sleep"});
  (void)start(attached, leases(attached));
  ASSERT_EQ(runtimes[kProvider]->count(), 2U);
  end_machine(kProvider);
  open_machine(kProvider);
  EXPECT_EQ(runtimes[kProvider]->count(), 1U);
  EXPECT_EQ(machine(kProvider).host.counters().adopted, 1U);
  mesh.run(5'000);
  EXPECT_EQ(machine(kTenant).desk.record(kept)->phase, DeskPhase::Running);
}

TEST_F(Hosting, WhatADetachedRunWasIsForgottenAnHourAfterItsEndAndAtOnceIfItIsRemoved) {
  auto made = spec({"exit", "1"});
  made.lifetime = containers::Lifetime::Detached;
  (void)start(made, leases(made));
  mesh.run(10'000);
  ASSERT_NE(machine(kTenant).desk.record(run), nullptr);
  EXPECT_EQ(machine(kTenant).desk.record(run)->exit->code, 1);
  mesh.run(3'600'000);
  EXPECT_TRUE(books[kTenant].empty());
  made.process.arguments = {"sleep"};
  (void)start(made, leases(made));
  machine(kTenant).desk.forget(run);
  mesh.run(10'000);
  EXPECT_TRUE(books[kTenant].empty());
  EXPECT_EQ(runtimes[kProvider]->count(), 0U);
}

TEST_F(Hosting, AServiceIsStartedAgainByItsPolicyEachTimeLater) {
  auto made = spec({"exit", "1"});
  made.lifetime = containers::Lifetime::Detached;
  made.restart = {containers::RestartWhen::OnFailure, 3};
  (void)start(made, leases(made));
  mesh.run(150);
  EXPECT_EQ(runtimes[kProvider]->starts(container_name(run)), 2U);
  mesh.run(60'000);
  EXPECT_EQ(machine(kProvider).host.counters().restarted, 3U);
  EXPECT_EQ(machine(kTenant).desk.record(run)->exit->code, 1);
}

TEST_F(Hosting, AStoppedServiceIsNotStartedAgain) {
  auto made = spec({"sleep"});
  made.lifetime = containers::Lifetime::Detached;
  made.restart = {containers::RestartWhen::Always, 0};
  (void)start(made, leases(made));
  const auto ear = std::make_shared<Ear>();
  const auto stopping = machine(kTenant).desk.open(run, StopRun{run, 5'000}, ear);
  ASSERT_TRUE(stopping);
  mesh.run(1'000);
  EXPECT_EQ(ear->code(), 128 + 15);
  mesh.run(60'000);
  EXPECT_EQ(machine(kProvider).host.counters().restarted, 0U);
}

TEST_F(Hosting, AnImageComesFromWhoeverHasItAndTheSecondTimeFromNobody) {
  const auto made = spec({"exit", "0"});
  images[0] = images[kTenant];
  images[kTenant].remove(image);
  EXPECT_EQ(start(made, leases(made))->code(), 0);
  const std::uint64_t shipped = images[kProvider].bytes_written;
  EXPECT_EQ(shipped, 2 * memory::MemoryImages::kBlobSize + 64);
  EXPECT_EQ(start(made, leases(made))->code(), 0);
  EXPECT_EQ(images[kProvider].bytes_written, shipped);
}

TEST_F(Hosting, AnImageWithOtherBytesThanItsDigestsIsNotRun) {
  const auto made = spec({"exit", "0"});
  images[kTenant].spoil(
      crypto::sha256(memory::MemoryImages::blob(8, memory::MemoryImages::kBlobSize)));
  const auto ear = start(made, leases(made));
  mesh.run(100);
  EXPECT_NE(ear->failure(), "");
  EXPECT_EQ(runtimes[kProvider]->count(), 0U);
}

TEST_F(Hosting, TheMachinesOwnOwnerNeedsNoLeaseAndNobodyElseSeesTheRun) {
  const auto made = spec({"sleep"});
  const auto ear = start(made, {}, kTenant, kTenant);
  EXPECT_FALSE(ear->outcome) << ear->failure();
  const auto foreign = std::make_shared<Ear>();
  const auto asked = machine(kStranger).mux.open(mesh.id(kTenant), InspectRun{run}, foreign);
  mesh.world().settle();
  EXPECT_EQ(foreign->failure(), "no such run is here");
  stream->command(SendSignal{15});
  mesh.run(10);
  EXPECT_EQ(ear->code(), 143);
}

TEST_F(Hosting, WhatARunUsesIsToldForEachOfItsLeases) {
  std::map<LeaseId, std::uint64_t> told;
  machine(kProvider).host.set_usage_sink(
      [&](const LeaseId& id, std::uint64_t used) { told[id] = used; });
  runtimes[kProvider]->usage_of_all = {.cpu_us = 5'000'000, .memory_byte_seconds = 77};
  const auto made = spec({"sleep"});
  const auto under = leases(made);
  (void)start(made, under);
  mesh.run(5'000);
  EXPECT_EQ(told[under[0]], 5'000U) << "5 s of a processor are 5000 millicore-seconds";
  EXPECT_EQ(told[under[1]], 77U);
}

}  // namespace
}  // namespace hm::hosting
