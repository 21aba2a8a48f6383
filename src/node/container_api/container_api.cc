// SPDX-License-Identifier: Apache-2.0
#include "node/container_api/container_api.h"

#include <functional>
#include <optional>
#include <utility>

#include "core/api/container_json.h"
#include "core/api/limits.h"
#include "node/container_api/container_socket.h"
#include "node/http_api/lookup.h"

namespace hm::container_api {
namespace {

using api::JsonWriter;
using hosting::RunId;

template <class T>
void write_if(JsonWriter& json, const char* name, const std::optional<T>& value) {
  if (value) json.member(name, *value);
}

api::ApiError error_of(const hosting::Failure& failure) {
  return api::from_error({failure.code, failure.message, failure.detail});
}

// Keeps the last report, and calls when the stream has ended.
class Answer final : public hosting::StreamListener {
 public:
  using Then = std::function<void(const hosting::Outcome&, std::optional<hosting::RunReport>)>;
  explicit Answer(Then then) : then_(std::move(then)) {}
  void hold(std::shared_ptr<hosting::Stream> stream) { stream_ = std::move(stream); }
  void on_report(const hosting::Report& report) override {
    if (const auto* run = std::get_if<hosting::RunReport>(&report)) report_ = *run;
  }
  void on_closed(const hosting::Outcome& outcome) override {
    const auto stream = std::move(stream_);  // with which this may go
    std::exchange(then_, nullptr)(outcome, report_);
  }

 private:
  Then then_;
  std::optional<hosting::RunReport> report_;
  std::shared_ptr<hosting::Stream> stream_;
};

}  // namespace

ContainerApi::ContainerApi(node::Node& node, node::OwnOperations& operations,
                           hosting::ContainerDesk& desk, hosting::ContainerHost& host,
                           hosting::ServiceKeeper& services, ports::ContainerRuntime& runtime,
                           ports::ImageStore& images, ContainerApiConfig config)
    : node_(node),
      operations_(operations),
      desk_(desk),
      host_(host),
      services_(services),
      runtime_(runtime),
      images_(images),
      config_(std::move(config)) {}

void ContainerApi::handle(http_api::Api& api, http_api::Endpoint endpoint, Call call) {
  using http_api::Endpoint;
  switch (endpoint) {
    case Endpoint::ListRuns: return list_runs(api, std::move(call));
    case Endpoint::ListHosted: return list_hosted(api, std::move(call));
    case Endpoint::ShowRuntime: return show_facts(api, std::move(call));
    case Endpoint::StartRun: return start_run(api, std::move(call));
    case Endpoint::ShowRun: return show_run(api, std::move(call));
    case Endpoint::StopRun: return stop_run(api, std::move(call));
    case Endpoint::SignalRun: return signal_run(api, std::move(call));
    case Endpoint::RemoveRun: return remove_run(api, std::move(call));
    case Endpoint::ContainerStream: return stream(api, std::move(call));
    case Endpoint::ListServices: return list_services(api, std::move(call));
    case Endpoint::CreateService: return create_service(api, std::move(call));
    case Endpoint::ShowService: return show_service(api, std::move(call));
    case Endpoint::ScaleService: return scale_service(api, std::move(call));
    case Endpoint::RemoveService: return remove_service(api, std::move(call));
    case Endpoint::ListImages: return list_images(api, std::move(call));
    case Endpoint::FindImage: return find_image(api, std::move(call));
    case Endpoint::RemoveImage: return remove_image(api, std::move(call));
    case Endpoint::CollectImages: return collect_images(api, std::move(call));
    case Endpoint::ImageStream: return image_stream(api, std::move(call));
    default: return api.answer(call, api::not_found("there is no such endpoint"));
  }
}

Result<identity::NodeId, api::ApiError> find_node(const node::Node& node, std::string_view text) {
  if (text == "self") return node.id();
  return http_api::find_row(text, node.ledger().tables().nodes, "node", std::identity{},
                            [](const auto& row) -> std::string_view { return row.binding.name; });
}

void write_exit(JsonWriter& json, const hosting::RunExit& exit) {
  json.begin_object().member("code", exit.code).member("out_of_memory", exit.out_of_memory);
  json.member("at_ms", exit.at.value).end_object();
}

void write_report(JsonWriter& json, const hosting::RunReport& report) {
  json.begin_object().member("phase", hosting::name_of(report.phase));
  json.member("restarts", report.restarts).member("started_ms", report.started.value);
  if (report.exit) {
    json.key("exit");
    write_exit(json, *report.exit);
  }
  const hosting::RunUsage& usage = report.usage;
  json.key("usage").begin_object();
  write_if(json, "cpu_us", usage.cpu_us);
  write_if(json, "memory_bytes", usage.memory_bytes);
  write_if(json, "memory_peak_bytes", usage.memory_peak_bytes);
  write_if(json, "memory_byte_seconds", usage.memory_byte_seconds);
  write_if(json, "disk_bytes", usage.disk_bytes);
  write_if(json, "read_bytes", usage.read_bytes);
  write_if(json, "written_bytes", usage.written_bytes);
  write_if(json, "received_bytes", usage.received_bytes);
  write_if(json, "sent_bytes", usage.sent_bytes);
  write_if(json, "pids", usage.pids);
  write_if(json, "throttled_us", usage.throttled_us);
  json.end_object().end_object();
}

// The members of an object that is open.
void ContainerApi::write_run(JsonWriter& json, const hosting::RunRecord& record) const {
  json.member("run", record.run.to_string()).member("name", record.spec.name);
  json.member("image", record.spec.image.to_string()).member("image_name", record.image);
  if (const auto* service = services_.service_of(record.run)) {
    json.member("service", service->record().spec.name);
  }
  json.member("node", record.provider.to_string());
  const ledger::NodeRecord* provider = node_.ledger().node(record.provider);
  json.member("node_name", provider != nullptr ? provider->binding.name : std::string());
  json.member("phase", hosting::name_of(record.phase)).member("created_ms", record.created.value);
  json.key("leases").begin_array();
  for (const ledger::LeaseId& lease : record.leases) json.value(lease.to_string());
  json.end_array().key("open_leases").begin_array();
  for (const ledger::LeaseId& id : record.leases) {
    const ledger::LeaseRecord* lease = node_.ledger().lease(id);
    if (lease != nullptr && lease->is_open()) json.value(id.to_string());
  }
  json.end_array();
  if (record.exit) {
    json.key("exit");
    write_exit(json, *record.exit);
  }
  if (!record.failure.empty()) json.member("failure", record.failure);
  json.key("spec").begin_object();
  api::write_spec_members(json, record.spec);
  json.end_object();
}

void ContainerApi::list_runs(http_api::Api& api, Call call) {
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).key("runs").begin_array();
  for (const hosting::RunRecord& record : desk_.records()) {
    json.begin_object();
    write_run(json, record);
    json.end_object();
  }
  json.end_array().member("height", node_.ledger().height()).end_object();
  api.answer(call, std::move(json));
}

