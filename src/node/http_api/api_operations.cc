// SPDX-License-Identifier: Apache-2.0
// Signed operations in, receipts out, and what an actor needs to know to sign.
#include "core/api/ledger_json.h"
#include "core/api/limits.h"
#include "core/api/request.h"
#include "core/api/text.h"
#include "node/http_api/api.h"
#include "node/http_api/limits.h"
#include "node/http_api/waiters.h"

namespace hm::http_api {
namespace {

void write_receipt_members(api::JsonWriter& json, const node::FinalReceipt& final_receipt) {
  json.member("id", final_receipt.receipt.operation.to_string());
  json.member("status", final_receipt.receipt.refused ? "refused" : "applied");
  json.member("height", final_receipt.height).member("block", final_receipt.block.to_string());
  if (final_receipt.receipt.refused) {
    api::write_refused(json.key("refused"), *final_receipt.receipt.refused);
  }
}

struct OutcomeWriter {
  api::JsonWriter& json;

  void operator()(const node::Admitted& admitted) const {
    json.member("id", admitted.id.to_string()).member("status", "admitted");
  }
  void operator()(const node::FinalReceipt& receipt) const { write_receipt_members(json, receipt); }
  void operator()(const ledger::Refused& refused) const {
    json.member("status", "refused");
    api::write_refused(json.key("refused"), refused);
  }
  void operator()(const node::Busy& busy) const {
    json.member("status", "busy").member("retry_after_ms", busy.retry_after.count());
  }
  void operator()(const node::Halted& halted) const {
    json.member("status", "halted").member("reason", halted.reason);
  }
};

template <class T>
bool all_are(const std::vector<OperationOutcome>& outcomes) {
  return std::ranges::all_of(
      outcomes, [](const OperationOutcome& outcome) { return std::holds_alternative<T>(outcome); });
}

// Nothing, a wait, or why the query makes no sense.
Result<std::optional<std::chrono::milliseconds>, api::ApiError> wait_of(
    const ports::HttpRequest& request) {
  using Wait = std::optional<std::chrono::milliseconds>;
  const auto wait = request.query_value("wait");
  if (!wait || *wait == "none") return Wait{};
  if (*wait != "final") return fail(api::bad_request("wait is 'final' or 'none'", "wait"));
  const auto text = request.query_value("timeout_ms");
  if (!text) return Wait{kDefaultWait};
  const auto number = api::parse_number(*text);
  if (!number || *number > static_cast<std::uint64_t>(kMaxWait.count())) {
    return fail(api::bad_request("timeout_ms is a number up to " + std::to_string(kMaxWait.count()),
                                 "timeout_ms"));
  }
  return Wait{std::chrono::milliseconds(*number)};
}

}  // namespace

void Api::submit_and_wait(std::vector<Bytes> operations,
                          std::function<void(std::vector<OperationOutcome>)> done) {
  waiters_->submit(std::move(operations), kDefaultWait, std::move(done));
}

void Api::submit_operations(Call call) {
  const auto wait = wait_of(call.request);
  if (!wait) return answer(call, wait.error());
  if (*wait && waiters_->waiting() >= kMaxWaiting) {
    return answer(call, api::too_many("too many requests wait for finality already", 1));
  }
  // Overload costs no decoding.
  if (node_.is_busy()) {
    return answer(call, api::too_many("the node has all the operations it can hold", 1));
  }
  std::vector<Bytes> operations;
  const BodyForm form = call.request.header("content-type").starts_with("application/json")
                            ? BodyForm::List
                            : BodyForm::Raw;
  if (form == BodyForm::Raw) {
    operations.push_back(to_bytes(as_bytes(call.request.body)));
  } else {
    auto batch = api::decode_batch(call.request.body);
    if (!batch) {
      return answer(call, api::bad_request("'" + batch.error().field + "' " + batch.error().problem,
                                           batch.error().field));
    }
    operations = std::move(*batch);
  }
  call.request.body.clear();
  auto shared = std::make_shared<Call>(std::move(call));
  waiters_->submit(
      std::move(operations), *wait,
      [this, shared, form, alive = std::weak_ptr(alive_)](std::vector<OperationOutcome> outcomes) {
        if (!alive.expired()) answer_submission(*shared, outcomes, form);
      });
}

// One raw operation that was refused is an error; a list always says what became of each.
void Api::answer_submission(Call& call, const std::vector<OperationOutcome>& outcomes,
                            BodyForm form) {
  if (all_are<node::Busy>(outcomes)) {
    return answer(call, api::too_many("the node has all the operations it can hold", 1));
  }
  if (const auto* halted = std::get_if<node::Halted>(&outcomes.front())) {
    return answer(
        call, api::from_error(
                  {ErrorCode::Unavailable, "the node takes no operations: " + halted->reason, {}}));
  }
  if (form == BodyForm::Raw) {
    const auto* refused = std::get_if<ledger::Refused>(&outcomes.front());
    if (refused != nullptr) return answer(call, api::refused(*refused));
    const auto* receipt = std::get_if<node::FinalReceipt>(&outcomes.front());
    if (receipt != nullptr && receipt->receipt.refused) {
      return answer(call, api::refused(*receipt->receipt.refused));
    }
  }
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema).key("operations").begin_array();
  for (const OperationOutcome& outcome : outcomes) {
    json.begin_object();
    std::visit(OutcomeWriter{json}, outcome);
    json.end_object();
  }
  json.end_array().end_object();
  answer(call, std::move(json));
}

void Api::show_operation(Call call) {
  const auto id = crypto::Digest::parse(call.parameter);
  if (!id) {
    return answer(call, api::bad_request("an operation id is 64 lower-case hex digits", "id"));
  }
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  if (const auto receipt = node_.receipt(*id)) {
    write_receipt_members(json, *receipt);
  } else if (node_.is_pooled(*id)) {
    json.member("id", id->to_string()).member("status", "admitted");
  } else {
    return answer(call, api::not_found("this node knows no recent operation of that id"));
  }
  json.end_object();
  answer(call, std::move(json));
}

void Api::show_actor(Call call) {
  ledger::Actor actor;
  const char* kind = "owner";
  if (const auto owner = find_owner(call.parameter)) {
    actor = *owner;
  } else if (const auto node = find_node(call.parameter)) {
    actor = *node;
    kind = "node";
  } else if (owner.error().status != 404) {
    return answer(call, owner.error());
  } else {
    return answer(call, node.error().status == 404
                            ? api::not_found("no owner or node is called '" + call.parameter + "'")
                            : node.error());
  }
  const ledger::Ledger& ledger = node_.ledger();
  const ledger::Anchor anchor = ledger.anchor();
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("kind", kind);
  api::write_actor(json.key("actor"), actor);
  json.member("chain_id", node_.chain_id().to_string());
  json.member("next_sequence", ledger.next_sequence(actor));
  json.key("anchor").begin_object();
  json.member("height", anchor.height).member("hash", anchor.hash.to_string()).end_object();
  json.member("max_expiry_height", anchor.height + ledger.policy().expiry_max_ahead);
  json.end_object();
  answer(call, std::move(json));
}

}  // namespace hm::http_api
