// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/container_desk.h"

#include <algorithm>
#include <utility>

#include "foundation/base/log.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::hosting {
namespace {

// Of an attached run the failure is the listener's to tell; of a detached one `ps` tells it.
std::string in_words(const Failure& failure) {
  return failure.detail.empty() ? failure.message : failure.message + ": " + failure.detail;
}

}  // namespace

std::string_view name_of(DeskPhase phase) {
  switch (phase) {
    case DeskPhase::Starting: return "starting";
    case DeskPhase::Running: return "running";
    case DeskPhase::Ended: return "ended";
  }
  return "unknown";
}

// Hears the stream of a start before whoever asked for it.
class ContainerDesk::Watcher final : public StreamListener {
 public:
  Watcher(ContainerDesk& desk, const RunId& run, std::shared_ptr<StreamListener> listener)
      : desk_(desk), alive_(desk.alive_), run_(run), listener_(std::move(listener)) {}

  void on_data(Lane lane, ByteView bytes) override { listener_->on_data(lane, bytes); }
  void on_room() override { listener_->on_room(); }
  void on_report(const Report& report) override {
    if (*alive_ && std::holds_alternative<StartedReport>(report)) desk_.on_started(run_);
    listener_->on_report(report);
  }
  void on_closed(const Outcome& outcome) override {
    if (*alive_) desk_.on_outcome(run_, outcome);
    listener_->on_closed(outcome);
  }

 private:
  ContainerDesk& desk_;
  std::shared_ptr<bool> alive_;
  RunId run_;
  std::shared_ptr<StreamListener> listener_;
};

ContainerDesk::ContainerDesk(node::Node& node, node::OwnOperations& operations, SessionMux& mux,
                             RememberRun remember)
    : node_(node),
      operations_(operations),
      mux_(mux),
      remember_(std::move(remember)),
      timer_(node.ports().timers.create([this] { tidy(); })) {
  node_.add_observer(*this);
}

ContainerDesk::~ContainerDesk() {
  *alive_ = false;
  node_.remove_observer(*this);
}

Result<void> ContainerDesk::recall(const std::vector<Bytes>& records) {
  for (const Bytes& bytes : records) {
    auto record = codec::decode<RunRecord>(bytes);
    if (!record) {
      return fail(ErrorCode::Corrupt, "the record of a run is damaged",
                  "remove it from the folder 'runs'; its leases are closed by hand then: "
                  "hypermesh lease ls --mine --open");
    }
    const RunId id = record->run;
    // Nobody watches an attached run any more, and one that was only starting has no watcher
    // either.
    if (record->spec.lifetime == containers::Lifetime::Attached ||
        record->phase == DeskPhase::Starting) {
      record->phase = DeskPhase::Ended;
      if (record->failure.empty()) record->failure = "this node was restarted";
    }
    Kept kept{.record = std::move(*record)};
    if (kept.record.phase == DeskPhase::Ended) kept.ended = node_.ports().clock.now();
    runs_.emplace(id, std::move(kept));
  }
  arm();
  return {};
}

std::optional<Error> ContainerDesk::objection(const StartOrder& order) const {
  if (runs_.size() >= kMaxRuns) {
    return Error{ErrorCode::NoCapacity, "too many runs are remembered",
                 "hypermesh rm some of them"};
  }
  if (!mux_.is_reachable(order.provider)) {
    return Error{ErrorCode::Unavailable, "the provider's node is not connected",
                 "choose another: hypermesh run --on node=NAME, or wait until it is back"};
  }
  // A lease is closed with its run, so it belongs to one.
  for (const auto& [id, kept] : runs_) {
    for (const ledger::LeaseId& lease : order.leases) {
      if (std::ranges::find(kept.record.leases, lease) == kept.record.leases.end()) continue;
      return Error{ErrorCode::FailedPrecondition,
                   "lease " + lease.to_string() + " is run " + id.to_string() + "'s",
                   "open another lease"};
    }
  }
  return std::nullopt;
}

