// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/container_host.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "foundation/base/log.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "node/hosting/run_gate.h"

namespace hm::hosting {
namespace {

// 128 bits of an id: names of containers and of folders of volumes have 63 characters at most.
constexpr std::size_t kContainerNameDigits = 32;

}  // namespace

std::string container_name(const RunId& run) {
  return run.to_string().substr(0, kContainerNameDigits);
}

ContainerHost::ContainerHost(node::Node& node, SessionMux& mux, ports::ContainerRuntime& runtime,
                             ports::ImageStore& store)
    : node_(node),
      mux_(mux),
      runtime_(runtime),
      images_{mux, store, node.ports().workers},
      timer_(node.ports().timers.create([this] { look(); })) {
  node_.add_observer(*this);
  runtime_.on_exit([this, alive = alive_](const std::string& id, const ports::ProcessExit& exit) {
    if (*alive) on_exit(id, exit);
  });
}

ContainerHost::~ContainerHost() {
  *alive_ = false;
  node_.remove_observer(*this);
}

void ContainerHost::adopt() {
  for (ports::ExistingContainer& container : runtime_.existing()) {
    const auto label = codec::decode<RunLabel>(container.order.label);
    const bool is_ours = label && container_name(label->run) == container.order.id;
    // An attached run had a tenant that watched it through the process that is gone.
    const bool lives_on = is_ours &&
                          container.order.spec.lifetime == containers::Lifetime::Detached &&
                          are_leases_held(node_, label->leases);
    if (!lives_on) {
      log::info("hosting", "a container of an earlier process is removed",
                {{"container", container.order.id}});
      runtime_.remove(container.order.id, [](const auto&) {});
      continue;
    }
    Run run{.label = *label,
            .spec = std::move(container.order.spec),
            .phase = RunPhase::Running,
            .restarts = container.restarts,
            .started = wall(),
            .started_at = now()};
    const RunId id = label->run;
    ++counters_.adopted;
    Run& kept = runs_.emplace(id, std::move(run)).first->second;
    if (container.exit) {
      kept.exit = to_run_exit(*container.exit);
      settle_exit(kept);
    }
  }
  arm();
}

std::optional<Error> ContainerHost::refusal(const identity::NodeId& from,
                                            const StartRun& request) const {
  if (runs_.contains(request.run)) {
    return Error{ErrorCode::AlreadyExists, "a run of this id exists", "choose another"};
  }
  if (auto error = objection(node_, from, request)) return error;
  std::size_t of_tenant = 0;
  const auto tenant = *tenant_of(node_, from);
  for (const Run& run : runs_ | std::views::values) {
    if (run.label.tenant == tenant) ++of_tenant;
    for (const ledger::LeaseId& lease : request.leases) {
      if (run.phase != RunPhase::Ended &&
          std::ranges::find(run.label.leases, lease) != run.label.leases.end()) {
        return Error{ErrorCode::FailedPrecondition,
                     "lease " + lease.to_string() + " has a container already",
                     "stop it first, or open another lease"};
      }
    }
  }
  if (of_tenant >= kMaxRunsPerTenant || runs_.size() >= kMaxRuns) {
    return Error{ErrorCode::NoCapacity, "too many containers are kept here", "remove some"};
  }
  if (request.output == OutputMode::Sealed &&
      (request.leases.empty() || request.spec.lifetime != containers::Lifetime::Attached ||
       request.spec.restart.when != containers::RestartWhen::Never)) {
    return Error{ErrorCode::InvalidArgument,
                 "a sealed run has leases, and neither a life of its own nor restarts",
                 {}};
  }
  if (auto fits = runtime_.check(request.spec); !fits) return fits.error();
  return std::nullopt;
}

std::shared_ptr<RunBridge> ContainerHost::bridge_of(const RunId& id,
                                                    std::shared_ptr<Stream> stream) {
  return std::make_shared<RunBridge>(
      std::move(stream),
      [this, alive = alive_, id] {
        if (*alive) on_left(id);
      },
      [this, alive = alive_, id] {
        if (*alive) on_told(id);
      });
}

void ContainerHost::start(StartRun request, std::shared_ptr<Stream> stream) {
  auto bridge = bridge_of(request.run, stream);
  stream->set_listener(bridge);
  if (!are_leases_expected(node_, request.leases)) return begin(std::move(request), stream, bridge);
  parked_.push_back({std::move(request), std::move(stream), std::move(bridge), now() + kLedgerLag});
  arm();
}

void ContainerHost::retry_parked() {
  for (Parked& parked : std::exchange(parked_, {})) {
    if (!parked.stream->is_open()) continue;
    if (now() < parked.until && are_leases_expected(node_, parked.request.leases)) {
      parked_.push_back(std::move(parked));
    } else {
      begin(std::move(parked.request), parked.stream, std::move(parked.bridge));
    }
  }
}

void ContainerHost::begin(StartRun request, const std::shared_ptr<Stream>& stream,
                          std::shared_ptr<RunBridge> bridge) {
  const identity::NodeId from = stream->peer();
  if (auto error = refusal(from, request)) {
    ++counters_.refused;
    log::info("hosting", "a run is refused", {{"peer", from.to_string()}, {"why", error->message}});
    return bridge->refuse(*error);
  }
  const RunId id = request.run;
  Run& run = runs_[id];
  run.label = {.run = id,
               .tenant = *tenant_of(node_, from),
               .node = from,
               .leases = std::move(request.leases),
               .output = request.output};
  run.spec = std::move(request.spec);
  run.bridge = std::move(bridge);
  const auto progress = [this, alive = alive_, id](std::uint64_t done, std::uint64_t total) {
    if (!*alive) return;
    const auto found = runs_.find(id);
    if (found == runs_.end() || !found->second.bridge) return;
    if (const auto& session = found->second.bridge->session()) {
      session->report(ProgressReport{RunPhase::Fetching, done, total});
    }
  };
  run.fetch = ImageFetch::start(images_, run.spec.image, sources(from), progress,
                                [this, alive = alive_, id](Result<ports::UnpackedImage> image) {
                                  if (*alive) on_image(id, std::move(image));
                                });
  arm();
}

void ContainerHost::on_image(const RunId& id, Result<ports::UnpackedImage> image) {
  const auto found = runs_.find(id);
  if (found == runs_.end()) return;
  Run& run = found->second;
  run.fetch.reset();
  if (!image) return fail_start(id, image.error());
  run.phase = RunPhase::Starting;
  const bool is_attached = run.spec.lifetime == containers::Lifetime::Attached;
  ports::ContainerStreamListener* listener = is_attached ? run.bridge.get() : nullptr;
  if (run.label.output == OutputMode::Sealed) {
    run.sealed = std::make_shared<SealedOutput>([this, alive = alive_, id](const auto& exit) {
      if (*alive) commit(id, exit);
    });
    listener = run.sealed.get();
  }
  runtime_.start({.id = container_name(id),
                  .spec = run.spec,
                  .label = codec::encode(run.label),
                  .tenant = run.label.tenant.to_string().substr(0, kContainerNameDigits)},
                 std::move(*image), listener,
                 [this, alive = alive_, id, bridge = run.bridge,
                  sealed = run.sealed](ports::StreamResult result) {
                   if (*alive) on_started(id, std::move(result));
                 });
}

void ContainerHost::on_started(const RunId& id, ports::StreamResult result) {
  const auto found = runs_.find(id);
  if (found == runs_.end()) {
    // Given up meanwhile, by its tenant or with its lease.
    runtime_.remove(container_name(id), [](const auto&) {});
    return;
  }
  Run& run = found->second;
  if (!result) return fail_start(id, result.error());
  ++counters_.started;
  if (run.phase != RunPhase::Ended) run.phase = RunPhase::Running;
  run.started = wall();
  run.started_at = now();
  const auto bridge = run.bridge;
  if (!bridge || !bridge->session()) return;
  bridge->session()->report(StartedReport{runtime_.facts().missing});
  if (run.spec.lifetime == containers::Lifetime::Detached) {
    run.bridge.reset();
    return bridge->session()->close(Done{});
  }
  if (run.sealed) return run.sealed->join(std::move(*result));
  bridge->join(std::move(*result));
}

// The result of a sealed run is fixed before anybody sees it.
void ContainerHost::commit(const RunId& id, const Result<ports::ProcessExit>& exit) {
  const auto found = runs_.find(id);
  if (found == runs_.end() || !found->second.bridge) return;
  Run& run = found->second;
  const auto session = run.bridge->session();
  if (!session) return;
  if (!exit || run.sealed->is_too_long()) {
    const Error error = exit ? Error{ErrorCode::NoCapacity, "the output is longer than is compared",
                                     "write less, or to a volume"}
                             : exit.error();
    forget(id);
    return session->close(error);
  }
  run.sealed->fix(exit->code, node_.ports().random);
  CommittedReport report;
  for (const ledger::LeaseId& lease : run.label.leases) {
    const ledger::SignedResult word = run.sealed->word(node_.chain_id(), lease, node_.key());
    report.words.push_back({lease, word.commitment, word.signature});
  }
  session->report(report);
  session->close(Done{});
}

void ContainerHost::fail_start(const RunId& id, const Error& error) {
  const auto bridge = runs_.at(id).bridge;
  log::info("hosting", "a run did not start",
            {{"run", id.to_string()}, {"why", error.message}, {"detail", error.detail}});
  ++counters_.refused;
  forget(id);
  if (bridge) bridge->refuse(error);
}

void ContainerHost::on_exit(const std::string& container, const ports::ProcessExit& exit) {
  const auto found = std::ranges::find_if(
      runs_, [&](const auto& entry) { return container_name(entry.first) == container; });
  if (found == runs_.end()) return;
  found->second.exit = to_run_exit(exit);
  settle_exit(found->second);
  arm();
}

bool ContainerHost::wants_restart(const Run& run) const {
  const containers::RestartPolicy& policy = run.spec.restart;
  if (run.is_stopping || policy.when == containers::RestartWhen::Never) return false;
  if (policy.when == containers::RestartWhen::OnFailure && run.exit->code == 0) return false;
  return policy.most == 0 || run.restarts < policy.most;
}

void ContainerHost::settle_exit(Run& run) {
  run.kill_at.reset();
  if (wants_restart(run)) {
    if (now() - run.started_at >= kLongestRestartPause) run.restart_pause = kRestartPause;
    run.phase = RunPhase::Waiting;
    run.restart_at = now() + run.restart_pause;
    run.restart_pause = std::min(run.restart_pause * 2, kLongestRestartPause);
    return;
  }
  run.phase = RunPhase::Ended;
  ++counters_.ended;
  // The last counters, while the groups that hold them are there.
  const RunId id = run.label.run;
  runtime_.usage(container_name(id), [this, alive = alive_, id](const auto& usage) {
    if (*alive && usage) take_usage(id, *usage);
  });
  const bool is_kept = run.spec.lifetime == containers::Lifetime::Detached;
  run.forget_at = now() + (is_kept || run.sealed ? kKeepEnded : kAttachedGrace);
  if (run.is_told) run.forget_at = now() + kLastLook;
  for (const auto& stream : std::exchange(run.waiting, {})) stream->close(*run.exit);
}

void ContainerHost::restart(const RunId& id) {
  Run& run = runs_.at(id);
  run.restart_at.reset();
  ++run.restarts;
  ++counters_.restarted;
  run.phase = RunPhase::Starting;
  runtime_.restart(container_name(id), [this, alive = alive_, id](const Result<void>& started) {
    if (!*alive) return;
    const auto found = runs_.find(id);
    if (found == runs_.end()) return;
    Run& again = found->second;
    again.started_at = now();
    if (started) {
      if (again.phase == RunPhase::Starting) again.phase = RunPhase::Running;
      return;
    }
    log::warning("hosting", "a service is not started again",
                 {{"run", id.to_string()}, {"why", started.error().message}});
    settle_exit(again);
    arm();
  });
}

// Nobody asks any more after an attached run of which the end was told.
void ContainerHost::on_told(const RunId& id) {
  const auto found = runs_.find(id);
  if (found == runs_.end()) return;
  found->second.is_told = true;
  if (found->second.exit) found->second.forget_at = now() + kLastLook;
  arm();
}

// The tenant's side of an attached run is gone.
void ContainerHost::on_left(const RunId& id) {
  const auto found = runs_.find(id);
  if (found == runs_.end()) return;
  Run& run = found->second;
  run.bridge.reset();
  if (run.spec.lifetime == containers::Lifetime::Detached && run.phase != RunPhase::Fetching) {
    return;
  }
  // On purpose, or with its node, which may come back.
  if (mux_.is_reachable(run.label.node)) return end(id, counters_.ended_alone);
  run.alone_at = now();
  arm();
}

void ContainerHost::end(const RunId& id, std::uint64_t& counter) {
  ++counter;
  const auto bridge = runs_.at(id).bridge;
  const auto waiting = std::exchange(runs_.at(id).waiting, {});
  forget(id);
  const Error error{ErrorCode::FailedPrecondition, "the container was ended",
                    "a lease under which it ran has ended"};
  if (bridge) bridge->refuse(error);
  for (const auto& stream : waiting) stream->close(error);
}

void ContainerHost::forget(const RunId& id) {
  const auto found = runs_.find(id);
  if (found == runs_.end()) return;
  if (found->second.fetch) found->second.fetch->cancel();
  runs_.erase(found);
  runtime_.remove(container_name(id), [id](const Result<void>& removed) {
    if (removed) return;
    log::warning("hosting", "a container is not removed",
                 {{"run", id.to_string()}, {"why", removed.error().message}});
  });
}

void ContainerHost::on_final(const node::FinalEvent& event) {
  if (event.outcome.lease_changes.empty()) return;
  retry_parked();
  std::vector<RunId> lost;
  for (const auto& [id, run] : runs_) {
    // What has ended is only kept for its log.
    if (run.phase == RunPhase::Ended) continue;
    if (!are_leases_held(node_, run.label.leases)) lost.push_back(id);
  }
  for (const RunId& id : lost) {
    log::info("hosting", "a lease has ended, and its container with it", {{"run", id.to_string()}});
    end(id, counters_.ended_by_lease);
  }
}

}  // namespace hm::hosting
