// SPDX-License-Identifier: Apache-2.0
// The part of the HTTP API by which a catalogue of objects that was lost is recovered: list what is
// left, give back each object whose manifest the owner opened, end. docs/api/openapi.json.
#pragma once

#include <memory>

#include "node/http_api/api.h"
#include "node/storage_api/manifest_unfolder.h"
#include "node/storing/object_keeper.h"

namespace hm::storage_api {

class RecoveryApi {
 public:
  // All of them outlive it.
  RecoveryApi(node::Node& node, storing::ObjectKeeper& keeper, ManifestUnfolder& unfolder)
      : node_(node), keeper_(keeper), unfolder_(unfolder) {}
  ~RecoveryApi() { *alive_ = false; }
  RecoveryApi(const RecoveryApi&) = delete;
  RecoveryApi& operator=(const RecoveryApi&) = delete;

  void begin(http_api::Api& api, http_api::Call call);
  void adopt(http_api::Api& api, http_api::Call call);
  void end(http_api::Api& api, http_api::Call call);

 private:
  using Call = http_api::Call;

  node::Node& node_;
  storing::ObjectKeeper& keeper_;
  ManifestUnfolder& unfolder_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::storage_api
