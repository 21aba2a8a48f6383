// SPDX-License-Identifier: Apache-2.0
#include "core/stoq/frame.h"

#include <algorithm>
#include <string_view>

namespace hm::stoq {
namespace {

constexpr std::string_view kMagic = "STOQ";
constexpr std::uint8_t kStreamVersion = 1;

}  // namespace

std::string_view name_of(FrameError error) {
  switch (error) {
    case FrameError::BadMagic: return "bad_magic";
    case FrameError::BadVersion: return "bad_stream_version";
    case FrameError::BadChannel: return "bad_channel";
    case FrameError::EmptyFrame: return "empty_frame";
    case FrameError::Oversized: return "oversized_frame";
  }
  return "unknown";
}

std::array<std::uint8_t, StreamHeader::kSize> StreamHeader::encode() const {
  std::array<std::uint8_t, kSize> out{};
  auto at = std::copy(kMagic.begin(), kMagic.end(), out.begin());
  *at++ = kStreamVersion;
  *at++ = channel;
  at = std::copy(chain.bytes.begin(), chain.bytes.end(), at);
  for (unsigned i = 0; i < 8; ++i) *at++ = static_cast<std::uint8_t>(incarnation >> (8 * i));
  return out;
}

Result<StreamHeader, FrameError> StreamHeader::decode(std::span<const std::uint8_t, kSize> bytes) {
  if (!std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) return fail(FrameError::BadMagic);
  if (bytes[4] != kStreamVersion) return fail(FrameError::BadVersion);
  if (bytes[5] >= kChannels) return fail(FrameError::BadChannel);
  StreamHeader header;
  header.channel = bytes[5];
  std::copy_n(bytes.begin() + 6, header.chain.bytes.size(), header.chain.bytes.begin());
  for (unsigned i = 0; i < 8; ++i) {
    header.incarnation |= std::uint64_t{bytes[38 + i]} << (8 * i);
  }
  return header;
}

std::array<std::uint8_t, kFramePrefix> frame_prefix(std::size_t size) {
  std::array<std::uint8_t, kFramePrefix> out{};
  for (unsigned i = 0; i < kFramePrefix; ++i) out[i] = static_cast<std::uint8_t>(size >> (8 * i));
  return out;
}

// Moves bytes into fixed_ until `wanted` are there; true once they are.
bool FrameReader::fill_fixed(ByteView& input, std::size_t wanted) {
  const auto take = std::min(wanted - have_, input.size());
  std::copy_n(input.begin(), take, fixed_.begin() + static_cast<std::ptrdiff_t>(have_));
  have_ += take;
  input = input.subspan(take);
  if (have_ != wanted) return false;
  have_ = 0;
  return true;
}

Result<std::optional<FrameReader::Item>, FrameError> FrameReader::next(ByteView& input) {
  if (!header_done_) {
    if (!fill_fixed(input, StreamHeader::kSize)) return std::nullopt;
    HM_TRY(const auto header, StreamHeader::decode(fixed_));
    header_done_ = true;
    channel_ = header.channel;
    return Item{header, {}};
  }
  if (!prefix_done_) {
    // Between frames nothing is worth keeping; a large buffer is given back.
    buffer_.clear();
    if (buffer_.capacity() > kFrameGrowth) buffer_.shrink_to_fit();
    if (!fill_fixed(input, kFramePrefix)) return std::nullopt;
    length_ = 0;
    for (unsigned i = 0; i < kFramePrefix; ++i) length_ |= std::size_t{fixed_[i]} << (8 * i);
    if (length_ == 0) return fail(FrameError::EmptyFrame);
    if (length_ > kMaxFrame[channel_]) return fail(FrameError::Oversized);
    prefix_done_ = true;
  }
  const auto missing = length_ - buffer_.size();
  const auto take = std::min(missing, input.size());
  const auto piece = input.first(take);
  input = input.subspan(take);
  if (take == length_) {
    prefix_done_ = false;
    return Item{std::nullopt, piece};
  }
  if (buffer_.capacity() < buffer_.size() + take) {
    // Never beyond the frame, and never far beyond what has come.
    const auto room =
        std::max(buffer_.size() + take, kFrameGrowthFactor * buffer_.size() + kFrameGrowth);
    buffer_.reserve(std::min(room, length_));
  }
  buffer_.insert(buffer_.end(), piece.begin(), piece.end());
  if (take != missing) return std::nullopt;
  prefix_done_ = false;
  return Item{std::nullopt, buffer_};
}

}  // namespace hm::stoq
