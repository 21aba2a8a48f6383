// SPDX-License-Identifier: Apache-2.0
// A mesh in memory in which owners 1 … n lend storage to anyone, and another one's node stores
// objects; the first node is the validator. For tests.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/storage/test_segments.h"
#include "node/lease_keeper.h"
#include "node/memory_mesh.h"
#include "node/storing/memory_shards.h"
#include "node/storing/object_keeper.h"
#include "node/storing/shard_host.h"

namespace hm::storing {

class KeeperMesh {
 public:
  explicit KeeperMesh(std::uint32_t lenders, std::uint64_t bytes_each = std::uint64_t{1} << 30)
      : mesh(lenders + 2), lenders_(lenders) {
    for (std::uint32_t i = 0; i <= lenders + 1; ++i) open(i);
    for (std::uint32_t i = 1; i <= lenders; ++i) lend(i, bytes_each);
  }
  ~KeeperMesh() {
    for (auto& [i, machine] : machines_) machine.reset();
  }

  std::uint32_t tenant() const { return lenders_ + 1; }
  ObjectKeeper& keeper() { return *machines_[tenant()]->keeper; }
  memory::MemoryShards& shards(std::uint32_t i) { return shards_[i]; }

  // As kill -9 of its process and its start.
  void kill(std::uint32_t i) {
    mesh.isolate(i);
    machines_[i].reset();
    mesh.stop(i);
  }
  void start(std::uint32_t i) {
    mesh.start(i);
    open(i);
  }

  void run(std::uint64_t ms) { mesh.run(ms); }
  // So many single things that happen, wherever that leaves what is under way.
  void steps(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if (!mesh.world().step()) mesh.world().pass(std::chrono::milliseconds(1));
    }
  }
  // The tenant's node starts anew with an empty catalogue.
  void forget_catalogue() {
    kill(tenant());
    catalogue_ = {};
    start(tenant());
  }

  std::shared_ptr<ObjectUpload> begin_put(const std::string& name, ByteView bytes,
                                          NewObject as = {}, UploadPlan plan = {}) {
    put_report.reset();
    as.name = name;
    if (!plan.bytes) plan.bytes = bytes.size();
    auto upload = keeper().upload(
        plan, {.on_taken = nullptr,
               .on_done = [this](Result<UploadReport> report) { put_report = std::move(report); }});
    EXPECT_TRUE(upload) << upload.error().message;
    if (!upload) return nullptr;
    (*upload)->begin(std::move(as));
    (*upload)->push(std::string(as_text(bytes)));
    (*upload)->end();
    (*upload)->finish();
    return *upload;
  }
  // True: it was acknowledged.
  bool put(const std::string& name, ByteView bytes, NewObject as = {}, UploadPlan plan = {}) {
    const auto upload = begin_put(name, bytes, std::move(as), plan);
    for (int i = 0; i < 600 && !put_report; ++i) run(100);
    EXPECT_TRUE(put_report) << "an upload ends";
    return put_report && put_report->has_value();
  }

  Result<OpenedObject> open_object(const std::string& name) {
    std::optional<Result<OpenedObject>> opened;
    keeper().open_object(name, [&](Result<OpenedObject> found) { opened = std::move(found); });
    for (int i = 0; i < 600 && !opened; ++i) run(1);
    EXPECT_TRUE(opened) << "an object is opened";
    return opened.value_or(fail(ErrorCode::Unavailable, "no end"));
  }
  Result<ObjectHealth> health(const std::string& name) {
    const auto opened = open_object(name);
    if (!opened) return std::unexpected(opened.error());
    std::optional<Result<ObjectHealth>> health;
    keeper().health(opened->manifest, [&](Result<ObjectHealth> found) { health = found; });
    for (int i = 0; i < 600 && !health; ++i) run(1);
    EXPECT_TRUE(health) << "its health is known";
    return health.value_or(fail(ErrorCode::Unavailable, "no end"));
  }
  Result<Bytes> get(const std::string& name,
                    std::optional<ObjectKeeper::Range> range = std::nullopt) {
    Bytes bytes;
    std::optional<Result<void>> done;
    std::shared_ptr<ObjectDownload> download;
    ObjectDownload::Listener listener;
    listener.on_bytes = [&](std::string piece) {
      bytes.insert(bytes.end(), piece.begin(), piece.end());
      if (download) download->take(piece.size());
      if (!download) untaken_ += piece.size();
    };
    listener.on_done = [&](Result<void> result) { done = std::move(result); };
    const auto opened = open_object(name);
    if (!opened) return std::unexpected(opened.error());
    auto started = keeper().download(opened->manifest, range, std::move(listener));
    if (!started) return std::unexpected(started.error());
    download = *started;
    download->take(std::exchange(untaken_, 0));
    for (int i = 0; i < 600 && !done; ++i) run(100);
    EXPECT_TRUE(done) << "a download ends";
    if (!done) return fail(ErrorCode::Unavailable, "no end");
    if (!*done) return std::unexpected(done->error());
    return bytes;
  }
  Result<void> remove(const std::string& name) {
    std::optional<Result<void>> done;
    keeper().remove({name}, [&](Result<void> result) { done = std::move(result); });
    mesh.world().settle();
    EXPECT_TRUE(done);
    return done.value_or(Result<void>());
  }

