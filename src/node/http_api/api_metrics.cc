// SPDX-License-Identifier: Apache-2.0
// /metrics: the node's counters for Prometheus. The composition root adds those of the process, the
// transport and the server.
#include <algorithm>
#include <map>

#include "node/http_api/api.h"
#include "node/http_api/event_streams.h"
#include "node/http_api/waiters.h"
#include "node/limits.h"

namespace hm::http_api {
namespace {

void add_consensus(MetricsText& text, const node::Node& node) {
  const consensus::Replica& replica = node.replica();
  const consensus::Counters& counters = replica.counters();
  text.gauge("hypermesh_consensus_view", "Current view", replica.view());
  text.gauge("hypermesh_consensus_final_height", "Height of the newest final block",
             replica.final_height());
  text.gauge("hypermesh_consensus_validators", "Validators of the epoch",
             replica.validators().size());
  text.gauge("hypermesh_consensus_abstaining", "1 while this validator may not vote",
             replica.is_abstaining() ? 1 : 0);
  text.gauge_seconds("hypermesh_consensus_delta_seconds", "Adaptive bound on message delay",
                     replica.delta().count());
  text.counter("hypermesh_consensus_messages_total", "Consensus messages received",
               counters.messages);
  text.counter("hypermesh_consensus_blocks_final_total", "Blocks seen to become final",
               counters.blocks_final);
  text.counter("hypermesh_consensus_blocks_proposed_total", "Blocks proposed by this node",
               counters.blocks_proposed);
  text.counter("hypermesh_consensus_views_nullified_total", "Views that ended without a block",
               counters.views_nullified);
  text.counter("hypermesh_consensus_signatures_verified_total", "Vote signatures verified",
               counters.signatures_verified);
  text.counter("hypermesh_consensus_votes_cast_total", "Votes signed by this node",
               counters.votes_cast);
  text.counter("hypermesh_consensus_timeouts_total", "View timers that ran out", counters.timeouts);
  text.counter("hypermesh_consensus_sync_requests_total", "Requests for blocks that were missed",
               counters.sync_requests);
  text.counter("hypermesh_consensus_faults_total", "Provable faults of validators seen",
               replica.faults().size());
  for (std::size_t i = 0; i < counters.refused.size(); ++i) {
    const auto reason = consensus::name_of(static_cast<consensus::Refusal>(i));
    text.counter("hypermesh_consensus_refused_total", "Messages or parts not used, by reason",
                 counters.refused[i], {{"reason", std::string(reason)}});
  }
}

void add_node(MetricsText& text, const node::Node& node) {
  const node::NodeCounters& counters = node.counters();
  const auto operations = [&](const char* outcome, std::uint64_t count) {
    text.counter("hypermesh_operations_total", "Operations by what became of them", count,
                 {{"outcome", outcome}});
  };
  operations("admitted", counters.operations_admitted);
  operations("refused", counters.operations_refused);
  operations("busy", counters.operations_busy);
  operations("applied", counters.operations_applied);
  operations("failed", counters.operations_failed);
  const auto gossip = [&](const char* outcome, std::uint64_t count) {
    text.counter("hypermesh_gossip_total", "Gossiped operations by what became of them", count,
                 {{"outcome", outcome}});
  };
  gossip("received", counters.gossip_received);
  gossip("dropped", counters.gossip_dropped);
  gossip("malformed", counters.gossip_malformed);
  text.counter("hypermesh_send_dropped_total", "Messages dropped because a peer's queue was full",
               counters.send_dropped);
  text.gauge("hypermesh_pool_operations", "Operations waiting for a final block",
             node.mempool().size());
  text.gauge("hypermesh_pool_bytes", "Their bytes", node.mempool().bytes());
  text.gauge("hypermesh_pool_capacity_operations", "Operations that the pool can hold",
             node::kMaxPooledOperations);
  text.gauge("hypermesh_peers", "Connected peers", node.peers().size());
  text.gauge("hypermesh_halted", "1 if the node halted because of disk or state",
             node.halt_reason() ? 1 : 0);
}

void add_ledger(MetricsText& text, const ledger::Ledger& ledger) {
  text.gauge("hypermesh_ledger_height", "Height of the newest executed block", ledger.height());
  text.gauge("hypermesh_ledger_owners", "Registered owners", ledger.tables().owners.size());
  text.gauge("hypermesh_ledger_nodes", "Registered nodes", ledger.tables().nodes.size());
  for (std::size_t i = 0; i < assets::kAssetKindCount; ++i) {
    const auto kind = static_cast<assets::AssetKind>(i);
    text.gauge("hypermesh_ledger_assets", "Registered assets by kind, retired ones included",
               ledger.index().of_kind(kind).size(), {{"kind", std::string(assets::name_of(kind))}});
  }
}

void add_leases(MetricsText& text, const node::Node& node) {
  using ledger::LeaseState;
  const ledger::Ledger& ledger = node.ledger();
  const auto open = std::ranges::count_if(ledger.tables().leases,
                                          [](const auto& row) { return row.second.is_open(); });
  text.gauge("hypermesh_ledger_leases_open", "Leases that are asked for, run, or end soon",
             static_cast<std::uint64_t>(open));
  text.gauge("hypermesh_ledger_leases", "Leases that the ledger keeps, ended ones included",
             ledger.tables().leases.size());
  std::map<LeaseState, std::uint64_t> here;
  for (const LeaseState state : {LeaseState::Requested, LeaseState::Active, LeaseState::Draining,
                                 LeaseState::Closed, LeaseState::Failed}) {
    here.emplace(state, 0);
  }
  for (const ledger::LeaseId& id : ledger.lease_index().on_node(node.id())) {
    ++here[ledger.lease(id)->state];
  }
  for (const auto& [state, count] : here) {
    text.gauge("hypermesh_node_leases", "Leases on this node's assets by state", count,
               {{"state", std::string(ledger::name_of(state))}});
  }
}

}  // namespace

void Api::metrics(Call call) {
  MetricsText text;
  add_consensus(text, node_);
  add_node(text, node_);
  add_ledger(text, node_.ledger());
  add_leases(text, node_);
  text.gauge("hypermesh_api_event_streams", "Open event streams", streams_->size());
  text.counter("hypermesh_api_event_streams_dropped_total",
               "Event streams cut off because their readers were too slow", streams_->dropped());
  text.gauge("hypermesh_api_waiting_requests", "Requests that wait for finality",
             waiters_->waiting());
  for (const auto& [status, count] : answers_) {
    text.counter("hypermesh_api_answers_total", "Answers by status", count,
                 {{"status", std::to_string(status)}});
  }
  if (hooks_.metrics) hooks_.metrics(text);
  ports::HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = text.text();
  add_headers(response);
  ++answers_[response.status];
  call.responder->send(std::move(response));
}

}  // namespace hm::http_api
