// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "core/api/limits.h"
#include "node/container_api/container_api.h"
#include "node/container_api/image_socket.h"

namespace hm::container_api {
namespace {

using api::JsonWriter;

// Calls of the store block, so they are made on a worker.
template <class Work, class Then>
void on_worker(ports::Workers& workers, Work work, Then then) {
  using Value = decltype(work());
  auto value = std::make_shared<std::optional<Value>>();
  workers.submit([value, work = std::move(work)] { value->emplace(work()); },
                 [value, then = std::move(then)] { then(std::move(**value)); });
}

}  // namespace

void write_image(JsonWriter& json, const ports::NamedImage& image) {
  json.begin_object().member("reference", image.reference);
  json.member("manifest", image.manifest.to_string()).member("bytes", image.bytes);
  json.member("created_ms", image.created.value).member("platform", image.platform).end_object();
}

void ContainerApi::list_images(http_api::Api& api, Call call) {
  const auto held = std::make_shared<Call>(std::move(call));
  on_worker(
      node_.ports().workers, [images = &images_] { return images->names(); },
      [alive = alive_, to = &api, held](const std::vector<ports::NamedImage>& names) {
        if (!*alive) return;
        JsonWriter json;
        json.begin_object().member("schema", api::kSchema).key("images").begin_array();
        for (const ports::NamedImage& image : names) write_image(json, image);
        json.end_array().end_object();
        to->answer(*held, std::move(json));
      });
}

void ContainerApi::find_image(http_api::Api& api, Call call) {
  const std::string reference(call.request.query_value("reference").value_or(""));
  const auto held = std::make_shared<Call>(std::move(call));
  on_worker(
      node_.ports().workers, [images = &images_, reference] { return images->find(reference); },
      [alive = alive_, to = &api, held](const Result<ports::NamedImage>& found) {
        if (!*alive) return;
        if (!found) return to->answer(*held, api::from_error(found.error()));
        JsonWriter json;
        write_image(json, *found);
        to->answer(*held, std::move(json));
      });
}

void ContainerApi::remove_image(http_api::Api& api, Call call) {
  const std::string reference(call.request.query_value("reference").value_or(""));
  const auto held = std::make_shared<Call>(std::move(call));
  on_worker(
      node_.ports().workers,
      [images = &images_, reference] { return images->remove_name(reference); },
      [alive = alive_, to = &api, held](const Result<void>& removed) {
        if (!*alive) return;
        if (!removed) return to->answer(*held, api::from_error(removed.error()));
        JsonWriter json;
        json.begin_object().member("schema", api::kSchema).member("done", true).end_object();
        to->answer(*held, std::move(json));
      });
}

void ContainerApi::collect_images(http_api::Api& api, Call call) {
  const auto held = std::make_shared<Call>(std::move(call));
  on_worker(
      node_.ports().workers, [images = &images_] { return images->collect(); },
      [alive = alive_, to = &api, held](const Result<std::uint64_t>& freed) {
        if (!*alive) return;
        if (!freed) return to->answer(*held, api::from_error(freed.error()));
        JsonWriter json;
        json.begin_object().member("schema", api::kSchema).member("freed_bytes", *freed);
        json.end_object();
        to->answer(*held, std::move(json));
      });
}

void ContainerApi::image_stream(http_api::Api& /*api*/, Call call) {
  node::NodePorts& ports = node_.ports();
  open_image_socket({.workers = ports.workers,
                     .timers = ports.timers,
                     .clock = ports.clock,
                     .images = images_,
                     .scratch = config_.scratch,
                     .pull = config_.pull,
                     .push = config_.push},
                    std::move(call.responder));
}

}  // namespace hm::container_api
