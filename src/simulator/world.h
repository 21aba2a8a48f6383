// SPDX-License-Identifier: Apache-2.0
// A mesh in one thread: members with their machines, the network between them, clients, faults and
// checks. What runs on the machines is the subclass's: consensus alone (consensus_world.h) or whole
// nodes (node_world.h).
//
// A run has four parts: the mesh starts; faults happen for a while under load; faults stop and all
// machines are repaired; the mesh must then make progress within a bound and converge.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulator/checker.h"
#include "simulator/clock.h"
#include "simulator/disk.h"
#include "simulator/network.h"
#include "simulator/random.h"
#include "simulator/scenario.h"
#include "simulator/schedule.h"

namespace hm::simulator {

class Nemesis;

// One process on one machine, from start to crash.
class Process : public ports::TransportListener {
 public:
  // Recovers from the disk and begins. Called once the process can be reached.
  virtual void start() = 0;
  // A client hands in operation `number`; hears of it through World::acknowledge.
  virtual void submit(std::uint64_t number) = 0;
  virtual std::uint64_t final_height() const = 0;
  virtual std::uint64_t view() const = 0;
  // Where its consensus stands, in one line.
  virtual std::string describe() const = 0;
};

enum class Role : std::uint8_t { Honest, Byzantine, Follower };

struct Member {
  explicit Member(SimRandom random) : disk(random) {}

  identity::NodeId node;
  Place place = 0;
  Role role = Role::Honest;
  Treason treason = Treason::Twins;  // of a Byzantine one
  SimDisk disk;
  ClockFault clock;
  bool clock_wrong = false;  // by more than the protocol tolerates
  // The mark beside its key that it may have voted: set before the first vote leaves, and kept when
  // the machine is wiped, so that it is known to have forgotten.
  bool voted = false;
  bool forgot = false;  // its journal was damaged or wiped in this run
  std::uint64_t starts = 0;
  std::unique_ptr<Life> life;
  std::unique_ptr<Process> process;  // none while it is down

  bool running() const { return process != nullptr; }
};

struct Plan {
  std::uint64_t seed = 0;
  std::size_t nodes = 4;  // validators
  std::string scenario = "mix";
  Duration fault_time = std::chrono::seconds(8);
  std::vector<std::string> allowed;  // checks that may be violated
  bool trace = false;                // prints every event
};

struct Outcome {
  std::optional<Violation> violation;
  std::uint64_t trace_hash = 0;
  std::uint64_t steps = 0;
  Duration simulated{};
  std::uint64_t views = 0;
  std::uint64_t final_blocks = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t messages = 0;
  std::map<std::string, std::uint64_t> faults;
  // From the end of the faults to the next final block, and to all members being equal.
  Duration recovery{};
  Duration convergence{};
};

class World {
 public:
  explicit World(const Plan& plan);
  virtual ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Outcome run();

  // For processes:
  Scheduler& scheduler() { return scheduler_; }
  Network& network() { return network_; }
  Checker& checker() { return checker_; }
  Member& member(std::size_t who) { return *members_[who]; }
  const Member& member(std::size_t who) const { return *members_[who]; }
  const Plan& plan() const { return plan_; }
  std::size_t member_count() const { return members_.size(); }
  bool was_submitted(std::uint64_t number) const { return number > 0 && number < next_operation_; }
  bool is_honest(std::size_t who) const { return members_[who]->role != Role::Byzantine; }
  // Member `accuser` holds proof of a fault of `accused`: never of an honest one.
  void check_accused(std::size_t accuser, const identity::NodeId& accused);
  // Client of operation `number` hears that it is final.
  void acknowledge(std::uint64_t number, std::uint64_t height);
  void count_fault(std::string_view kind) { ++outcome_.faults[std::string(kind)]; }
  void trace(std::size_t who, const std::string& what);
  bool tracing() const { return plan_.trace; }
  // Independent random streams, in the order of the calls.
  SimRandom fork_random() { return random_.fork(++forks_); }

 protected:
  // Creates members with add_member(); called once, before anything runs. The first plan().nodes
  // validators come first; which of them are Byzantine is traitors().
  virtual void build() = 0;
  virtual std::unique_ptr<Process> make_process(std::size_t who) = 0;
  // The longest that an honest member stays in a view before it votes to skip it.
  virtual Duration view_timeout() const = 0;
  virtual OperationName operation_name(std::uint64_t number) const = 0;
  // Compares what the members hold when all should be equal.
  virtual void check_end() = 0;
  virtual std::string describe(ports::Channel, ByteView) const { return {}; }

  std::size_t add_member(const identity::NodeId& node, Role role);
  // How many validators are Byzantine in this run, and what each does.
  std::vector<Treason> draw_treasons();
  const Scenario& scenario() const { return scenario_; }
  std::size_t faulty_limit() const { return (plan_.nodes - 1) / 3; }

 private:
  friend class Nemesis;

  void start_process(std::size_t who);
  void crash(std::size_t who, Network::End end, PowerLoss loss);
  void run_until(MonoTime end);
  void step();
  void load();
  void submit(std::uint64_t number);
  std::optional<std::size_t> some_running_honest();
  void heal();
  void recover();
  void resubmit_open();
  bool converged() const;

  Plan plan_;
  SimRandom random_;
  std::uint64_t forks_ = 0;
  Scheduler scheduler_;
  Network network_;
  Checker checker_;
  TraceHash trace_hash_;
  Scenario scenario_;
  std::unique_ptr<Nemesis> nemesis_;
  Outcome outcome_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<std::uint64_t> open_operations_;  // submitted, not seen final
  std::uint64_t next_operation_ = 1;
  std::size_t byzantine_validators_ = 0;
  std::uint64_t highest_view_ = 0;
};

}  // namespace hm::simulator
