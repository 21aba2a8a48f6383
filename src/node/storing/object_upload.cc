// SPDX-License-Identifier: Apache-2.0
#include "node/storing/object_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/ledger/ledger.h"
#include "foundation/base/check.h"
#include "foundation/base/log.h"
#include "node/storing/keeper_limits.h"
#include "node/storing/upload_encoding.h"

namespace hm::storing {
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

void ObjectUpload::detach() {
  is_over_ = true;
  is_detached_ = true;
}

void ObjectUpload::stop_writing() {
  if (std::exchange(is_writer_, false)) parts_.queue.end_writer();
}

void ObjectUpload::give_up() {
  is_over_ = true;
  if (is_detached_) return;
  parts_.uploads.erase(this);
  if (stage_ != Stage::Committing) stop_writing();
  for (const storage::Place& place : places_) parts_.leases.release(place, room_each_);
  places_.clear();
  if (stage_ == Stage::Committing) return;
  for (const auto& [place, bytes] : used_) parts_.leases.free(place, bytes);
  used_.clear();
}

void ObjectUpload::fail_with(Error error) {
  if (is_over_) return;
  log::warning("storing", "an upload failed", {{"why", error.message}, {"detail", error.detail}});
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
  const std::uint64_t bytes = plan_.suits.value_or(plan_.bytes.value_or(UINT64_MAX));
  const std::uint64_t probe = std::min<std::uint64_t>(bytes, storage::kDefaultShardBytes);
  const std::size_t owners =
      parts_.leases.owners(std::max<std::uint64_t>(probe, ports::kMinCountedBytes));
  auto choice = storage::choose_code(bytes, owners);
  if (!choice) {
    return fail_with(
        {ErrorCode::NoCapacity, "nobody lends storage that this node may use now",
         parts_.leases.why_so_few() + "; hypermesh who kind=storage shows who lends, and to whom"});
  }
  if (plan_.code) {
    auto layout = storage::layout_for(*plan_.code);
    if (!layout) return fail_with(not_stored(layout.error()));
    if (plan_.code->shards() > owners) {
      return fail_with({ErrorCode::NoCapacity,
                        fmt::format("the code {} needs {} owners, {} can hold a part of it now",
                                    plan_.code->to_string(), plan_.code->shards(), owners),
                        choice->words + "; " + parts_.leases.why_so_few()});
    }
    choice->layout = *layout;
    choice->losses = plan_.code->parity;
    choice->words = fmt::format("{}, as asked for: {} owners may lose what they hold",
                                plan_.code->to_string(), plan_.code->parity);
  }
  code_ = std::move(*choice);
  encoding_ = std::make_unique<Encoding>(parts_, *owner, code_->layout);
  if (part_) encoding_->part.emplace(*part_);
}

void ObjectUpload::run() {
  if (is_over_ || is_running_ || stage_ != Stage::Encoding) return;
  if (bytes_on_their_way_ >= kBytesOnTheirWay) return;
  if (steps_.empty() && !is_finished_) return;
  if (!is_writer_) {
    // Segments may be found in what is being given up: it is told when that has passed.
    if (parts_.queue.is_giving_up()) return;
    is_writer_ = true;
    parts_.queue.begin_writer();
  }
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
        self->encoded_bytes_ = self->encoding_->plain_bytes;
        if (is_last) self->stage_ = Stage::Sealing;
        self->on_encoded();
        if (!self->is_over_ && bytes > 0 && self->listener_.on_taken) {
          self->listener_.on_taken(bytes);
        }
      });
}

void ObjectUpload::on_encoded() {
  if (!encoding_->state) return fail_with(not_stored(encoding_->state.error()));
  queue_stripes();
  go_on();
}

void ObjectUpload::go_on() {
  place_waiting();
  if (is_over_) return;
  if (stage_ == Stage::Encoding) return run();
  if (stage_ == Stage::Sealing && waiting_.empty() && flights_ == 0) seal();
}

void ObjectUpload::queue_stripes() {
  HM_CHECK(!is_running_);  // a worker has `encoding_` then
  for (auto& stripe : std::exchange(encoding_->stripes, {})) {
    bytes_on_their_way_ += stripe->row.roots.size() * stripe->row.shard_bytes;
    waiting_.push_back(std::move(stripe));
  }
}

std::size_t ObjectUpload::least_places(const erasure::Code& code) const {
  return std::size_t{code.data} + (code.parity + 1) / 2;
}

std::uint64_t ObjectUpload::reserve_each(std::uint64_t shard_bytes) const {
  if (!plan_.bytes) return std::max({kFirstReserve, reserved_each_, shard_bytes});
  // Seals, padding and bundles come on top of the bytes.
  const std::uint64_t done = encoded_bytes_;
  const std::uint64_t left = *plan_.bytes > done ? *plan_.bytes - done : 0;
  const std::uint64_t part = left / code_->layout.code.data;
  return part + part / 32 + shard_bytes + (std::uint64_t{waiting_.size()} + 1) * shard_bytes;
}

