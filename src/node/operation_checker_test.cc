// SPDX-License-Identifier: Apache-2.0
#include "node/operation_checker.h"

#include <gtest/gtest.h>

#include <deque>

#include "core/ledger/limits.h"

namespace hm::node {
namespace {

// Holds jobs back until told to run them, and counts them.
class HeldWorkers final : public ports::Workers {
 public:
  void submit(std::function<void()> job, std::function<void()> done) override {
    jobs_.push_back({std::move(job), std::move(done)});
    ++submitted;
  }
  void run_all() {
    while (!jobs_.empty()) {
      auto [job, done] = std::move(jobs_.front());
      jobs_.pop_front();
      job();
      done();
    }
  }
  int submitted = 0;

 private:
  std::deque<std::pair<std::function<void()>, std::function<void()>>> jobs_;
};

TEST(OperationChecker, AnOperationAskedForTwiceIsCheckedOnceAndAnsweredTwice) {
  HeldWorkers workers;
  OperationChecker checker(workers, identity::ChainId{});
  const Bytes garbage = {1, 2, 3};
  int answers = 0;
  const auto count = [&](CheckResults results) {
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].error().rule, ledger::Refusal::Malformed);
    ++answers;
  };
  checker.check({garbage}, count);
  checker.check({garbage}, count);
  EXPECT_EQ(workers.submitted, 1);
  workers.run_all();
  EXPECT_EQ(answers, 2);
  checker.check({garbage}, count);
  EXPECT_EQ(workers.submitted, 2) << "nothing is remembered after the answer";
  workers.run_all();
  EXPECT_EQ(answers, 3);
}

TEST(OperationChecker, ResultsComeInTheOrderOfTheOperationsWhateverIsUnderWay) {
  HeldWorkers workers;
  OperationChecker checker(workers, identity::ChainId{});
  const Bytes a = {1};
  const Bytes b(ledger::kMaxOperationBytes + 1, 0);
  std::vector<ledger::Refusal> rules;
  checker.check({b}, [](CheckResults) {});
  checker.check({a, b, a}, [&](CheckResults results) {
    for (const CheckResult& result : results) rules.push_back(result.error().rule);
  });
  workers.run_all();
  EXPECT_EQ(rules, (std::vector{ledger::Refusal::Malformed, ledger::Refusal::OperationTooLarge,
                                ledger::Refusal::Malformed}));
}

TEST(OperationChecker, AnswersNobodyAfterItsEnd) {
  HeldWorkers workers;
  bool answered = false;
  {
    OperationChecker checker(workers, identity::ChainId{});
    checker.check({Bytes{1}}, [&](CheckResults) { answered = true; });
  }
  workers.run_all();
  EXPECT_FALSE(answered);
}

}  // namespace
}  // namespace hm::node
