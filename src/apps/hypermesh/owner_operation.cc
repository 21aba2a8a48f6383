// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/owner_operation.h"

#include <fmt/format.h>

#include "foundation/codec/writer.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// Another program may use the same key at the same time and take the sequence first.
constexpr int kAttempts = 3;

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

}  // namespace

Answer<ordered_json> submit_as_owner(ApiClient& client, const identity::OwnerKeys& keys,
                                     const MakeAction& make) {
  for (int attempt = 1;; ++attempt) {
    HM_CLI_TRY(auto operation, prepare_operation(client, keys.id(), make));
    const auto signed_operation = ledger::sign(std::move(operation), keys.ed25519());
    auto answer = client.post_bytes("/operations?wait=final", codec::encode(signed_operation));
    if (!answer) {
      if (attempt < kAttempts && lost_the_sequence(answer.error())) continue;
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
