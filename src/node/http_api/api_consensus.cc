// SPDX-License-Identifier: Apache-2.0
// What consensus is doing, and who broke its rules.
#include <set>

#include "core/api/limits.h"
#include "core/consensus/certificate.h"
#include "node/http_api/api.h"

namespace hm::http_api {
namespace {

std::string_view phase_of(const node::Node& node) {
  const consensus::Replica& replica = node.replica();
  if (node.halt_reason()) return "halted";
  if (!replica.own_index()) return "following";
  if (replica.is_abstaining()) return "abstaining";
  return replica.is_idle() ? "idle" : "voting";
}

std::uint64_t stake_of(const consensus::Certificate& certificate,
                       const consensus::ValidatorSet& validators) {
  std::uint64_t stake = 0;
  for (const consensus::ValidatorIndex index : consensus::signers_of(certificate)) {
    if (index < validators.size()) stake += validators.at(index).stake;
  }
  return stake;
}

void write_state_members(api::JsonWriter& json, const node::Node& node) {
  const consensus::Replica& replica = node.replica();
  const consensus::ValidatorSet& validators = replica.validators();
  json.member("round", replica.view()).member("phase", phase_of(node));
  json.member("leader", validators.at(replica.leader(replica.view())).node.to_string());
  json.member("participants", validators.size());
  json.member("total_stake", std::to_string(validators.total_stake()));
  json.member("votes_required", std::to_string(2 * validators.total_stake() / 3 + 1));
  json.key("votes_received");
  if (const auto& certificate = replica.final_certificate()) {
    json.value(std::to_string(stake_of(*certificate, validators)));
  } else {
    json.null();
  }
  json.member("height", node.ledger().height());
  json.member("final_height", replica.final_height());
  json.member("final_hash", replica.final_hash().to_string());
  json.member("final_view", replica.final_view());
  json.member("claimed_height", replica.claimed_height());
}

}  // namespace

void Api::consensus_state(Call call) {
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  write_state_members(json, node_);
  json.end_object();
  answer(call, std::move(json));
}

void Api::consensus_status(Call call) {
  const consensus::Counters& counters = node_.replica().counters();
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  write_state_members(json, node_);
  const auto delta = std::chrono::duration_cast<std::chrono::milliseconds>(node_.replica().delta());
  json.member("delta_ms", delta.count());
  json.key("counters").begin_object();
  json.member("messages", counters.messages);
  json.member("blocks_final", counters.blocks_final);
  json.member("blocks_proposed", counters.blocks_proposed);
  json.member("views_nullified", counters.views_nullified);
  json.member("signatures_verified", counters.signatures_verified);
  json.member("votes_cast", counters.votes_cast);
  json.member("sync_requests", counters.sync_requests);
  json.member("timeouts", counters.timeouts).end_object();
  json.key("refused").begin_object();
  for (std::size_t i = 0; i < counters.refused.size(); ++i) {
    json.member(consensus::name_of(static_cast<consensus::Refusal>(i)), counters.refused[i]);
  }
  json.end_object().end_object();
  answer(call, std::move(json));
}

void Api::byzantine_status(Call call) {
  const consensus::Replica& replica = node_.replica();
  const consensus::ValidatorSet& validators = replica.validators();
  std::set<consensus::ValidatorIndex> faulty;
  for (const consensus::Evidence& fault : replica.faults()) faulty.insert(fault.first.signer);
  std::uint64_t faulty_stake = 0;
  std::size_t healthy = 0;
  for (std::size_t i = 0; i < validators.size(); ++i) {
    const auto& validator = validators.at(static_cast<consensus::ValidatorIndex>(i));
    if (faulty.contains(static_cast<consensus::ValidatorIndex>(i))) {
      faulty_stake += validator.stake;
    } else if (validator.node == node_.id() || node_.peers().contains(validator.node)) {
      ++healthy;
    }
  }
  const std::size_t tolerated = (validators.size() - 1) / 3;
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  json.member("total_nodes", validators.size());
  json.member("healthy_nodes", healthy);
  json.member("malicious_nodes", faulty.size());
  json.member("unreachable_nodes", validators.size() - healthy - faulty.size());
  json.member("tolerance_threshold", tolerated);
  json.member("current_tolerance", tolerated > faulty.size() ? tolerated - faulty.size() : 0);
  json.member("total_stake", std::to_string(validators.total_stake()));
  json.member("malicious_stake", std::to_string(faulty_stake));
  json.member("tolerable_stake", std::to_string((validators.total_stake() - 1) / 3));
  json.key("incidents").begin_array();
  for (const consensus::Evidence& fault : replica.faults()) {
    const auto kind = consensus::conflict_of(fault.first.statement, fault.second.statement);
    json.begin_object();
    json.key("node");
    if (fault.first.signer < validators.size()) {
      json.value(validators.at(fault.first.signer).node.to_string());
    } else {
      json.null();
    }
    json.key("fault");
    if (kind) {
      json.value(consensus::name_of(*kind));
    } else {
      json.null();
    }
    json.member("view", fault.first.statement.view).end_object();
  }
  json.end_array().end_object();
  answer(call, std::move(json));
}

}  // namespace hm::http_api
