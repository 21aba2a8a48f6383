// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/packed_stream.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace hm::oci {
namespace {

using containers::LayerPacking;

constexpr std::array<std::uint8_t, 3> kGzipMagic{0x1f, 0x8b, 0x08};        // RFC 1952, deflate
constexpr std::array<std::uint8_t, 4> kZstdMagic{0x28, 0xb5, 0x2f, 0xfd};  // RFC 8878

bool is_fine(int status) { return status == ARCHIVE_OK || status == ARCHIVE_WARN; }

class PackedStream {
 public:
  explicit PackedStream(ByteSource source) : source_(std::move(source)) {}
  ~PackedStream() {
    if (reader_ != nullptr) ::archive_read_free(reader_);
  }
  PackedStream(const PackedStream&) = delete;
  PackedStream& operator=(const PackedStream&) = delete;

  Result<void> open(LayerPacking packing) {
    const int filter = packing == LayerPacking::Gzip ? ARCHIVE_FILTER_GZIP : ARCHIVE_FILTER_ZSTD;
    reader_ = ::archive_read_new();
    archive_entry* whole = nullptr;
    // Named, not offered for a guess: exactly this filter, exactly once.
    if (reader_ == nullptr || !is_fine(::archive_read_append_filter(reader_, filter)) ||
        !is_fine(::archive_read_support_format_raw(reader_)) ||
        !is_fine(::archive_read_open(reader_, this, nullptr, read, nullptr)) ||
        !is_fine(::archive_read_next_header(reader_, &whole))) {
      return failure();
    }
    return {};
  }

  Result<ByteView> next() {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    int status = ARCHIVE_OK;
    while (size == 0 && is_fine(status)) {
      status = ::archive_read_data_block(reader_, &data, &size, &offset);
    }
    if (status == ARCHIVE_EOF) return ByteView();
    if (!is_fine(status)) return failure();
    return ByteView(static_cast<const std::uint8_t*>(data), size);
  }

 private:
  static la_ssize_t read(archive* reader, void* self, const void** out) {
    auto& stream = *static_cast<PackedStream*>(self);
    const auto piece = stream.source_();
    if (!piece) {
      stream.error_ = piece.error();
      ::archive_set_error(reader, EIO, "no more bytes");
      return -1;
    }
    *out = piece->data();
    return static_cast<la_ssize_t>(piece->size());
  }

  std::unexpected<Error> failure() {
    return archive_failure(reader_, error_, "bytes are not packed as they are said to be");
  }

  ByteSource source_;
  std::optional<Error> error_;
  archive* reader_ = nullptr;
};

}  // namespace

std::unexpected<Error> archive_failure(archive* reader, const std::optional<Error>& own,
                                       std::string_view what) {
  if (own) return fail(*own);
  const char* const text = reader != nullptr ? ::archive_error_string(reader) : nullptr;
  return fail(ErrorCode::Corrupt, std::string(what), text != nullptr ? text : "");
}

Result<ByteSource> unpacked_source(ByteSource packed, LayerPacking packing) {
  if (packing == LayerPacking::None) return packed;
  const auto stream = std::make_shared<PackedStream>(std::move(packed));
  HM_TRY_VOID(stream->open(packing));
  return ByteSource([stream] { return stream->next(); });
}

LayerPacking packing_by_magic(ByteView first_bytes) {
  const auto begins_with = [&](const auto& magic) {
    return first_bytes.size() >= magic.size() &&
           std::ranges::equal(first_bytes.first(magic.size()), magic);
  };
  if (begins_with(kGzipMagic)) return LayerPacking::Gzip;
  if (begins_with(kZstdMagic)) return LayerPacking::Zstd;
  return LayerPacking::None;
}

}  // namespace hm::oci
