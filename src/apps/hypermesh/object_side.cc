// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/object_side.h"

#include <utility>

#include "foundation/base/log.h"
#include "platform/rocksdb/rocksdb_store.h"

namespace hm::cli {
namespace {

Result<std::unique_ptr<ports::Store>> open_store(const std::string& folder) {
  HM_TRY(auto store, rocksdb_store::RocksDbStore::open(folder, rocksdb_store::Use::Objects));
  return std::unique_ptr<ports::Store>(std::move(store));
}

}  // namespace

ObjectSide::ObjectSide(node::Node& node, node::OwnOperations& operations, const NodeFolder& folder,
                       storing::ShardClient& client, const storing::ShardHost* host,
                       std::function<node::RoundTrips()> round_trips) {
  const auto fail_with = [this](const Error& error) {
    log::error("storage", "this node stores no objects: " + error.message, {{"why", error.detail}});
    trouble_ = {ErrorCode::Unavailable, "this node stores no objects: " + error.message,
                error.detail};
  };
  auto store = open_store(folder.objects());
  if (!store) {
    fail_with(store.error());
    return;
  }
  store_ = std::move(*store);
  auto keeper =
      storing::ObjectKeeper::open(node, operations, client, *store_, std::move(round_trips));
  if (!keeper) {
    fail_with(keeper.error());
    return;
  }
  keeper_ = std::move(*keeper);
  api_ = std::make_unique<storage_api::StorageApi>(node, *keeper_, host);
}

ObjectSide::~ObjectSide() = default;

void ObjectSide::start() {
  if (keeper_ != nullptr) keeper_->start();
}

void ObjectSide::handle(http_api::Api& api, http_api::Endpoint endpoint, http_api::Call call) {
  if (api_ != nullptr) return api_->handle(api, endpoint, std::move(call));
  api.answer(call, api::from_error(trouble_));
}

}  // namespace hm::cli
