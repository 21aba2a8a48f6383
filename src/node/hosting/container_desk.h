// SPDX-License-Identifier: Apache-2.0
// The tenant's side of containers: starts runs on other nodes (or here) for this node's owner,
// remembers them, and gives their leases back when they have ended. docs/protocols/containers.md,
// "Runs".
//
// Promises: a run is remembered before anybody is asked to start it, so that whatever ends this
// process, a later one closes the leases of attached runs and finds detached ones again. A lease is
// closed as soon as the run that it was opened for has ended.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/hosting/session_mux.h"
#include "node/own_operations.h"

namespace hm::hosting {

enum class DeskPhase : std::uint8_t {
  Starting,
  Running,
  Ended,  // its leases are being closed
};
std::string_view name_of(DeskPhase phase);

struct RunRecord {
  RunId run;
  identity::NodeId provider;
  std::vector<ledger::LeaseId> leases;
  containers::RunSpec spec;
  std::string image;  // as it was named
  UnixMillis created;
  DeskPhase phase = DeskPhase::Starting;
  std::optional<RunExit> exit;
  std::string failure;  // why it has ended without an exit
  bool operator==(const RunRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.run, self.provider, self.leases, self.spec, self.image, self.created,
                    self.phase, self.exit, self.failure);
  }
};

// Where records outlive the process: the encoding of a RunRecord, or none to forget it.
using RememberRun =
    std::function<Result<void>(const RunId& run, const std::optional<Bytes>& record)>;

struct StartOrder {
  identity::NodeId provider;
  containers::RunSpec spec;
  std::vector<ledger::LeaseId> leases;
  std::string image;
  // A sealed run is whoever's that started it: it ends with forget().
  OutputMode output = OutputMode::Stream;
};

class ContainerDesk final : public node::NodeObserver {
 public:
  ContainerDesk(node::Node& node, node::OwnOperations& operations, SessionMux& mux,
                RememberRun remember);
  ~ContainerDesk() override;

  // What earlier processes remembered, each an encoding as it was given; damaged ones are refused
  // by name. Once, before anything else.
  Result<void> recall(const std::vector<Bytes>& records);

  struct Started {
    RunId run;
    std::shared_ptr<Stream> stream;
  };
  // `listener` hears what the provider says, and the end. Dropping the stream of an attached run
  // ends it.
  Result<Started> start(StartOrder order, std::shared_ptr<StreamListener> listener);
  // A stream about a run of this desk.
  Result<std::shared_ptr<Stream>> open(const RunId& run, Request request,
                                       std::shared_ptr<StreamListener> listener);
  // By unique prefix of its id, or by its name.
  Result<RunId> find(std::string_view text) const;
  const RunRecord* record(const RunId& run) const;
  std::vector<RunRecord> records() const;
  // A detached one has ended, as its provider answered to whoever asked it to stop.
  void note_end(const RunId& run, const RunExit& exit);
  // Ends it if need be, and forgets it as soon as its provider has nothing of it and its leases are
  // closed.
  void forget(const RunId& run);

  // node::NodeObserver
  void on_final(const node::FinalEvent& event) override;
  void on_connected(const identity::NodeId& peer) override;

 private:
  class Watcher;
  struct Kept {
    RunRecord record;
    std::weak_ptr<Stream> stream;  // of an attached one: without it nobody is attached
    OutputMode output = OutputMode::Stream;
    std::shared_ptr<Stream> removal;  // under way
    bool is_removed = false;          // its provider has forgotten it, or never knew
    bool is_dismissed = false;        // nobody wants to know any more how it ended
    std::optional<MonoTime> ended;    // seen here
  };

  std::optional<Error> objection(const StartOrder& order) const;
  void on_started(const RunId& run);
  void on_outcome(const RunId& run, const Outcome& outcome);
  void finish(Kept& kept);
  static bool is_left(const Kept& kept);
  void tidy();
  void close_leases(const RunRecord& record);
  void remove_at_provider(Kept& kept);
  void ask_provider(const identity::NodeId& provider);
  void on_report(const RunReport& report);
  void save(const RunRecord& record);
  void arm();

  node::Node& node_;
  node::OwnOperations& operations_;
  SessionMux& mux_;
  RememberRun remember_;
  std::map<RunId, Kept> runs_;
  std::set<ledger::LeaseId> closing_;
  std::map<identity::NodeId, std::shared_ptr<Stream>> listings_;
  std::unique_ptr<ports::Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::hosting

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::hosting::DeskPhase> = hm::hosting::DeskPhase::Ended;
