// SPDX-License-Identifier: Apache-2.0
// A random economy on one ledger: from a seed a chain with drawn terms, then operations of every
// kind, right and wrong, in blocks, while the clock goes on in small steps and leaps. After every
// block each owner's money is explained to the unit (economy_flows.h); every so often everything is
// counted anew (economy_audit.h) and the state restored from its export. In the end nobody acts any
// more and time alone must end and forget every lease and release all stake.
//
// The ledger's own code runs, without consensus and network: millions of operations in minutes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/ledger/ledger.h"
#include "simulator/checker.h"
#include "simulator/economy/economy_cast.h"
#include "simulator/economy/economy_coverage.h"
#include "simulator/economy/economy_draw.h"
#include "simulator/economy/economy_flows.h"
#include "simulator/random.h"

namespace hm::simulator {

struct EconomyPlan {
  std::uint64_t seed = 1;
  std::uint64_t operations = 100'000;
};

class Economy {
 public:
  explicit Economy(const EconomyPlan& plan);

  // The next block. False: the run is over.
  bool step();

  const std::optional<Violation>& violation() const { return violation_; }
  std::uint64_t operations() const { return done_; }
  const ledger::Ledger& ledger() const { return ledger_; }
  const Coverage& coverage() const { return coverage_; }
  const Turnover& turnover() const { return flows_.turnover(); }
  // The same for two runs of one plan.
  std::uint64_t trace_hash() const { return trace_.value(); }
  // Several lines, for people.
  std::string report() const;

 private:
  UnixMillis next_time();
  bool has_nothing_due(UnixMillis time) const;
  ledger::BlockOutcome apply(UnixMillis time,
                             const std::vector<ledger::PreparedOperation>& operations);
  void count_anew();
  void finish();
  void end_leases();
  void release_stake();
  void fail(std::string check, std::string what);
  bool has_failed() const { return violation_.has_value(); }

  EconomyPlan plan_;
  SimRandom random_;
  Cast cast_;
  ledger::Ledger ledger_;
  Draw draw_;
  Flows flows_;
  Coverage coverage_;
  TraceHash trace_;
  std::uint64_t done_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t counts_ = 0;  // how often everything was counted anew
  std::uint64_t most_leases_ = 0;
  std::uint64_t most_open_ = 0;
  bool is_over_ = false;
  std::optional<Violation> violation_;
};

// The command that repeats the run.
std::string repeat_command(const std::string& program, const EconomyPlan& plan);

}  // namespace hm::simulator
