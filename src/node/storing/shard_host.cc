// SPDX-License-Identifier: Apache-2.0
#include "node/storing/shard_host.h"

#include <algorithm>
#include <utility>

#include "foundation/base/log.h"
#include "node/storing/shard_gate.h"
#include "node/storing/shard_work.h"

namespace hm::storing {

ShardHost::ShardHost(node::Node& node, ports::ShardStore& store, ports::Workers& disk,
                     CommittedGeneration committed_generation)
    : node_(node),
      store_(store),
      disk_(disk),
      committed_generation_(std::move(committed_generation)),
      timer_(node.ports().timers.create([this] { look(); })) {
  node_.add_observer(*this);
}

ShardHost::~ShardHost() {
  *alive_ = false;
  node_.remove_observer(*this);
}

void ShardHost::on_storage_message(const identity::NodeId& from, ByteView payload) {
  if (claims_response(payload)) return;
  auto message = decode_shard_message(payload);
  if (!message) {
    ++counters_.malformed;
    log::debug("shards", "a message is refused",
               {{"peer", from.to_string()}, {"why", name_of(message.error())}});
    return;
  }
  auto& query = std::get<Query>(*message);
  handle(from, std::move(query.request),
         [this, alive = alive_, from, number = query.number](Reply reply) {
           if (!*alive) return;
           auto encoded = encode_apart(Response{number, std::move(reply)});
           (void)node_.send_storage_message(from, std::move(encoded.head),
                                            std::move(encoded.shard));
         });
}

void ShardHost::handle(const identity::NodeId& from, Request request, ReplySink reply) {
  const auto* put = std::get_if<PutShard>(&request);
  HostedRequest hosted{.from = from,
                       .request = {},
                       .reply = std::move(reply),
                       .cost = cost_of(request),
                       .held = put != nullptr ? put->shard->size() : 0,
                       .until = now() + kLedgerLag};
  if (!charge(hosted)) {
    const Refused busy{ErrorCode::Busy, "too much is asked of this node at once",
                       "ask again later"};
    ++counters_.refused[static_cast<std::size_t>(busy.code)];
    return hosted.reply(busy);
  }
  hosted.request = std::move(request);
  admit(std::move(hosted));
  pump();
}

bool ShardHost::charge(const HostedRequest& hosted) {
  std::uint64_t& share = shares_[hosted.from];
  if (share + hosted.cost > kPeerShare || held_bytes_ + hosted.held > kMaxHeldBytes) {
    if (share == 0) shares_.erase(hosted.from);
    return false;
  }
  share += hosted.cost;
  held_bytes_ += hosted.held;
  return true;
}

void ShardHost::discharge(const HostedRequest& hosted) {
  const auto share = shares_.find(hosted.from);
  share->second -= hosted.cost;
  if (share->second == 0) shares_.erase(share);
  held_bytes_ -= hosted.held;
}

struct RequestJudge {
  using Verdict = std::optional<ShardHost::Objection>;
  const ShardHost& host;
  const identity::NodeId& from;

  Verdict operator()(const PutShard& r) const {
    if (auto error = objection(host.node_, from, r.lease, LeaseUse::Keep)) {
      return ShardHost::Objection{std::move(*error), is_lease_expected(host.node_, r.lease)};
    }
    if (host.reclaiming_.contains(holder_of(r.lease, r.kind))) {
      return ShardHost::Objection{
          {ErrorCode::Busy, "what was kept under the lease before is being dropped",
           "ask again later"},
          true};
    }
    return std::nullopt;
  }
  Verdict operator()(const DropShards& r) const {
    if (auto verdict = look(r.lease)) return verdict;
    if (host.committed_generation_(from) >= r.generation) return std::nullopt;
    return ShardHost::Objection{
        {ErrorCode::FailedPrecondition,
         "the asking node has not committed to generation " + std::to_string(r.generation),
         "commit to what it still refers to, then drop the rest"},
        true};
  }
  Verdict operator()(const ListShards& r) const { return look(r.lease); }
  Verdict operator()(const LeaseUsage& r) const { return look(r.lease); }
  Verdict operator()(const auto& /*by root*/) const { return std::nullopt; }

