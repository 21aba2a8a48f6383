// SPDX-License-Identifier: Apache-2.0
// Repair: which stripes have shards that cannot be counted on, and how these are made anew.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "foundation/base/log.h"
#include "foundation/blake3/blake3.h"
#include "foundation/erasure/coder.h"
#include "node/storing/care_judge.h"
#include "node/storing/keeper_limits.h"
#include "node/storing/object_keeper.h"
#include "node/storing/storage_care.h"

namespace hm::storing {

struct StorageCare::Repair {
  Damage damage;
  std::vector<Bytes> shards;             // by index, empty where not there
  std::vector<ports::SharedBytes> made;  // by place in damage.bad
  std::vector<std::uint8_t> sources;     // that may be asked yet
  std::size_t there = 0;
  std::size_t asked = 0;  // answers that are awaited
  std::vector<MovedShard> moved;
  std::size_t placing = 0;
  std::uint64_t upload = 0;  // as which the catalogue remembers what is on its way
  bool is_unsure = false;    // a node may have kept what it did not confirm
  Result<void> state;
};

// Reads all stripes; the most urgent are repaired.
void StorageCare::look() {
  look_timer_->arm(now() + kLookPause);
  if (is_looking_) {
    look_again_ = true;
    return;
  }
  if (is_stale()) return;
  is_looking_ = true;
  auto found = std::make_shared<std::pair<Result<void>, std::vector<Damage>>>();
  parts_.node.ports().workers.submit(
      [catalogue = parts_.catalogue, judge = judge(), found] {
        auto& [state, damages] = *found;
        // The most urgent come last.
        const auto keep = [&list = damages](std::size_t count) {
          std::ranges::stable_sort(list, std::ranges::greater{}, &Damage::spare);
          if (list.size() > count) {
            list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(count));
          }
        };
        state = catalogue->stripes({}, [&](const StripeId& id, const StripeRow& row) {
          auto bad = judge.bad_of(row);
          if (bad.empty() || row.references == 0) return true;
          const std::size_t healthy = row.roots.size() - bad.size();
          const std::size_t spare = healthy > row.code.data ? healthy - row.code.data : 0;
          damages.push_back({spare, id, row, std::move(bad)});
          if (damages.size() >= 2 * kRepairsAtOnce) keep(kRepairsAtOnce);
          return true;
        });
        keep(kRepairsAtOnce);
      },
      [this, alive = alive_, found] {
        if (!*alive) return;
        is_looking_ = false;
        auto& [state, damages] = *found;
        if (!state) {
          trouble_ = state.error().message;
        } else {
          repairs_ = std::move(damages);
          if (!repair_ && !repairs_.empty()) repair_timer_->arm(now());
        }
        if (std::exchange(look_again_, false)) look_timer_->arm(now() + kLookSoon);
      });
}

void StorageCare::repair_next() {
  if (repair_ || repairs_.empty() || is_stale()) return;
  auto repair = std::make_shared<Repair>();
  repair->damage = std::move(repairs_.back());
  repairs_.pop_back();
  Damage& damage = repair->damage;
  // As it stands now: the look is some time ago.
  const auto row = parts_.catalogue->stripe(damage.id);
  if (!row || !*row || (*row)->references == 0) return repair_timer_->arm(now());
  damage.row = **row;
  damage.bad = judge().bad_of(damage.row);
  if (damage.bad.empty()) return repair_timer_->arm(now());
  repair_ = repair;
  repairing_ = damage.row.roots;
  repair->shards.resize(damage.row.roots.size());
  // Good ones first; one that is about to go, or is away for long, may still answer.
  for (std::size_t i = 0; i < damage.row.roots.size(); ++i) {
    const storage::Place& place = damage.row.places[i];
    if (place.node.is_zero() || !parts_.client.is_reachable(place.node)) continue;
    if (faulty_.contains({place.lease, damage.row.roots[i]})) continue;
    repair->sources.push_back(static_cast<std::uint8_t>(i));
  }
  std::ranges::stable_partition(repair->sources, [&](std::uint8_t i) {
    return std::ranges::find(damage.bad, i) == damage.bad.end();
  });
  std::ranges::reverse(repair->sources);  // taken from the back
  fetch(repair);
}

