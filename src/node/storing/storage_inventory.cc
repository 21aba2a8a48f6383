// SPDX-License-Identifier: Apache-2.0
// Inventory: a node that comes back is asked for everything that it should have, since it may have
// lost a disk meanwhile, or know of damage that nobody has read yet. It costs it a look into an
// index; that what it says is true is what audits are for.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/storing/keeper_limits.h"
#include "node/storing/limits.h"
#include "node/storing/object_keeper.h"
#include "node/storing/storage_care.h"

namespace hm::storing {

struct StorageCare::Inventory {
  struct Item {
    StripeId stripe;
    storage::Place place;
    crypto::Digest root;
  };
  identity::NodeId node;
  std::optional<StripeId> next = StripeId{};  // where to go on; none: that was all
  std::vector<Item> items;                    // of one question
  Result<void> state;
};

void StorageCare::check(const identity::NodeId& node) {
  to_check_.insert(node);
  inventory_timer_->arm(now() + kInventoryPause);
}

void StorageCare::check_next() {
  if (inventory_ || is_stale()) return;
  while (!to_check_.empty()) {
    const identity::NodeId node = *to_check_.begin();
    to_check_.erase(to_check_.begin());
    if (!parts_.client.is_reachable(node)) continue;  // it is asked when it is
    inventory_ = std::make_shared<Inventory>();
    inventory_->node = node;
    return check_part(inventory_);
  }
}

void StorageCare::check_part(const std::shared_ptr<Inventory>& inventory) {
  if (!inventory->next || !parts_.client.is_reachable(inventory->node)) {
    inventory_.reset();
    return check_next();
  }
  parts_.node.ports().workers.submit(
      [catalogue = parts_.catalogue, inventory] {
        inventory->items.clear();
        const StripeId from = *std::exchange(inventory->next, std::nullopt);
        inventory->state = catalogue->stripes(from, [&](const StripeId& id, const StripeRow& row) {
          if (inventory->items.size() + row.places.size() > kMaxRoots) {
            inventory->next = id;
            return false;
          }
          for (std::size_t i = 0; i < row.places.size(); ++i) {
            if (row.places[i].node != inventory->node) continue;
            inventory->items.push_back({id, row.places[i], row.roots[i]});
          }
          return true;
        });
      },
      [this, alive = alive_, inventory] {
        if (!*alive) return;
        if (!inventory->state) trouble_ = inventory->state.error().message;
        if (!inventory->state || inventory->items.empty()) return check_part(inventory);
        std::vector<ports::ShardRoot> roots;
        for (const Inventory::Item& item : inventory->items) roots.push_back(item.root);
        (void)parts_.client.has(
            inventory->node, std::move(roots),
            [this, alive = alive_,
             inventory](const Result<std::vector<std::optional<ports::ShardState>>>& states) {
              if (!*alive) return;
              if (states) on_states(*inventory, *states);
              if (!states) inventory->next.reset();  // it is asked when it is back
              check_part(inventory);
            });
      });
}

// One fault is written down for all that one answer lacks; each of them is made anew.
void StorageCare::on_states(const Inventory& inventory,
                            const std::vector<std::optional<ports::ShardState>>& states) {
  std::optional<FaultRow> fault;
  std::size_t count = 0;
  for (std::size_t i = 0; i < std::min(states.size(), inventory.items.size()); ++i) {
    if (states[i] && !states[i]->is_damaged) continue;
    const Inventory::Item& item = inventory.items[i];
    const auto row = parts_.catalogue->stripe(item.stripe);
    const bool is_there =
        row && *row &&
        std::ranges::find((*row)->places, item.place) != (*row)->places.end();  // not moved since
    if (!is_there || faulty_.contains({item.place.lease, item.root})) continue;
    ++count;
    if (fault) {
      faulty_.insert({item.place.lease, item.root});
    } else {
      fault = FaultRow{
          states[i] ? Fault::Corrupt : Fault::Missing, item.place, item.root, parts_.wall(), {}};
    }
  }
  if (!fault) return;
  fault->words = fmt::format("it has not, or not whole, {} of {} parts that it took", count,
                             inventory.items.size());
  report(std::move(*fault));
}

}  // namespace hm::storing