  // Roots that nodes keep, and those that the catalogue says they keep, by node.
  std::map<std::uint32_t, std::set<ports::ShardRoot>> kept() {
    std::map<std::uint32_t, std::set<ports::ShardRoot>> all;
    for (std::uint32_t i = 0; i <= lenders_; ++i) {
      for (const ports::ShardRoot& root : shards_[i].roots()) all[i].insert(root);
    }
    return all;
  }
  std::map<std::uint32_t, std::set<ports::ShardRoot>> referenced() {
    std::map<std::uint32_t, std::set<ports::ShardRoot>> all;
    EXPECT_TRUE(keeper().parts().catalogue->stripes({}, [&](const StripeId&, const StripeRow& row) {
      for (std::size_t s = 0; s < row.roots.size(); ++s) {
        if (row.places[s].node.is_zero()) continue;
        for (std::uint32_t i = 0; i <= lenders_; ++i) {
          if (mesh.id(i) == row.places[s].node) all[i].insert(row.roots[s]);
        }
      }
      return true;
    }));
    return all;
  }

  node::memory::MemoryMesh mesh;
  std::optional<Result<UploadReport>> put_report;

 private:
  struct Machine {
    Machine(KeeperMesh& all, std::uint32_t i)
        : leases(all.mesh.node(i), all.mesh.operations(i)),
          host(all.mesh.node(i), all.shards_[i], all.mesh.world(),
               [node = &all.mesh.node(i)](const identity::NodeId& of) -> std::uint64_t {
                 const auto* commitment = node->ledger().storage_commitment(of);
                 return commitment == nullptr ? 0 : commitment->generation;
               }),
          client(all.mesh.node(i)) {
      client.set_local([this, &all, i](Request request, std::function<void(Reply)> reply) {
        host.handle(all.mesh.id(i), std::move(request), std::move(reply));
      });
      host.start();
      if (i != all.tenant()) return;
      auto opened =
          ObjectKeeper::open(all.mesh.node(i), all.mesh.operations(i), client, all.catalogue_,
                             [&all, i] { return node::round_trips_from(all.mesh.id(i), {}); });
      EXPECT_TRUE(opened) << opened.error().message;
      keeper = std::move(*opened);
      keeper->start();
    }
    node::LeaseKeeper leases;
    ShardHost host;
    ShardClient client;
    std::unique_ptr<ObjectKeeper> keeper;
  };

  void open(std::uint32_t i) {
    machines_[i] = std::make_unique<Machine>(*this, i);
    mesh.world().settle();
  }
  void lend(std::uint32_t i, std::uint64_t bytes) {
    namespace sample = ledger::sample;
    const auto chain = mesh.node(0).chain_id();
    assets::AssetTerms terms = sample::terms(bytes);
    terms.level = assets::PrivacyLevel::FullPublic;
    terms.quantity.unit = "bytes";
    const auto asset = sample::asset_id(chain, 10 + i, assets::AssetKind::Storage);
    EXPECT_FALSE(mesh.submit(i, ledger::RegisterAsset{asset, mesh.id(i), terms}));
    privacy::Grant made;
    made.owner = made.issuer = sample::owner_id(i);
    made.number = 1;
    made.to = privacy::ToAnyone{};
    made.share_percent = 100;
    made.network = privacy::NetworkClass::Mesh;
    made.price = {caesar::Amount{0}, 1};
    const auto signature = sample::owner(i).sign(
        privacy::grant_statement(privacy::grant_id(chain, made)), sample::fixed_randomness());
    EXPECT_FALSE(mesh.submit(i, ledger::AddGrant{made, signature}));
  }

  std::uint32_t lenders_;
  std::map<std::uint32_t, memory::MemoryShards> shards_;
  node::memory::MemoryStore catalogue_;
  std::map<std::uint32_t, std::unique_ptr<Machine>> machines_;
  std::size_t untaken_ = 0;
};

}  // namespace hm::storing
