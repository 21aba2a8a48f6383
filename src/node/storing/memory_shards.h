// SPDX-License-Identifier: Apache-2.0
// ports::ShardStore in memory, with disks that fail and rot on request. For tests.
#pragma once

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <vector>

#include "foundation/blake3/blake3.h"
#include "ports/shard_store.h"

namespace hm::storing::memory {

class MemoryShards final : public ports::ShardStore {
 public:
  using HolderId = ports::HolderId;
  using ShardRoot = ports::ShardRoot;

  Result<void> put(const ShardRoot& root, const HolderId& holder, ByteView shard,
                   std::uint64_t quota) override {
    if (is_broken) return broken();
    if (blake3::hash(shard) != root) return fail(ErrorCode::Corrupt, "not the root's");
    Kept& kept = shards_[root];
    const std::uint64_t more = kept.holders.contains(holder) ? 0 : shard.size();
    if (is_full && !kept.holders.contains(holder)) {
      if (kept.holders.empty()) shards_.erase(root);
      return fail(ErrorCode::NoCapacity, "123 bytes are free in /var/lib/secret");
    }
    if (usage(holder).counted_bytes + more > quota) {
      if (kept.holders.empty()) shards_.erase(root);
      return fail(ErrorCode::NoCapacity, "the quota of " + holder.to_string() + " is used");
    }
    kept.bytes = to_bytes(shard);
    kept.holders.insert(holder);
    kept.is_damaged = false;
    return {};
  }
  Result<Bytes> read(const ShardRoot& root, std::uint64_t offset, std::uint64_t count) override {
    const auto found = shards_.find(root);
    if (found == shards_.end()) return fail(ErrorCode::NotFound, "not here");
    const Bytes& bytes = found->second.bytes;
    if (found->second.is_damaged) {
      return fail(ErrorCode::Corrupt, "page 0 of shard " + root.to_string() + " is damaged");
    }
    if (offset > bytes.size()) return fail(ErrorCode::InvalidArgument, "behind the end");
    const auto part = ByteView(bytes).subspan(offset);
    return to_bytes(part.first(std::min<std::size_t>(part.size(), count)));
  }
  Result<ports::ProvenPage> prove(const ShardRoot& root, std::uint64_t page) override {
    const auto found = shards_.find(root);
    if (found == shards_.end()) return fail(ErrorCode::NotFound, "not here");
    const Bytes& bytes = found->second.bytes;
    if (page >= blake3::page_count(bytes.size())) {
      return fail(ErrorCode::InvalidArgument, "no such page");
    }
    const auto part =
        ByteView(bytes).subspan(page * blake3::kPageSize, blake3::page_length(bytes.size(), page));
    return ports::ProvenPage{bytes.size(), to_bytes(part), blake3::PageTree::of(bytes).prove(page)};
  }
  Result<void> drop(std::span<const ShardRoot> roots, const HolderId& holder) override {
    if (is_broken) return broken();
    for (const ShardRoot& root : roots) {
      const auto found = shards_.find(root);
      if (found == shards_.end()) continue;
      found->second.holders.erase(holder);
      if (found->second.holders.empty()) shards_.erase(found);
    }
    return {};
  }
  Result<std::uint64_t> drop_holder(const HolderId& holder) override {
    std::vector<ShardRoot> roots;
    for (const auto& [root, kept] : shards_) {
      if (kept.holders.contains(holder)) roots.push_back(root);
    }
    if (auto dropped = drop(roots, holder); !dropped) return std::unexpected(dropped.error());
    return roots.size();
  }
  std::vector<std::optional<ports::ShardState>> has(std::span<const ShardRoot> roots) override {
    std::vector<std::optional<ports::ShardState>> states;
    for (const ShardRoot& root : roots) {
      const auto found = shards_.find(root);
      states.push_back(found == shards_.end() ? std::nullopt : std::optional(state(found->second)));
    }
    return states;
  }
  ports::ShardList list(const HolderId& holder, const std::optional<ShardRoot>& cursor) override {
    ports::ShardList list;
    for (auto at = cursor ? shards_.upper_bound(*cursor) : shards_.begin(); at != shards_.end();
         ++at) {
      if (!at->second.holders.contains(holder)) continue;
      list.shards.push_back({at->first, state(at->second)});
      if (list.shards.size() < most_listed) continue;
      if (std::next(at) != shards_.end()) list.next = at->first;
      break;
    }
    return list;
  }
  std::vector<HolderId> holders() override {
    std::set<HolderId> all;
    for (const auto& [root, kept] : shards_) all.insert(kept.holders.begin(), kept.holders.end());
    return {all.begin(), all.end()};
  }
  ports::HolderUsage usage(const HolderId& holder) override {
    ports::HolderUsage usage;
    for (const auto& [root, kept] : shards_) {
      if (!kept.holders.contains(holder)) continue;
      ++usage.shards;
      usage.shard_bytes += kept.bytes.size();
      usage.counted_bytes += kept.bytes.size();
    }
    return usage;
  }
  ports::ShardStoreUsage usage() override {
    ports::ShardStoreUsage usage;
    usage.shards = shards_.size();
    usage.needless_bytes = needless_bytes;
    return usage;
  }
  Result<ports::ScrubReport> scrub(std::uint64_t /*most_bytes*/) override {
    ports::ScrubReport report;
    report.is_round_done = true;
    for (const auto& [root, kept] : shards_) {
      report.bytes += kept.bytes.size();
      if (kept.is_damaged) report.damaged.push_back({root, 0});
    }
    return report;
  }
  Result<ports::CompactionReport> compact(std::uint64_t most_bytes) override {
    ++compactions;
    const std::uint64_t freed = std::min(needless_bytes, most_bytes);
    needless_bytes -= freed;
    return ports::CompactionReport{0, freed, {}, needless_bytes == 0};
  }

  void damage(const ShardRoot& root) { shards_.at(root).is_damaged = true; }
  void damage_all() {
    for (auto& [root, kept] : shards_) kept.is_damaged = true;
  }
  void lose_all() { shards_.clear(); }
  std::set<ShardRoot> roots() const {
    std::set<ShardRoot> all;
    for (const auto& [root, kept] : shards_) all.insert(root);
    return all;
  }
  std::size_t count() const { return shards_.size(); }

  bool is_broken = false;  // nothing can be written
  bool is_full = false;    // nothing new can be kept
  std::size_t most_listed = ports::kMaxListedShards;
  std::uint64_t needless_bytes = 0;
  std::size_t compactions = 0;

 private:
  struct Kept {
    Bytes bytes;
    std::set<HolderId> holders;
    bool is_damaged = false;
  };
  static ports::ShardState state(const Kept& kept) { return {kept.bytes.size(), kept.is_damaged}; }
  static std::unexpected<Error> broken() {
    return fail(ErrorCode::Io, "/var/lib/secret/00000001.log: input/output error");
  }
  std::map<ShardRoot, Kept> shards_;
};

}  // namespace hm::storing::memory