void StorageCare::fetch(const std::shared_ptr<Repair>& repair) {
  const StripeRow& row = repair->damage.row;
  while (repair->there + repair->asked < row.code.data && !repair->sources.empty()) {
    const std::uint8_t index = repair->sources.back();
    repair->sources.pop_back();
    ++repair->asked;
    parts_.client.get(row.places[index].node, row.roots[index], 0, row.shard_bytes,
                      [this, alive = alive_, repair, index](Result<ShardPart> part) {
                        if (*alive) on_fetched(repair, index, std::move(part));
                      });
  }
  if (repair->asked > 0) return;
  if (repair->there < row.code.data) {
    return give_up(repair, fmt::format("only {} of {} parts of a stripe can be had, {} are needed",
                                       repair->there, row.roots.size(), row.code.data));
  }
  rebuild(repair);
}

void StorageCare::on_fetched(const std::shared_ptr<Repair>& repair, std::uint8_t index,
                             Result<ShardPart> part) {
  --repair->asked;
  const StripeRow& row = repair->damage.row;
  if (part && part->bytes.size() == row.shard_bytes) {
    repair->shards[index] = std::move(part->bytes);
    ++repair->there;
  } else if (!part && (part.error().code == ErrorCode::NotFound ||
                       part.error().code == ErrorCode::Corrupt)) {
    report({part.error().code == ErrorCode::NotFound ? Fault::Missing : Fault::Corrupt,
            row.places[index], row.roots[index], parts_.wall(), part.error().message});
  }
  fetch(repair);
}

void StorageCare::rebuild(const std::shared_ptr<Repair>& repair) {
  parts_.node.ports().workers.submit(
      [repair] {
        const Damage& damage = repair->damage;
        const StripeRow& row = damage.row;
        erasure::Coder coder(row.code);
        std::vector<erasure::ShardBytes> there;
        for (const Bytes& each : repair->shards)
          there.push_back(each.empty() ? nullptr : each.data());
        std::vector<Bytes> made;
        std::vector<erasure::Coder::Wanted> wanted;
        made.reserve(damage.bad.size());
        for (const std::uint8_t index : damage.bad) {
          made.emplace_back(repair->shards[index]);  // fetched from a place that is about to go
          if (!made.back().empty()) continue;
          made.back().resize(row.shard_bytes);
          wanted.push_back({index, made.back().data()});
        }
        if (!coder.reconstruct(there, wanted, row.shard_bytes)) {
          repair->state = fail(ErrorCode::Corrupt, "a stripe cannot be computed", "");
          return;
        }
        for (std::size_t i = 0; i < made.size(); ++i) {
          if (blake3::hash(made[i]) != row.roots[damage.bad[i]]) {
            repair->state = fail(ErrorCode::Corrupt, "a shard that was made anew is another one",
                                 "the stripe's parts do not belong together");
            return;
          }
          repair->made.push_back(std::make_shared<const Bytes>(std::move(made[i])));
        }
        repair->shards.clear();
      },
      [this, alive = alive_, repair] {
        if (!*alive) return;
        if (!repair->state) return give_up(repair, repair->state.error().message);
        place(repair);
      });
}

void StorageCare::place(const std::shared_ptr<Repair>& repair) {
  const Damage& damage = repair->damage;
  const StripeRow& row = damage.row;
  const std::uint64_t each = ports::counted_bytes(row.shard_bytes);
  std::set<identity::OwnerId> holders;
  for (std::size_t i = 0; i < row.places.size(); ++i) {
    if (std::ranges::find(damage.bad, i) != damage.bad.end()) continue;
    if (const auto owner = parts_.leases.owner_of(row.places[i])) holders.insert(*owner);
  }
  parts_.leases.reserve(
      {.most = damage.bad.size(), .least = 1, .bytes_each = each, .not_by = std::move(holders)},
      [this, alive = alive_, repair](Result<std::vector<storage::Place>> places) {
        if (!*alive) return;
        if (!places) return give_up(repair, places.error().message + ": " + places.error().detail);
        repair->placing = places->size();
        repair->upload = parts_.next_upload++;
        repairs_under_way_.insert(repair->upload);
        parts_.queue.submit(
            [number = repair->upload, places = *places](Catalogue& catalogue) {
              return catalogue.remember_upload(number, places);
            },
            [this, alive, repair, places = *places](const Result<void>& kept) {
              if (!*alive) return;
              if (kept) return put(repair, places);
              give_up(repair, kept.error().message);
            });
      });
}