Result<ContainerDesk::Started> ContainerDesk::start(StartOrder order,
                                                    std::shared_ptr<StreamListener> listener) {
  if (auto error = objection(order)) return std::unexpected(std::move(*error));
  RunId id;
  node_.ports().random.fill(id.bytes);
  RunRecord record{.run = id,
                   .provider = order.provider,
                   .leases = std::move(order.leases),
                   .spec = std::move(order.spec),
                   .image = std::move(order.image),
                   .created = node_.ports().clock.wall()};
  HM_TRY_VOID(remember_(id, codec::encode(record)));
  StartRun request{.run = id, .spec = record.spec, .leases = record.leases, .output = order.output};
  runs_.emplace(id, Kept{.record = std::move(record), .output = order.output});
  auto stream = mux_.open(order.provider, std::move(request),
                          std::make_shared<Watcher>(*this, id, std::move(listener)));
  if (!stream) {
    Kept& kept = runs_.at(id);
    kept.is_removed = true;
    kept.record.failure = "too many streams are open with the provider's node";
    finish(kept);
    return fail(ErrorCode::Busy, "too many streams are open with the provider's node",
                "end some runs there, or try again later");
  }
  runs_.at(id).stream = stream;
  return Started{id, std::move(stream)};
}

Result<std::shared_ptr<Stream>> ContainerDesk::open(const RunId& run, Request request,
                                                    std::shared_ptr<StreamListener> listener) {
  const auto found = runs_.find(run);
  if (found == runs_.end()) return fail(ErrorCode::NotFound, "no such run is remembered here", {});
  auto stream = mux_.open(found->second.record.provider, std::move(request), std::move(listener));
  if (stream) return stream;
  return fail(ErrorCode::Unavailable, "the provider's node is not connected, or busy with streams",
              "try again later");
}

Result<RunId> ContainerDesk::find(std::string_view text) const {
  std::optional<RunId> found;
  for (const auto& [id, kept] : runs_) {
    if (!kept.record.spec.name.empty() && kept.record.spec.name == text &&
        kept.record.phase != DeskPhase::Ended) {
      return id;
    }
  }
  for (const auto& [id, kept] : runs_) {
    if (text.empty() || (!id.to_string().starts_with(text) && kept.record.spec.name != text)) {
      continue;
    }
    if (found) {
      return fail(ErrorCode::InvalidArgument, "several runs are called so: " + std::string(text),
                  "give more of the id; hypermesh ps lists them");
    }
    found = id;
  }
  if (!found) {
    return fail(ErrorCode::NotFound, "no run is called so: " + std::string(text),
                "hypermesh ps --all lists them");
  }
  return *found;
}

const RunRecord* ContainerDesk::record(const RunId& run) const {
  const auto found = runs_.find(run);
  return found == runs_.end() ? nullptr : &found->second.record;
}

std::vector<RunRecord> ContainerDesk::records() const {
  std::vector<RunRecord> all;
  for (const auto& [id, kept] : runs_) all.push_back(kept.record);
  return all;
}

void ContainerDesk::forget(const RunId& run) {
  const auto found = runs_.find(run);
  if (found == runs_.end()) return;
  found->second.is_dismissed = true;
  finish(found->second);
  remove_at_provider(found->second);
}

void ContainerDesk::note_end(const RunId& run, const RunExit& exit) {
  const auto found = runs_.find(run);
  if (found == runs_.end() || found->second.record.phase == DeskPhase::Ended) return;
  found->second.record.exit = exit;
  finish(found->second);
}

void ContainerDesk::on_started(const RunId& run) {
  const auto found = runs_.find(run);
  if (found == runs_.end() || found->second.record.phase != DeskPhase::Starting) return;
  found->second.record.phase = DeskPhase::Running;
  // An attached one is ended by a restart, whether it had begun or not.
  if (found->second.record.spec.lifetime == containers::Lifetime::Detached) {
    save(found->second.record);
  }
}

