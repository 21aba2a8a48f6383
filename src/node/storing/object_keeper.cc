// SPDX-License-Identifier: Apache-2.0
#include "node/storing/object_keeper.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/ledger/ledger.h"
#include "foundation/base/utf8.h"
#include "foundation/blake3/blake3.h"
#include "node/storing/keeper_limits.h"
#include "node/storing/storage_care.h"
#include "node/storing/storage_recovery.h"

namespace hm::storing {

namespace {

// How often an object is looked at again that is replaced just then.
constexpr int kMostLooks = 8;

Result<ListedObject> find_in(const Catalogue& catalogue, std::string_view name_or_id) {
  HM_TRY(auto row, catalogue.object(name_or_id));
  if (row) return ListedObject{std::string(name_or_id), std::move(*row)};
  if (const auto id = ObjectId::parse(name_or_id)) {
    HM_TRY(const auto name, catalogue.name_of(*id));
    if (name) {
      HM_TRY(row, catalogue.object(*name));
      if (row) return ListedObject{*name, std::move(*row)};
    }
  }
  return fail(ErrorCode::NotFound, "no object has this name or id: " + std::string(name_or_id),
              "hypermesh ls lists what this node has stored");
}

// Between its row and its manifest an object may be replaced.
Result<OpenedObject> open_in(const Catalogue& catalogue, std::string_view name_or_id) {
  for (int look = 1;; ++look) {
    HM_TRY(ListedObject found, find_in(catalogue, name_or_id));
    auto manifest = catalogue.manifest(found.row);
    if (manifest) {
      return OpenedObject{std::move(found),
                          std::make_shared<const storage::Manifest>(std::move(*manifest))};
    }
    HM_TRY(const ListedObject again, find_in(catalogue, name_or_id));
    if (look == kMostLooks || again.row == found.row) return std::unexpected(manifest.error());
  }
}

}  // namespace

Result<void> check_object_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxObjectName || !is_utf8(name) ||
      name.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::InvalidArgument, "this is no name for an object",
                "1 to 1024 bytes of UTF-8 without a zero byte");
  }
  return {};
}

Result<std::unique_ptr<ObjectKeeper>> ObjectKeeper::open(
    node::Node& node, node::OwnOperations& operations, ShardClient& client, ports::Store& store,
    std::function<node::RoundTrips()> round_trips) {
  HM_TRY(auto catalogue, Catalogue::open(store, [&](std::span<std::uint8_t> out) {
           node.ports().random.fill(out);
         }));
  return std::unique_ptr<ObjectKeeper>(
      new ObjectKeeper(node, operations, client, std::move(round_trips), std::move(catalogue)));
}

ObjectKeeper::ObjectKeeper(node::Node& node, node::OwnOperations& operations, ShardClient& client,
                           std::function<node::RoundTrips()> round_trips,
                           std::shared_ptr<Catalogue> catalogue)
    : leases_(std::make_unique<StorageLeases>(node, operations, std::move(round_trips))),
      catalogue_(catalogue),
      queue_(std::make_unique<CatalogueQueue>(std::move(catalogue), node.ports().workers,
                                              [this] { resume_uploads(); })),
      parts_{.node = node,
             .client = client,
             .leases = *leases_,
             .catalogue = catalogue_,
             .queue = *queue_},
      care_(std::make_unique<StorageCare>(parts_, operations, counters_)),
      multipart_(std::make_unique<MultipartUploads>(
          parts_, MultipartUploads::Hooks{.ready = [this] { return ready(); },
                                          .counted =
                                              [this](ObjectUpload::Listener listener) {
                                                return counted(std::move(listener));
                                              }})) {
  parts_.changed = [this] { care_->changed(); };
  parts_.unsure = [this] { care_->hunt(); };
  parts_.fault = [this](FaultRow fault) { care_->report(std::move(fault)); };
  parts_.next_version = catalogue_->head().last_version + 1;
  parts_.generation = catalogue_->head().last_generation;
}

ObjectKeeper::~ObjectKeeper() {
  *alive_ = false;
  for (ObjectUpload* each : parts_.uploads) each->detach();
  for (ObjectDownload* each : parts_.downloads) each->detach();
}

void ObjectKeeper::start() {
  care_->start([this, alive = alive_](const Result<void>& read) {
    if (*alive && read) is_started_ = true;
  });
}

Result<void> ObjectKeeper::ready() const {
  if (!is_started_) {
    return fail(ErrorCode::Unavailable, "the node is still reading its catalogue of objects",
                "try again in a moment");
  }
  if (care_->is_stale()) return fail(ErrorCode::FailedPrecondition, care_->trouble(), "");
  return {};
}

