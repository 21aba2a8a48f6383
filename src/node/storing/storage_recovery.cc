// SPDX-License-Identifier: Apache-2.0
#include "node/storing/storage_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "core/ledger/ledger.h"
#include "node/storing/keeper_limits.h"
#include "node/storing/object_keeper.h"
#include "node/storing/shard_gate.h"

namespace hm::storing {

struct StorageRecovery::Listing {
  std::function<void(Result<Found>)> done;
  std::vector<std::pair<std::uint32_t, ShardKind>> left;  // numbers of places
  std::optional<ports::ShardRoot> cursor;                 // in the last of them
  std::vector<std::uint64_t> room;                        // for shards, of each place
  std::set<identity::NodeId> silent;
};

void StorageRecovery::list(std::function<void(Result<Found>)> done) {
  if (is_listing_) {
    return done(fail(ErrorCode::Busy, "what others keep is being listed already",
                     "one recovery at a time"));
  }
  is_listing_ = true;
  is_listed_ = false;
  places_.clear();
  shards_.clear();
  bundles_.clear();
  auto listing = std::make_shared<Listing>();
  listing->done = std::move(done);
  const crypto::Digest purpose = storage_purpose(parts_.node.id());
  if (const auto owner = own_owner(parts_.node)) {
    const ledger::Ledger& ledger = parts_.node.ledger();
    for (const ledger::LeaseId& id : ledger.lease_index().of_tenant(*owner)) {
      const ledger::LeaseRecord* lease = ledger.lease(id);
      const storage::Place place{lease->placement.node, id};
      if (lease->purpose != purpose || !parts_.is_kept_under(place)) continue;
      const auto number = static_cast<std::uint32_t>(places_.size());
      listing->left.emplace_back(number, ShardKind::Data);
      listing->left.emplace_back(number, ShardKind::Box);
      listing->room.push_back(lease->quantity / ports::kMinCountedBytes);
      places_.push_back(place);
    }
  }
  list_next(listing);
}

void StorageRecovery::list_next(const std::shared_ptr<Listing>& listing) {
  while (!listing->left.empty() &&
         !parts_.client.is_reachable(places_[listing->left.back().first].node)) {
    listing->silent.insert(places_[listing->left.back().first].node);
    listing->left.pop_back();
    listing->cursor.reset();
  }
  if (listing->left.empty()) {
    std::ranges::sort(shards_);
    is_listing_ = false;
    is_listed_ = true;
    Found found{.bundles = {}, .shards = shards_.size(), .silent = {}};
    for (const auto& [root, copies] : bundles_) found.bundles.push_back(root);
    found.silent.assign(listing->silent.begin(), listing->silent.end());
    return listing->done(std::move(found));
  }
  const auto [number, kind] = listing->left.back();
  const storage::Place place = places_[number];
  (void)parts_.client.list(
      place.node, place.lease, kind, listing->cursor,
      [this, alive = alive_, listing, number, kind, place](Result<ports::ShardList> list) {
        if (!*alive) return;
        const bool fits = list && list->shards.size() <= listing->room[number];
        if (fits) {
          listing->room[number] -= list->shards.size();
          for (const ports::ListedShard& each : list->shards) {
            if (kind == ShardKind::Box) {
              Copies& copies = bundles_[each.root];
              copies.bytes = each.state.bytes;
              copies.places.push_back(place);
            } else {
              shards_.emplace_back(each.root, number);
            }
          }
          // A page without anything has nothing behind it either.
          listing->cursor = list->shards.empty() ? std::nullopt : list->next;
        } else {
          listing->silent.insert(place.node);
          listing->cursor.reset();
        }
        if (shards_.size() + bundles_.size() > kMaxRecoveredShards) {
          is_listing_ = false;
          return listing->done(fail(
              ErrorCode::NoCapacity,
              fmt::format("more than {} parts lie under this node's leases", kMaxRecoveredShards),
              "so many are not recovered at once"));
        }
        if (!listing->cursor) listing->left.pop_back();
        list_next(listing);
      });
}

// Different shards of a stripe lie at different places, so that each place counts once.
Result<StripeRow> StorageRecovery::locate(ShardKind kind, const storage::Stripe& stripe) const {
  StripeRow row{kind, stripe.code, stripe.shard_bytes, stripe.roots, {}, 0};
  row.places.assign(stripe.roots.size(), storage::Place{});
  std::set<std::uint32_t> used;
  for (std::size_t i = 0; i < stripe.roots.size(); ++i) {
    auto at = std::ranges::lower_bound(shards_, std::pair(stripe.roots[i], std::uint32_t{0}));
    for (; at != shards_.end() && at->first == stripe.roots[i]; ++at) {
      if (!used.insert(at->second).second) continue;
      row.places[i] = places_[at->second];
      break;
    }
  }
  if (used.size() < stripe.code.data) {
    return fail(ErrorCode::Unavailable,
                fmt::format("of a stripe only {} of {} parts were found, {} are needed",
                            used.size(), stripe.code.shards(), stripe.code.data),
                "nodes that are away may have the others");
  }
  return row;
}

Result<CatalogueChange> StorageRecovery::change_for(Object object) const {
  const storage::Manifest& manifest = object.manifest;
  const std::string& name = manifest.description.name;
  HM_TRY_VOID(check_object_name(name));
  const auto owner = own_owner(parts_.node);
  const ObjectId id = object_id_of(parts_.node.id(), name);
  if (manifest.depth != 0 || !owner || manifest.what.owner != *owner ||
      manifest.what.object != to_bytes(id.view())) {
    return fail(ErrorCode::InvalidArgument, "not an object that this node stored: " + name,
                "another node's objects are recovered by that node");
  }
  HM_TRY(const auto there, parts_.catalogue->object(name));
  if (there && (there->origin != Origin::Own || there->what.version >= manifest.what.version)) {
    return fail(ErrorCode::AlreadyExists, "the catalogue has it, or something newer: " + name,
                "nothing is replaced by what is older");
  }
  const auto bundle = bundles_.find(object.bundle);
  if (bundle == bundles_.end()) {
    return fail(ErrorCode::InvalidArgument, "no bundle of this root was found",
                "take one from the list");
  }

  ObjectRow row{.origin = Origin::Own,
                .what = manifest.what,
                .size = manifest.size,
                .content = manifest.content,
                .stored = parts_.wall(),
                .commitment = object.commitment,
                .box_root = object.bundle};
  CatalogueChange change;
  for (const storage::Stripe& stripe : manifest.stripes) {
    HM_TRY(StripeRow located, locate(ShardKind::Data, stripe));
    change.stripes.push_back(std::move(located));
  }
  for (const storage::Stripe& stripe : object.outer) {
    HM_TRY(StripeRow located, locate(ShardKind::Data, stripe));
    row.own_stripes.push_back(stripe_id_of(stripe.roots));
    change.stripes.push_back(std::move(located));
  }
  StripeRow copies{
      ShardKind::Box,        {1, 0}, static_cast<std::uint32_t>(bundle->second.bytes), {},
      bundle->second.places, 0};
  copies.code.parity = static_cast<std::uint8_t>(
      std::min<std::size_t>(copies.places.size(), erasure::kMaxShards) - 1);
  copies.places.resize(copies.code.shards());
  copies.roots.assign(copies.code.shards(), object.bundle);
  row.own_stripes.push_back(stripe_id_of(copies.roots));
  change.stripes.push_back(std::move(copies));
  if (!manifest.stripes.empty()) row.code = manifest.stripes.front().code;
  PutCondition condition{.only_new = !there};
  if (there) condition.only_version = there->what.version;
  change.put.push_back({name, condition, std::move(row), std::move(object.manifest)});
  return change;
}

void StorageRecovery::adopt(Object object, Done done) {
  const std::uint64_t version = object.manifest.what.version;
  auto change = change_for(std::move(object));
  if (!change) return done(std::unexpected(std::move(change.error())));
  parts_.next_version = std::max(parts_.next_version, version + 1);
  parts_.queue.apply(std::move(*change), std::move(done));
}

}  // namespace hm::storing
