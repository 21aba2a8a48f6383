// SPDX-License-Identifier: Apache-2.0
// Orphans: shards that an upload sent and no object refers to, because the upload failed or the
// process ended in between. Where to look was remembered before anything was sent.
#include <algorithm>
#include <set>
#include <utility>

#include "node/storing/keeper_limits.h"
#include "node/storing/object_keeper.h"
#include "node/storing/object_upload.h"
#include "node/storing/storage_care.h"

namespace hm::storing {

struct StorageCare::Hunt {
  std::vector<std::uint64_t> uploads;                         // that are forgotten if all is well
  std::vector<std::pair<storage::Place, ShardKind>> left;     // places to look at
  std::optional<std::pair<storage::Place, ShardKind>> place;  // that is looked at
  std::optional<ports::ShardRoot> cursor;
  std::vector<ports::ShardRoot> found;    // at this place
  std::vector<ports::ShardRoot> orphans;  // of these
  bool is_whole = true;
};

void StorageCare::hunt() {
  if (hunt_ || is_stale() || !is_started_ || committed() == 0) {
    hunt_again_ = true;
    return;
  }
  hunt_again_ = false;
  const auto uploads = parts_.catalogue->uploads();
  if (!uploads || uploads->empty()) return;
  auto hunt = std::make_shared<Hunt>();
  std::set<storage::Place> places;
  for (const auto& [number, of_upload] : *uploads) {
    parts_.next_upload = std::max(parts_.next_upload, number + 1);
    const bool is_under_way = repairs_under_way_.contains(number) ||
                              std::ranges::any_of(parts_.uploads, [&](const ObjectUpload* each) {
                                return each->number() == number;
                              });
    if (is_under_way) continue;
    hunt->uploads.push_back(number);
    places.insert(of_upload.begin(), of_upload.end());
  }
  if (hunt->uploads.empty()) return;
  for (const storage::Place& place : places) {
    hunt->left.emplace_back(place, ShardKind::Data);
    hunt->left.emplace_back(place, ShardKind::Box);
  }
  hunt_ = hunt;
  list_next(hunt);
}

// The next place that can be asked; none is left: what was looked for is forgotten if all is well.
bool StorageCare::choose_place(Hunt& hunt) {
  hunt.cursor.reset();
  hunt.found.clear();
  hunt.place.reset();
  while (!hunt.left.empty()) {
    const auto next = hunt.left.back();
    hunt.left.pop_back();
    const storage::Place& place = next.first;
    // What was under a lease that is over went with it.
    if (!parts_.is_kept_under(place)) continue;
    if (parts_.client.is_reachable(place.node)) {
      hunt.place = next;
      return true;
    }
    hunt.is_whole = false;
  }
  return false;
}

void StorageCare::list_next(const std::shared_ptr<Hunt>& hunt) {
  if (!hunt->cursor && !choose_place(*hunt)) {
    if (hunt->is_whole) {
      for (const std::uint64_t number : hunt->uploads) {
        parts_.queue.submit(
            [number](Catalogue& catalogue) { return catalogue.forget_upload(number); });
      }
    }
    const bool is_wanted_again = std::exchange(hunt_again_, false);
    hunt_again_ = !hunt->is_whole;
    hunt_.reset();
    if (is_wanted_again) this->hunt();
    return;
  }
  const auto [place, kind] = *hunt->place;
  parts_.client.list(place.node, place.lease, kind, hunt->cursor,
                     [this, alive = alive_, hunt](Result<ports::ShardList> list) {
                       if (!*alive) return;
                       if (!list) {
                         hunt->is_whole = false;
                         hunt->cursor.reset();
                         return list_next(hunt);
                       }
                       for (const ports::ListedShard& each : list->shards) {
                         hunt->found.push_back(each.root);
                       }
                       hunt->cursor = list->next;
                       if (hunt->cursor) return list_next(hunt);
                       on_listed(hunt);
                     });
}

// What is there and neither in the catalogue nor on its way into it is dropped.
void StorageCare::on_listed(const std::shared_ptr<Hunt>& hunt) {
  std::set<ports::ShardRoot> under_way;
  for (const ObjectUpload* each : parts_.uploads) {
    under_way.insert(each->roots().begin(), each->roots().end());
  }
  under_way.insert(repairing_.begin(), repairing_.end());
  auto orphans = std::make_shared<std::pair<Result<void>, std::vector<ports::ShardRoot>>>();
  parts_.node.ports().workers.submit(
      [catalogue = parts_.catalogue, hunt, orphans, under_way = std::move(under_way)] {
        std::set<ports::ShardRoot> candidates(hunt->found.begin(), hunt->found.end());
        for (const ports::ShardRoot& root : under_way) candidates.erase(root);
        const ledger::LeaseId lease = hunt->place->first.lease;
        orphans->first = catalogue->stripes({}, [&](const StripeId&, const StripeRow& row) {
          for (std::size_t i = 0; i < row.places.size(); ++i) {
            if (row.places[i].lease == lease) candidates.erase(row.roots[i]);
          }
          return true;
        });
        orphans->second.assign(candidates.begin(), candidates.end());
      },
      [this, alive = alive_, hunt, orphans] {
        if (!*alive) return;
        auto& [state, roots] = *orphans;
        if (!state) hunt->is_whole = false;
        // What is garbage already waits for its commitment.
        if (state && !roots.empty()) {
          const auto garbage = parts_.catalogue->garbage(UINT64_MAX - 1, SIZE_MAX);
          std::set<ports::ShardRoot> waiting;
          if (garbage) {
            for (const auto& [key, row] : *garbage) {
              for (const GarbageRow::Item& item : row.items) waiting.insert(item.root);
            }
          }
          std::erase_if(roots,
                        [&](const ports::ShardRoot& root) { return waiting.contains(root); });
        }
        hunt->orphans = state ? std::move(roots) : std::vector<ports::ShardRoot>();
        drop_orphans(hunt);
      });
}

// Then the next place.
void StorageCare::drop_orphans(const std::shared_ptr<Hunt>& hunt) {
  if (hunt->orphans.empty()) return list_next(hunt);
  const auto count = static_cast<std::ptrdiff_t>(
      std::min<std::size_t>(hunt->orphans.size(), ports::kMaxListedShards));
  std::vector<ports::ShardRoot> roots(hunt->orphans.end() - count, hunt->orphans.end());
  hunt->orphans.erase(hunt->orphans.end() - count, hunt->orphans.end());
  const auto [place, kind] = *hunt->place;
  parts_.client.drop(place.node, place.lease, kind, committed(), std::move(roots),
                     [this, alive = alive_, hunt, count](const Result<void>& done) {
                       if (!*alive) return;
                       if (done) {
                         counters_.orphans_dropped += static_cast<std::uint64_t>(count);
                       } else {
                         hunt->is_whole = false;
                       }
                       drop_orphans(hunt);
                     });
}

}  // namespace hm::storing