Result<std::shared_ptr<ObjectUpload>> ObjectKeeper::upload(UploadPlan plan,
                                                           ObjectUpload::Listener listener) {
  HM_TRY_VOID(ready());
  if (parts_.uploads.size() >= kMaxTransfers) {
    return fail(ErrorCode::Busy, "as many uploads as the node can hold are under way",
                "try again when one of them has ended");
  }
  return ObjectUpload::start(parts_, plan, counted(std::move(listener)));
}

ObjectUpload::Listener ObjectKeeper::counted(ObjectUpload::Listener listener) {
  auto done = std::move(listener.on_done);
  listener.on_done = [this, alive = alive_, done = std::move(done)](Result<UploadReport> report) {
    if (*alive && report) {
      counters_.objects_put += report->objects.size();
      counters_.bytes_put += report->plain_bytes;
    }
    if (*alive && !report) care_->collect();
    done(std::move(report));
  };
  return listener;
}

void ObjectKeeper::open_object(std::string name_or_id,
                               std::function<void(Result<OpenedObject>)> done) {
  const auto opened = std::make_shared<std::optional<Result<OpenedObject>>>();
  parts_.node.ports().workers.submit([catalogue = catalogue_, name = std::move(name_or_id),
                                      opened] { *opened = open_in(*catalogue, name); },
                                     [alive = alive_, opened, done = std::move(done)] {
                                       if (*alive) done(std::move(**opened));
                                     });
}

Result<std::shared_ptr<ObjectDownload>> ObjectKeeper::download(ManifestPtr manifest,
                                                               std::optional<Range> range,
                                                               ObjectDownload::Listener listener) {
  if (parts_.downloads.size() >= kMaxTransfers) {
    return fail(ErrorCode::Busy, "as many downloads as the node can hold are under way",
                "try again when one of them has ended");
  }
  ++counters_.objects_got;
  auto on_bytes = std::move(listener.on_bytes);
  listener.on_bytes = [this, alive = alive_, on_bytes = std::move(on_bytes)](std::string piece) {
    if (*alive) counters_.bytes_got += piece.size();
    on_bytes(std::move(piece));
  };
  const Range all = range.value_or(Range{0, manifest->size});
  return ObjectDownload::start(parts_, std::move(manifest), all.begin, all.end,
                               std::move(listener));
}

Result<ListedObject> ObjectKeeper::find(std::string_view name_or_id) const {
  return find_in(*catalogue_, name_or_id);
}

Result<ObjectList> ObjectKeeper::list(std::string_view prefix, std::string_view after,
                                      std::optional<char> delimiter, std::size_t count) const {
  return catalogue_->list(prefix, after, delimiter, count);
}

void ObjectKeeper::health(ManifestPtr manifest, std::function<void(Result<ObjectHealth>)> done) {
  struct Read {
    Result<void> state;
    std::vector<StripeRow> stripes;
  };
  const auto read = std::make_shared<Read>();
  parts_.node.ports().workers.submit(
      [catalogue = catalogue_, manifest = std::move(manifest), read] {
        for (const storage::Stripe& each : manifest->stripes) {
          auto stripe = catalogue->stripe(stripe_id_of(each.roots));
          if (!stripe) read->state = std::unexpected(stripe.error());
          if (!stripe) return;
          if (*stripe) read->stripes.push_back(std::move(**stripe));
        }
      },
      [this, alive = alive_, read, done = std::move(done)] {
        if (!*alive) return;
        if (!read->state) return done(std::unexpected(read->state.error()));
        done(judge(read->stripes));
      });
}

ObjectHealth ObjectKeeper::judge(const std::vector<StripeRow>& stripes) const {
  ObjectHealth health;
  health.stripes = stripes.size();
  std::size_t bears = SIZE_MAX;
  std::map<identity::NodeId, ObjectHealth::Holder> holders;
  for (const StripeRow& stripe : stripes) {
    std::size_t healthy = 0;
    for (std::size_t i = 0; i < stripe.roots.size(); ++i) {
      ++health.shards;
      const storage::Place& place = stripe.places[i];
      if (place.node.is_zero()) continue;
      auto& holder = holders[place.node];
      holder.node = place.node;
      if (const auto owner = leases_->owner_of(place)) holder.owner = *owner;
      ++holder.shards;
      holder.bytes += stripe.shard_bytes;
      holder.is_reachable = parts_.client.is_reachable(place.node);
      holder.stands = leases_->stands(place);
      if (care_->is_healthy(place, stripe.roots[i])) ++healthy;
    }
    health.healthy += healthy;
    const std::size_t needed = stripe.code.data;
    health.is_readable = health.is_readable && healthy >= needed;
    bears = std::min(bears, healthy > needed ? healthy - needed : 0);
  }
  health.bears = bears == SIZE_MAX ? 0 : bears;
  for (auto& [node, holder] : holders) health.holders.push_back(holder);
  return health;
}

