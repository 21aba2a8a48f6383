// SPDX-License-Identifier: Apache-2.0
#include "core/storage/object_encoder.h"

#include <algorithm>
#include <array>
#include <functional>
#include <unordered_map>
#include <utility>

#include "core/storage/compression.h"
#include "core/storage/limits.h"
#include "core/storage/segmenter.h"
#include "foundation/base/check.h"
#include "foundation/blake3/blake3.h"
#include "foundation/crypto/sealed_box/limits.h"
#include "foundation/crypto/wipe.h"

namespace hm::storage {
namespace {

// Hashed and cut while it is in a cache.
constexpr std::size_t kPiece = std::size_t{1} << 20;

// What is shorter costs less to copy than to be kept apart.
constexpr std::size_t kWorthKeeping = std::size_t{16} << 10;

// In pieces to which segments refer that wait; those of one stripe do.
constexpr std::size_t kKeptStripes = 2;

// What all segments have but the last, or 0 where content decides.
std::size_t fixed_length(const Profile& profile, ContentClass content) {
  const SegmentBounds bounds = bounds_of(profile, content);
  return bounds.shortest == bounds.longest ? bounds.longest : 0;
}

// A manifest is never compared with another one: long segments cost the least.
constexpr std::size_t kManifestSegment = std::size_t{1} << 20;

}  // namespace

struct ObjectEncoder::Input {
  Input(const Profile& profile, const ObjectPlan& plan, SegmentSink sink)
      : segmenter(profile, plan.content, plan.cut_by), take(std::move(sink)) {}

