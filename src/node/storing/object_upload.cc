// SPDX-License-Identifier: Apache-2.0
#include "node/storing/object_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/ledger/ledger.h"
#include "core/storage/content_class.h"
#include "core/storage/limits.h"
#include "core/storage/manifest_box.h"
#include "foundation/base/check.h"
#include "foundation/blake3/blake3.h"
#include "foundation/crypto/sealed_box/sealed_box.h"
#include "node/storing/bundle.h"
#include "node/storing/keeper_limits.h"

namespace hm::storing {
namespace {

Error of(storage::StorageError error) {
  return {ErrorCode::InvalidArgument,
          "the object cannot be stored: " + std::string(storage::explain(error)),
          std::string(storage::name_of(error))};
}

// Where segments of the domain lie already.
class PinnedIndex final : public storage::SegmentIndex {
 public:
  explicit PinnedIndex(Catalogue& catalogue) : pins_(catalogue) {}
  std::optional<storage::KnownSegment> find(const storage::SegmentId& id) override {
    return pins_.find(id);
  }

 private:
  Catalogue::Pins pins_;
};

blake3::Key cut_key_of(const CatalogueHead& head) {
  auto hasher = blake3::Hasher::deriving("hm.storage.catalogue.segment-key.v1");
  hasher.update(head.domain_secret);
  blake3::Key key;
  hasher.extended_output(0, key);
  return key;
}

}  // namespace

struct ObjectUpload::Step {
  enum class Kind : std::uint8_t { Begin, Piece, End } kind = Kind::Piece;
  NewObject object;
  std::uint64_t version = 0;
  std::string piece;
};

struct ObjectUpload::Flight {
  StripeRow row;
  std::vector<ports::SharedBytes> shards;
  std::vector<std::size_t> tries;
  std::set<identity::OwnerId> owners;  // that have one of them, or refused
  std::size_t pending = 0;
};

struct ObjectUpload::Encoding {
  Encoding(KeeperParts& parts, const identity::OwnerId& owner_id, const storage::Layout& layout)
      : owner(owner_id),
        node(parts.node.id()),
        randomness(fresh_randomness(parts.node)),
        domain(owner_id, parts.catalogue.head().domain, parts.catalogue.head().domain_secret),
        cut_by(cut_key_of(parts.catalogue.head())),
        index(parts.catalogue),
        writer(layout, randomness_of_writer(parts),
               [this](const storage::FinishedStripe& stripe) { take(stripe); }) {}

  static storage::Randomness randomness_of_writer(KeeperParts& parts) {
    return fresh_randomness(parts.node);
  }

  void take(const storage::FinishedStripe& stripe) {
    auto flight = std::make_unique<Flight>();
    flight->row = {
        ShardKind::Data, stripe.stripe.code, stripe.stripe.shard_bytes, stripe.stripe.roots, {}, 0};
    for (const ByteView shard : stripe.shards) {
      flight->shards.push_back(std::make_shared<const Bytes>(to_bytes(shard)));
    }
    stripes.push_back(std::move(flight));
  }

  // An object that has begun. Its class is told from its head.
  struct Open {
    NewObject object;
    std::uint64_t version = 0;
    Bytes head;
    std::unique_ptr<storage::ObjectEncoder> encoder;
  };

  Result<void, storage::StorageError> begin_encoder(Open& open) {
    storage::ObjectPlan plan{
        .what = {owner, to_bytes(object_id_of(node, open.object.name).view()), open.version},
        .description = {open.object.name, open.object.metadata},
        .profile = open.object.profile,
        .content = storage::classify(open.head, open.object.name),
        .compression = open.object.compression,
        .cut_by = cut_by};
    if (open.object.sharing == Sharing::InDomain) {
      plan.domain = &domain;
      plan.index = &index;
    }
    HM_TRY(open.encoder, storage::ObjectEncoder::start(plan, writer, randomness));
    const Bytes head = std::exchange(open.head, {});
    return open.encoder->push(head);
  }

