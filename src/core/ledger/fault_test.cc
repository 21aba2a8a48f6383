// SPDX-License-Identifier: Apache-2.0
// Slashing: what proven evidence costs a validator, its delegators and those that just left it. The
// judge here believes any evidence that is a validator's node id.
#include "core/ledger/fault.h"

#include <gtest/gtest.h>

#include "core/ledger/limits.h"
#include "core/ledger/sample_chain.h"

namespace hm::ledger {
namespace {

using caesar::Amount;
using caesar::caes;
using sample::Chain;
using sample::key;
using sample::node_id;
using sample::owner_id;

identity::NodeId validator(std::uint32_t owner) { return node_id(key(1000 + owner)); }

ReportFault report(std::uint32_t owner) {
  const identity::NodeId node = validator(owner);
  return {Bytes(node.bytes.begin(), node.bytes.end())};
}

std::optional<Refusal> refusal(const BlockOutcome& outcome) {
  const auto& refused = outcome.receipts.at(0).refused;
  return refused ? std::optional(refused->rule) : std::nullopt;
}

class Fault : public testing::Test {
 protected:
  const ValidatorRecord& record(std::uint32_t owner) const {
    return chain.ledger().tables().validators.at(validator(owner));
  }
  Amount bond(std::uint32_t owner) const { return chain.ledger().account(owner_id(owner)).bond; }

  // Four validators with a bond of 1000 each, all of it stake.
  Chain chain{sample::genesis(), sample::judge_by_node_id};
};

TEST_F(Fault, BurnsAPartOfTheStakeAndLeavesTheVotingWeight) {
  ASSERT_FALSE(refusal(chain.block({chain.by_owner(0, report(1))})));
  // 5 %, and of the rest 3 · 1000 / 4000.
  const Amount burned{caes(50).value + caes(950).value / 4 * 3};
  EXPECT_EQ(bond(1), Amount{caes(1'000).value - burned.value});
  EXPECT_EQ(record(1).slashed, burned);
  EXPECT_EQ(record(1).stake, caes(1'000));
  EXPECT_EQ(chain.ledger().tables().supply.burned, burned);
  EXPECT_EQ(bond(0), caes(1'000));
}

TEST_F(Fault, IsPunishedOnceWithinTheUnbondingTime) {
  chain.block({chain.by_owner(0, report(1))});
  const Amount left = bond(1);
  EXPECT_EQ(refusal(chain.block({chain.by_owner(0, report(1))})), Refusal::FaultKnown);
  EXPECT_EQ(bond(1), left);
}

TEST_F(Fault, CostsMoreTogetherThanAlone) {
  chain.block({chain.by_owner(0, report(1))});
  const Amount first = record(1).slashed;
  chain.block({chain.by_owner(0, report(2))});
  EXPECT_GT(record(2).slashed, first);
}

TEST_F(Fault, IsNotProvenByAnythingElse) {
  EXPECT_EQ(refusal(chain.block({chain.by_owner(0, ReportFault{{1, 2, 3}})})),
            Refusal::EvidenceProvesNothing);
  const auto stranger = owner_id(3);
  EXPECT_EQ(refusal(chain.block({chain.by_owner(
                0, ReportFault{Bytes(stranger.bytes.begin(), stranger.bytes.end())})})),
            Refusal::EvidenceProvesNothing);
  EXPECT_EQ(
      prepare(sign(chain.operation(owner_id(0), ReportFault{Bytes(kMaxEvidenceBytes + 1)}), key(0)),
              chain.id())
          .error()
          .rule,
      Refusal::EvidenceProvesNothing);
  Chain without_judge;
  EXPECT_EQ(refusal(without_judge.block({without_judge.by_owner(0, report(1))})),
            Refusal::EvidenceProvesNothing);
}

TEST_F(Fault, TakesTheSamePartOfWhatIsDelegatedAndOfWhatJustLeft) {
  chain.block({chain.by_owner(3, Delegate{validator(1), caes(100)}),
               chain.by_owner(2, Delegate{validator(2), caes(100)})});
  const std::uint64_t shares =
      chain.ledger().tables().delegations.at({validator(1), owner_id(3)}).shares;
  chain.block({chain.by_owner(3, Undelegate{validator(1), shares / 2})});
  ASSERT_EQ(chain.ledger().account(owner_id(3)).unbonding, caes(50));
  chain.block({chain.by_owner(0, report(1))});
  const Amount slashed = record(1).slashed;
  const auto part_of = [&](Amount amount) {
    return *caesar::scale(amount, slashed.value, caes(1'000).value);
  };
  EXPECT_EQ(chain.ledger().account(owner_id(3)).unbonding,
            (Amount{caes(50).value - part_of(caes(50)).value}));
  EXPECT_EQ(record(1).delegated.total, (Amount{caes(50).value - part_of(caes(50)).value}));
  EXPECT_EQ(record(2).delegated.total, caes(100));
  EXPECT_EQ(chain.ledger().recount(), chain.ledger().tables().supply);
}

TEST_F(Fault, LeavesTheLoweredStakeTied) {
  chain.block({chain.by_owner(0, report(1))});
  EXPECT_EQ(chain.ledger().owner(owner_id(1))->staked, bond(1));
  EXPECT_EQ(refusal(chain.block({chain.by_owner(1, Unbond{Amount{1}})})), Refusal::BondTied);
}

}  // namespace
}  // namespace hm::ledger
