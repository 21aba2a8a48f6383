// SPDX-License-Identifier: Apache-2.0
#include "node/storing/storage_care.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/ledger/ledger.h"
#include "core/storage/commitment_tree.h"
#include "foundation/base/log.h"
#include "node/storing/care_judge.h"
#include "node/storing/keeper_limits.h"
#include "node/storing/object_keeper.h"

namespace hm::storing {
namespace {

struct Roots {
  Result<void> state;
  crypto::Digest objects;
  crypto::Digest shards;
};

Roots read_roots(const Catalogue& catalogue) {
  Roots roots;
  std::vector<storage::ObjectEntry> objects;
  std::vector<storage::ShardEntry> shards;
  roots.state = catalogue.objects([&](std::string_view, const ObjectRow& row) {
    if (row.origin == Origin::Own) {
      objects.push_back({row.what.object, row.what.version, row.commitment});
    }
    return true;
  });
  if (!roots.state) return roots;
  roots.state = catalogue.stripes({}, [&](const StripeId&, const StripeRow& row) {
    for (std::size_t i = 0; i < row.places.size(); ++i) {
      if (!row.places[i].node.is_zero()) shards.push_back({row.places[i].lease, row.roots[i]});
    }
    return true;
  });
  if (!roots.state) return roots;
  std::ranges::sort(objects, {}, &storage::ObjectEntry::object);
  std::ranges::sort(shards);
  const auto twice = std::ranges::unique(shards);
  shards.erase(twice.begin(), twice.end());
  roots.objects = storage::root_of(objects);
  roots.shards = storage::root_of(shards);
  return roots;
}

bool has_shard_at(const StripeRow& row, const GarbageRow::Item& item) {
  for (std::size_t i = 0; i < row.places.size(); ++i) {
    if (row.places[i] == item.place && row.roots[i] == item.root) return true;
  }
  return false;
}

}  // namespace

StorageCare::StorageCare(KeeperParts& parts, node::OwnOperations& operations,
                         KeeperCounters& counters)
    : parts_(parts), operations_(operations), counters_(counters) {
  ports::Timers& timers = parts.node.ports().timers;
  commit_timer_ = timers.create([this] { commit(); });
  audit_timer_ = timers.create([this] { audit(); });
  garbage_timer_ = timers.create([this] { drop_garbage(); });
  look_timer_ = timers.create([this] { look(); });
  repair_timer_ = timers.create([this] { repair_next(); });
  inventory_timer_ = timers.create([this] { check_next(); });
  parts_.node.add_observer(*this);
}

StorageCare::~StorageCare() {
  *alive_ = false;
  parts_.node.remove_observer(*this);
}

std::uint64_t StorageCare::committed() const {
  const auto* commitment = parts_.node.ledger().storage_commitment(parts_.node.id());
  return commitment == nullptr ? 0 : commitment->generation;
}

bool StorageCare::is_stale() const { return committed() > parts_.generation; }

void StorageCare::start(std::function<void(Result<void>)> done) {
  struct Read {
    std::map<ledger::LeaseId, std::uint64_t> used;
    bool has_any = false;
  };
  auto read = std::make_shared<Read>();
  parts_.queue.submit(
      [read](Catalogue& catalogue) -> Result<void> {
        HM_TRY_VOID(catalogue.sweep());
        HM_TRY(const auto uploads, catalogue.uploads());
        // Nothing is dropped before there is a commitment.
        read->has_any = !uploads.empty();
        // It takes its place until it is dropped.
        HM_TRY_VOID(catalogue.garbage(UINT64_MAX - 1, [&](ByteView, const GarbageRow& row) {
          read->has_any = true;
          for (const GarbageRow::Item& item : row.items) {
            read->used[item.place.lease] += ports::counted_bytes(row.shard_bytes);
          }
          return true;
        }));
        return catalogue.stripes({}, [&](const StripeId&, const StripeRow& row) {
          read->has_any = true;
          for (const storage::Place& place : row.places) {
            if (place.node.is_zero()) continue;
            read->used[place.lease] += ports::counted_bytes(row.shard_bytes);
          }
          return true;
        });
      },
      [this, alive = alive_, read, done = std::move(done)](const Result<void>& state) {
        if (!*alive) return;
        if (!state) return done(state);
        parts_.leases.set_used(std::move(read->used),
                               [this, alive] { return *alive && !is_stale(); });
        is_started_ = true;
        for (const StorageLease& lease : parts_.leases.leases()) {
          if (!lease.is_reachable) away_.try_emplace(lease.node, now());
        }
        if (is_stale()) {
          trouble_ = fmt::format(
              "the catalogue of objects is older than this node's commitment {} on the ledger: it "
              "was restored from a copy, or the node runs twice",
              committed());
        } else {
          // What the last process changed may be in no commitment yet.
          if (read->has_any || committed() > 0) changed();
          hunt();
          audit_timer_->arm(now() + kAuditPause);
          garbage_timer_->arm(now() + kLookSoon);
          look_timer_->arm(now() + kLostAfter);
          check(parts_.node.id());
          for (const identity::NodeId& peer : parts_.node.peers()) check(peer);
        }
        done({});
      });
}

void StorageCare::go_on(std::vector<storage::Place> places,
                        std::function<void(Result<bool>)> done) {
  const std::uint64_t generation = committed();
  const std::uint64_t number = parts_.next_upload++;
  const auto roots = std::make_shared<Roots>();
  parts_.queue.submit(
      [places = std::move(places), generation, number,
       roots](Catalogue& catalogue) -> Result<void> {
        *roots = read_roots(catalogue);
        HM_TRY_VOID(roots->state);
        // What was garbage once may be needed since; what is not is found among the orphans.
        HM_TRY(const auto garbage, catalogue.garbage(UINT64_MAX - 1, SIZE_MAX));
        for (const auto& [key, row] : garbage) HM_TRY_VOID(catalogue.forget_garbage(key));
        HM_TRY_VOID(catalogue.remember_upload(number, places));
        return catalogue.begin_generation(generation);
      },
      [this, alive = alive_, generation, roots, done = std::move(done)](const Result<void>& state) {
        if (!*alive) return;
        if (!state) return done(std::unexpected(state.error()));
        const auto* last = parts_.node.ledger().storage_commitment(parts_.node.id());
        const bool is_all = last != nullptr && last->objects == roots->objects;
        parts_.generation = std::max(parts_.generation, generation);
        trouble_.clear();
        start([is_all, done](const Result<void>& started) {
          done(started ? Result<bool>(is_all) : std::unexpected(started.error()));
        });
      });
}

void StorageCare::changed() {
  is_dirty_ = true;
  if (!is_committing_) commit_timer_->arm(now() + kCommitPause);
}

void StorageCare::commit() {
  if (!is_dirty_ || is_committing_ || is_stale()) return;
  is_committing_ = true;
  is_dirty_ = false;
  const std::uint64_t generation = committed() + 1;
  parts_.generation = std::max(parts_.generation, generation);
  auto roots = std::make_shared<Roots>();
  parts_.queue.submit(
      [roots, generation](Catalogue& catalogue) -> Result<void> {
        HM_TRY_VOID(catalogue.begin_generation(generation));
        *roots = read_roots(catalogue);
        return roots->state;
      },
      [this, alive = alive_, roots, generation](const Result<void>& state) {
        if (!*alive) return;
        const auto again = [this](const std::string& why) {
          is_committing_ = false;
          is_dirty_ = true;
          trouble_ = "the ledger has no commitment to the last changes: " + why;
          commit_timer_->arm(now() + kCommitRetryPause);
        };
        if (!state) return again(state.error().message);
        const auto* before = parts_.node.ledger().storage_commitment(parts_.node.id());
        if (before != nullptr && before->objects == roots->objects &&
            before->shards == roots->shards && !is_garbage_waiting_) {
          is_committing_ = false;
          return;
        }
        operations_.submit(
            ledger::CommitStorage{parts_.node.id(), generation, roots->objects, roots->shards},
            [this, alive, again](const std::optional<ledger::Refused>& refused) {
              if (!*alive) return;
              if (refused) return again(ledger::explain(*refused));
              is_committing_ = false;
              ++counters_.commitments;
              trouble_.clear();
              garbage_timer_->arm(now());
              if (hunt_again_) hunt();
              if (is_dirty_) changed();
            });
      });
}

StorageCare::Judge StorageCare::judge() const {
  Judge judge;
  for (const StorageLease& lease : parts_.leases.leases()) {
    const storage::Place place{lease.node, lease.lease};
    if (!parts_.leases.stands(place) || draining_.contains(lease.node)) continue;
    const auto away = away_.find(lease.node);
    if (away != away_.end() && now() >= away->second + kLostAfter) continue;
    judge.standing.insert(place);
  }
  judge.faulty = faulty_;
  return judge;
}

bool StorageCare::is_healthy(const storage::Place& place, const crypto::Digest& root) const {
  return parts_.leases.stands(place) && parts_.client.is_reachable(place.node) &&
         !faulty_.contains({place.lease, root});
}

// The hash of the last final block, which nobody could know beforehand, chooses whom to ask for
// what.
void StorageCare::audit() {
  audit_timer_->arm(now() + kAuditPause);
  if (is_auditing_ || is_stale()) return;
  Bytes seed = to_bytes(parts_.node.ledger().anchor().hash.view());
  const ByteView self = parts_.node.id().view();
  seed.insert(seed.end(), self.begin(), self.end());
  const crypto::Digest chance = crypto::tagged_hash("hm.storage.audit.v1", seed);
  std::optional<StripeRow> chosen;
  const auto take = [&](const StripeId&, const StripeRow& row) {
    chosen = row;
    return false;
  };
  auto read = parts_.catalogue->stripes(StripeId{chance.bytes}, take);
  if (read && !chosen) read = parts_.catalogue->stripes({}, take);
  if (!read || !chosen) return;
  std::uint64_t draw = 0;
  for (std::size_t i = 0; i < 8; ++i) draw = draw << 8 | chance.bytes[31 - i];
  const std::size_t index = draw % chosen->roots.size();
  const std::uint64_t pages = (chosen->shard_bytes + blake3::kPageSize - 1) / blake3::kPageSize;
  const std::uint64_t page = draw / chosen->roots.size() % pages;
  const storage::Place place = chosen->places[index];
  const crypto::Digest root = chosen->roots[index];
  if (place.node.is_zero() || !parts_.client.is_reachable(place.node)) return;
  is_auditing_ = true;
  parts_.client.prove(place.node, root, page,
                      [this, alive = alive_, place, root](const Result<ports::ProvenPage>& proven) {
                        if (!*alive) return;
                        is_auditing_ = false;
                        on_audited(place, root, proven);
                      });
}

void StorageCare::on_audited(const storage::Place& place, const crypto::Digest& root,
                             const Result<ports::ProvenPage>& page) {
  if (page) {
    ++counters_.audits_passed;
    return;
  }
  Fault fault = Fault::Missing;
  switch (page.error().code) {
    case ErrorCode::NotFound: break;
    case ErrorCode::Corrupt: fault = Fault::Corrupt; break;
    case ErrorCode::Unavailable:
      if (!parts_.client.is_reachable(place.node)) return;
      fault = Fault::Silent;
      break;
    default: return;
  }
  ++counters_.audits_failed;
  report({fault, place, root, parts_.wall(), page.error().message});
}

void StorageCare::report(FaultRow fault) {
  const bool is_new =
      fault.fault == Fault::Silent || faulty_.insert({fault.place.lease, fault.root}).second;
  if (!is_new) return;
  log::warning("storing", "a node does not have what it took",
               {{"node", fault.place.node.to_string()},
                {"fault", name_of(fault.fault)},
                {"shard", fault.root.to_string()},
                {"words", fault.words}});
  parts_.queue.submit([fault](Catalogue& catalogue) { return catalogue.add_fault(fault); });
  if (fault.fault == Fault::Silent) {
    parts_.leases.avoid(fault.place.node);
  } else {
    look_timer_->arm(now() + kLookSoon);
  }
}

void StorageCare::collect() {
  hunt();
  garbage_timer_->arm(now());
  look_timer_->arm(now());
}

void StorageCare::drain(const identity::NodeId& node) {
  draining_.insert(node);
  parts_.leases.avoid(node);
  look_timer_->arm(now());
}

void StorageCare::drop_garbage() {
  garbage_timer_->arm(now() + kGarbagePause);
  if (drops_ > 0 || is_stale() || !is_started_) return;
  auto rows = parts_.catalogue->garbage(UINT64_MAX - 1, kGarbageRows);
  if (!rows) {
    trouble_ = rows.error().message;
    return;
  }
  is_garbage_waiting_ = false;
  for (auto& [key, row] : *rows) {
    if (row.generation > committed()) {
      is_garbage_waiting_ = true;
    } else {
      drop(std::move(key), std::move(row));
    }
  }
  if (is_garbage_waiting_ && !is_pending()) changed();
}

// Forgotten when every node that can be asked has dropped its part; a lease that is over took it
// along.
void StorageCare::drop(Bytes key, GarbageRow row) {
  const auto now_there = parts_.catalogue->stripe(row.stripe);
  struct Progress {
    std::size_t pending = 0;
    bool is_whole = true;
  };
  auto progress = std::make_shared<Progress>();
  const auto end = [this, alive = alive_, key, progress] {
    if (!*alive || --progress->pending > 0) return;
    --drops_;
    if (!progress->is_whole) return;
    parts_.queue.submit([key](Catalogue& catalogue) { return catalogue.forget_garbage(key); });
  };
  ++drops_;
  ++progress->pending;  // until all are asked
  for (const GarbageRow::Item& item : row.items) {
    if (!parts_.is_kept_under(item.place)) continue;
    // It may have come back there since, and is counted once then.
    if (now_there && *now_there && has_shard_at(**now_there, item)) {
      parts_.leases.free(item.place, ports::counted_bytes(row.shard_bytes));
      continue;
    }
    if (!parts_.client.is_reachable(item.place.node)) {
      progress->is_whole = false;
      continue;
    }
    ++progress->pending;
    parts_.client.drop(item.place.node, item.place.lease, row.kind, row.generation, {item.root},
                       [this, alive = alive_, progress, end, place = item.place,
                        bytes = ports::counted_bytes(row.shard_bytes)](const Result<void>& done) {
                         if (!*alive) return;
                         if (done) {
                           ++counters_.shards_dropped;
                           parts_.leases.free(place, bytes);
                         } else if (done.error().code != ErrorCode::NotFound) {
                           progress->is_whole = false;
                         }
                         end();
                       });
  }
  end();
}

void StorageCare::on_final(const node::FinalEvent& event) {
  if (is_started_ && !event.outcome.lease_changes.empty()) look_timer_->arm(now() + kLookSoon);
}

void StorageCare::on_connected(const identity::NodeId& peer) {
  away_.erase(peer);
  if (!is_started_) return;
  garbage_timer_->arm(now() + kLookSoon);
  if (hunt_again_) hunt();
  check(peer);
}

void StorageCare::on_disconnected(const identity::NodeId& peer) {
  away_.try_emplace(peer, now());
  if (is_started_) look_timer_->arm(now() + kLostAfter);
}

}  // namespace hm::storing
