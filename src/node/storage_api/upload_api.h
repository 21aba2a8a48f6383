// SPDX-License-Identifier: Apache-2.0
// The part of the HTTP API that is about objects in parts: begin, put parts in any order, look at
// what is there, complete, give up. docs/api/openapi.json.
#pragma once

#include <memory>

#include "node/http_api/api.h"
#include "node/storing/object_keeper.h"

namespace hm::storage_api {

class UploadApi {
 public:
  // Both outlive it.
  UploadApi(node::Node& node, storing::ObjectKeeper& keeper) : node_(node), keeper_(keeper) {}
  ~UploadApi() { *alive_ = false; }
  UploadApi(const UploadApi&) = delete;
  UploadApi& operator=(const UploadApi&) = delete;

  void handle(http_api::Api& api, http_api::Endpoint endpoint, http_api::Call call);

 private:
  using Call = http_api::Call;

  void list(http_api::Api& api, Call call);
  void begin(http_api::Api& api, Call call);
  void show(http_api::Api& api, Call call);
  void put_part(http_api::Api& api, Call call);
  void complete(http_api::Api& api, Call call);
  void abort(http_api::Api& api, Call call);

  node::Node& node_;
  storing::ObjectKeeper& keeper_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::storage_api
