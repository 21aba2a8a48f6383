// SPDX-License-Identifier: Apache-2.0
// What tenants ask about runs that are there.
#include <algorithm>
#include <utility>

#include "node/hosting/container_host.h"
#include "node/hosting/run_gate.h"

namespace hm::hosting {

struct RequestHandler {
  ContainerHost& host;
  std::shared_ptr<Stream> stream;

  void operator()(StartRun& r) { host.start(std::move(r), std::move(stream)); }
  void operator()(const FetchBlob& r) { serve_blob(host.images_, r, std::move(stream)); }
  void operator()(const ListRuns& /*r*/) {
    const auto tenant = tenant_of(host.node_, stream->peer());
    for (const auto& [id, run] : host.runs_) {
      if (run.label.tenant == tenant) host.report_on(run, stream);
    }
    stream->close(Done{});
  }
  void operator()(const AttachRun& r) {
    with(r.run, [&](auto& run) { host.attach(run, std::move(stream)); });
  }
  void operator()(const InspectRun& r) {
    with(r.run, [&](auto& run) {
      host.report_on(run, stream);
      stream->close(Done{});
    });
  }
  void operator()(ExecInRun& r) {
    with(r.run, [&](auto&) {
      host.bridge(std::move(stream), [&](auto& listener, auto done) {
        host.runtime_.exec(container_name(r.run), r.process, listener, std::move(done));
      });
    });
  }
  void operator()(const ReadLogs& r) {
    with(r.run, [&](auto&) {
      host.bridge(std::move(stream), [&](auto& listener, auto done) {
        const auto follow = r.follow == Follow::Yes ? ports::ContainerRuntime::Follow::Yes
                                                    : ports::ContainerRuntime::Follow::No;
        host.runtime_.logs(container_name(r.run), r.tail, follow, listener, std::move(done));
      });
    });
  }
  void operator()(const CopyFiles& r) {
    with(r.run, [&](auto&) {
      host.bridge(std::move(stream), [&](auto& listener, auto done) {
        const auto way =
            r.way == CopyWay::Into ? ports::CopyDirection::Into : ports::CopyDirection::OutOf;
        host.runtime_.copy(container_name(r.run), way, r.path, listener, std::move(done));
      });
    });
  }
  // Who only wants to know whether something listens is told when the connection is made.
  void operator()(const ConnectPort& r) {
    with(r.run, [&](auto&) {
      host.bridge(stream, [&](auto& listener, auto done) {
        host.runtime_.connect(container_name(r.run), r.port, listener,
                              [made = stream, done = std::move(done)](ports::StreamResult result) {
                                if (result) made->report(StartedReport{});
                                done(std::move(result));
                              });
      });
    });
  }
  void operator()(const SignalRun& r) {
    with(r.run, [&](auto&) {
      host.runtime_.signal(container_name(r.run), r.number,
                           [to = std::move(stream)](const Result<void>& sent) {
                             if (sent) return to->close(Done{});
                             to->close(sent.error());
                           });
    });
  }
  void operator()(const StopRun& r) {
    with(r.run, [&](auto& run) { host.stop(run, r.grace_ms, std::move(stream)); });
  }
  void operator()(const RemoveRun& r) {
    with(r.run, [&](auto&) {
      host.end(r.run, host.counters_.ended);
      stream->close(Done{});
    });
  }
  void operator()(const RevealRun& r) {
    with(r.run, [&](auto& run) { host.reveal(run, std::move(stream)); });
  }

  template <class Act>
  void with(const RunId& id, Act&& act) {
    const auto found = host.find(id, stream);
    if (found != host.runs_.end()) act(found->second);
  }
};

void ContainerHost::handle(Request request, std::shared_ptr<Stream> stream) {
  std::visit(RequestHandler{*this, std::move(stream)}, request);
}

// Another owner's run is as good as none. The machine's owner may look and end, too.
ContainerHost::Runs::iterator ContainerHost::find(const RunId& id,
                                                  const std::shared_ptr<Stream>& stream) {
  const auto found = runs_.find(id);
  const auto asking = tenant_of(node_, stream->peer());
  if (found == runs_.end() || !asking ||
      (found->second.label.tenant != *asking && stream->peer() != node_.id())) {
    stream->close(Error{ErrorCode::NotFound, "no such run is here",
                        "it ended and was removed, or never was; hypermesh ps lists what is"});
    return runs_.end();
  }
  return found;
}

void ContainerHost::bridge(
    std::shared_ptr<Stream> stream,
    const std::function<void(ports::ContainerStreamListener&,
                             std::function<void(ports::StreamResult)>)>& open) {
  auto bridge = std::make_shared<RunBridge>(stream, nullptr);
  stream->set_listener(bridge);
  open(*bridge, [bridge](ports::StreamResult result) {
    if (!result) return bridge->refuse(result.error());
    bridge->join(std::move(*result));
  });
}

void ContainerHost::attach(Run& run, std::shared_ptr<Stream> stream) {
  if (run.phase == RunPhase::Ended) return stream->close(*run.exit);
  if (run.phase != RunPhase::Running) {
    return stream->close(Error{ErrorCode::FailedPrecondition, "the run is not running",
                               "it starts, or waits to be started again; try again"});
  }
  const RunId id = run.label.run;
  run.alone_at.reset();
  const bool is_attached = run.spec.lifetime == containers::Lifetime::Attached;
  auto left = [this, alive = alive_, id] {
    if (*alive) on_left(id);
  };
  auto bridge = std::make_shared<RunBridge>(
      stream, is_attached ? std::function<void()>(std::move(left)) : nullptr);
  stream->set_listener(bridge);
  if (is_attached) run.bridge = bridge;
  runtime_.attach(container_name(id), *bridge, [bridge](ports::StreamResult result) {
    if (!result) return bridge->refuse(result.error());
    bridge->join(std::move(*result));
  });
}

void ContainerHost::stop(Run& run, std::uint32_t grace_ms, std::shared_ptr<Stream> stream) {
  run.is_stopping = true;
  if (run.phase == RunPhase::Waiting) settle_exit(run);
  if (run.phase == RunPhase::Ended) return stream->close(*run.exit);
  run.waiting.push_back(std::move(stream));
  run.kill_at = now() + std::chrono::milliseconds(grace_ms);
  // 0: the image's own stop signal.
  runtime_.signal(container_name(run.label.run), 0, [](const auto&) {});
  arm();
}

void ContainerHost::reveal(const Run& run, std::shared_ptr<Stream> stream) {
  if (!run.sealed || !run.sealed->is_fixed() || !run.exit) {
    return stream->close(Error{ErrorCode::FailedPrecondition, "the run has no sealed result",
                               "it is not sealed, or has not ended"});
  }
  run.sealed->show(std::move(stream), *run.exit);
}

RunReport ContainerHost::report_of(const Run& run) const {
  return {.run = run.label.run,
          .phase = run.phase,
          .exit = run.exit,
          .restarts = run.restarts,
          .started = run.started,
          .usage = run.usage};
}

void ContainerHost::report_on(const Run& run, const std::shared_ptr<Stream>& stream) const {
  stream->report(report_of(run));
}

std::vector<ContainerHost::Status> ContainerHost::runs() const {
  std::vector<Status> all;
  for (const auto& [id, run] : runs_) all.push_back({run.label, run.spec, report_of(run)});
  return all;
}

}  // namespace hm::hosting