void ObjectKeeper::remove(std::vector<std::string> names, Done done) {
  if (auto is_ready = ready(); !is_ready) return done(is_ready);
  queue_->apply({.removed = std::move(names)},
                [this, done = std::move(done)](const Result<void>& removed) {
                  if (removed) care_->changed();
                  done(removed);
                });
}

void ObjectKeeper::resume_uploads() {
  const std::vector<ObjectUpload*> uploads(parts_.uploads.begin(), parts_.uploads.end());
  for (ObjectUpload* each : uploads) {
    if (parts_.uploads.contains(each)) each->run();
  }
}

void ObjectKeeper::share(std::string_view name, std::vector<identity::OwnerId> readers,
                         std::function<void(Result<ListedObject>)> done) {
  if (auto is_ready = ready(); !is_ready) return done(std::unexpected(is_ready.error()));
  open_object(std::string(name), [this, readers = std::move(readers),
                                  done = std::move(done)](Result<OpenedObject> opened) mutable {
    if (!opened) return done(std::unexpected(opened.error()));
    const ListedObject& found = opened->object;
    if (found.row.origin != Origin::Own) {
      return done(fail(ErrorCode::PermissionDenied, "the object is another owner's",
                       "only its owner can share it; store a copy of it first"));
    }
    ObjectUpload::Listener listener;
    listener.on_done = [done = std::move(done)](Result<UploadReport> report) {
      if (!report) return done(std::unexpected(report.error()));
      done(report->objects.front());
    };
    (void)ObjectUpload::reseal(parts_, found.name, found.row, *opened->manifest, std::move(readers),
                               std::move(listener));
  });
}

// An object that is read and stored again at the same time.
class ObjectKeeper::Rewrite : public std::enable_shared_from_this<Rewrite> {
 public:
  std::shared_ptr<ObjectUpload> upload;
  std::shared_ptr<ObjectDownload> download;
};

void ObjectKeeper::rewrite(std::string_view name, std::vector<identity::OwnerId> readers,
                           std::function<void(Result<ListedObject>)> done) {
  open_object(std::string(name), [this, readers = std::move(readers), done = std::move(done)](
                                     const Result<OpenedObject>& opened) mutable {
    if (!opened) return done(std::unexpected(opened.error()));
    rewrite(*opened, std::move(readers), std::move(done));
  });
}

void ObjectKeeper::rewrite(const OpenedObject& opened, std::vector<identity::OwnerId> readers,
                           std::function<void(Result<ListedObject>)> done) {
  const ListedObject& found = opened.object;
  const auto rewrite = std::make_shared<Rewrite>();
  const auto shared_done =
      std::make_shared<std::function<void(Result<ListedObject>)>>(std::move(done));
  const auto end = [rewrite, shared_done](Result<ListedObject> result) {
    if (!*shared_done) return;
    auto tell = std::exchange(*shared_done, nullptr);
    rewrite->upload.reset();
    rewrite->download.reset();
    tell(std::move(result));
  };
  ObjectUpload::Listener up;
  up.on_taken = [rewrite](std::size_t bytes) {
    if (rewrite->download) rewrite->download->take(bytes);
  };
  up.on_done = [end](Result<UploadReport> report) {
    if (!report) return end(std::unexpected(report.error()));
    end(report->objects.front());
  };
  auto started = upload({.bytes = found.row.size, .code = found.row.code}, std::move(up));
  if (!started) return end(std::unexpected(started.error()));
  rewrite->upload = std::move(*started);
  rewrite->upload->begin({.name = found.name,
                          .metadata = opened.manifest->description.metadata,
                          .sharing = Sharing::Alone,
                          .condition = {.only_version = found.row.what.version},
                          .readers = std::move(readers),
                          .known_hash = found.row.content});
  ObjectDownload::Listener down;
  down.on_bytes = [rewrite](std::string piece) {
    if (rewrite->upload) rewrite->upload->push(std::move(piece));
  };
  down.on_done = [rewrite, end](const Result<void>& result) {
    if (!result) return end(std::unexpected(result.error()));
    if (!rewrite->upload) return;
    rewrite->upload->end();
    rewrite->upload->finish();
  };
  auto reading = download(opened.manifest, std::nullopt, std::move(down));
  if (!reading) return end(std::unexpected(reading.error()));
  if (*shared_done) rewrite->download = std::move(*reading);
}