void ContainerDesk::on_outcome(const RunId& run, const Outcome& outcome) {
  const auto found = runs_.find(run);
  if (found == runs_.end()) return;
  Kept& kept = found->second;
  const bool is_attached = kept.record.spec.lifetime == containers::Lifetime::Attached;
  if (const auto* failure = std::get_if<Failure>(&outcome)) {
    // Whether a detached one has started is only known when its node is back.
    if (!is_attached && failure->code == ErrorCode::Unavailable) return arm();
    kept.record.failure = in_words(*failure);
    kept.is_removed = failure->code != ErrorCode::Unavailable;
    return finish(kept);
  }
  if (!is_attached || kept.output == OutputMode::Sealed) return arm();
  if (const auto* exit = std::get_if<RunExit>(&outcome)) kept.record.exit = *exit;
  // Its provider removes it by itself.
  kept.is_removed = true;
  finish(kept);
}

void ContainerDesk::finish(Kept& kept) {
  if (kept.record.phase != DeskPhase::Ended) {
    kept.record.phase = DeskPhase::Ended;
    kept.ended = node_.ports().clock.now();
    save(kept.record);
  }
  close_leases(kept.record);
  arm();
}

void ContainerDesk::close_leases(const RunRecord& record) {
  for (const ledger::LeaseId& id : record.leases) {
    const ledger::LeaseRecord* lease = node_.ledger().lease(id);
    if (lease == nullptr || !lease->is_open() || !closing_.insert(id).second) continue;
    operations_.submit(ledger::CloseLease{id}, [this, alive = alive_, id](const auto& refused) {
      if (!*alive) return;
      closing_.erase(id);
      if (refused) {
        log::debug("hosting", "a lease is not closed",
                   {{"lease", id.to_string()}, {"why", ledger::explain(*refused)}});
      }
    });
  }
}

// Whoever held the stream of an attached run let it go.
bool ContainerDesk::is_left(const Kept& kept) {
  if (kept.record.phase == DeskPhase::Ended || kept.output == OutputMode::Sealed ||
      kept.record.spec.lifetime != containers::Lifetime::Attached) {
    return false;
  }
  const auto stream = kept.stream.lock();
  return !stream || !stream->is_open();
}

// What has ended is asked about until it is gone, there and on the ledger.
void ContainerDesk::tidy() {
  std::set<identity::NodeId> providers;
  std::vector<RunId> done;
  for (auto& [id, kept] : runs_) {
    if (is_left(kept)) {
      kept.record.failure = "nobody was attached any more";
      finish(kept);
    }
    if (kept.record.phase != DeskPhase::Ended) {
      providers.insert(kept.record.provider);
      continue;
    }
    close_leases(kept.record);
    const bool has_leases = std::ranges::any_of(kept.record.leases, [&](const auto& lease) {
      const ledger::LeaseRecord* found = node_.ledger().lease(lease);
      return found != nullptr && found->is_open();
    });
    const bool is_old = kept.ended && node_.ports().clock.now() >= *kept.ended + kKeepEnded;
    const bool is_over =
        kept.record.spec.lifetime == containers::Lifetime::Attached || kept.is_dismissed || is_old;
    if (is_over && !kept.is_removed) remove_at_provider(kept);
    // A provider that cannot be reached removes by itself what has no lease any more.
    const bool is_removed = kept.is_removed || (is_old && !kept.record.leases.empty());
    if (is_over && is_removed && !has_leases) done.push_back(id);
  }
  for (const RunId& id : done) {
    (void)remember_(id, std::nullopt);
    runs_.erase(id);
  }
  for (const identity::NodeId& provider : providers) ask_provider(provider);
  arm();
}

