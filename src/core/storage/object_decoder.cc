// SPDX-License-Identifier: Apache-2.0
#include "core/storage/object_decoder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "foundation/base/check.h"

namespace hm::storage {
namespace {

// What is hashed at a time.
constexpr std::size_t kHashed = std::size_t{256} << 10;

constexpr std::uint64_t bit(std::size_t index) { return std::uint64_t{1} << index; }

std::size_t count(std::uint64_t set) { return static_cast<std::size_t>(std::popcount(set)); }

// The first n of all shards.
std::uint64_t first(std::size_t n) { return n == 64 ? ~std::uint64_t{0} : bit(n) - 1; }

std::vector<ShardIndex> members(std::uint64_t set) {
  std::vector<ShardIndex> out;
  for (; set != 0; set &= set - 1) out.push_back(static_cast<ShardIndex>(std::countr_zero(set)));
  return out;
}

std::string list(const std::vector<ShardIndex>& shards) {
  std::string out;
  for (const ShardIndex each : shards) out += (out.empty() ? "" : ", ") + std::to_string(each);
  return out;
}

}  // namespace

std::string_view name_of(ShardVerdict verdict) {
  switch (verdict) {
    case ShardVerdict::Taken: return "taken";
    case ShardVerdict::NotWanted: return "not_wanted";
    case ShardVerdict::WrongLength: return "wrong_length";
    case ShardVerdict::WrongRoot: return "wrong_root";
  }
  HM_CHECK(false);
}

std::string ReadFailure::to_string() const {
  std::string out(explain(error));
  if (error == StorageError::WrongContent) return out;
  out += " (stripe " + std::to_string(stripe);
  if (!missing.empty()) out += "; missing shards: " + list(missing);
  if (!altered.empty()) out += "; altered shards: " + list(altered);
  return out + ")";
}

Result<ObjectDecoder, StorageError> ObjectDecoder::open(const Manifest& manifest,
                                                        std::uint64_t begin, std::uint64_t end) {
  if (begin > end || end > manifest.size) return fail(StorageError::NoSuchRange);
  return ObjectDecoder(manifest, begin, end);
}

ObjectDecoder::ObjectDecoder(const Manifest& manifest, std::uint64_t begin, std::uint64_t end)
    : manifest_(&manifest), begin_(begin), end_(end) {
  if (begin == end) {
    position_ = end;
    return;
  }
  while (position_ + manifest.segments[next_].plain_length <= begin) {
    position_ += manifest.segments[next_++].plain_length;
  }
  look_ahead();
}

ObjectDecoder::ShardSet ObjectDecoder::shards_of(const Segment& segment) const {
  const std::size_t shard = manifest_->stripes[segment.stripe].shard_bytes;
  const std::size_t from = segment.offset / shard;
  const std::size_t to = (segment.offset + segment.sealed_length - 1) / shard;
  return first(to + 1) & ~first(from);
}

// The next stripes, and what of them is needed. What lies behind is let go.
void ObjectDecoder::look_ahead() {
  std::map<std::uint32_t, ShardSet> needed;
  order_.clear();
  std::uint64_t position = position_;
  for (std::size_t i = next_; position < end_; ++i) {
    const Segment& segment = manifest_->segments[i];
    if (!needed.contains(segment.stripe)) {
      if (order_.size() == kStripesRead) break;
      order_.push_back(segment.stripe);
    }
    needed[segment.stripe] |= shards_of(segment);
    position += segment.plain_length;
  }
  std::erase_if(held_, [&](const auto& each) { return !needed.contains(each.first); });
  for (const auto& [stripe, shards] : needed) {
    Held& held = held_[stripe];
    held.needed = shards;
    held.shards.resize(manifest_->stripes[stripe].code.shards());
  }
}

bool ObjectDecoder::is_readable(const Held& held, std::uint32_t stripe, ShardSet shards) const {
  return (shards & ~held.there) == 0 || count(held.there) >= manifest_->stripes[stripe].code.data;
}

ObjectDecoder::Faults ObjectDecoder::faults_of(std::uint32_t stripe) const {
  const auto at = faults_.find(stripe);
  return at == faults_.end() ? Faults{} : at->second;
}

ObjectDecoder::ShardSet ObjectDecoder::unavailable(const Held& held, std::uint32_t stripe) const {
  const Faults faults = faults_of(stripe);
  return (faults.lost | faults.altered) & ~held.there;
}

std::vector<StripeWant> ObjectDecoder::wants() const {
  std::vector<StripeWant> out;
  for (const std::uint32_t stripe : order_) {
    const Held& held = held_.at(stripe);
    if (is_readable(held, stripe, held.needed)) continue;
    const erasure::Code code = manifest_->stripes[stripe].code;
    const ShardSet possible = first(code.shards()) & ~held.there & ~unavailable(held, stripe);
    const std::size_t sufficient = code.data - count(held.there);
    ShardSet ask = held.needed & possible;
    if (ask != (held.needed & ~held.there) && count(possible) >= sufficient) {
      // One that is needed cannot be had: any that are enough, data first, as they may do alone.
      const std::vector<ShardIndex> all = members(possible);
      ask = 0;
      for (std::size_t i = 0; i < sufficient; ++i) ask |= bit(all[i]);
    }
    if (ask == 0) continue;
    out.push_back({stripe, members(ask), members(possible & ~ask), sufficient});
  }
  return out;
}

ShardVerdict ObjectDecoder::give(std::uint32_t stripe, ShardIndex index, Bytes shard) {
  HM_CHECK(stripe < manifest_->stripes.size());
  const Stripe& described = manifest_->stripes[stripe];
  HM_CHECK(index < described.code.shards());
  const auto at = held_.find(stripe);
  if (at == held_.end() || (at->second.there & bit(index)) != 0) return ShardVerdict::NotWanted;
  Held& held = at->second;
  if (is_readable(held, stripe, held.needed)) return ShardVerdict::NotWanted;
  const bool is_long = shard.size() == described.shard_bytes;
  if (!is_long || blake3::hash(shard) != described.roots[index]) {
    faults_[stripe].altered |= bit(index);
    return is_long ? ShardVerdict::WrongRoot : ShardVerdict::WrongLength;
  }
  held.there |= bit(index);
  held.shards[index] = std::move(shard);
  return ShardVerdict::Taken;
}

void ObjectDecoder::lose(std::uint32_t stripe, ShardIndex index) {
  HM_CHECK(stripe < manifest_->stripes.size());
  HM_CHECK(index < manifest_->stripes[stripe].code.shards());
  faults_[stripe].lost |= bit(index);
}

erasure::Coder& ObjectDecoder::coder_for(erasure::Code code) {
  const auto known = std::ranges::find(coders_, code, &erasure::Coder::code);
  if (known != coders_.end()) return *known;
  // More than a few codes in one object are its maker's idea of a joke.
  if (coders_.size() > kStripesRead) coders_.clear();
  return coders_.emplace_back(code);
}

// All data shards that are needed, at once: each time costs reading k shards.
void ObjectDecoder::recover(Held& held, std::uint32_t stripe) {
  const Stripe& described = manifest_->stripes[stripe];
  std::vector<erasure::ShardBytes> shards;
  for (std::size_t i = 0; i < held.shards.size(); ++i) {
    shards.push_back((held.there & bit(i)) != 0 ? held.shards[i].data() : nullptr);
  }
  std::vector<erasure::Coder::Wanted> wanted;
  for (const ShardIndex index : members(held.needed & ~held.there)) {
    held.shards[index].resize(described.shard_bytes);
    wanted.push_back({index, held.shards[index].data()});
  }
  HM_CHECK(coder_for(described.code).reconstruct(shards, wanted, described.shard_bytes));
  held.there |= held.needed;
}

ByteView ObjectDecoder::sealed_bytes(const Held& held, const Segment& segment) {
  const std::size_t shard_bytes = manifest_->stripes[segment.stripe].shard_bytes;
  std::size_t shard = segment.offset / shard_bytes;
  std::size_t at = segment.offset % shard_bytes;
  if (segment.sealed_length <= shard_bytes - at) {
    return ByteView(held.shards[shard]).subspan(at, segment.sealed_length);
  }
  sealed_.resize(segment.sealed_length);
  for (std::size_t done = 0; done < sealed_.size(); ++shard, at = 0) {
    const std::size_t part = std::min(shard_bytes - at, sealed_.size() - done);
    std::memcpy(sealed_.data() + done, held.shards[shard].data() + at, part);
    done += part;
  }
  return sealed_;
}

ReadFailure ObjectDecoder::failure(StorageError error, std::uint32_t stripe) const {
  const Faults faults = faults_of(stripe);
  const ShardSet there = held_.at(stripe).there;
  return {error, stripe, members(faults.lost & ~faults.altered & ~there),
          members(faults.altered & ~there)};
}

// Where the next segment is opened: behind those before it, since in pieces of odd lengths BLAKE3
// takes twice as long.
std::span<std::uint8_t> ObjectDecoder::space_for(std::size_t plain_length) {
  const std::size_t hashed = is_whole() ? plain_used_ - plain_used_ % kHashed : plain_used_;
  if (is_whole()) hasher_.update(ByteView(plain_).first(hashed));
  if (hashed > 0) std::memmove(plain_.data(), plain_.data() + hashed, plain_used_ - hashed);
  plain_used_ += plain_length - hashed;
  if (plain_.size() < plain_used_) plain_.resize(plain_used_);
  return std::span(plain_).subspan(plain_used_ - plain_length, plain_length);
}

Result<void, ReadFailure> ObjectDecoder::read_segment(const Segment& segment,
                                                      const PlainSink& sink) {
  const ByteView sealed = sealed_bytes(held_.at(segment.stripe), segment);
  const std::span<std::uint8_t> plain = space_for(segment.plain_length);
  const bool is_compressed = (segment.flags & kCompressedFlag) != 0;
  if (is_compressed) stored_.resize(sealed.size() - kSealOverhead);
  const std::span<std::uint8_t> stored = is_compressed ? std::span(stored_) : plain;
  if (!sealer_.open(secret_of(*manifest_, segment), binding_of(*manifest_, segment), segment.flags,
                    sealed, stored)) {
    return fail(failure(StorageError::NotASegment, segment.stripe));
  }
  if (is_compressed) {
    auto content = compressor_.decompress(stored, segment.plain_length);
    if (!content) return fail(failure(content.error(), segment.stripe));
    std::ranges::copy(*content, plain.begin());
  }
  const std::uint64_t skipped = begin_ > position_ ? begin_ - position_ : 0;
  const std::uint64_t until = std::min<std::uint64_t>(plain.size(), end_ - position_);
  sink(plain.subspan(skipped, until - skipped));
  return {};
}

Result<ObjectDecoder::Progress, ReadFailure> ObjectDecoder::read(const PlainSink& sink) {
  while (position_ < end_) {
    const Segment& segment = manifest_->segments[next_];
    Held& held = held_.at(segment.stripe);
    const ShardSet shards = shards_of(segment);
    if (!is_readable(held, segment.stripe, shards)) {
      const erasure::Code code = manifest_->stripes[segment.stripe].code;
      const ShardSet gone = unavailable(held, segment.stripe);
      if ((shards & gone) != 0 && code.shards() - count(gone) < code.data) {
        return fail(failure(StorageError::TooFewShards, segment.stripe));
      }
      return Progress::NeedsShards;
    }
    if ((shards & ~held.there) != 0) recover(held, segment.stripe);
    HM_TRY_VOID(read_segment(segment, sink));
    position_ += segment.plain_length;
    ++next_;
    if (position_ < end_ && manifest_->segments[next_].stripe != segment.stripe) look_ahead();
  }
  held_.clear();
  order_.clear();
  if (!is_whole()) return Progress::Done;
  hasher_.update(ByteView(plain_).first(plain_used_));
  plain_used_ = 0;
  if (hasher_.digest() != manifest_->content) return fail(ReadFailure{StorageError::WrongContent});
  return Progress::Done;
}

}  // namespace hm::storage
