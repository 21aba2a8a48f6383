// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/owner_operation.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>
#include <utility>

#include "apps/hypermesh/json_fields.h"
#include "foundation/base/hex.h"
#include "foundation/codec/writer.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// Another program may use the same key at the same time and take the sequence first. Then it is
// tried again when a block may have moved it on, each program at its own pace.
constexpr std::chrono::seconds kPatience{20};
constexpr std::chrono::milliseconds kFirstPause{10};
constexpr std::chrono::milliseconds kLongestPause{150};

// Says whether there is time for another attempt, and waits for it.
class Attempts {
 public:
  bool again() {
    if (std::chrono::steady_clock::now() >= deadline_) return false;
    std::this_thread::sleep_for(pause_ + std::chrono::milliseconds(::getpid() % 16));
    pause_ = std::min(pause_ * 2, kLongestPause);
    return true;
  }

 private:
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::now() + kPatience;
  std::chrono::milliseconds pause_ = kFirstPause;
};

Failure unreadable(const ApiClient& client, std::string_view what) {
  return {ExitCode::Failure, fmt::format("{} answered without a usable {}", client.url(), what),
          "the node may be of another version", "compare 'hypermesh version' on both sides"};
}

Answer<ledger::Operation> prepare_operation(ApiClient& client, const identity::OwnerId& owner,
                                            const MakeAction& make) {
  HM_CLI_TRY(const ordered_json actor, client.get("/actors/" + owner.to_string()));
  const auto chain = identity::ChainId::parse(text_of(actor, "chain_id"));
  const ordered_json anchor = actor.contains("anchor") ? actor["anchor"] : ordered_json();
  const auto anchor_hash = crypto::Digest::parse(text_of(anchor, "hash"));
  if (!chain || !anchor_hash) return std::unexpected(unreadable(client, "anchor"));
  ledger::Operation operation;
  operation.chain_id = *chain;
  operation.actor = owner;
  operation.sequence = number_of(actor, "next_sequence");
  operation.anchor = {number_of(anchor, "height"), *anchor_hash};
  operation.expiry_height = number_of(actor, "max_expiry_height");
  operation.action = make(operation);
  return operation;
}

bool lost_the_sequence(const Failure& failure) {
  return failure.why.find("sequence_used") != std::string::npos;
}

bool lost_the_sequence(const ordered_json& entry) {
  const std::string rule = text_of(member_of(entry, "refused"), "rule");
  return rule == "sequence_used" || rule == "sequence_gap";
}

}  // namespace

Answer<ordered_json> submit_as_owner(ApiClient& client, const identity::OwnerKeys& keys,
                                     const MakeAction& make) {
  for (Attempts attempts;;) {
    HM_CLI_TRY(auto operation, prepare_operation(client, keys.id(), make));
    const auto signed_operation = ledger::sign(std::move(operation), keys.ed25519());
    auto answer = client.post_bytes("/operations?wait=final", codec::encode(signed_operation));
    if (!answer) {
      if (lost_the_sequence(answer.error()) && attempts.again()) continue;
      return std::unexpected(std::move(answer.error()));
    }
    if (!answer->contains("operations") || (*answer)["operations"].size() != 1) {
      return std::unexpected(unreadable(client, "receipt"));
    }
    ordered_json entry = (*answer)["operations"][0];
    if (text_of(entry, "status") == "applied") return entry;
    return failed(ExitCode::Failure,
                  fmt::format("operation {} is not final yet", text_of(entry, "id")),
                  "too few validators answer; it stays in the pool of the node",
                  "see 'hypermesh validators'");
  }
}

Answer<std::vector<ordered_json>> submit_all_as_owner(ApiClient& client,
                                                      const identity::OwnerKeys& keys,
                                                      const std::vector<ledger::Action>& actions) {
  std::vector<ordered_json> entries(actions.size());
  std::vector<std::size_t> open(actions.size());
  std::iota(open.begin(), open.end(), std::size_t{0});
  for (Attempts attempts; !open.empty();) {
    HM_CLI_TRY(ledger::Operation operation,
               prepare_operation(client, keys.id(), [&](const auto&) { return actions.front(); }));
    ordered_json batch = ordered_json::array();
    for (const std::size_t i : open) {
      operation.action = actions[i];
      entries[i] = {{"id", ledger::operation_id(operation).to_string()}};
      batch.push_back(to_hex(codec::encode(ledger::sign(operation, keys.ed25519()))));
      ++operation.sequence;
    }
    HM_CLI_TRY(const ordered_json answer,
               client.post("/operations?wait=final", {{"operations", std::move(batch)}}));
    const ordered_json& listed = list_of(answer, "operations");
    if (listed.size() != open.size()) return std::unexpected(unreadable(client, "receipt"));
    std::vector<std::size_t> lost;
    for (std::size_t k = 0; k < open.size(); ++k) {
      // A refusal before it got anywhere comes without an id.
      entries[open[k]].update(listed[k]);
      if (lost_the_sequence(listed[k])) lost.push_back(open[k]);
    }
    if (!lost.empty() && !attempts.again()) break;
    open = std::move(lost);
  }
  return entries;
}

Answer<ordered_json> submit_as_owner(ApiClient& client, const identity::OwnerKeys& keys,
                                     const ledger::Action& action) {
  return submit_as_owner(client, keys, [&](const ledger::Operation&) { return action; });
}

Answer<identity::ChainId> chain_of(ApiClient& client) {
  HM_CLI_TRY(const ordered_json status, client.get("/status"));
  const auto chain = identity::ChainId::parse(text_of(status, "chain_id"));
  if (!chain) return std::unexpected(unreadable(client, "chain id"));
  return *chain;
}

Answer<identity::OwnerId> find_owner(ApiClient& client, const std::string& text) {
  HM_CLI_TRY(const ordered_json wallet, client.get("/wallet/" + escape(text)));
  const auto owner = identity::OwnerId::parse(text_of(wallet, "owner"));
  if (!owner) return std::unexpected(unreadable(client, "owner id"));
  return *owner;
}

}  // namespace hm::cli
