// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/replicated_job.h"

#include <algorithm>
#include <set>
#include <utility>

#include "foundation/base/log.h"
#include "node/hosting/run_gate.h"

namespace hm::hosting {
namespace {

std::string words_of(const Outcome& outcome) {
  const auto* failure = std::get_if<Failure>(&outcome);
  return failure != nullptr ? failure->message : "it ended without a word";
}

std::optional<Error> objection(const node::Node& node, const JobOrder& order) {
  const auto refuse = [](std::string message, std::string detail) {
    return Error{ErrorCode::InvalidArgument, std::move(message), std::move(detail)};
  };
  const std::size_t count = order.replicas.size();
  if (count < kMinReplicas || count > kMaxReplicas) {
    return refuse("a job has 3 to 16 replicas", "with two nobody knows which of them is wrong");
  }
  if (order.quorum > count || order.quorum * 2 <= count) {
    return refuse("the quorum is more than half of the replicas, and at most all", {});
  }
  std::set<identity::OwnerId> owners;
  for (const JobOrder::Replica& replica : order.replicas) {
    const auto owner = tenant_of(node, replica.provider);
    if (!owner || !owners.insert(*owner).second) {
      return refuse("the replicas are not on machines of distinct owners",
                    "one owner's machines say the same, whatever is true");
    }
    if (replica.leases.empty() || replica.leases.size() != order.replicas.front().leases.size()) {
      return refuse("the replicas do not have the same kinds of leases", {});
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Answer answer) {
  switch (answer) {
    case Answer::Agreed: return "agreed";
    case Answer::Dissented: return "dissented";
    case Answer::Failed: return "failed";
  }
  return "unknown";
}

class ReplicatedJob::RunEar final : public StreamListener {
 public:
  RunEar(std::weak_ptr<ReplicatedJob> job, std::size_t place)
      : job_(std::move(job)), place_(place) {}
  void on_report(const Report& report) override {
    const auto job = job_.lock();
    const auto* committed = std::get_if<CommittedReport>(&report);
    if (job && committed != nullptr) job->replicas_[place_].words = committed->words;
  }
  void on_closed(const Outcome& outcome) override {
    const auto job = job_.lock();
    if (!job) return;
    const bool is_committed =
        std::holds_alternative<Done>(outcome) &&
        job->replicas_[place_].words.size() == job->order_.replicas[place_].leases.size();
    job->settle(place_, is_committed ? "" : words_of(outcome));
  }

 private:
  std::weak_ptr<ReplicatedJob> job_;
  std::size_t place_;
};

class ReplicatedJob::RevealEar final : public StreamListener {
 public:
  RevealEar(std::weak_ptr<ReplicatedJob> job, std::size_t place)
      : job_(std::move(job)), place_(place) {}
  void on_data(Lane lane, ByteView bytes) override {
    const auto job = job_.lock();
    if (!job) return;
    Replica& replica = job->replicas_[place_];
    Bytes& to = lane == Lane::Main ? replica.out : replica.error;
    if (replica.out.size() + replica.error.size() + bytes.size() > kMaxSealedOutput) {
      const auto stream = std::move(replica.stream);
      stream->abandon();
      return job->settle(place_, "it shows more than a sealed run may write");
    }
    to.insert(to.end(), bytes.begin(), bytes.end());
    replica.stream->take(bytes.size());
  }
  void on_report(const Report& report) override {
    const auto job = job_.lock();
    const auto* revealed = std::get_if<RevealedReport>(&report);
    if (job && revealed != nullptr) job->replicas_[place_].revealed = *revealed;
  }
  void on_closed(const Outcome& outcome) override {
    const auto job = job_.lock();
    if (!job) return;
    const auto* exit = std::get_if<RunExit>(&outcome);
    if (exit == nullptr) return job->settle(place_, words_of(outcome));
    job->replicas_[place_].exit = *exit;
    job->settle(place_, "");
  }

 private:
  std::weak_ptr<ReplicatedJob> job_;
  std::size_t place_;
};

ReplicatedJob::ReplicatedJob(node::Node& node, node::OwnOperations& operations, ContainerDesk& desk,
                             JobOrder order, std::shared_ptr<JobListener> listener)
    : node_(node),
      operations_(operations),
      desk_(desk),
      order_(std::move(order)),
      listener_(std::move(listener)),
      timer_(node.ports().timers.create([this] { look(); })) {}

Result<std::shared_ptr<ReplicatedJob>> ReplicatedJob::start(node::Node& node,
                                                            node::OwnOperations& operations,
                                                            ContainerDesk& desk, JobOrder order,
                                                            std::shared_ptr<JobListener> listener) {
  if (auto error = objection(node, order)) return std::unexpected(std::move(*error));
  auto job = std::make_shared<ReplicatedJob>(node, operations, desk, std::move(order),
                                             std::move(listener));
  job->begin();
  return job;
}

void ReplicatedJob::begin() {
  replicas_.resize(order_.replicas.size());
  timer_->arm(node_.ports().clock.now() + order_.patience);
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    auto started = desk_.start({.provider = order_.replicas[i].provider,
                                .spec = order_.spec,
                                .leases = order_.replicas[i].leases,
                                .image = order_.image,
                                .output = OutputMode::Sealed},
                               std::make_shared<RunEar>(weak_from_this(), i));
    if (!started) {
      replicas_[i].failure = started.error().message;
      replicas_[i].is_settled = true;
      continue;
    }
    replicas_[i].run = started->run;
    replicas_[i].stream = std::move(started->stream);
  }
  // Asked for, so that a job of which none started ends in a turn of its own.
  if (std::ranges::all_of(replicas_, &Replica::is_settled)) {
    timer_->arm(node_.ports().clock.now());
  }
}

void ReplicatedJob::cancel() {
  listener_.reset();
  finish();
}

void ReplicatedJob::settle(std::size_t place, std::string failure) {
  const auto self = shared_from_this();
  Replica& replica = replicas_[place];
  if (replica.is_settled) return;
  replica.is_settled = true;
  replica.failure = std::move(failure);
  replica.stream.reset();
  const auto settled = static_cast<std::size_t>(
      std::ranges::count_if(replicas_, [](const Replica& r) { return r.is_settled; }));
  if (listener_ && !is_revealing_) listener_->on_committed(settled, replicas_.size());
  if (settled == replicas_.size()) look();
}

// All have settled, or the patience is over.
void ReplicatedJob::look() {
  const auto self = shared_from_this();
  timer_->cancel();
  for (Replica& replica : replicas_) {
    if (replica.is_settled) continue;
    replica.is_settled = true;
    replica.failure = is_revealing_ ? "it does not show its result" : "it did not commit in time";
    replica.stream.reset();
  }
  const auto able = static_cast<std::size_t>(
      std::ranges::count_if(replicas_, [](const Replica& r) { return r.failure.empty(); }));
  if (is_revealing_ || able < order_.quorum) return judge();
  reveal();
}

void ReplicatedJob::reveal() {
  is_revealing_ = true;
  timer_->arm(node_.ports().clock.now() + kRevealPatience);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    if (!replicas_[i].failure.empty()) continue;
    replicas_[i].is_settled = false;
    places.push_back(i);
  }
  for (const std::size_t i : places) {
    auto stream = desk_.open(replicas_[i].run, RevealRun{replicas_[i].run},
                             std::make_shared<RevealEar>(weak_from_this(), i));
    if (stream) {
      replicas_[i].stream = std::move(*stream);
    } else {
      settle(i, stream.error().message);
    }
  }
}

// What it shows is what it committed to, under each lease, by its node's key.
bool ReplicatedJob::is_true(const Replica& replica, const identity::NodeId& provider) const {
  if (!replica.revealed || crypto::sha256(replica.out) != replica.revealed->output ||
      replica.exit.code != replica.revealed->exit_code) {
    return false;
  }
  const auto place = static_cast<std::size_t>(&replica - replicas_.data());
  for (std::size_t i = 0; i < replica.words.size(); ++i) {
    const auto signed_results = results(i);
    const auto own =
        std::ranges::find(signed_results, replica.words[i].lease, &ledger::SignedResult::lease);
    if (replica.words[i].lease != order_.replicas[place].leases[i] || own == signed_results.end() ||
        identity::node_id_of(own->key) != provider ||
        ledger::check_result(node_.chain_id(), *own)) {
      return false;
    }
  }
  return true;
}

std::vector<ledger::SignedResult> ReplicatedJob::results(std::size_t lease_place) const {
  std::vector<ledger::SignedResult> all;
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    const Replica& replica = replicas_[i];
    const ledger::NodeRecord* node = node_.ledger().node(order_.replicas[i].provider);
    if (!replica.failure.empty() || !replica.revealed || node == nullptr) continue;
    const CommittedReport::Word& word = replica.words[lease_place];
    all.push_back({.lease = word.lease,
                   .commitment = word.commitment,
                   .output = replica.revealed->output,
                   .exit_code = replica.revealed->exit_code,
                   .salt = replica.revealed->salt,
                   .key = node->binding.node_key,
                   .signature = word.signature});
  }
  std::ranges::sort(all, {}, &ledger::SignedResult::lease);
  return all;
}

void ReplicatedJob::judge() {
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    if (!replicas_[i].failure.empty()) continue;
    if (!is_revealing_) {
      replicas_[i].failure = "it committed, and too few others did";
    } else if (!is_true(replicas_[i], order_.replicas[i].provider)) {
      replicas_[i].failure = "what it shows is not what it committed to";
    }
  }
  const auto all = results(0);
  const ledger::Tally tally = ledger::tally(all);
  verdict_.agreeing = tally.agreeing;
  std::set<ledger::LeaseId> dissenting;
  for (const std::size_t place : tally.dissenting) dissenting.insert(all[place].lease);
  const bool is_decided = tally.has_majority && tally.agreeing >= order_.quorum;
  const Replica* chosen = nullptr;
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    const Replica& replica = replicas_[i];
    JobVerdict::Line line{.provider = order_.replicas[i].provider,
                          .run = replica.run,
                          .answer = Answer::Failed,
                          .why = replica.failure};
    if (replica.failure.empty()) {
      const bool is_alone = dissenting.contains(order_.replicas[i].leases.front());
      line.answer = is_alone ? Answer::Dissented : Answer::Agreed;
      line.output = replica.revealed->output;
      line.exit_code = replica.revealed->exit_code;
      if (!is_alone && chosen == nullptr) chosen = &replica;
    }
    verdict_.lines.push_back(std::move(line));
  }
  if (is_decided && chosen != nullptr) {
    verdict_.exit = chosen->exit;
    if (listener_) listener_->on_result(chosen->out, chosen->error);
  }
  if (is_decided && !dissenting.empty()) return report();
  finish();
}

// Before the leases are closed, so that what dissents is paid nothing more.
void ReplicatedJob::report() {
  const std::size_t kinds = order_.replicas.front().leases.size();
  reports_left_ = kinds;
  for (std::size_t i = 0; i < kinds; ++i) {
    operations_.submit(
        ledger::ReportDisagreement{results(i), static_cast<std::uint8_t>(order_.quorum)},
        [self = shared_from_this()](const std::optional<ledger::Refused>& refused) {
          if (refused) {
            log::warning("hosting", "a disagreement is not on the ledger",
                         {{"why", ledger::explain(*refused)}});
          } else {
            ++self->verdict_.reported;
          }
          if (--self->reports_left_ == 0) self->finish();
        });
  }
}

void ReplicatedJob::finish() {
  const auto self = shared_from_this();
  timer_->cancel();
  for (Replica& replica : replicas_) {
    replica.stream.reset();
    if (replica.run != RunId{}) desk_.forget(replica.run);
  }
  if (const auto listener = std::exchange(listener_, nullptr)) listener->on_verdict(verdict_);
}

}  // namespace hm::hosting
