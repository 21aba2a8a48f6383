// SPDX-License-Identifier: Apache-2.0
#include "core/storage/compression.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/storage/limits.h"
#include "foundation/base/check.h"

namespace hm::storage {
namespace {

constexpr int kLevel = 1;
constexpr std::size_t kSamplePieces = 2;
constexpr std::size_t kSamplePiece = kCompressionSample / kSamplePieces;

// More than a twentieth less.
bool is_smaller_enough(std::size_t compressed, std::size_t original) {
  return compressed * 20 < original * 19;
}

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

template <class Context>
std::unique_ptr<Context, FreeContext> checked(Context* context) {
  HM_CHECK(context != nullptr);
  return std::unique_ptr<Context, FreeContext>(context);
}

}  // namespace

// Each context is large, and made when it is first used: most callers go one way only.
struct Compressor::State {
  ZSTD_CCtx* compressing() {
    if (!compressor) compressor = checked(ZSTD_createCCtx());
    return compressor.get();
  }
  ZSTD_DCtx* decompressing() {
    if (!decompressor) decompressor = checked(ZSTD_createDCtx());
    return decompressor.get();
  }

  std::unique_ptr<ZSTD_CCtx, FreeContext> compressor;
  std::unique_ptr<ZSTD_DCtx, FreeContext> decompressor;
  std::array<std::uint8_t, kCompressionSample> sample{};
  std::array<std::uint8_t, ZSTD_COMPRESSBOUND(kCompressionSample)> out{};
};

Compressor::Compressor() : state_(std::make_unique<State>()) {}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;

bool Compressor::is_worthwhile(ContentClass content, ByteView segment) {
  if (content == ContentClass::Media || content == ContentClass::Compressed) return false;
  ByteView sample = segment;
  if (segment.size() > kCompressionSample) {
    // From the middle of each half: beginnings are often headers unlike the rest.
    const std::size_t half = segment.size() / kSamplePieces;
    for (std::size_t i = 0; i < kSamplePieces; ++i) {
      const ByteView piece = segment.subspan(i * half + (half - kSamplePiece) / 2, kSamplePiece);
      std::memcpy(state_->sample.data() + i * kSamplePiece, piece.data(), kSamplePiece);
    }
    sample = state_->sample;
  }
  if (sample.empty()) return false;
  const std::size_t size =
      ZSTD_compressCCtx(state_->compressing(), state_->out.data(), state_->out.size(),
                        sample.data(), sample.size(), kLevel);
  return ZSTD_isError(size) == 0 && is_smaller_enough(size, sample.size());
}

Result<Bytes, StorageError> Compressor::compress(ByteView segment) {
  if (segment.empty() || segment.size() > kMaxSegment) return fail(StorageError::SegmentTooLong);
  Bytes out(ZSTD_compressBound(segment.size()));
  const std::size_t size = ZSTD_compressCCtx(state_->compressing(), out.data(), out.size(),
                                             segment.data(), segment.size(), kLevel);
  HM_CHECK(ZSTD_isError(size) == 0);  // the output is as large as the library can need
  out.resize(size);
  return out;
}

Result<Bytes, StorageError> Compressor::decompress(ByteView frame, std::size_t size) {
  if (size == 0 || size > kMaxSegment) return fail(StorageError::SegmentTooLong);
  if (frame.size() > ZSTD_compressBound(size)) return fail(StorageError::WrongSize);
  // A skippable frame has no content, so that its size is 0 and differs from the announced one.
  const unsigned long long stated = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (stated == ZSTD_CONTENTSIZE_UNKNOWN || stated == ZSTD_CONTENTSIZE_ERROR ||
      ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size()) {
    return fail(StorageError::NotOneFrame);
  }
  if (stated != size) return fail(StorageError::WrongSize);
  Bytes out(size);
  const std::size_t written = ZSTD_decompressDCtx(state_->decompressing(), out.data(), out.size(),
                                                  frame.data(), frame.size());
  if (ZSTD_isError(written) != 0 || written != size) return fail(StorageError::DamagedFrame);
  return out;
}

}  // namespace hm::storage
