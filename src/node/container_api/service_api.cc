// SPDX-License-Identifier: Apache-2.0
// Services: what is wanted, what is there, and who is left out.
#include <utility>

#include "core/api/container_json.h"
#include "core/api/limits.h"
#include "core/api/service_request.h"
#include "node/container_api/container_api.h"

namespace hm::container_api {
namespace {

using api::JsonWriter;

void write_party(JsonWriter& json, const node::Node& node, const identity::OwnerId& owner,
                 const identity::NodeId& machine) {
  const ledger::NodeRecord* record = node.ledger().node(machine);
  const ledger::OwnerRecord* party = node.ledger().owner(owner);
  json.member("owner", owner.to_string());
  json.member("owner_name", party != nullptr ? party->name : std::string());
  json.member("node", machine.to_string());
  json.member("node_name", record != nullptr ? record->binding.name : std::string());
}

void write_replica(JsonWriter& json, const node::Node& node, const hosting::Replica& replica) {
  const hosting::ReplicaRecord& record = replica.record();
  json.begin_object().member("number", record.number);
  if (record.run != hosting::RunId{}) json.member("run", record.run.to_string());
  write_party(json, node, record.owner, record.provider);
  json.member("state", name_of(replica.standing())).member("since_ms", record.since.value);
  json.member("failures", replica.failures());
  if (!replica.last_failure().empty()) json.member("last_failure", replica.last_failure());
  if (const auto& trouble = replica.trouble()) json.member("why", trouble->why);
  json.key("leases").begin_array();
  for (const ledger::LeaseId& lease : replica.leases()) json.value(lease.to_string());
  json.end_array().end_object();
}

// The members of an object that is open.
void write_service(JsonWriter& json, const node::Node& node, const hosting::KeptService& service,
                   UnixMillis now) {
  const hosting::ServiceRecord& record = service.record();
  const containers::ServiceSpec& spec = record.spec;
  json.member("name", spec.name).member("state", service.state());
  json.member("replicas", spec.replicas);
  json.member("healthy", service.count(hosting::Standing::Healthy));
  if (!service.waiting().empty()) json.member("waiting", service.waiting());
  json.member("image_name", spec.image).member("created_ms", record.created.value);
  json.member("placed", record.last_number);
  json.member("on", spec.place).member("duration_ms", spec.duration_ms);
  if (spec.highest_price) json.member("highest_price", caesar::to_string(*spec.highest_price));
  json.key("health");
  api::write_health(json, spec.health);
  json.key("members").begin_array();
  for (const auto& replica : service.replicas()) {
    if (!replica->is_over()) write_replica(json, node, *replica);
  }
  json.end_array().key("left_out").begin_array();
  for (const hosting::LeftOut& entry : record.left_out) {
    if (now >= entry.until) continue;
    json.begin_object();
    write_party(json, node, entry.owner, entry.node);
    json.member("why", entry.why).member("at_ms", entry.at.value);
    json.member("until_ms", entry.until.value).member("times", entry.times).end_object();
  }
  json.end_array().key("spec").begin_object();
  api::write_spec_members(json, spec.run);
  json.end_object();
}

}  // namespace

void ContainerApi::list_services(http_api::Api& api, Call call) {
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).key("services").begin_array();
  for (const hosting::KeptService* service : services_.services()) {
    json.begin_object();
    write_service(json, node_, *service, node_.ports().clock.wall());
    json.end_object();
  }
  json.end_array().member("height", node_.ledger().height()).end_object();
  api.answer(call, std::move(json));
}

void ContainerApi::answer_service(http_api::Api& api, Call& call, std::string_view name,
                                  std::uint16_t status) {
  const hosting::KeptService* service = services_.find(name);
  if (service == nullptr) return api.answer(call, api::not_found("there is no such service"));
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  write_service(json, node_, *service, node_.ports().clock.wall());
  json.end_object();
  api.answer(call, std::move(json), status);
}

void ContainerApi::show_service(http_api::Api& api, Call call) {
  answer_service(api, call, call.parameter, 200);
}

void ContainerApi::create_service(http_api::Api& api, Call call) {
  auto spec = api::decode_service(call.request.body);
  if (!spec) return api.answer(call, http_api::bad_body(spec.error()));
  const std::string name = spec->name;
  if (const auto made = services_.create(std::move(*spec)); !made) {
    return api.answer(call, api::from_error(made.error()));
  }
  answer_service(api, call, name, 201);
}

void ContainerApi::scale_service(http_api::Api& api, Call call) {
  const auto replicas = api::decode_scale(call.request.body);
  if (!replicas) return api.answer(call, http_api::bad_body(replicas.error()));
  if (const auto scaled = services_.scale(call.parameter, *replicas); !scaled) {
    return api.answer(call, api::from_error(scaled.error()));
  }
  answer_service(api, call, call.parameter, 200);
}

void ContainerApi::remove_service(http_api::Api& api, Call call) {
  if (const auto removed = services_.remove(call.parameter); !removed) {
    return api.answer(call, api::from_error(removed.error()));
  }
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("done", true).end_object();
  api.answer(call, std::move(json));
}

}  // namespace hm::container_api
