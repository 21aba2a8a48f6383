// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/storage_side.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "foundation/base/log.h"
#include "platform/shard_store/file_shard_store.h"

namespace hm::cli {
namespace {

// The host's calls at one time, and one of those that look after the store and drop what leases
// leave behind.
constexpr unsigned kDiskThreads = static_cast<unsigned>(storing::kMaxJobs) + 1;

bool has_storage(const node::Node& node) {
  const auto& of_node = node.ledger().index().of_node(node.id());
  return std::ranges::any_of(of_node, [&](const crypto::Digest& hash) {
    const assets::AssetRecord* asset = node.ledger().asset(hash);
    return asset != nullptr && asset->id.kind == assets::AssetKind::Storage;
  });
}

void tell(const shard_store::OpeningReport& report, const ports::ShardStoreUsage& usage) {
  log::info("shards", "ready",
            {{"shards", usage.shards}, {"bytes", usage.shard_bytes}, {"logs", report.logs}});
  if (report.torn_bytes != 0) {
    log::info("shards", "a write that was never confirmed is cut off",
              {{"bytes", report.torn_bytes}});
  }
  if (report.damages == 0) return;
  log::warning("shards", "parts of the shards on disk are damaged",
               {{"parts", report.damages}, {"shards", usage.damaged}});
  for (const shard_store::FoundDamage& found : report.damage) {
    log::warning("shards", "a damaged part",
                 {{"file", found.file},
                  {"offset", found.offset},
                  {"bytes", found.bytes},
                  {"root", found.root ? found.root->to_string() : "unknown"}});
  }
}

}  // namespace

StorageSide::StorageSide(node::Node& node, const NodeFolder& folder, const NodeConfig& config,
                         loop::EventLoop& loop,
                         storing::ShardHost::CommittedGeneration committed_generation)
    : client_(node) {
  std::error_code error;
  if (config.share_percent != 0 || has_storage(node) ||
      std::filesystem::exists(folder.shards(), error)) {
    open_host(node, folder, loop, std::move(committed_generation));
  }
  if (host_ == nullptr) no_shards_ = std::make_unique<storing::NoShards>(node);
}

StorageSide::~StorageSide() = default;

void StorageSide::open_host(node::Node& node, const NodeFolder& folder, loop::EventLoop& loop,
                            storing::ShardHost::CommittedGeneration committed_generation) {
  auto opened = shard_store::open_shard_store({.folder = folder.shards()});
  if (!opened) {
    log::error("shards", "this node keeps no shards: " + opened.error().message,
               {{"why", opened.error().detail}});
    return;
  }
  store_ = std::move(opened->store);
  tell(opened->report, store_->usage());
  disk_ = loop.make_workers(kDiskThreads);
  host_ =
      std::make_unique<storing::ShardHost>(node, *store_, *disk_, std::move(committed_generation));
  client_.set_local([host = host_.get(), &node](storing::Request request,
                                                std::function<void(storing::Reply)> reply) {
    host->handle(node.id(), std::move(request), std::move(reply));
  });
}

void StorageSide::start() {
  if (host_ != nullptr) host_->start();
}

}  // namespace hm::cli