  Segmenter segmenter;  // where content decides
  SegmentSink take;
  Compressor compressor;
  blake3::Hasher hasher;
  std::unordered_map<SegmentId, std::size_t> seen;  // the segment of this object that has it
};

Result<std::unique_ptr<ObjectEncoder>, StorageError> ObjectEncoder::start(
    const ObjectPlan& plan, StripeWriter& writer, const Randomness& randomness) {
  HM_CHECK(plan.domain == nullptr || plan.domain->owner() == plan.what.owner);
  if (plan.what.object.size() > sealed_box::kMaxObjectIdSize) {
    return fail(StorageError::ObjectIdTooLong);
  }
  HM_TRY_VOID(check(plan.description));
  HM_TRY(const Profile profile, plan.profile.within(writer.layout().capacity() - kSealOverhead));
  std::unique_ptr<ObjectEncoder> encoder(new ObjectEncoder(plan, profile, writer));
  if (plan.domain != nullptr) {
    encoder->manifest_.protection = InDomain{plan.domain->id()};
  } else if (plan.own) {
    encoder->manifest_.protection = *plan.own;
  } else {
    WithOwnSecret own{.version = plan.what.version};
    randomness(own.secret);
    encoder->manifest_.protection = own;
  }
  return encoder;
}

ObjectEncoder::ObjectEncoder(const ObjectPlan& plan, const Profile& profile, StripeWriter& writer)
    : plan_(plan),
      writer_(writer),
      fixed_length_(fixed_length(profile, plan.content)),
      input_(std::make_unique<Input>(profile, plan,
                                     [this](ByteView segment) { take(hold(segment)); })) {
  manifest_.what = plan.what;
  manifest_.description = plan.description;
}

ObjectEncoder::~ObjectEncoder() = default;

void ObjectEncoder::Held::add(ByteView bytes, std::shared_ptr<const void> by) {
  pieces.push_back(bytes);
  kept_by.push_back(std::move(by));
  size += bytes.size();
  copies = nullptr;
}

void ObjectEncoder::Held::copy(ByteView bytes, std::size_t room) {
  while (!bytes.empty()) {
    if (!copies || copies->size() == copies->capacity()) {
      auto own = std::make_shared<Bytes>();
      own->reserve(room);
      add({}, own);
      copies = std::move(own);
    }
    const ByteView now = bytes.first(std::min(bytes.size(), copies->capacity() - copies->size()));
    copies->insert(copies->end(), now.begin(), now.end());
    pieces.back() = *copies;
    size += now.size();
    bytes = bytes.subspan(now.size());
  }
}

void ObjectEncoder::Held::join() {
  Held one;
  for (const ByteView each : pieces) one.copy(each, size);
  *this = std::move(one);
}

Result<void, StorageError> ObjectEncoder::push(ByteView piece,
                                               std::shared_ptr<const void> kept_by) {
  HM_CHECK(input_);
  kept_by_ = std::move(kept_by);
  pushed_ = piece.size();
  is_counted_ = false;
  while (!piece.empty() && state_) {
    piece_ = piece.first(std::min(piece.size(), kPiece));
    if (!plan_.known_hash) input_->hasher.update(piece_);
    manifest_.size += piece_.size();
    if (fixed_length_ != 0) {
      cut_by_length(piece_);
    } else {
      input_->segmenter.feed(piece_, input_->take);
    }
    piece = piece.subspan(piece_.size());
  }
  piece_ = {};
  kept_by_ = nullptr;
  return state_;
}

// As the segmenter cuts, but that the pieces of a segment stay where they are.
void ObjectEncoder::cut_by_length(ByteView piece) {
  while (!piece.empty()) {
    const ByteView now = piece.first(std::min(piece.size(), fixed_length_ - begun_.size));
    if (now.size() >= kWorthKeeping && is_piece_kept()) {
      begun_.add(now, kept_by_);
    } else {
      begun_.copy(now, std::min(fixed_length_ - begun_.size, kWorthKeeping));
    }
    piece = piece.subspan(now.size());
    if (begun_.size == fixed_length_) take(std::exchange(begun_, {}));
  }
}

// Segments of a domain that are known do not wait: of many pieces little could be referred to.
bool ObjectEncoder::is_piece_kept() {
  if (!kept_by_) return false;
  if (!is_counted_) {
    if (kept_bytes_ + pushed_ > kKeptStripes * writer_.layout().capacity()) return false;
    kept_bytes_ += pushed_;
    is_counted_ = true;
  }
  return true;
}

ObjectEncoder::Held ObjectEncoder::hold(ByteView segment) {
  Held held;
  const std::less_equal<const std::uint8_t*> is_before;
  const bool is_of_piece =
      is_before(piece_.data(), segment.data()) &&
      is_before(segment.data() + segment.size(), piece_.data() + piece_.size());
  if (is_of_piece && is_piece_kept()) {
    held.add(segment, kept_by_);
  } else {
    held.copy(segment, segment.size());
  }
  return held;
}

Result<void, StorageError> ObjectEncoder::finish() {
  HM_CHECK(input_);
  if (state_) input_->segmenter.finish(input_->take);
  if (state_ && begun_.size > 0) {
    if (begun_.size < kWorthKeeping) begun_.join();  // many small objects would waste much room
    take(std::exchange(begun_, {}));
  }
  manifest_.content = plan_.known_hash ? *plan_.known_hash : input_->hasher.digest();
  input_.reset();
  return state_;
}

void ObjectEncoder::take(Held segment) {
  if (!state_) return;
  if (manifest_.segments.size() == kMaxSegments) {
    state_ = fail(StorageError::TooManySegments);
    return;
  }
  if (plan_.domain == nullptr) {
    store(std::move(segment), nullptr, {});
    return;
  }
  const std::size_t size = segment.size;
  const crypto::Digest fingerprint = plan_.domain->fingerprint(segment.pieces);
  const SegmentId id = plan_.domain->id_of(fingerprint);
  if (is_known(id, size)) {
    ++segments_shared_;
    bytes_shared_ += size;
  } else {
    store(std::move(segment), &fingerprint, id);
  }
}

bool ObjectEncoder::is_known(const SegmentId& id, std::size_t size) {
  const std::size_t here = manifest_.segments.size();
  const auto [seen, is_new] = input_->seen.try_emplace(id, here);
  if (!is_new) {
    again_.emplace_back(here, seen->second);
    manifest_.segments.emplace_back();  // becomes that one when that has its place
    return true;
  }
  if (plan_.index == nullptr) return false;
  auto known = plan_.index->find(id);
  if (!known || known->segment.plain_length != size) return false;
  known->segment.stripe = index_of(*known->stripe);
  manifest_.segments.push_back(known->segment);
  return true;
}

void ObjectEncoder::store(Held segment, const crypto::Digest* fingerprint, const SegmentId& id) {
  Segment row{.plain_length = static_cast<std::uint32_t>(segment.size)};
  if (plan_.compression == Compression::WherePays) compress(segment, row);
  const std::size_t stored = segment.size;
  row.sealed_length = static_cast<std::uint32_t>(stored + kSealOverhead);
  const std::size_t number = manifest_.segments.size();
  if (plan_.domain != nullptr) {
    // The key follows from what is sealed: frames of one segment may differ.
    const crypto::Digest sealed =
        row.flags != 0 ? plan_.domain->fingerprint(segment.pieces) : *fingerprint;
    row.seal = SharedSegment{id, plan_.domain->secret_of(sealed, row.flags)};
  } else {
    row.seal = SegmentNumber{plan_.first_number + number};
  }
  writer_.add(row.sealed_length, *this, number);
  manifest_.segments.push_back(row);
  waiting_.emplace(number, std::move(segment));
  ++unplaced_;
}

void ObjectEncoder::compress(Held& segment, Segment& row) {
  if (segment.pieces.size() > 1) segment.join();
  if (!input_->compressor.is_worthwhile(plan_.content, segment.pieces.front())) return;
  auto frame = input_->compressor.compress(segment.pieces.front());
  if (!frame || frame->size() >= segment.size) return;
  auto kept = std::make_shared<const Bytes>(std::move(*frame));
  const ByteView view = *kept;
  segment = {};
  segment.add(view, std::move(kept));
  row.flags = kCompressedFlag;
}

void ObjectEncoder::write(std::uint64_t tag, std::span<const std::span<std::uint8_t>> space) {
  const auto held = waiting_.find(tag);
  const Segment& row = manifest_.segments[tag];
  sealer_.seal(secret_of(manifest_, row), binding_of(manifest_, row), row.flags,
               held->second.pieces, space);
  waiting_.erase(held);
  if (waiting_.empty()) kept_bytes_ = 0;
}

std::uint32_t ObjectEncoder::index_of(const Stripe& stripe) {
  const auto [at, is_new] =
      stripes_.try_emplace(stripe.roots, static_cast<std::uint32_t>(manifest_.stripes.size()));
  if (is_new) {
    shards_ += stripe.code.shards();
    if (shards_ > kMaxManifestShards) state_ = fail(StorageError::TooManyShards);
    manifest_.stripes.push_back(stripe);
  }
  return at->second;
}

void ObjectEncoder::placed(std::uint64_t tag, const FinishedStripe& stripe, std::uint32_t offset) {
  Segment& segment = manifest_.segments[tag];
  segment.stripe = index_of(stripe.stripe);
  segment.offset = offset;
  --unplaced_;
}

Result<Manifest, StorageError> ObjectEncoder::take_manifest() {
  HM_CHECK(!input_ && unplaced_ == 0);
  HM_TRY_VOID(state_);
  for (const auto& [segment, same] : again_) {
    manifest_.segments[segment] = manifest_.segments[same];
  }
  return std::move(manifest_);
}

Result<Manifest, StorageError> cut_manifest(const Manifest& manifest, StripeWriter& writer,
                                            const Randomness& randomness) {
  HM_CHECK(manifest.depth < kMaxManifestDepth);
  const SegmentKey unused(std::array<std::uint8_t, kSegmentKeySize>{});  // lengths are fixed
  HM_TRY(const Profile profile, Profile::fixed(kManifestSegment));
  HM_TRY(const auto encoder, ObjectEncoder::start({.what = manifest.what,
                                                   .profile = profile,
                                                   .compression = Compression::Never,
                                                   .cut_by = unused},
                                                  writer, randomness));
  Bytes content = encode(manifest);
  const crypto::WipeLater wiped(content);
  HM_TRY_VOID(encoder->push(content));
  HM_TRY_VOID(encoder->finish());
  writer.flush();
  HM_TRY(Manifest outer, encoder->take_manifest());
  outer.depth = static_cast<std::uint8_t>(manifest.depth + 1);
  return outer;
}

}  // namespace hm::storage
