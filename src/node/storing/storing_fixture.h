// SPDX-License-Identifier: Apache-2.0
// Whole nodes in memory with both sides of shards: owner 1 lends storage to owner 2. For tests.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "node/lease_keeper.h"
#include "node/memory_mesh.h"
#include "node/storing/memory_shards.h"
#include "node/storing/shard_client.h"
#include "node/storing/shard_gate.h"
#include "node/storing/shard_host.h"

namespace hm::storing {

namespace sample = ledger::sample;
using ledger::LeaseId;
using ledger::LeaseState;

inline constexpr std::uint32_t kProvider = 1;
inline constexpr std::uint32_t kTenant = 2;
inline constexpr std::uint32_t kStranger = 3;

// Workers whose jobs wait until the test lets them go.
class SlowDisk final : public ports::Workers {
 public:
  explicit SlowDisk(ports::Workers& below) : below_(below) {}
  void submit(std::function<void()> job, std::function<void()> done) override {
    if (!is_stuck) return below_.submit(std::move(job), std::move(done));
    stuck_.emplace_back(std::move(job), std::move(done));
  }
  void go_on() {
    is_stuck = false;
    for (auto& [job, done] : std::exchange(stuck_, {})) {
      below_.submit(std::move(job), std::move(done));
    }
  }
  std::size_t stuck() const { return stuck_.size(); }
  bool is_stuck = false;

 private:
  ports::Workers& below_;
  std::vector<std::pair<std::function<void()>, std::function<void()>>> stuck_;
};

struct Machine {
  Machine(node::memory::MemoryMesh& mesh, std::uint32_t i, memory::MemoryShards& store,
          std::map<identity::NodeId, std::uint64_t>& generations)
      : keeper(mesh.node(i), mesh.operations(i)),
        disk(mesh.world()),
        host(mesh.node(i), store, disk,
             [&generations](const identity::NodeId& node) { return generations[node]; }),
        client(mesh.node(i)) {
    client.set_local([this, &mesh, i](Request request, std::function<void(Reply)> reply) {
      host.handle(mesh.id(i), std::move(request), std::move(reply));
    });
    host.start();
  }
  node::LeaseKeeper keeper;
  SlowDisk disk;
  ShardHost host;
  ShardClient client;
};

// What became of a question.
template <class T>
class Heard {
 public:
  ShardClient::Answer<T> ear() const {
    return [state = state_](Result<T> result) { state->push_back(std::move(result)); };
  }
  std::size_t times() const { return state_->size(); }
  bool is_good() const { return times() == 1 && state_->front().has_value(); }
  // Of a failure.
  std::optional<ErrorCode> code() const {
    if (times() != 1 || state_->front()) return std::nullopt;
    return state_->front().error().code;
  }
  std::string message() const { return code() ? state_->front().error().message : ""; }
  const auto& value() const { return *state_->front(); }

 private:
  std::shared_ptr<std::vector<Result<T>>> state_ = std::make_shared<std::vector<Result<T>>>();
};

class Storing : public ::testing::Test {
 protected:
  Storing() : mesh(4) {
    for (std::uint32_t i = 0; i < 4; ++i) open_machine(i);
    storage = sample::asset_id(mesh.node(0).chain_id(), 1, assets::AssetKind::Storage);
    register_asset(storage, kProvider);
    privacy::Grant made;
    made.owner = made.issuer = sample::owner_id(kProvider);
    made.number = 1;
    made.to = privacy::ToAnyone{};
    made.share_percent = 100;
    made.network = privacy::NetworkClass::Mesh;
    made.price = {caesar::Amount{0}, 1};
    grant = privacy::grant_id(mesh.node(0).chain_id(), made);
    const auto signature =
        sample::owner(kProvider).sign(privacy::grant_statement(grant), sample::fixed_randomness());
    EXPECT_FALSE(mesh.submit(kProvider, ledger::AddGrant{made, signature}));
  }
  ~Storing() override { machines.clear(); }

