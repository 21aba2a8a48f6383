// SPDX-License-Identifier: Apache-2.0
#include "node/storage_api/recovery_api.h"

#include <utility>

#include "core/api/json_writer.h"
#include "core/api/limits.h"
#include "node/storage_api/object_views.h"
#include "node/storing/storage_recovery.h"

namespace hm::storage_api {

using api::JsonWriter;
using http_api::Api;

void RecoveryApi::begin(Api& api, Call call) {
  const auto recovery = keeper_.recovery();
  if (!recovery) return api.answer(call, api::from_error(recovery.error()));
  const auto held = std::make_shared<Call>(std::move(call));
  (*recovery)->list(
      [this, alive = alive_, to = &api, held](Result<storing::StorageRecovery::Found> found) {
        if (!*alive) return;
        if (!found) return to->answer(*held, api::from_error(found.error()));
        JsonWriter json;
        json.begin_object().member("schema", api::kSchema).member("shards", found->shards);
        json.key("bundles").begin_array();
        for (const ports::ShardRoot& root : found->bundles) json.value(root.to_string());
        json.end_array().key("silent").begin_array();
        for (const identity::NodeId& id : found->silent) {
          json.begin_object();
          write_node(json, node_, id);
          json.end_object();
        }
        json.end_array().end_object();
        to->answer(*held, std::move(json));
      });
}

void RecoveryApi::adopt(Api& api, Call call) {
  const auto bundle = ports::ShardRoot::parse(call.request.query_value("bundle").value_or(""));
  if (!bundle) return api.answer(call, api::bad_request("bundle is 64 digits of hex", "bundle"));
  const auto box = crypto::Digest::parse(call.request.query_value("commitment").value_or(""));
  if (!box) {
    return api.answer(call, api::bad_request("commitment is 64 digits of hex", "commitment"));
  }
  const auto recovery = keeper_.recovery();
  if (!recovery) return api.answer(call, api::from_error(recovery.error()));
  if (!(*recovery)->is_listed()) {
    return api.answer(call,
                      api::from_error({ErrorCode::FailedPrecondition, "the recovery has not begun",
                                       "what others keep is listed first"}));
  }
  const auto held = std::make_shared<Call>(std::move(call));
  auto adopt = [this, alive = alive_, to = &api, held, bundle = *bundle,
                box = *box](Result<ManifestUnfolder::Unfolded, api::ApiError> unfolded) {
    if (!*alive) return;
    if (!unfolded) return to->answer(*held, unfolded.error());
    const auto still = keeper_.recovery();
    if (!still) return to->answer(*held, api::from_error(still.error()));
    const std::string name = unfolded->manifest.description.name;
    (*still)->adopt({std::move(unfolded->manifest), std::move(unfolded->outer), box, bundle},
                    [this, alive, to, held, name](const Result<void>& adopted) {
                      if (!*alive) return;
                      const bool is_there =
                          !adopted && adopted.error().code == ErrorCode::AlreadyExists;
                      if (!adopted && !is_there) {
                        return to->answer(*held, api::from_error(adopted.error()));
                      }
                      const auto found = keeper_.find(name);
                      if (!found) return to->answer(*held, api::from_error(found.error()));
                      JsonWriter json;
                      json.begin_object().member("schema", api::kSchema);
                      json.key("object").begin_object();
                      write_object(json, node_, *found);
                      json.end_object().end_object();
                      to->answer(*held, std::move(json), is_there ? 200 : 201);
                    });
  };
  unfolder_.unfold(std::move(held->request.body), std::move(adopt));
}

void RecoveryApi::end(Api& api, Call call) {
  const auto held = std::make_shared<Call>(std::move(call));
  keeper_.end_recovery([alive = alive_, to = &api, held](const Result<bool>& is_all) {
    if (!*alive) return;
    if (!is_all) return to->answer(*held, api::from_error(is_all.error()));
    JsonWriter json;
    json.begin_object().member("schema", api::kSchema).member("complete", *is_all).end_object();
    to->answer(*held, std::move(json));
  });
}

}  // namespace hm::storage_api
