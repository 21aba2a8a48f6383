// SPDX-License-Identifier: Apache-2.0
// The part of the HTTP API that is about stored objects: putting and getting them as streams,
// lists, how they stand, sharing, and what this node keeps for others. Every endpoint needs the
// admin token, since whoever asks acts for the owner. docs/api/openapi.json and
// docs/guide/storage.md.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/http_api/api.h"
#include "node/storage_api/manifest_unfolder.h"
#include "node/storage_api/recovery_api.h"
#include "node/storage_api/upload_api.h"
#include "node/storing/object_keeper.h"
#include "node/storing/shard_host.h"

namespace hm::storage_api {

class StorageApi {
 public:
  // `host` is null where this node keeps nothing for others. Everything outlives it.
  StorageApi(node::Node& node, storing::ObjectKeeper& keeper, const storing::ShardHost* host)
      : node_(node),
        keeper_(keeper),
        host_(host),
        unfolder_(keeper),
        recovery_(node, keeper, unfolder_),
        uploads_(node, keeper) {}
  ~StorageApi() { *alive_ = false; }

  void handle(http_api::Api& api, http_api::Endpoint endpoint, http_api::Call call);

 private:
  using Call = http_api::Call;
  struct HeldQuestion;

  void list_objects(http_api::Api& api, Call call);
  void show_object(http_api::Api& api, Call call);
  void put_object(http_api::Api& api, Call call);
  void put_objects(http_api::Api& api, Call call);
  void get_object(http_api::Api& api, Call call);
  void remove_objects(http_api::Api& api, Call call);
  void share_object(http_api::Api& api, Call call);
  void get_bundle(http_api::Api& api, Call call);
  void attach_object(http_api::Api& api, Call call);
  void attach(http_api::Api& api, Call call, std::string name, storage::Manifest manifest);
  void show_storage(http_api::Api& api, Call call);
  void answer_status(http_api::Api& api, Call& call, const HeldQuestion* held);
  void collect(http_api::Api& api, Call call);
  void drain(http_api::Api& api, Call call);

  void with_object(http_api::Api& api, Call call,
                   std::function<void(Call call, storing::OpenedObject object)> then);
  void get_opened(http_api::Api& api, Call call, const storing::OpenedObject& opened);
  ports::HttpResponse refusal(const Call& call, const api::ApiError& error) const;

  node::Node& node_;
  storing::ObjectKeeper& keeper_;
  const storing::ShardHost* host_;
  ManifestUnfolder unfolder_;
  RecoveryApi recovery_;
  UploadApi uploads_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::storage_api
