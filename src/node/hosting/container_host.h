// SPDX-License-Identifier: Apache-2.0
// The provider's side of containers: runs what tenants ask for on this machine under their leases,
// and serves their streams. docs/protocols/containers.md, "Runs".
//
// Promises: nothing runs whose leases do not cover it, and it is ended in the turn of the block
// that ends one of them. Attached runs end when their tenant's node is gone for good; detached ones
// live until they exit, are removed, or lose a lease, whatever happens to this process: a later one
// finds them. Whatever has ended is removed, at the latest kKeepEnded later.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/hosting/image_fetch.h"
#include "node/hosting/run_bridge.h"
#include "node/hosting/sealed_output.h"
#include "node/hosting/session_mux.h"
#include "ports/container_runtime.h"

namespace hm::hosting {

// What a container is kept with, so that a later process knows whose it is.
struct RunLabel {
  RunId run;
  identity::OwnerId tenant;
  identity::NodeId node;  // that asked
  std::vector<ledger::LeaseId> leases;
  OutputMode output = OutputMode::Stream;
  bool operator==(const RunLabel&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.run, self.tenant, self.node, self.leases, self.output);
  }
};

// What a run used under a lease, in the unit of its asset times seconds.
using UsageSink = std::function<void(const ledger::LeaseId& lease, std::uint64_t used)>;

struct HostCounters {
  std::uint64_t started = 0;
  std::uint64_t refused = 0;
  std::uint64_t restarted = 0;
  std::uint64_t adopted = 0;
  std::uint64_t ended = 0;           // by themselves
  std::uint64_t ended_by_lease = 0;  // a lease ended first
  std::uint64_t ended_alone = 0;     // attached runs whose tenant was gone
};

class ContainerHost final : public node::NodeObserver {
 public:
  ContainerHost(node::Node& node, SessionMux& mux, ports::ContainerRuntime& runtime,
                ports::ImageStore& store);
  ~ContainerHost() override;

  void set_usage_sink(UsageSink sink) { usage_sink_ = std::move(sink); }
  // Takes over what an earlier process started. Once, when the ledger is there.
  void adopt();
  // What a peer asks, of which the stream has no listener yet.
  void handle(Request request, std::shared_ptr<Stream> stream);

  struct Status {
    RunLabel label;
    containers::RunSpec spec;
    RunReport report;
  };
  std::vector<Status> runs() const;
  std::size_t count() const { return runs_.size(); }
  HostCounters counters() const { return counters_; }

  // node::NodeObserver
  void on_final(const node::FinalEvent& event) override;

 private:
  struct Run {
    RunLabel label;
    containers::RunSpec spec;
    RunPhase phase = RunPhase::Fetching;
    std::optional<RunExit> exit;
    std::uint32_t restarts = 0;
    UnixMillis started;
    RunUsage usage;
    MonoTime started_at;
    Duration restart_pause = kRestartPause;
    std::shared_ptr<ImageFetch> fetch;
    std::shared_ptr<RunBridge> bridge;
    std::shared_ptr<SealedOutput> sealed;
    bool is_told = false;              // the end, to the tenant of an attached run
    bool is_stopping = false;          // by its tenant: it is not started again
    std::optional<MonoTime> alone_at;  // attached, and nobody is there since
    std::optional<MonoTime> kill_at;   // it was asked to stop
    std::optional<MonoTime> restart_at;
    std::optional<MonoTime> forget_at;             // it has ended
    std::vector<std::shared_ptr<Stream>> waiting;  // for its end
  };
  // A start whose leases this node's ledger does not have active yet: the tenant's may be a block
  // ahead.
  struct Parked {
    StartRun request;
    std::shared_ptr<Stream> stream;
    std::shared_ptr<RunBridge> bridge;
    MonoTime until;
  };
  using Runs = std::map<RunId, Run>;

  // container_host.cc: starting and ending.
  void start(StartRun request, std::shared_ptr<Stream> stream);
  void begin(StartRun request, const std::shared_ptr<Stream>& stream,
             std::shared_ptr<RunBridge> bridge);
  void retry_parked();
  std::shared_ptr<RunBridge> bridge_of(const RunId& id, std::shared_ptr<Stream> stream);
  std::optional<Error> refusal(const identity::NodeId& from, const StartRun& request) const;
  void on_image(const RunId& id, Result<ports::UnpackedImage> image);
  void on_started(const RunId& id, ports::StreamResult result);
  void on_exit(const std::string& container, const ports::ProcessExit& exit);
  void settle_exit(Run& run);
  bool wants_restart(const Run& run) const;
  void restart(const RunId& id);
  void end(const RunId& id, std::uint64_t& counter);
  void forget(const RunId& id);
  void fail_start(const RunId& id, const Error& error);
  void on_left(const RunId& id);
  void on_told(const RunId& id);
  void commit(const RunId& id, const Result<ports::ProcessExit>& exit);

  // host_requests.cc: everything about a run that is there.
  friend struct RequestHandler;
  Runs::iterator find(const RunId& id, const std::shared_ptr<Stream>& stream);
  void attach(Run& run, std::shared_ptr<Stream> stream);
  void bridge(std::shared_ptr<Stream> stream,
              const std::function<void(ports::ContainerStreamListener&,
                                       std::function<void(ports::StreamResult)>)>& open);
  void stop(Run& run, std::uint32_t grace_ms, std::shared_ptr<Stream> stream);
  void reveal(const Run& run, std::shared_ptr<Stream> stream);
  void report_on(const Run& run, const std::shared_ptr<Stream>& stream) const;
  RunReport report_of(const Run& run) const;

  // host_meter.cc: time and use.
  void look();
  void arm();
  void read_usage();
  void take_usage(const RunId& id, const ports::ContainerUsage& usage);
  std::vector<identity::NodeId> sources(const identity::NodeId& first) const;
  UnixMillis wall() const { return node_.ports().clock.wall(); }
  MonoTime now() const { return node_.ports().clock.now(); }

  node::Node& node_;
  SessionMux& mux_;
  ports::ContainerRuntime& runtime_;
  ImagePorts images_;
  UsageSink usage_sink_;
  Runs runs_;
  std::vector<Parked> parked_;  // bounded by the streams of peers
  HostCounters counters_;
  MonoTime usage_due_{};
  std::unique_ptr<ports::Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// The container's name on its machine.
std::string container_name(const RunId& run);

}  // namespace hm::hosting