// Asks one node after the other.
class ObjectKeeper::BundleFetch : public std::enable_shared_from_this<BundleFetch> {
 public:
  BundleFetch(ShardClient& client, const ports::ShardRoot& root,
              std::vector<identity::NodeId> nodes, std::function<void(Result<Bytes>)> done)
      : client_(client), root_(root), nodes_(std::move(nodes)), done_(std::move(done)) {}

  void next() {
    if (nodes_.empty()) {
      return done_(fail(ErrorCode::NotFound, "no connected node has anything of this id",
                        "the id is wrong, it was removed, or the nodes that have it are away"));
    }
    const identity::NodeId node = nodes_.back();
    nodes_.pop_back();
    client_.get(node, root_, 0, ports::kMaxShardBytes,
                [self = shared_from_this()](const Result<ShardPart>& part) {
                  if (!part || part->bytes.size() != part->shard_bytes ||
                      blake3::hash(part->bytes) != self->root_) {
                    return self->next();
                  }
                  self->done_(part->bytes);
                });
  }

 private:
  ShardClient& client_;
  ports::ShardRoot root_;
  std::vector<identity::NodeId> nodes_;
  std::function<void(Result<Bytes>)> done_;
};

void ObjectKeeper::fetch_bundle(const ports::ShardRoot& root,
                                std::function<void(Result<Bytes>)> done) {
  std::vector<identity::NodeId> nodes(parts_.node.peers().begin(), parts_.node.peers().end());
  nodes.push_back(parts_.node.id());
  std::make_shared<BundleFetch>(parts_.client, root, std::move(nodes), std::move(done))->next();
}

void ObjectKeeper::attach(std::string name, storage::Manifest manifest, Done done) {
  if (auto is_ready = ready(); !is_ready) return done(is_ready);
  if (auto is_name = check_object_name(name); !is_name) return done(is_name);
  const auto own = own_owner(parts_.node);
  ObjectRow row{.origin = Origin::Shared,
                .what = manifest.what,
                .size = manifest.size,
                .content = manifest.content,
                .stored = parts_.wall()};
  if (!manifest.stripes.empty()) row.code = manifest.stripes.front().code;
  const bool is_own_already =
      own && manifest.what.owner == *own && catalogue_->object(name) && *catalogue_->object(name);
  if (is_own_already) {
    return done(fail(ErrorCode::AlreadyExists, "this node has an object of this name: " + name,
                     "choose another name"));
  }
  const PutCondition condition{.only_new = true};
  CatalogueChange change;
  change.put.push_back({std::move(name), condition, std::move(row), std::move(manifest)});
  queue_->apply(std::move(change), std::move(done));
}

Result<StorageRecovery*> ObjectKeeper::recovery() {
  if (is_started_ && !care_->is_stale()) {
    return fail(ErrorCode::FailedPrecondition, "there is nothing to recover",
                "the catalogue of objects is as new as this node's last commitment");
  }
  if (!is_started_) return std::unexpected(ready().error());
  if (!recovery_) recovery_ = std::make_unique<StorageRecovery>(parts_);
  return recovery_.get();
}

void ObjectKeeper::end_recovery(std::function<void(Result<bool>)> done) {
  const auto recovery = this->recovery();
  if (!recovery) return done(std::unexpected(recovery.error()));
  if (!(*recovery)->is_listed()) {
    return done(fail(ErrorCode::FailedPrecondition, "the recovery has not begun",
                     "everything that others keep is listed first"));
  }
  care_->go_on((*recovery)->places(), [this, alive = alive_, done](const Result<bool>& state) {
    if (*alive && state) recovery_.reset();
    done(state);
  });
}

KeeperStatus ObjectKeeper::status() const {
  KeeperStatus status{.leases = leases_->leases(),
                      .commitment = care_->committed(),
                      .is_pending = care_->is_pending(),
                      .repairs_waiting = care_->repairs_waiting(),
                      .trouble = care_->trouble().empty() ? leases_->trouble() : care_->trouble(),
                      .counters = counters_};
  if (auto faults = catalogue_->faults()) status.faults = std::move(*faults);
  return status;
}

void ObjectKeeper::collect() { care_->collect(); }

void ObjectKeeper::drain(const identity::NodeId& node) { care_->drain(node); }

}  // namespace hm::storing