void ContainerApi::list_hosted(http_api::Api& api, Call call) {
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).key("runs").begin_array();
  for (const auto& run : host_.runs()) {
    json.begin_object().member("run", run.label.run.to_string());
    json.member("tenant", run.label.tenant.to_string());
    const auto* tenant = node_.ledger().owner(run.label.tenant);
    json.member("tenant_name", tenant != nullptr ? tenant->name : std::string());
    json.member("node", run.label.node.to_string());
    json.key("leases").begin_array();
    for (const ledger::LeaseId& lease : run.label.leases) json.value(lease.to_string());
    json.end_array().key("report");
    write_report(json, run.report);
    json.key("spec").begin_object();
    api::write_spec_members(json, run.spec);
    json.end_object().end_object();
  }
  json.end_array().member("height", node_.ledger().height()).end_object();
  api.answer(call, std::move(json));
}

void ContainerApi::show_facts(http_api::Api& api, Call call) {
  const ports::RuntimeFacts& facts = runtime_.facts();
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("runtime", facts.runtime);
  json.member("cgroups", facts.cgroups).member("has_network", facts.has_network);
  json.member("missing", facts.missing).end_object();
  api.answer(call, std::move(json));
}

void ContainerApi::start_run(http_api::Api& api, Call call) {
  auto request = api::decode_start(call.request.body);
  if (!request) return api.answer(call, http_api::bad_body(request.error()));
  if (request->spec.lifetime != containers::Lifetime::Detached) {
    return api.answer(call, api::bad_request("an attached run is started on a stream, "
                                             "/api/v1/containers/stream",
                                             "detached"));
  }
  const auto provider = find_node(node_, request->node);
  if (!provider) return api.answer(call, provider.error());
  const auto held = std::make_shared<Call>(std::move(call));
  const auto id = std::make_shared<RunId>();
  auto answer = std::make_shared<Answer>(
      [this, alive = alive_, api = &api, held, id](const hosting::Outcome& outcome, const auto&) {
        if (!*alive) return;
        if (const auto* failure = std::get_if<hosting::Failure>(&outcome)) {
          return api->answer(*held, error_of(*failure));
        }
        JsonWriter json;
        json.begin_object().member("schema", api::kSchema);
        if (const auto* record = desk_.record(*id)) write_run(json, *record);
        json.end_object();
        api->answer(*held, std::move(json), 201);
      });
  auto started = desk_.start({.provider = *provider,
                              .spec = std::move(request->spec),
                              .leases = std::move(request->leases),
                              .image = std::move(request->image_name)},
                             answer);
  if (!started) return api.answer(*held, api::from_error(started.error()));
  *id = started->run;
  answer->hold(std::move(started->stream));
}