  Result<void, storage::StorageError> take(Step& step) {
    switch (step.kind) {
      case Step::Kind::Begin:
        objects.push_back({std::move(step.object), step.version, {}, nullptr});
        return {};
      case Step::Kind::Piece: {
        Open& open = objects.back();
        plain_bytes += step.piece.size();
        if (open.encoder) return open.encoder->push(as_bytes(step.piece));
        open.head.insert(open.head.end(), step.piece.begin(), step.piece.end());
        if (open.head.size() < storage::kClassHead) return {};
        return begin_encoder(open);
      }
      case Step::Kind::End: {
        Open& open = objects.back();
        if (!open.encoder) HM_TRY_VOID(begin_encoder(open));
        return open.encoder->finish();
      }
    }
    return {};
  }

  identity::OwnerId owner;
  identity::NodeId node;
  storage::Randomness randomness;
  storage::Domain domain;
  storage::SegmentKey cut_by;
  PinnedIndex index;
  storage::StripeWriter writer;
  std::deque<Open> objects;  // their encoders stay where they are
  std::vector<std::unique_ptr<Flight>> stripes;
  Result<void, storage::StorageError> state;
  std::uint64_t plain_bytes = 0;
  std::uint64_t shared_bytes = 0;

  // What is sealed at the end: of the objects above, or of one that is sealed anew.
  struct Sealed {
    std::string name;
    PutCondition condition;
    std::vector<identity::OwnerId> readers;
    storage::Manifest manifest;
    std::vector<StripeId> own_stripes;
    crypto::Digest commitment;
    std::size_t bundle = 0;
  };
  std::vector<Sealed> sealed;
  std::vector<Bytes> bundles;
};

std::shared_ptr<ObjectUpload> ObjectUpload::start(KeeperParts& parts, UploadPlan plan,
                                                  Listener listener) {
  return std::make_shared<ObjectUpload>(parts, plan, std::move(listener));
}

ObjectUpload::ObjectUpload(KeeperParts& parts, UploadPlan plan, Listener listener)
    : parts_(parts), plan_(plan), listener_(std::move(listener)) {
  parts_.uploads.insert(this);
}

ObjectUpload::~ObjectUpload() { give_up(); }

void ObjectUpload::begin(NewObject object) {
  steps_.push_back({Step::Kind::Begin, std::move(object), parts_.next_version++, {}});
  run();
}

void ObjectUpload::push(std::string piece) {
  if (piece.empty()) return;
  steps_bytes_ += piece.size();
  steps_.push_back({Step::Kind::Piece, {}, 0, std::move(piece)});
  run();
}

void ObjectUpload::end() {
  steps_.push_back({Step::Kind::End, {}, 0, {}});
  run();
}

void ObjectUpload::finish() {
  is_finished_ = true;
  run();
}

void ObjectUpload::give_up() {
  parts_.uploads.erase(this);
  is_over_ = true;
  for (const storage::Place& place : places_) parts_.leases.release(place, room_each_);
  places_.clear();
  if (stage_ == Stage::Committing) return;
  for (const auto& [place, bytes] : used_) parts_.leases.free(place, bytes);
  used_.clear();
}

void ObjectUpload::fail_with(Error error) {
  if (is_over_) return;
  give_up();
  auto done = std::move(listener_.on_done);
  listener_ = {};
  if (done) done(std::unexpected(std::move(error)));
}

// The widest code that owners can hold, once it is known how much there is.
void ObjectUpload::choose() {
  const auto owner = own_owner(parts_.node);
  if (!owner) {
    return fail_with(
        {ErrorCode::Unavailable, "this node is not on the ledger", "wait until it has joined"});
  }
  const std::uint64_t bytes = plan_.bytes.value_or(UINT64_MAX);
  const std::uint64_t probe = std::min<std::uint64_t>(bytes, storage::kDefaultShardBytes);
  const std::size_t owners =
      parts_.leases.owners(std::max<std::uint64_t>(probe, ports::kMinCountedBytes));
  auto choice = storage::choose_code(bytes, owners);
  if (!choice) {
    return fail_with({ErrorCode::NoCapacity, "nobody lends storage that this node may use now",
                      parts_.leases.trouble().empty()
                          ? "hypermesh who kind=storage shows who does, and why others do not"
                          : parts_.leases.trouble()});
  }
  if (plan_.code) {
    auto layout = storage::layout_for(*plan_.code);
    if (!layout) return fail_with(of(layout.error()));
    if (plan_.code->shards() > owners) {
      return fail_with({ErrorCode::NoCapacity,
                        fmt::format("the code {} needs {} owners, {} can hold a part of it now",
                                    plan_.code->to_string(), plan_.code->shards(), owners),
                        choice->words});
    }
    choice->layout = *layout;
    choice->losses = plan_.code->parity;
    choice->words = fmt::format("{}, as asked for: {} owners may lose what they hold",
                                plan_.code->to_string(), plan_.code->parity);
  }
  code_ = std::move(*choice);
  encoding_ = std::make_unique<Encoding>(parts_, *owner, code_->layout);
}

void ObjectUpload::run() {
  if (is_over_ || is_running_ || stage_ != Stage::Encoding) return;
  if (flights_ + waiting_.size() >= kStripesOnTheirWay) return;
  if (steps_.empty() && !is_finished_) return;
  if (!encoding_) choose();
  if (is_over_) return;
  auto batch = std::make_shared<std::vector<Step>>();
  std::size_t bytes = 0;
  while (!steps_.empty() && bytes < kEncodePiece) {
    bytes += steps_.front().piece.size();
    batch->push_back(std::move(steps_.front()));
    steps_.pop_front();
  }
  const bool is_last = steps_.empty() && is_finished_;
  is_running_ = true;
  parts_.node.ports().workers.submit(
      [encoding = encoding_.get(), batch, is_last] {
        for (Step& step : *batch) {
          if (encoding->state) encoding->state = encoding->take(step);
        }
        if (is_last && encoding->state) encoding->writer.flush();
      },
      [self = shared_from_this(), bytes, is_last] {
        self->is_running_ = false;
        if (self->is_over_) return;
        self->steps_bytes_ -= bytes;
        if (is_last) self->stage_ = Stage::Sealing;
        self->on_encoded();
        if (!self->is_over_ && bytes > 0 && self->listener_.on_taken) {
          self->listener_.on_taken(bytes);
        }
      });
}

void ObjectUpload::on_encoded() {
  if (!encoding_->state) return fail_with(of(encoding_->state.error()));
  for (auto& stripe : std::exchange(encoding_->stripes, {})) waiting_.push_back(std::move(stripe));
  place_waiting();
  if (is_over_) return;
  if (stage_ == Stage::Encoding) return run();
  if (stage_ == Stage::Sealing && waiting_.empty() && flights_ == 0) seal();
}

std::size_t ObjectUpload::least_places(const erasure::Code& code) const {
  return std::size_t{code.data} + (code.parity + 1) / 2;
}

std::uint64_t ObjectUpload::reserve_each(std::uint64_t shard_bytes) const {
  if (!plan_.bytes) return std::max({kFirstReserve, reserved_each_, shard_bytes});
  // Seals, padding and bundles come on top of the bytes.
  const std::uint64_t done = encoding_->plain_bytes;
  const std::uint64_t left = *plan_.bytes > done ? *plan_.bytes - done : 0;
  const std::uint64_t part = left / code_->layout.code.data;
  return part + part / 32 + shard_bytes + (std::uint64_t{waiting_.size()} + 1) * shard_bytes;
}

void ObjectUpload::place_waiting() {
  while (!waiting_.empty() && !is_reserving_ && !is_over_) {
    const StripeRow& row = waiting_.front()->row;
    const std::uint64_t each = ports::counted_bytes(row.shard_bytes);
    const std::size_t wanted = row.code.shards();
    const std::size_t least = std::min(wanted, least_places(row.code));
    if (places_.size() >= least && room_each_ >= each) {
      auto flight = std::move(waiting_.front());
      waiting_.pop_front();
      room_each_ -= each;
      place(std::move(flight));
      continue;
    }
    for (const storage::Place& place : places_) parts_.leases.release(place, room_each_);
    places_.clear();
    room_each_ = 0;
    is_reserving_ = true;
    const std::uint64_t bytes = reserve_each(each);
    parts_.leases.reserve(
        {.most = wanted, .least = least, .bytes_each = bytes},
        [self = shared_from_this(), bytes](Result<std::vector<storage::Place>> places) {
          self->is_reserving_ = false;
          if (self->is_over_) {
            if (places) {
              for (const auto& place : *places) self->parts_.leases.release(place, bytes);
            }
            return;
          }
          if (!places) return self->fail_with(places.error());
          self->places_ = std::move(*places);
          self->room_each_ = bytes;
          self->reserved_each_ = bytes;
          if (!self->remembered_) self->remembered_ = self->parts_.next_upload++;
          // Who finds this after a crash looks there for what nobody refers to.
          if (auto kept = self->parts_.catalogue.remember_upload(*self->remembered_, self->places_);
              !kept) {
            return self->fail_with(kept.error());
          }
          self->place_waiting();
        });
  }
}

void ObjectUpload::place(std::unique_ptr<Flight> owned) {
  const std::shared_ptr<Flight> flight = std::move(owned);
  ++flights_;
  StripeRow& row = flight->row;
  const std::size_t shards = row.code.shards();
  row.places.assign(shards, storage::Place{});
  flight->tries.assign(shards, 0);
  const std::uint64_t each = ports::counted_bytes(row.shard_bytes);
  const std::size_t placed = std::min(shards, places_.size());
  // In turn, so that everybody gets data and parity alike.
  auto places = places_;
  std::ranges::rotate(places,
                      places.begin() + static_cast<std::ptrdiff_t>(rotation_++ % places.size()));
  for (std::size_t i = placed; i < places.size(); ++i) parts_.leases.release(places[i], each);
  flight->pending = placed;
  for (std::size_t i = 0; i < placed; ++i) send(flight, i, places[i]);
}

void ObjectUpload::send(const std::shared_ptr<Flight>& flight, std::size_t index,
                        const storage::Place& place) {
  StripeRow& row = flight->row;
  if (const auto owner = parts_.leases.owner_of(place)) flight->owners.insert(*owner);
  sent_.insert(row.roots[index]);
  parts_.client.put({place.node, place.lease, row.kind, row.roots[index], flight->shards[index]},
                    [self = shared_from_this(), flight, index, place](const Result<void>& answer) {
                      self->on_answer(flight, index, place, answer);
                    });
}

void ObjectUpload::on_answer(const std::shared_ptr<Flight>& flight, std::size_t index,
                             const storage::Place& place, const Result<void>& answer) {
  const std::uint64_t each = ports::counted_bytes(flight->row.shard_bytes);
  if (is_over_) return parts_.leases.release(place, each);
  if (answer) {
    parts_.leases.use(place, each);
    used_.emplace_back(place, each);
    flight->row.places[index] = place;
    report_.stored_bytes += flight->row.shard_bytes;
  } else {
    parts_.leases.release(place, each);
    parts_.leases.avoid(place.node);
    if (answer.error().code == ErrorCode::Unavailable) is_unsure_ = true;
    if (flight->tries[index]++ < kPlaceTries) return replace(flight, index);
  }
  flight->shards[index].reset();
  if (--flight->pending == 0) settle(flight);
}

void ObjectUpload::replace(const std::shared_ptr<Flight>& flight, std::size_t index) {
  const std::uint64_t each = ports::counted_bytes(flight->row.shard_bytes);
  parts_.leases.reserve(
      {.most = 1, .least = 1, .bytes_each = each, .not_by = flight->owners},
      [self = shared_from_this(), flight, index, each](Result<std::vector<storage::Place>> found) {
        if (self->is_over_) {
          if (found) self->parts_.leases.release(found->front(), each);
          return;
        }
        if (found) return self->send(flight, index, found->front());
        flight->shards[index].reset();
        if (--flight->pending == 0) self->settle(flight);
      });
}

void ObjectUpload::settle(const std::shared_ptr<Flight>& flight) {
  --flights_;
  StripeRow& row = flight->row;
  const auto placed = static_cast<std::size_t>(std::ranges::count_if(
      row.places, [](const storage::Place& place) { return !place.node.is_zero(); }));
  const std::size_t least = std::min(row.code.shards(), least_places(row.code));
  if (placed < least) {
    return fail_with({ErrorCode::NoCapacity,
                      fmt::format("only {} of {} parts were taken, {} are needed at least", placed,
                                  row.code.shards(), least),
                      "nodes are full or cannot be reached; try again, or with a narrower code"});
  }
  report_.unplaced += row.code.shards() - placed;
  rows_.push_back(std::move(row));
  if (stage_ == Stage::Bundles) {
    if (waiting_.empty() && flights_ == 0) commit();
    return place_waiting();
  }
  on_encoded();
}

std::shared_ptr<ObjectUpload> ObjectUpload::reseal(KeeperParts& parts, std::string name,
                                                   const ObjectRow& row, storage::Manifest manifest,
                                                   std::vector<identity::OwnerId> readers,
                                                   Listener listener) {
  auto upload = std::make_shared<ObjectUpload>(parts, UploadPlan{.bytes = 0, .code = row.code},
                                               std::move(listener));
  upload->is_finished_ = true;
  upload->choose();
  if (upload->is_over_) return upload;
  upload->stage_ = Stage::Sealing;
  upload->encoding_->sealed.push_back({.name = std::move(name),
                                       .condition = {.only_version = row.what.version},
                                       .readers = std::move(readers),
                                       .manifest = std::move(manifest)});
  upload->resealed_ = row;
  upload->seal();
  return upload;
}

// Manifests, and their boxes for the owner and for whom the objects are shared with.
void ObjectUpload::seal() {
  std::map<identity::OwnerId, sealed_box::EncapsulationKey> keys;
  std::set<identity::OwnerId> owners{encoding_->owner};
  for (const Encoding::Open& open : encoding_->objects) {
    owners.insert(open.object.readers.begin(), open.object.readers.end());
  }
  for (const Encoding::Sealed& each : encoding_->sealed) {
    owners.insert(each.readers.begin(), each.readers.end());
  }
  for (const identity::OwnerId& id : owners) {
    const auto* owner = parts_.node.ledger().owner_keys(id);
    const auto valid = owner == nullptr ? fail(identity::BundleError::MissingKey)
                                        : identity::validate(owner->bundle);
    if (!valid) {
      return fail_with({ErrorCode::NotFound, "a reader is not on the ledger: " + id.to_string(),
                        "hypermesh owner ls shows who is"});
    }
    keys.emplace(id, valid->ml_kem);
  }
  is_running_ = true;
  parts_.node.ports().workers.submit(
      [encoding = encoding_.get(), keys = std::move(keys)] {
        encoding->state = seal_all(*encoding, keys);
      },
      [self = shared_from_this()] {
        self->is_running_ = false;
        if (self->is_over_) return;
        if (!self->encoding_->state) return self->fail_with(of(self->encoding_->state.error()));
        self->stage_ = Stage::Bundles;
        self->store_bundles();
      });
}

Result<void, storage::StorageError> ObjectUpload::seal_all(
    Encoding& encoding, const std::map<identity::OwnerId, sealed_box::EncapsulationKey>& keys) {
  for (Encoding::Open& open : encoding.objects) {
    HM_TRY(storage::Manifest manifest, open.encoder->take_manifest());
    encoding.shared_bytes += open.encoder->bytes_shared();
    open.encoder.reset();
    encoding.sealed.push_back({.name = std::move(open.object.name),
                               .condition = open.object.condition,
                               .readers = std::move(open.object.readers),
                               .manifest = std::move(manifest)});
  }
  std::vector<BundleEntry> entries;
  for (Encoding::Sealed& each : encoding.sealed) {
    const storage::Manifest* sealed = &each.manifest;
    std::optional<storage::Manifest> outer;
    if (!storage::fits_a_box(each.manifest)) {
      HM_TRY(outer, storage::cut_manifest(each.manifest, encoding.writer, encoding.randomness));
      for (const storage::Stripe& stripe : outer->stripes) {
        each.own_stripes.push_back(stripe_id_of(stripe.roots));
      }
      sealed = &*outer;
    }
    std::vector<sealed_box::EncapsulationKey> readers{keys.at(encoding.owner)};
    for (const identity::OwnerId& id : each.readers) {
      if (id != encoding.owner) readers.push_back(keys.at(id));
    }
    HM_TRY(const auto box, storage::seal_manifest(*sealed, readers, encoding.randomness));
    each.commitment = crypto::Digest{box.commitment};
    entries.push_back({each.manifest.what, sealed_box::encode(box)});
  }
  const auto counts = bundle(std::move(entries), encoding.bundles);
  std::size_t next = 0;
  for (std::size_t b = 0; b < counts.size(); ++b) {
    for (std::size_t i = 0; i < counts[b]; ++i) encoding.sealed[next++].bundle = b;
  }
  return {};
}

// Copies of each bundle, so many that it bears the losses that its objects bear.
void ObjectUpload::store_bundles() {
  for (auto& stripe : std::exchange(encoding_->stripes, {})) waiting_.push_back(std::move(stripe));
  for (Bytes& bytes : encoding_->bundles) {
    auto flight = std::make_unique<Flight>();
    const auto shared = std::make_shared<const Bytes>(std::move(bytes));
    const auto parity = static_cast<std::uint8_t>(code_->losses);
    flight->row = {
        ShardKind::Box, {1, parity}, static_cast<std::uint32_t>(shared->size()), {}, {}, 0};
    flight->row.roots.assign(flight->row.code.shards(), blake3::hash(*shared));
    flight->shards.assign(flight->row.code.shards(), shared);
    bundles_.push_back(stripe_id_of(flight->row.roots));
    bundle_roots_.push_back(flight->row.roots.front());
    waiting_.push_back(std::move(flight));
  }
  if (waiting_.empty()) return commit();
  place_waiting();
}

void ObjectUpload::commit() {
  auto change = std::make_shared<CatalogueChange>();
  change->stripes = rows_;
  for (Encoding::Sealed& each : encoding_->sealed) {
    ObjectRow row{.origin = Origin::Own,
                  .what = each.manifest.what,
                  .size = each.manifest.size,
                  .content = each.manifest.content,
                  .stored = resealed_ ? resealed_->stored : parts_.wall(),
                  .code = code_->layout.code,
                  .readers = std::move(each.readers),
                  .commitment = each.commitment,
                  .box_root = bundle_roots_[each.bundle],
                  .own_stripes = std::move(each.own_stripes)};
    row.own_stripes.push_back(bundles_[each.bundle]);
    report_.objects.push_back({each.name, row});
    change->put.push_back(
        {std::move(each.name), each.condition, std::move(row), std::move(each.manifest)});
  }
  report_.code = *code_;
  report_.shared_bytes = encoding_->shared_bytes;
  report_.plain_bytes = encoding_->plain_bytes;
  auto result = std::make_shared<Result<void>>();
  stage_ = Stage::Committing;
  parts_.node.ports().workers.submit(
      [&catalogue = parts_.catalogue, change, result] { *result = catalogue.apply(*change); },
      [self = shared_from_this(), result] {
        if (!*result) {
          self->stage_ = Stage::Bundles;
          return self->fail_with(result->error());
        }
        if (self->remembered_ && !self->is_unsure_) {
          (void)self->parts_.catalogue.forget_upload(*self->remembered_);
        }
        self->parts_.changed();
        if (self->is_over_) return;
        self->give_up();
        if (self->is_unsure_) self->parts_.unsure();
        auto done = std::move(self->listener_.on_done);
        self->listener_ = {};
        if (done) done(std::move(self->report_));
      });
}

}  // namespace hm::storing
