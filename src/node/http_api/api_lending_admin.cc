// SPDX-License-Identifier: Apache-2.0
// What the owner of this node has it do for its assets at once: levels, pause, revocation. The node
// signs, one operation after the other.
#include <algorithm>

#include "core/api/ledger_json.h"
#include "core/api/lending_json.h"
#include "core/api/lending_request.h"
#include "core/api/limits.h"
#include "node/http_api/api.h"
#include "node/http_api/limits.h"

namespace hm::http_api {
namespace {

ledger::Action with_state(const assets::AssetRecord& asset, assets::AssetState state) {
  assets::AssetTerms terms = asset.terms;
  terms.state = state;
  return ledger::UpdateAsset{asset.id, asset.version, std::move(terms)};
}

}  // namespace

// Operations that stand for one request. It is answered when all are through, when one finds the
// node unable, or when the time is up; asking again goes on where it stopped.
struct Api::NodeBatch {
  struct Item {
    std::string what;  // the asset or the lease
    ledger::Action action;
  };
  Call call;
  std::vector<Item> items;
  MonoTime give_up;
  std::size_t next = 0;
  std::size_t applied = 0;
  api::JsonWriter json;
};

Result<const assets::AssetRecord*, api::ApiError> Api::find_own_asset(std::string_view text) const {
  HM_TRY(const assets::AssetRecord* const asset, find_asset(text));
  if (asset->node != node_.id()) {
    return fail(api::ApiError{.status = 422,
                              .code = "OTHER_NODE",
                              .message = "this asset is on another node; ask that one",
                              .details = {{"node", asset->node.to_string()}}});
  }
  return asset;
}

void Api::set_level(Call call) {
  const auto request = api::decode_level(call.request.body);
  if (!request) return answer(call, bad_body(request.error()));
  const auto asset = find_own_asset(request->asset);
  if (!asset) return answer(call, asset.error());
  const assets::AssetRecord& record = **asset;
  assets::AssetTerms terms = record.terms;
  terms.level = request->level;
  const crypto::Digest hash = record.id.hash;
  write_as_node(
      std::move(call),
      {.action = ledger::UpdateAsset{record.id, record.version, std::move(terms)}, .proofs = {}},
      hash);
}

void Api::set_paused(Call call, assets::AssetState from, assets::AssetState to) {
  const auto request = api::decode_pause(call.request.body);
  if (!request) return answer(call, bad_body(request.error()));
  auto batch = std::make_shared<NodeBatch>();
  if (request->asset) {
    const auto asset = find_own_asset(*request->asset);
    if (!asset) return answer(call, asset.error());
    if ((*asset)->terms.state == from) {
      batch->items.push_back({(*asset)->id.to_string(), with_state(**asset, to)});
    }
  } else if (const auto& remembered =
                 to == assets::AssetState::Maintenance ? hooks_.pause : hooks_.resume) {
    // It outlives the process, and sets the assets' states by itself.
    if (const auto done = remembered(); !done) {
      return answer(call, api::ApiError{.status = 500,
                                        .code = "NOT_REMEMBERED",
                                        .message = done.error().message,
                                        .details = {{"why", done.error().detail}}});
    }
  } else {
    const ledger::Ledger& ledger = node_.ledger();
    for (const crypto::Digest& hash : ledger.index().of_node(node_.id())) {
      const assets::AssetRecord& asset = *ledger.asset(hash);
      if (asset.terms.state != from) continue;
      batch->items.push_back({asset.id.to_string(), with_state(asset, to)});
    }
  }
  start_batch(std::move(call), std::move(batch));
}

void Api::revoke_leases(Call call) {
  const auto request = api::decode_revoke(call.request.body);
  if (!request) return answer(call, bad_body(request.error()));
  const ledger::Ledger& ledger = node_.ledger();
  const ledger::Notice notice = request->now ? ledger::Notice::None : ledger::Notice::AsGranted;
  auto batch = std::make_shared<NodeBatch>();
  const auto add = [&](const ledger::LeaseId& id) {
    batch->items.push_back({id.to_string(), ledger::ReclaimLease{id, notice}});
  };
  if (request->lease) {
    const auto id = find_lease(*request->lease);
    if (!id) return answer(call, id.error());
    add(*id);
  } else {
    for (const ledger::LeaseId& id : ledger.lease_index().on_node(node_.id())) {
      const ledger::LeaseRecord& lease = *ledger.lease(id);
      const bool leaves = lease.state == ledger::LeaseState::Draining && !request->now;
      // The owner's own use is not lent.
      if (lease.is_open() && !leaves && lease.tenant != lease.placement.provider) add(id);
    }
  }
  start_batch(std::move(call), std::move(batch));
}

void Api::start_batch(Call call, std::shared_ptr<NodeBatch> batch) {
  batch->call = std::move(call);
  batch->give_up = node_.ports().clock.now() + kMaxWait;
  batch->json.begin_object().member("schema", api::kSchema).key("results").begin_array();
  run_batch(std::move(batch));
}

void Api::run_batch(std::shared_ptr<NodeBatch> batch) {
  if (batch->next < batch->items.size() && node_.ports().clock.now() < batch->give_up) {
    NodeBatch::Item& item = batch->items[batch->next++];
    author_.submit({.action = std::move(item.action), .proofs = {}},
                   [this, batch, what = item.what](const OperationOutcome& outcome) {
                     const auto* receipt = std::get_if<node::FinalReceipt>(&outcome);
                     const auto* admitted = std::get_if<node::Admitted>(&outcome);
                     const auto* refused = std::get_if<ledger::Refused>(&outcome);
                     if (receipt != nullptr && receipt->receipt.refused)
                       refused = &*receipt->receipt.refused;
                     // A node that is busy, halted or slow will be so for the next one, too.
                     if (receipt == nullptr && refused == nullptr) batch->give_up = MonoTime{};
                     if (receipt == nullptr && refused == nullptr && admitted == nullptr) {
                       --batch->next;
                       return run_batch(batch);
                     }
                     const bool applied = receipt != nullptr && refused == nullptr;
                     if (applied) ++batch->applied;
                     batch->json.begin_object().member("id", what);
                     batch->json.member("status", applied              ? "applied"
                                                  : refused != nullptr ? "refused"
                                                                       : "pending");
                     if (receipt != nullptr) {
                       batch->json.member("operation", receipt->receipt.operation.to_string());
                     } else if (admitted != nullptr) {
                       batch->json.member("operation", admitted->id.to_string());
                     }
                     if (refused != nullptr)
                       api::write_refused(batch->json.key("refused"), *refused);
                     batch->json.end_object();
                     run_batch(batch);
                   });
    return;
  }
  batch->json.end_array().member("applied", batch->applied);
  batch->json.member("left", batch->items.size() - batch->next);
  batch->json.member("height", node_.ledger().height()).end_object();
  answer(batch->call, std::move(batch->json));
}

}  // namespace hm::http_api