void ContainerDesk::remove_at_provider(Kept& kept) {
  if (kept.removal || kept.is_removed) return;
  // Hears when the provider has nothing of it any more.
  class Removal final : public StreamListener {
   public:
    Removal(ContainerDesk& desk, const RunId& run) : desk_(desk), alive_(desk.alive_), run_(run) {}
    void on_closed(const Outcome& outcome) override {
      if (!*alive_) return;
      const auto found = desk_.runs_.find(run_);
      if (found == desk_.runs_.end()) return;
      found->second.removal.reset();
      const auto* failure = std::get_if<Failure>(&outcome);
      found->second.is_removed = failure == nullptr || failure->code == ErrorCode::NotFound;
      desk_.arm();
    }

   private:
    ContainerDesk& desk_;
    std::shared_ptr<bool> alive_;
    RunId run_;
  };
  const RunId id = kept.record.run;
  kept.removal =
      mux_.open(kept.record.provider, RemoveRun{id}, std::make_shared<Removal>(*this, id));
}

// How the detached runs there are.
void ContainerDesk::ask_provider(const identity::NodeId& provider) {
  if (listings_.contains(provider)) return;
  class Listing final : public StreamListener {
   public:
    Listing(ContainerDesk& desk, const identity::NodeId& provider)
        : desk_(desk), alive_(desk.alive_), provider_(provider) {}
    void on_report(const Report& report) override {
      const auto* run = std::get_if<RunReport>(&report);
      if (run == nullptr || !*alive_) return;
      seen_.insert(run->run);
      desk_.on_report(*run);
    }
    void on_closed(const Outcome& outcome) override {
      if (!*alive_) return;
      desk_.listings_.erase(provider_);
      if (!std::holds_alternative<Done>(outcome)) return;
      // What it does not know has ended: with a lease, or by its owner's hand.
      for (auto& [id, kept] : desk_.runs_) {
        if (kept.record.provider != provider_ || kept.record.phase == DeskPhase::Ended ||
            kept.record.spec.lifetime == containers::Lifetime::Attached || seen_.contains(id) ||
            !known_.contains(id)) {
          continue;
        }
        kept.is_removed = true;
        kept.record.failure = "its node does not have it any more";
        desk_.finish(kept);
      }
    }
    void know(const RunId& run) { known_.insert(run); }

   private:
    ContainerDesk& desk_;
    std::shared_ptr<bool> alive_;
    identity::NodeId provider_;
    std::set<RunId> known_;  // when it was asked
    std::set<RunId> seen_;
  };
  auto listing = std::make_shared<Listing>(*this, provider);
  for (const auto& [id, kept] : runs_) {
    if (kept.record.phase == DeskPhase::Running) listing->know(id);
  }
  if (auto stream = mux_.open(provider, ListRuns{}, listing)) {
    listings_.emplace(provider, std::move(stream));
  }
}

void ContainerDesk::on_report(const RunReport& report) {
  const auto found = runs_.find(report.run);
  if (found == runs_.end()) return;
  Kept& kept = found->second;
  if (kept.record.spec.lifetime == containers::Lifetime::Attached) return;
  if (report.phase == RunPhase::Ended && kept.record.phase != DeskPhase::Ended) {
    kept.record.exit = report.exit;
    finish(kept);
  } else if (kept.record.phase == DeskPhase::Starting && report.phase != RunPhase::Fetching) {
    on_started(report.run);
  }
}

void ContainerDesk::save(const RunRecord& record) {
  const auto saved = remember_(record.run, codec::encode(record));
  if (saved) return;
  log::warning("hosting", saved.error().message, {{"why", saved.error().detail}});
}

void ContainerDesk::on_final(const node::FinalEvent& event) {
  if (!event.outcome.lease_changes.empty() && !runs_.empty()) arm();
}

void ContainerDesk::on_connected(const identity::NodeId& peer) {
  for (const auto& [id, kept] : runs_) {
    if (kept.record.provider == peer) {
      timer_->arm(node_.ports().clock.now());
      return;
    }
  }
}

void ContainerDesk::arm() {
  if (runs_.empty()) return timer_->cancel();
  timer_->arm(node_.ports().clock.now() + kDeskPause);
}

}  // namespace hm::hosting