void ObjectUpload::place_waiting() {
  while (!waiting_.empty() && !is_reserving_ && !is_over_ && bytes_placed_ < kBytesOnTheirWay) {
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
            if (places && !self->is_detached_) {
              for (const auto& place : *places) self->parts_.leases.release(place, bytes);
            }
            return;
          }
          if (!places) return self->fail_with(places.error());
          self->places_ = std::move(*places);
          self->room_each_ = bytes;
          self->reserved_each_ = bytes;
          self->remember();
        });
  }
}

// Who finds this after a crash looks there for what nobody refers to.
void ObjectUpload::remember() {
  if (!remembered_) remembered_ = parts_.next_upload++;
  all_places_.insert(places_.begin(), places_.end());
  is_reserving_ = true;
  parts_.queue.submit(
      [number = *remembered_, places = std::vector(all_places_.begin(), all_places_.end())](
          Catalogue& catalogue) { return catalogue.remember_upload(number, places); },
      [self = shared_from_this()](const Result<void>& kept) {
        self->is_reserving_ = false;
        if (self->is_over_) return;
        if (!kept) return self->fail_with(kept.error());
        self->place_waiting();
      });
}

void ObjectUpload::forget() {
  if (!remembered_ || is_unsure_) return;
  parts_.queue.submit(
      [number = *remembered_](Catalogue& catalogue) { return catalogue.forget_upload(number); });
}

void ObjectUpload::place(std::unique_ptr<Flight> owned) {
  const std::shared_ptr<Flight> flight = std::move(owned);
  ++flights_;
  bytes_placed_ += flight->row.roots.size() * flight->row.shard_bytes;
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
  if (is_over_) {
    if (!is_detached_) parts_.leases.release(place, each);
    return;
  }
  if (answer) {
    parts_.leases.use(place, each);
    used_.emplace_back(place, each);
    flight->row.places[index] = place;
    report_.stored_bytes += flight->row.shard_bytes;
  } else {
    parts_.leases.release(place, each);
    if (answer.error().code == ErrorCode::Unavailable) is_unsure_ = true;
    // Who is only busy takes something else later.
    if (answer.error().code != ErrorCode::Busy)
      parts_.leases.avoid(place.node, answer.error().message);
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
          if (found && !self->is_detached_) self->parts_.leases.release(found->front(), each);
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
  bytes_placed_ -= row.roots.size() * row.shard_bytes;
  bytes_on_their_way_ -= row.roots.size() * row.shard_bytes;
  const auto placed = static_cast<std::size_t>(std::ranges::count_if(
      row.places, [](const storage::Place& place) { return !place.node.is_zero(); }));
  const std::size_t least = std::min(row.code.shards(), least_places(row.code));
  if (placed < least) {
    return fail_with({ErrorCode::NoCapacity,
                      fmt::format("only {} of {} parts were taken, {} are needed at least", placed,
                                  row.code.shards(), least),
                      parts_.leases.why_so_few() + "; try again, or with a narrower code"});
  }
  report_.unplaced += row.code.shards() - placed;
  rows_.push_back(std::move(row));
  if (stage_ == Stage::Bundles) {
    if (waiting_.empty() && flights_ == 0) commit();
    return place_waiting();
  }
  go_on();
}

void ObjectUpload::commit() {
  CatalogueChange change;
  change.stripes = rows_;
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
    change.put.push_back(
        {std::move(each.name), each.condition, std::move(row), std::move(each.manifest)});
  }
  report_.code = *code_;
  report_.shared_bytes = encoding_->shared_bytes;
  report_.plain_bytes = encoding_->plain_bytes;
  if (joined_) change.ended.push_back(joined_->of);
  apply(std::move(change));
}

void ObjectUpload::apply(CatalogueChange change) {
  stage_ = Stage::Committing;
  parts_.queue.apply(std::move(change), [self = shared_from_this()](const Result<void>& stored) {
    if (self->is_detached_) return;
    self->stop_writing();
    if (!stored) {
      self->stage_ = Stage::Bundles;
      return self->fail_with(stored.error());
    }
    self->forget();
    self->parts_.changed();
    if (self->is_over_) return;
    self->give_up();
    if (self->is_unsure_) self->parts_.unsure();
    self->part_.reset();
    self->joined_.reset();
    auto done = std::move(self->listener_.on_done);
    self->listener_ = {};
    if (done) done(std::move(self->report_));
  });
}

}  // namespace hm::storing
