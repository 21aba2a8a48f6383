// SPDX-License-Identifier: Apache-2.0
// The part of the HTTP API that is about containers, services and images: what this node runs
// elsewhere for its owner, what others run here, and the images it holds. Every endpoint needs the
// admin token, since whoever asks acts for the owner. docs/api/openapi.json and
// docs/guide/containers.md.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/api/container_request.h"
#include "node/hosting/container_desk.h"
#include "node/hosting/container_host.h"
#include "node/hosting/service_keeper.h"
#include "node/http_api/api.h"
#include "node/own_operations.h"
#include "ports/container_runtime.h"
#include "ports/image_store.h"
#include "ports/scratch_file.h"

namespace hm::container_api {

// Blocking, for workers: an image from a registry, or to one.
using Registry = std::function<Result<ports::NamedImage>(const api::RegistryRequest& request,
                                                         const ports::ImageProgress& progress)>;

struct ContainerApiConfig {
  ports::ScratchFiles& scratch;  // for archives that are imported or exported
  Registry pull;
  Registry push;
};

// Everything that is named here outlives it.
class ContainerApi {
 public:
  ContainerApi(node::Node& node, node::OwnOperations& operations, hosting::ContainerDesk& desk,
               hosting::ContainerHost& host, hosting::ServiceKeeper& services,
               ports::ContainerRuntime& runtime, ports::ImageStore& images,
               ContainerApiConfig config);
  ~ContainerApi() { *alive_ = false; }

  void handle(http_api::Api& api, http_api::Endpoint endpoint, http_api::Call call);

 private:
  using Call = http_api::Call;

  void list_runs(http_api::Api& api, Call call);
  void list_hosted(http_api::Api& api, Call call);
  void show_facts(http_api::Api& api, Call call);
  void start_run(http_api::Api& api, Call call);
  void show_run(http_api::Api& api, Call call);
  void stop_run(http_api::Api& api, Call call);
  void signal_run(http_api::Api& api, Call call);
  void remove_run(http_api::Api& api, Call call);
  void stream(http_api::Api& api, Call call);
  // Opens a stream about the run and answers when it ends.
  void ask(http_api::Api& api, Call call, const hosting::RunId& run, hosting::Request request,
           std::function<void(http_api::Api&, Call&, const hosting::Outcome&)> then);
  void write_run(api::JsonWriter& json, const hosting::RunRecord& record) const;

  // image_api.cc
  void list_images(http_api::Api& api, Call call);
  void find_image(http_api::Api& api, Call call);
  void remove_image(http_api::Api& api, Call call);
  void collect_images(http_api::Api& api, Call call);
  void image_stream(http_api::Api& api, Call call);

  // service_api.cc
  void list_services(http_api::Api& api, Call call);
  void create_service(http_api::Api& api, Call call);
  void show_service(http_api::Api& api, Call call);
  void scale_service(http_api::Api& api, Call call);
  void remove_service(http_api::Api& api, Call call);
  void answer_service(http_api::Api& api, Call& call, std::string_view name, std::uint16_t status);

  node::Node& node_;
  node::OwnOperations& operations_;
  hosting::ContainerDesk& desk_;
  hosting::ContainerHost& host_;
  hosting::ServiceKeeper& services_;
  ports::ContainerRuntime& runtime_;
  ports::ImageStore& images_;
  ContainerApiConfig config_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// "self", a node's id, a unique prefix of it, or its name.
Result<identity::NodeId, api::ApiError> find_node(const node::Node& node, std::string_view text);

void write_exit(api::JsonWriter& json, const hosting::RunExit& exit);
void write_report(api::JsonWriter& json, const hosting::RunReport& report);
void write_image(api::JsonWriter& json, const ports::NamedImage& image);

}  // namespace hm::container_api