void ContainerApi::show_run(http_api::Api& api, Call call) {
  const auto id = desk_.find(call.parameter);
  if (!id) return api.answer(call, api::from_error(id.error()));
  const auto held = std::make_shared<Call>(std::move(call));
  auto tell = [this, alive = alive_, api = &api, held, run = *id](
                  const hosting::Outcome&, const std::optional<hosting::RunReport>& report) {
    if (!*alive) return;
    const auto* record = desk_.record(run);
    if (record == nullptr) return api->answer(*held, api::not_found("the run is gone"));
    JsonWriter json;
    json.begin_object().member("schema", api::kSchema);
    write_run(json, *record);
    if (report) {
      json.key("report");
      write_report(json, *report);
    }
    json.end_object();
    api->answer(*held, std::move(json));
  };
  auto answer = std::make_shared<Answer>(tell);
  auto stream = desk_.open(*id, hosting::InspectRun{*id}, answer);
  if (!stream) return tell(hosting::Done{}, std::nullopt);
  answer->hold(std::move(*stream));
}

void ContainerApi::ask(http_api::Api& api, Call call, const RunId& run, hosting::Request request,
                       std::function<void(http_api::Api&, Call&, const hosting::Outcome&)> then) {
  const auto held = std::make_shared<Call>(std::move(call));
  auto answer = std::make_shared<Answer>([alive = alive_, api = &api, held, then = std::move(then)](
                                             const hosting::Outcome& outcome, const auto&) {
    if (*alive) then(*api, *held, outcome);
  });
  auto stream = desk_.open(run, std::move(request), answer);
  if (!stream) return api.answer(*held, api::from_error(stream.error()));
  answer->hold(std::move(*stream));
}

void ContainerApi::stop_run(http_api::Api& api, Call call) {
  const auto grace = api::decode_stop(call.request.body);
  if (!grace) return api.answer(call, http_api::bad_body(grace.error()));
  const auto id = desk_.find(call.parameter);
  if (!id) return api.answer(call, api::from_error(id.error()));
  ask(api, std::move(call), *id, hosting::StopRun{*id, *grace},
      [this, run = *id](http_api::Api& to, Call& held, const hosting::Outcome& outcome) {
        if (const auto* failure = std::get_if<hosting::Failure>(&outcome)) {
          return to.answer(held, error_of(*failure));
        }
        JsonWriter json;
        json.begin_object().member("schema", api::kSchema);
        if (const auto* exit = std::get_if<hosting::RunExit>(&outcome)) {
          desk_.note_end(run, *exit);
          json.key("exit");
          write_exit(json, *exit);
        }
        json.end_object();
        to.answer(held, std::move(json));
      });
}

void ContainerApi::signal_run(http_api::Api& api, Call call) {
  const auto number = api::decode_signal(call.request.body);
  if (!number) return api.answer(call, http_api::bad_body(number.error()));
  const auto id = desk_.find(call.parameter);
  if (!id) return api.answer(call, api::from_error(id.error()));
  ask(api, std::move(call), *id, hosting::SignalRun{*id, *number},
      [](http_api::Api& to, Call& held, const hosting::Outcome& outcome) {
        if (const auto* failure = std::get_if<hosting::Failure>(&outcome)) {
          return to.answer(held, error_of(*failure));
        }
        JsonWriter json;
        json.begin_object().member("schema", api::kSchema).member("done", true).end_object();
        to.answer(held, std::move(json));
      });
}

void ContainerApi::remove_run(http_api::Api& api, Call call) {
  const auto id = desk_.find(call.parameter);
  if (!id) return api.answer(call, api::from_error(id.error()));
  desk_.forget(*id);
  JsonWriter json;
  json.begin_object().member("schema", api::kSchema).member("done", true).end_object();
  api.answer(call, std::move(json));
}

void ContainerApi::stream(http_api::Api& /*api*/, Call call) {
  open_container_socket({node_, operations_, desk_}, std::move(call.responder));
}

}  // namespace hm::container_api
