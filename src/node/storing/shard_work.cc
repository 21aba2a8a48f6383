// SPDX-License-Identifier: Apache-2.0
#include "node/storing/shard_work.h"

#include <algorithm>
#include <utility>

#include "node/storing/limits.h"
#include "node/storing/shard_gate.h"

namespace hm::storing {
namespace {

template <class T>
Reply reply_of(Result<T> result) {
  if (!result) return refusal_of(result.error());
  return std::move(*result);
}
Reply reply_of(const Result<void>& result) {
  if (!result) return refusal_of(result.error());
  return Done{};
}

struct Worker {
  ports::ShardStore& store;
  std::uint64_t quota = 0;

  Reply operator()(const PutShard& r) const {
    const auto other = r.kind == ShardKind::Data ? ShardKind::Box : ShardKind::Data;
    const std::uint64_t taken = store.usage(holder_of(r.lease, other)).counted_bytes;
    const auto holder = holder_of(r.lease, r.kind);
    const std::uint64_t left = quota - std::min(quota, taken);
    auto kept = store.put(r.root, holder, *r.shard, left);
    if (!kept && kept.error().code == ErrorCode::NoCapacity &&
        store.usage(holder).counted_bytes + ports::counted_bytes(r.shard->size()) > left) {
      return Refused{ErrorCode::NoCapacity, "the lease's bytes are used",
                     "drop shards, or lease more"};
    }
    return reply_of(std::move(kept));
  }
  Reply operator()(const GetShard& r) const {
    const auto state = store.has({&r.root, 1}).front();
    if (!state) {
      return Refused{ErrorCode::NotFound, "shard " + r.root.to_string() + " is not here", {}};
    }
    auto bytes = store.read(r.root, r.offset, r.count);
    if (!bytes) return refusal_of(bytes.error());
    return ShardPart{state->bytes, std::move(*bytes)};
  }
  Reply operator()(const ProvePage& r) const { return reply_of(store.prove(r.root, r.page)); }
  Reply operator()(const HasShards& r) const { return ShardStates{store.has(r.roots)}; }
  Reply operator()(const ListShards& r) const {
    return store.list(holder_of(r.lease, r.kind), r.cursor);
  }
  Reply operator()(const DropShards& r) const {
    return reply_of(store.drop(r.roots, holder_of(r.lease, r.kind)));
  }
  Reply operator()(const LeaseUsage& r) const {
    ports::HolderUsage sum;
    for (const ShardKind kind : {ShardKind::Data, ShardKind::Box}) {
      const ports::HolderUsage usage = store.usage(holder_of(r.lease, kind));
      sum.shards += usage.shards;
      sum.shard_bytes += usage.shard_bytes;
      sum.counted_bytes += usage.counted_bytes;
    }
    return sum;
  }
};

}  // namespace

Reply carry_out(ports::ShardStore& store, const Request& request, std::uint64_t quota) {
  return std::visit(Worker{store, quota}, request);
}

bool writes(const Request& request) {
  return std::holds_alternative<PutShard>(request) || std::holds_alternative<DropShards>(request);
}

ReclaimReport reclaim(ports::ShardStore& store, const std::vector<ports::HolderId>& holders) {
  ReclaimReport report;
  for (const ports::HolderId& holder : holders) {
    if (const auto dropped = store.drop_holder(holder)) {
      report.dropped += *dropped;
    } else {
      report.not_dropped.push_back(holder);
      report.error = dropped.error();
    }
  }
  return report;
}

Refused refusal_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::NoCapacity:
      return {error.code, "the disk of the node is full",
              "what it has can be read; store elsewhere"};
    case ErrorCode::Io: return {error.code, "the disk of this node failed", {}};
    default: break;
  }
  Refused refused{error.code, error.message, error.detail};
  refused.message.resize(std::min(refused.message.size(), kMaxRefusalText));
  refused.detail.resize(std::min(refused.detail.size(), kMaxRefusalText));
  return refused;
}

}  // namespace hm::storing
