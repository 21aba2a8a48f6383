// SPDX-License-Identifier: Apache-2.0
#include "apps/mesh_load/load.h"

#include <nlohmann/json.hpp>

#include "apps/mesh_load/mesh.h"
#include "core/api/text.h"
#include "foundation/codec/writer.h"

namespace hm::mesh_load {

using namespace std::chrono_literals;
using nlohmann::json;
using ports::HttpMethod;

namespace {

// Blocks until an operation expires: a run of half a minute at a hundred blocks a second, within
// the window of the preset that dev meshes use.
constexpr std::uint64_t kExpiry = 4000;

http::ClientRequest post_request(std::string target, std::string type, std::string body) {
  return {.method = HttpMethod::Post,
          .target = std::move(target),
          .content_type = std::move(type),
          .body = std::move(body),
          .headers = {},
          .timeout = 25s};
}

}  // namespace

Watcher::~Watcher() {
  stopping_ = true;
  thread_.join();
}

std::vector<BlockSeen> Watcher::since(Time from) const {
  const std::lock_guard lock(mutex_);
  std::vector<BlockSeen> seen;
  for (const BlockSeen& block : blocks_) {
    if (block.at >= from) seen.push_back(block);
  }
  return seen;
}

double Watcher::rate_between(Time from, Time to) const {
  std::uint64_t applied = 0;
  for (const BlockSeen& block : since(from)) {
    if (block.at < to) applied += block.applied;
  }
  return static_cast<double>(applied) / std::chrono::duration<double>(to - from).count();
}

ledger::Anchor Watcher::anchor() const {
  const std::lock_guard lock(mutex_);
  return anchor_;
}

void Watcher::run() {
  const http::ClientRequest request{
      .target = "/api/v1/events?kinds=block", .content_type = {}, .body = {}, .headers = {}};
  while (!stopping_) {
    http::HttpClient client(api_);
    // It ends when the node does; a node that is back is followed again.
    const auto ended = client.read_lines(request, 20s, [this](std::string_view line) {
      constexpr std::string_view kData = "data: ";
      if (line.starts_with(kData)) on_block(line.substr(kData.size()));
      return !stopping_;
    });
    if (!ended) std::this_thread::sleep_for(20ms);
  }
}

void Watcher::on_block(std::string_view text) {
  const json event = json::parse(text, nullptr, false);
  if (event.is_discarded()) return;
  const Time now = std::chrono::steady_clock::now();
  const auto operations = event["operations"].get<std::uint64_t>();
  const auto refused = event["refused"].get<std::uint64_t>();
  const auto hash = crypto::Digest::parse(event["hash"].get<std::string>());
  const std::lock_guard lock(mutex_);
  blocks_.push_back({now, event["height"], operations - refused});
  if (hash) anchor_ = {event["height"], *hash};
}

Actor::Actor(identity::OwnerKeys keys, identity::OwnerId to, identity::ChainId chain)
    : keys_(std::move(keys)), to_(to), chain_(chain) {}

void Actor::resume_at(std::uint64_t sequence) {
  first_ = sequence;
  pending_.clear();
}

void Actor::prepare(std::size_t count, const ledger::Anchor& anchor) {
  while (pending_.size() < count) pending_.push_back(sign(first_ + pending_.size(), anchor));
}

bool Actor::post(http::HttpClient& client, std::size_t batch, Wait wait,
                 const ledger::Anchor& anchor, Counts& counts) {
  prepare(batch, anchor);
  std::string body = "[";
  for (std::size_t i = 0; i < batch; ++i) {
    body += i == 0 ? "\"" : ",\"";
    body += pending_[i] + "\"";
  }
  body += "]";
  const char* target =
      wait == Wait::Final ? "/api/v1/operations?wait=final&timeout_ms=20000" : "/api/v1/operations";
  const auto answer = client.request(post_request(target, "application/json", std::move(body)));
  if (!answer) return false;
  counts.offered += batch;
  if (answer->status == 429) {
    counts.busy += batch;
    return true;
  }
  return answer->status == 200 && settle(answer->body, wait, anchor, counts);
}

std::string Actor::sign(std::uint64_t sequence, const ledger::Anchor& anchor) const {
  ledger::Operation operation;
  operation.chain_id = chain_;
  operation.actor = keys_.id();
  operation.sequence = sequence;
  operation.anchor = anchor;
  operation.expiry_height = anchor.height + kExpiry;
  operation.action = ledger::TransferCaes{to_, caesar::Amount{1}};
  return api::to_base64(codec::encode(ledger::sign(std::move(operation), keys_.ed25519())));
}

bool Actor::settle(const std::string& answer, Wait wait, const ledger::Anchor& anchor,
                   Counts& counts) {
  const json document = json::parse(answer, nullptr, false);
  if (document.is_discarded()) return false;
  std::size_t done = 0;
  bool in_order = true;
  bool stale = false;
  for (const json& result : document["operations"]) {
    const std::string status = result["status"];
    const std::string rule = status == "refused" ? result["refused"]["rule"] : json("");
    const bool repeated = rule == "already_applied" || rule == "sequence_used";
    const bool taken =
        status == "applied" || repeated || (wait == Wait::None && status == "admitted");
    if (status == "busy") ++counts.busy;
    in_order = in_order && taken;
    if (in_order) ++done;
    stale = stale || (!taken && status == "refused" && rule != "sequence_gap");
  }
  counts.taken += done;
  first_ += done;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
  // Too old an anchor: the same payments are signed anew.
  for (std::size_t i = 0; stale && i < pending_.size(); ++i) pending_[i] = sign(first_ + i, anchor);
  return true;
}

Result<crypto::Digest> submit_as(http::HttpClient& client, const identity::OwnerKeys& owner,
                                 ledger::Action action) {
  HM_TRY(const std::string text, get(client, "/actors/" + owner.id().to_string()));
  const json state = json::parse(text, nullptr, false);
  const auto chain = identity::ChainId::parse(state.value("chain_id", ""));
  const auto hash = crypto::Digest::parse(state["anchor"].value("hash", ""));
  if (!chain || !hash) return fail(ErrorCode::Corrupt, "the node's answer names no chain");
  ledger::Operation operation;
  operation.chain_id = *chain;
  operation.actor = owner.id();
  operation.sequence = state["next_sequence"];
  operation.anchor = {state["anchor"]["height"], *hash};
  operation.expiry_height = state["max_expiry_height"];
  operation.action = std::move(action);
  const crypto::Digest id = ledger::operation_id(operation);
  const Bytes bytes = codec::encode(ledger::sign(std::move(operation), owner.ed25519()));
  HM_TRY(const auto answer,
         client.request(post_request("/api/v1/operations?wait=final", "application/octet-stream",
                                     std::string(as_text(bytes)))));
  if (answer.status != 200) return fail(ErrorCode::FailedPrecondition, answer.body);
  return id;
}

}  // namespace hm::mesh_load