  void open_machine(std::uint32_t i) {
    machines[i].reset();
    machines[i] = std::make_unique<Machine>(mesh, i, stores[i], generations);
    mesh.world().settle();
  }
  Machine& machine(std::uint32_t i) { return *machines[i]; }
  ShardClient& tenant() { return machine(kTenant).client; }
  ShardHost& host() { return machine(kProvider).host; }
  memory::MemoryShards& store() { return stores[kProvider]; }
  identity::NodeId provider() { return mesh.id(kProvider); }

  void register_asset(const assets::AssetId& id, std::uint32_t owner) {
    assets::AssetTerms terms = sample::terms(std::uint64_t{1} << 32);
    terms.level = assets::PrivacyLevel::FullPublic;
    terms.quantity.unit = id.kind == assets::AssetKind::Storage ? "bytes" : "millicores";
    EXPECT_FALSE(mesh.submit(owner, ledger::RegisterAsset{id, mesh.id(owner), terms}));
  }
  ledger::OpenLease lease_request(std::uint64_t bytes, std::uint32_t by = kTenant) {
    ledger::OpenLease action;
    action.choices = {{storage, grant}};
    if (by == kProvider) action.choices[0].grant.reset();
    action.quantity = bytes;
    action.duration_ms = 3'600'000;
    action.highest_price = {caesar::Amount{0}, 1};
    action.purpose = storage_purpose(mesh.id(by));
    return action;
  }
  LeaseId lease(const ledger::OpenLease& action, std::uint32_t by = kTenant) {
    crypto::Digest id;
    EXPECT_FALSE(mesh.submit(by, action, &id));
    return LeaseId{id.bytes};
  }
  LeaseId lease(std::uint64_t bytes = std::uint64_t{1} << 28, std::uint32_t by = kTenant) {
    return lease(lease_request(bytes, by), by);
  }

  static ports::SharedBytes bytes(std::uint8_t seed, std::size_t size = 100'000) {
    Bytes made(size, seed);
    for (std::size_t i = 0; i < made.size(); i += 251)
      made[i] = static_cast<std::uint8_t>(i + seed);
    return std::make_shared<const Bytes>(std::move(made));
  }
  PutOrder order(const LeaseId& under, ports::SharedBytes shard, ShardKind kind = ShardKind::Data) {
    return {provider(), under, kind, blake3::hash(*shard), shard};
  }
  Heard<void> put(const PutOrder& made, std::uint32_t by = kTenant) {
    Heard<void> heard;
    machine(by).client.put(made, heard.ear());
    mesh.world().settle();
    return heard;
  }
  // Kept at the provider; its root.
  ports::ShardRoot kept(const LeaseId& under, std::uint8_t seed, std::size_t size = 100'000) {
    const PutOrder made = order(under, bytes(seed, size));
    EXPECT_TRUE(put(made).is_good());
    return made.root;
  }
  Heard<ShardPart> get(const ports::ShardRoot& root, std::uint64_t offset = 0,
                       std::uint64_t count = ports::kMaxShardBytes, std::uint32_t by = kTenant) {
    Heard<ShardPart> heard;
    machine(by).client.get(provider(), root, offset, count, heard.ear());
    mesh.world().settle();
    return heard;
  }
  Heard<void> drop(const LeaseId& under, std::uint64_t generation,
                   std::vector<ports::ShardRoot> roots, std::uint32_t by = kTenant) {
    Heard<void> heard;
    machine(by).client.drop(provider(), under, ShardKind::Data, generation, std::move(roots),
                            heard.ear());
    mesh.world().settle();
    return heard;
  }

  node::memory::MemoryMesh mesh;
  std::map<std::uint32_t, memory::MemoryShards> stores;
  std::map<identity::NodeId, std::uint64_t> generations;
  std::map<std::uint32_t, std::unique_ptr<Machine>> machines;
  assets::AssetId storage;
  privacy::GrantId grant;
};

}  // namespace hm::storing
