// SPDX-License-Identifier: Apache-2.0
// The node itself: status, health, hardware, events, metrics, its documents, and the exchange by
// which another node joins.
#include "core/api/limits.h"
#include "core/api/request.h"
#include "node/http_api/api.h"
#include "node/http_api/documents.h"
#include "node/http_api/event_streams.h"
#include "node/http_api/limits.h"

namespace hm::http_api {
namespace {

std::optional<std::int64_t> finalized_age_ms(node::Node& node) {
  if (node.last_final_at() == MonoTime{}) return std::nullopt;
  const Duration age = node.ports().clock.now() - node.last_final_at();
  return std::chrono::duration_cast<std::chrono::milliseconds>(age).count();
}

// "ok", or what is wrong.
std::string_view health_of(node::Node& node) {
  if (node.halt_reason()) return "halted";
  const consensus::Replica& replica = node.replica();
  if (replica.is_abstaining()) return "abstaining";
  if (replica.claimed_height() > replica.final_height() + 1) return "catching_up";
  const auto age = finalized_age_ms(node);
  const auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(
      consensus::kDefaultHeartbeat * kStalledHeartbeats);
  if (!age) return "starting";
  return *age > patience.count() ? "stalled" : "ok";
}

void write_fields(api::JsonWriter& json, const ports::HardwareFields& fields) {
  json.begin_object();
  for (const auto& [name, field] : fields) {
    json.key(name);
    std::visit([&](const auto& value) { json.value(value); }, field);
  }
  json.end_object();
}

api::ApiError absent(std::string_view what) {
  return {.status = 503,
          .code = "UNAVAILABLE",
          .message = "this node has no " + std::string(what),
          .details = {}};
}

}  // namespace

void Api::status(Call call) {
  const ledger::Ledger& ledger = node_.ledger();
  const consensus::Replica& replica = node_.replica();
  const auto* own = ledger.node(node_.id());
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("version", config_.program_version);
  json.member("node", node_.id().to_string());
  if (own != nullptr) {
    json.member("name", own->binding.name).member("owner", own->binding.owner.to_string());
  }
  json.member("role", replica.own_index() ? "validator" : "follower");
  json.member("health", health_of(node_));
  json.member("halted", node_.halt_reason());
  json.member("chain_id", node_.chain_id().to_string());
  json.member("chain_name", ledger.chain().name);
  json.member("preset", ledger::name_of(ledger.chain().preset));
  json.member("height", ledger.height()).member("head", ledger.head().hash.to_string());
  json.member("state_root", ledger.root().to_string());
  json.member("finalized_age_ms", finalized_age_ms(node_));
  json.member("view", replica.view());
  json.member("leader", replica.validators().at(replica.leader(replica.view())).node.to_string());
  json.member("peers", node_.peers().size());
  json.member("validators", replica.validators().size());
  json.member("nodes", ledger.tables().nodes.size());
  json.member("assets", ledger.tables().assets.size());
  json.key("pool").begin_object();
  json.member("operations", node_.mempool().size()).member("bytes", node_.mempool().bytes());
  json.end_object().end_object();
  answer(call, std::move(json));
}

void Api::health(Call call) {
  const std::string_view state = health_of(node_);
  if (state != "ok" && state != "starting") {
    api::ApiError error{.status = 503,
                        .code = "UNHEALTHY",
                        .message = "the node is " + std::string(state),
                        .details = {{"status", std::string(state)}}};
    if (const auto& reason = node_.halt_reason()) error.details.emplace_back("reason", *reason);
    return answer(call, error);
  }
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("status", state);
  json.member("height", node_.ledger().height()).end_object();
  answer(call, std::move(json));
}

void Api::hardware(Call call) {
  const ports::HardwareSnapshot* snapshot = hooks_.hardware ? hooks_.hardware() : nullptr;
  if (snapshot == nullptr) return answer(call, absent("view of the hardware yet"));
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("node", node_.id().to_string());
  json.key("items").begin_array();
  for (const ports::HardwareItem& item : snapshot->items) {
    json.begin_object();
    json.member("kind", ports::name_of(item.kind)).member("key", item.key);
    json.member("unit", ports::name_of(ports::unit_of(item.kind)));
    json.member("detected", item.detected).member("usable", item.usable);
    json.member("offerable", item.offerable);
    write_fields(json.key("descriptor"), item.descriptor);
    write_fields(json.key("readings"), item.readings);
    json.end_object();
  }
  json.end_array().key("notes").begin_array();
  for (const ports::HardwareNote& note : snapshot->notes) {
    json.begin_object();
    json.member("kind", ports::name_of(note.kind)).member("text", note.text).end_object();
  }
  json.end_array().end_object();
  answer(call, std::move(json));
}

void Api::events(Call call) {
  const auto kinds = EventStreams::parse_kinds(call.request.query_value("kinds").value_or(""));
  if (!kinds)
    return answer(call, api::bad_request("kinds are 'block', 'asset' and 'lease'", "kinds"));
  if (call.request.method != ports::HttpMethod::Get) {
    return answer(call, api::bad_request("a stream has no HEAD"));
  }
  ports::HttpResponse head;
  head.content_type = "text/event-stream";
  head.body = "retry: 1000\n\n";
  auto stream = start_stream(call, std::move(head), std::nullopt);
  if (stream) streams_->add(std::move(stream), *kinds, call.request.peer);
}

void Api::open_api(Call call) {
  ports::HttpResponse response;
  response.body = std::string(open_api_document());
  add_headers(response);
  ++answers_[response.status];
  call.responder->send(std::move(response));
}

void Api::overview(Call call) {
  ports::HttpResponse response;
  response.content_type = "text/html; charset=utf-8";
  response.body = std::string(overview_page());
  add_headers(response);
  static const std::string policy = policy_of_page(overview_page());
  response.headers.push_back({"Content-Security-Policy", policy});
  response.headers.push_back({"Referrer-Policy", "no-referrer"});
  ++answers_[response.status];
  call.responder->send(std::move(response));
}

void Api::exchange(Call call, const std::function<void(ApiHooks::Texts, ApiHooks::Reply)>& hook,
                   std::uint16_t status) {
  if (!hook) return answer(call, absent("way to take in other nodes"));
  auto texts = api::decode_texts(call.request.body);
  if (!texts) {
    return answer(call, api::bad_request("'" + texts.error().field + "' " + texts.error().problem,
                                         texts.error().field));
  }
  auto shared = std::make_shared<Call>(std::move(call));
  hook(std::move(*texts), [this, shared, status, alive = std::weak_ptr(alive_)](auto reply) {
    if (alive.expired()) return;
    if (!reply) return answer(*shared, api::from_error(reply.error()));
    api::JsonWriter json;
    json.begin_object().member("schema", api::kSchema);
    for (const auto& [name, text] : *reply) json.member(name, text);
    json.end_object();
    answer(*shared, std::move(json), status);
  });
}

}  // namespace hm::http_api
