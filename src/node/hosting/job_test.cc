// SPDX-License-Identifier: Apache-2.0
// One program on the machines of three owners, one of whom may lie.
#include <gtest/gtest.h>

#include "node/hosting/hosting_fixture.h"
#include "node/hosting/replicated_job.h"

namespace hm::hosting {
namespace {

struct Teller final : JobListener {
  std::vector<std::size_t> committed;
  std::string out;
  std::optional<JobVerdict> verdict;
  void on_committed(std::size_t done, std::size_t /*total*/) override { committed.push_back(done); }
  void on_result(ByteView bytes, ByteView /*error*/) override { out = as_text(bytes); }
  void on_verdict(const JobVerdict& given) override { verdict = given; }
};

class Jobs : public Lenders {
 protected:
  JobOrder order(const containers::RunSpec& made, std::size_t quorum = 2) {
    JobOrder job{.spec = made, .quorum = quorum, .patience = std::chrono::seconds(20)};
    for (const std::uint32_t owner : kProviders) {
      const Lent& from = lent[owner];
      job.replicas.push_back(
          {mesh.id(owner),
           {lease(from.cpu, 1000, made, kTenant, from.grant),
            lease(from.ram, made.limits.memory_bytes, made, kTenant, from.grant)}});
    }
    return job;
  }
  std::shared_ptr<Teller> run_job(const JobOrder& job) {
    auto teller = std::make_shared<Teller>();
    const auto started = ReplicatedJob::start(mesh.node(kTenant), mesh.operations(kTenant),
                                              machine(kTenant).desk, job, teller);
    EXPECT_TRUE(started) << started.error().message;
    mesh.run(30'000);
    return teller;
  }
  std::uint64_t disagreements(std::uint32_t owner) {
    const auto& behaviours = mesh.ledger().tables().behaviours;
    const auto found = behaviours.find(mesh.id(owner));
    return found == behaviours.end() ? 0 : found->second.disagreements;
  }
};

TEST_F(Jobs, WhereAllSayTheSameThatIsTheResultAndNothingIsReported) {
  const auto job = order(spec({"say", "42"}));
  const auto teller = run_job(job);
  ASSERT_TRUE(teller->verdict && teller->verdict->exit);
  EXPECT_EQ(teller->out, "42");
  EXPECT_EQ(teller->verdict->agreeing, 3U);
  EXPECT_EQ(teller->verdict->reported, 0U);
  EXPECT_EQ(teller->committed.back(), 3U);
  for (const auto& replica : job.replicas) EXPECT_FALSE(is_open(replica.leases[0]));
  for (const std::uint32_t owner : kProviders) EXPECT_EQ(runtimes[owner]->count(), 0U);
}

TEST_F(Jobs, ALiarIsOutvotedReportedAndNotPaidAndItsScoreFalls) {
  runtimes[kStranger]->lie = "41";
  const auto job = order(spec({"say", "42"}));
  const auto teller = run_job(job);
  ASSERT_TRUE(teller->verdict && teller->verdict->exit);
  EXPECT_EQ(teller->out, "42");
  EXPECT_EQ(teller->verdict->lines[2].answer, Answer::Dissented);
  EXPECT_EQ(teller->verdict->reported, 2U) << "under its lease of each kind";
  for (const LeaseId& id : job.replicas[2].leases) {
    EXPECT_EQ(mesh.ledger().lease(id)->placement.end, ledger::LeaseEnd::WrongResult);
    EXPECT_EQ(mesh.ledger().lease(id)->placement.paid, caesar::Amount{0});
  }
  EXPECT_EQ(mesh.ledger().lease(job.replicas[0].leases[0])->placement.end,
            ledger::LeaseEnd::ByTenant);
  EXPECT_GT(disagreements(kStranger), 0U);
  EXPECT_EQ(disagreements(kProvider), 0U);
}

TEST_F(Jobs, WhereNoTwoSayTheSameThereIsNoResultAndNobodyIsBlamed) {
  runtimes[kStranger]->lie = "41";
  runtimes[kProvider]->lie = "43";
  const auto teller = run_job(order(spec({"say", "42"})));
  ASSERT_TRUE(teller->verdict);
  EXPECT_FALSE(teller->verdict->exit);
  EXPECT_EQ(teller->out, "");
  EXPECT_EQ(teller->verdict->reported, 0U);
}

TEST_F(Jobs, OneThatNeverEndsKeepsNobodyFromTheResult) {
  const auto job = order(spec({"say", "42"}));
  // Its stream stays open, and it commits to nothing.
  machines[kStranger]->mux.set_acceptor([](Request, std::shared_ptr<Stream> opened) {
    static std::vector<std::shared_ptr<Stream>> held;
    held.push_back(std::move(opened));
  });
  const auto teller = run_job(job);
  ASSERT_TRUE(teller->verdict && teller->verdict->exit);
  EXPECT_EQ(teller->out, "42");
  EXPECT_EQ(teller->verdict->lines[2].answer, Answer::Failed);
}

TEST_F(Jobs, MoreOutputThanIsComparedIsAFailureByName) {
  const auto teller = run_job(order(spec({"print", std::to_string(kMaxSealedOutput + 1)})));
  ASSERT_TRUE(teller->verdict);
  EXPECT_FALSE(teller->verdict->exit);
  EXPECT_NE(teller->verdict->lines[0].why.find("longer than is compared"), std::string::npos)
      << teller->verdict->lines[0].why;
}

TEST_F(Jobs, AnOrderThatCanShowNothingIsRefused) {
  const auto refused = [&](auto change) {
    JobOrder job = order(spec({"say", "42"}));
    change(job);
    return !ReplicatedJob::start(mesh.node(kTenant), mesh.operations(kTenant),
                                 machine(kTenant).desk, job, std::make_shared<Teller>());
  };
  EXPECT_TRUE(refused([](JobOrder& job) { job.replicas.pop_back(); }));
  EXPECT_TRUE(refused([](JobOrder& job) { job.quorum = 1; }));
  EXPECT_TRUE(refused([](JobOrder& job) { job.quorum = 4; }));
  EXPECT_TRUE(refused([](JobOrder& job) { job.replicas[1] = job.replicas[0]; }));
  EXPECT_TRUE(refused([](JobOrder& job) { job.replicas[1].leases.pop_back(); }));
}

}  // namespace
}  // namespace hm::hosting