void StorageCare::put(const std::shared_ptr<Repair>& repair,
                      const std::vector<storage::Place>& places) {
  const Damage& damaged = repair->damage;
  const std::uint64_t each = ports::counted_bytes(damaged.row.shard_bytes);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::uint8_t index = damaged.bad[i];
    const storage::Place to = places[i];
    parts_.client.put(
        {to.node, to.lease, damaged.row.kind, damaged.row.roots[index], repair->made[i]},
        [this, alive = alive_, repair, index, to, each](const Result<void>& done) {
          if (!*alive) return;
          if (done) {
            const storage::Place& from = repair->damage.row.places[index];
            // What is made whole where it lies takes no more than before.
            if (from == to) {
              parts_.leases.release(to, each);
            } else {
              parts_.leases.use(to, each);
            }
            repair->moved.push_back({repair->damage.id, index, from, to});
          } else {
            parts_.leases.release(to, each);
            parts_.leases.avoid(to.node, done.error().message);
            if (done.error().code == ErrorCode::Unavailable) repair->is_unsure = true;
          }
          if (--repair->placing == 0) finish(repair);
        });
  }
}

void StorageCare::finish(const std::shared_ptr<Repair>& repair) {
  if (repair->moved.empty()) return give_up(repair, "nobody took what was made anew");
  parts_.queue.apply(
      {.moved = repair->moved}, [this, alive = alive_, repair](const Result<void>& moved) {
        if (!*alive) return;
        if (!moved) return give_up(repair, moved.error().message);
        const StripeRow& row = repair->damage.row;
        const std::uint64_t bytes = std::uint64_t{row.shard_bytes} * repair->moved.size();
        counters_.shards_repaired += repair->moved.size();
        counters_.bytes_repaired += bytes;
        for (const MovedShard& each : repair->moved) {
          faulty_.erase({each.from.lease, row.roots[each.index]});
        }
        const bool is_whole = repair->moved.size() == repair->damage.bad.size();
        end_repair(*repair);
        trouble_.clear();
        changed();
        const auto pause = std::chrono::nanoseconds(bytes * 1'000'000'000 / kRepairBytesPerSecond);
        repair_timer_->arm(now() + pause);
        if (repairs_.empty()) look_timer_->arm(now() + (is_whole ? kLookSoon : kRepairRetryPause));
      });
}

void StorageCare::end_repair(const Repair& repair) {
  repair_.reset();
  repairing_.clear();
  if (repair.upload == 0) return;
  repairs_under_way_.erase(repair.upload);
  if (repair.is_unsure) {
    hunt();
  } else {
    parts_.queue.submit(
        [number = repair.upload](Catalogue& catalogue) { return catalogue.forget_upload(number); });
  }
}

void StorageCare::give_up(const std::shared_ptr<Repair>& repair, const std::string& why) {
  // Often the same for all, and for long.
  if (trouble_ != "repair waits: " + why) {
    log::warning("storing", "a stripe is not repaired",
                 {{"stripe", repair->damage.id.to_string()}, {"why", why}});
  }
  trouble_ = "repair waits: " + why;
  repair->is_unsure = true;
  end_repair(*repair);
  // Others may be repairable; this one comes again with the next look.
  if (!repairs_.empty()) {
    repair_timer_->arm(now() + kLookSoon);
  } else {
    look_timer_->arm(now() + kRepairRetryPause);
  }
}

}  // namespace hm::storing
