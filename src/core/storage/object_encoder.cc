// SPDX-License-Identifier: Apache-2.0
#include "core/storage/object_encoder.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "core/storage/compression.h"
#include "core/storage/limits.h"
#include "core/storage/segment_seal.h"
#include "core/storage/segmenter.h"
#include "foundation/base/check.h"
#include "foundation/blake3/blake3.h"
#include "foundation/crypto/sealed_box/limits.h"
#include "foundation/crypto/wipe.h"

namespace hm::storage {
namespace {

// Hashed and cut while it is in a cache.
constexpr std::size_t kPiece = std::size_t{1} << 20;

// A manifest is never compared with another one: long segments cost the least.
constexpr std::size_t kManifestSegment = std::size_t{1} << 20;

}  // namespace

struct ObjectEncoder::Input {
  Input(const Profile& profile, const ObjectPlan& plan, SegmentSink sink)
      : segmenter(profile, plan.content, plan.cut_by), take(std::move(sink)) {}

  Segmenter segmenter;
  SegmentSink take;
  Compressor compressor;
  SegmentSealer sealer;
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
      input_(std::make_unique<Input>(profile, plan, [this](ByteView segment) { take(segment); })) {
  manifest_.what = plan.what;
  manifest_.description = plan.description;
}

ObjectEncoder::~ObjectEncoder() = default;

Result<void, StorageError> ObjectEncoder::push(ByteView piece) {
  HM_CHECK(input_);
  while (!piece.empty() && state_) {
    const ByteView part = piece.first(std::min(piece.size(), kPiece));
    input_->hasher.update(part);
    manifest_.size += part.size();
    input_->segmenter.feed(part, input_->take);
    piece = piece.subspan(part.size());
  }
  return state_;
}

Result<void, StorageError> ObjectEncoder::finish() {
  HM_CHECK(input_);
  if (state_) input_->segmenter.finish(input_->take);
  manifest_.content = input_->hasher.digest();
  input_.reset();
  return state_;
}

void ObjectEncoder::take(ByteView segment) {
  if (!state_) return;
  if (manifest_.segments.size() == kMaxSegments) {
    state_ = fail(StorageError::TooManySegments);
    return;
  }
  if (plan_.domain == nullptr) {
    store(segment, nullptr, {});
    return;
  }
  const crypto::Digest fingerprint = plan_.domain->fingerprint(segment);
  const SegmentId id = plan_.domain->id_of(fingerprint);
  if (is_known(id, segment)) {
    ++segments_shared_;
    bytes_shared_ += segment.size();
  } else {
    store(segment, &fingerprint, id);
  }
}

bool ObjectEncoder::is_known(const SegmentId& id, ByteView segment) {
  const std::size_t here = manifest_.segments.size();
  const auto [seen, is_new] = input_->seen.try_emplace(id, here);
  if (!is_new) {
    again_.emplace_back(here, seen->second);
    manifest_.segments.emplace_back();  // becomes that one when that has its place
    return true;
  }
  if (plan_.index == nullptr) return false;
  auto known = plan_.index->find(id);
  if (!known || known->segment.plain_length != segment.size()) return false;
  known->segment.stripe = index_of(*known->stripe);
  manifest_.segments.push_back(known->segment);
  return true;
}

void ObjectEncoder::store(ByteView segment, const crypto::Digest* fingerprint,
                          const SegmentId& id) {
  Segment row{.plain_length = static_cast<std::uint32_t>(segment.size())};
  ByteView stored = segment;
  std::optional<Bytes> frame;
  if (plan_.compression == Compression::WherePays &&
      input_->compressor.is_worthwhile(plan_.content, segment)) {
    if (auto compressed = input_->compressor.compress(segment);
        compressed && compressed->size() < segment.size()) {
      frame = std::move(*compressed);
      stored = *frame;
      row.flags = kCompressedFlag;
    }
  }
  row.sealed_length = static_cast<std::uint32_t>(stored.size() + kSealOverhead);
  const std::size_t number = manifest_.segments.size();
  if (plan_.domain != nullptr) {
    // The key follows from what is sealed: frames of one segment may differ.
    const crypto::Digest sealed = frame ? plan_.domain->fingerprint(stored) : *fingerprint;
    row.seal = SharedSegment{id, plan_.domain->secret_of(sealed, row.flags)};
  } else {
    row.seal = SegmentNumber{plan_.first_number + number};
  }
  manifest_.segments.push_back(row);
  ++waiting_;
  const auto space = writer_.add(row.sealed_length, *this, number);
  input_->sealer.seal(secret_of(manifest_, row), binding_of(manifest_, row), row.flags, stored,
                      space);
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
  --waiting_;
}

Result<Manifest, StorageError> ObjectEncoder::take_manifest() {
  HM_CHECK(!input_ && waiting_ == 0);
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
