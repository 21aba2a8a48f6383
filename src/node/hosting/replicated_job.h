// SPDX-License-Identifier: Apache-2.0
// One program on machines of several owners, whose results are compared so that one that lies is
// seen. Each provider commits to its result before any shows it, so that none repeats another's;
// what most gave, if they are enough, is the result; who gave another is reported to the ledger
// with everybody's signed words, and is not paid. docs/protocols/containers.md, "Sealed runs".
//
// It tells lies from the answer of the majority, not from the truth, and calls a program a liar
// that gives different results by itself: clocks, chance and the order of threads do.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/hosting/container_desk.h"
#include "node/own_operations.h"

namespace hm::hosting {

struct JobOrder {
  struct Replica {
    identity::NodeId provider;
    std::vector<ledger::LeaseId> leases;  // of the same kinds in the same order for all
  };
  containers::RunSpec spec;
  std::string image;
  std::vector<Replica> replicas;  // kMinReplicas … kMaxReplicas, of distinct owners
  std::size_t quorum = 0;         // more than half of them
  Duration patience{};            // for all to commit
};

enum class Answer : std::uint8_t { Agreed, Dissented, Failed };
std::string_view name_of(Answer answer);

struct JobVerdict {
  struct Line {
    identity::NodeId provider;
    RunId run;
    Answer answer = Answer::Failed;
    std::string why;  // it failed
    crypto::Digest output;
    std::uint8_t exit_code = 0;
  };
  std::vector<Line> lines;      // as ordered
  std::size_t agreeing = 0;     // that gave the answer which most gave
  std::size_t reported = 0;     // reports of dissent that the ledger took
  std::optional<RunExit> exit;  // the result's; none: too few agreed
};

class JobListener {
 public:
  virtual ~JobListener() = default;
  virtual void on_committed(std::size_t done, std::size_t total) = 0;
  // The result, whole, after the verdict is known.
  virtual void on_result(ByteView out, ByteView error) = 0;
  virtual void on_verdict(const JobVerdict& verdict) = 0;
};

class ReplicatedJob : public std::enable_shared_from_this<ReplicatedJob> {
 public:
  // Everything outlives the job but the listener, which it holds. Refuses an order that cannot show
  // anything, by name.
  static Result<std::shared_ptr<ReplicatedJob>> start(node::Node& node,
                                                      node::OwnOperations& operations,
                                                      ContainerDesk& desk, JobOrder order,
                                                      std::shared_ptr<JobListener> listener);
  // Ends the runs; the listener hears nothing more.
  void cancel();

  ReplicatedJob(node::Node& node, node::OwnOperations& operations, ContainerDesk& desk,
                JobOrder order, std::shared_ptr<JobListener> listener);

 private:
  class RunEar;
  class RevealEar;
  struct Replica {
    RunId run;
    std::shared_ptr<Stream> stream;
    std::vector<CommittedReport::Word> words;
    std::optional<RevealedReport> revealed;
    Bytes out;
    Bytes error;
    RunExit exit;
    std::string failure;
    bool is_settled = false;  // committed or failed, then: revealed or failed
  };

  void begin();
  void settle(std::size_t place, std::string failure);
  void look();
  void reveal();
  void judge();
  bool is_true(const Replica& replica, const identity::NodeId& provider) const;
  // In the order of the leases, as the ledger wants them.
  std::vector<ledger::SignedResult> results(std::size_t lease_place) const;
  void report();
  void finish();

  node::Node& node_;
  node::OwnOperations& operations_;
  ContainerDesk& desk_;
  JobOrder order_;
  std::shared_ptr<JobListener> listener_;
  std::vector<Replica> replicas_;
  bool is_revealing_ = false;
  std::size_t reports_left_ = 0;
  JobVerdict verdict_;
  std::unique_ptr<ports::Timer> timer_;
};

}  // namespace hm::hosting