  Verdict look(const ledger::LeaseId& lease) const {
    if (auto error = objection(host.node_, from, lease, LeaseUse::Look)) {
      return ShardHost::Objection{std::move(*error), false};
    }
    return std::nullopt;
  }
};

std::optional<ShardHost::Objection> ShardHost::objection_to(const HostedRequest& hosted) const {
  return std::visit(RequestJudge{*this, hosted.from}, hosted.request);
}

void ShardHost::admit(HostedRequest hosted) {
  if (auto objection = objection_to(hosted)) {
    if (objection->may_pass && now() < hosted.until) return parked_.push_back(std::move(hosted));
    return finish(hosted, refusal_of(objection->error));
  }
  (writes(hosted.request) ? writes_ : reads_).push(std::move(hosted));
}

void ShardHost::retry_parked() {
  for (HostedRequest& hosted : std::exchange(parked_, {})) admit(std::move(hosted));
  pump();
}

void ShardHost::pump() {
  while (write_jobs_ < kMaxWriteJobs && !writes_.empty()) run(*writes_.pop());
  while (read_jobs_ < kMaxReadJobs && !reads_.empty()) run(*reads_.pop());
}

void ShardHost::run(HostedRequest hosted) {
  // A lease may have ended while the request waited.
  if (objection_to(hosted)) return admit(std::move(hosted));
  std::uint64_t quota = 0;
  if (const auto* put = std::get_if<PutShard>(&hosted.request)) {
    quota = node_.ledger().lease(put->lease)->quantity;
  }
  ++(writes(hosted.request) ? write_jobs_ : read_jobs_);
  const auto job = std::make_shared<Job>(Job{std::move(hosted), {}});
  disk_.submit(
      [&store = store_, job, quota] { job->reply = carry_out(store, job->hosted.request, quota); },
      [this, alive = alive_, job] {
        if (*alive) on_done(*job);
      });
}

void ShardHost::on_done(Job& job) {
  --(writes(job.hosted.request) ? write_jobs_ : read_jobs_);
  const auto* put = std::get_if<PutShard>(&job.hosted.request);
  if (put != nullptr && !is_lease_held(node_, node_.ledger().lease(put->lease))) {
    // The block that ended it came while the disk was busy: what was dropped then was not all.
    reclaim_lease(put->lease);
    job.reply = Refused{ErrorCode::FailedPrecondition, "the lease has ended", {}};
  }
  count(job.hosted.request, job.reply);
  finish(job.hosted, std::move(job.reply));
  pump();
}

void ShardHost::count(const Request& request, const Reply& reply) {
  if (std::holds_alternative<Refused>(reply)) return;
  if (const auto* put = std::get_if<PutShard>(&request)) {
    ++counters_.puts;
    counters_.put_bytes += put->shard->size();
  } else if (const auto* part = std::get_if<ShardPart>(&reply)) {
    ++counters_.gets;
    counters_.got_bytes += part->bytes.size();
  } else if (std::holds_alternative<ProvePage>(request)) {
    ++counters_.proofs;
  } else if (std::holds_alternative<DropShards>(request)) {
    ++counters_.drops;
  }
}

void ShardHost::finish(HostedRequest& hosted, Reply reply) {
  discharge(hosted);
  if (const auto* refused = std::get_if<Refused>(&reply)) {
    ++counters_.refused[static_cast<std::size_t>(refused->code)];
    log::debug("shards", "a request is refused",
               {{"peer", hosted.from.to_string()}, {"why", refused->message}});
  }
  hosted.reply(std::move(reply));
}

// Nobody is left to hear the answers.
void ShardHost::on_disconnected(const identity::NodeId& peer) {
  for (RequestQueue* queue : {&writes_, &reads_}) {
    for (const HostedRequest& hosted : queue->take_all_of(peer)) discharge(hosted);
  }
  const auto lost = std::ranges::partition(
      parked_, [&](const HostedRequest& hosted) { return hosted.from != peer; });
  for (const HostedRequest& hosted : lost) discharge(hosted);
  parked_.erase(lost.begin(), lost.end());
}

}  // namespace hm::storing
