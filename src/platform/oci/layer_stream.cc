// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/layer_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <locale.h>

#include <array>
#include <cerrno>
#include <utility>

namespace hm::oci {
namespace {

constexpr std::size_t kTarBlock = 512;

bool is_fine(int status) { return status == ARCHIVE_OK || status == ARCHIVE_WARN; }

}  // namespace

PlainLocale::PlainLocale() : own_(::newlocale(LC_ALL_MASK, "C", nullptr)), before_(nullptr) {
  if (own_ != nullptr) before_ = ::uselocale(static_cast<locale_t>(own_));
}

PlainLocale::~PlainLocale() {
  if (own_ == nullptr) return;
  ::uselocale(static_cast<locale_t>(before_));
  ::freelocale(static_cast<locale_t>(own_));
}

Result<std::unique_ptr<LayerStream>> LayerStream::open(ByteSource source,
                                                       containers::LayerPacking packing,
                                                       std::uint64_t most_bytes) {
  HM_TRY(auto tar, unpacked_source(std::move(source), packing));
  std::unique_ptr<LayerStream> stream(new LayerStream(std::move(tar), most_bytes));
  stream->reader_ = ::archive_read_new();
  if (stream->reader_ == nullptr || !is_fine(::archive_read_support_format_tar(stream->reader_)) ||
      !is_fine(::archive_read_open(stream->reader_, stream.get(), nullptr, read, nullptr))) {
    return stream->failure();
  }
  return stream;
}

LayerStream::~LayerStream() {
  if (reader_ != nullptr) ::archive_read_free(reader_);
}

ssize_t LayerStream::read(archive* reader, void* self, const void** out) {
  auto& stream = *static_cast<LayerStream*>(self);
  const auto piece = stream.next_tar_bytes();
  if (!piece) {
    stream.error_ = piece.error();
    ::archive_set_error(reader, EIO, "no more bytes");
    return -1;
  }
  *out = piece->data();
  if (!piece->empty()) return static_cast<ssize_t>(piece->size());
  // Some builders (umoci insert) leave out the padding behind the last file, which readers in use
  // do not miss. What is hashed is what came.
  static constexpr std::array<std::uint8_t, kTarBlock> kPadding{};
  const std::size_t over = stream.is_padded_ ? 0 : stream.bytes_ % kTarBlock;
  stream.is_padded_ = true;
  *out = kPadding.data();
  return static_cast<ssize_t>(over == 0 ? 0 : kTarBlock - over);
}

Result<ByteView> LayerStream::next_tar_bytes() {
  HM_TRY(const ByteView piece, source_());
  if (piece.size() > most_bytes_ - bytes_) {
    return fail(ErrorCode::NoCapacity,
                fmt::format("a layer is larger than {} bytes unpacked", most_bytes_));
  }
  bytes_ += piece.size();
  hash_.update(piece);
  return piece;
}

Result<archive_entry*> LayerStream::next_entry() {
  archive_entry* entry = nullptr;
  const int status = ::archive_read_next_header(reader_, &entry);
  if (status == ARCHIVE_EOF) return nullptr;
  if (!is_fine(status)) return failure();
  return entry;
}

Result<std::optional<LayerStream::Piece>> LayerStream::next_piece() {
  const void* data = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  const int status = ::archive_read_data_block(reader_, &data, &size, &offset);
  if (status == ARCHIVE_EOF) return std::optional<Piece>();
  if (!is_fine(status)) return failure();
  if (offset < 0) return fail(ErrorCode::Corrupt, "a layer's file has content before its begin");
  return std::optional(Piece{.bytes = {static_cast<const std::uint8_t*>(data), size},
                             .offset = static_cast<std::uint64_t>(offset)});
}

Result<crypto::Digest> LayerStream::finish() {
  // The reader stops at the end mark; the digest covers the padding behind it too.
  while (true) {
    HM_TRY(const ByteView piece, next_tar_bytes());
    if (piece.empty()) return hash_.digest();
  }
}

std::unexpected<Error> LayerStream::failure() {
  return archive_failure(reader_, error_, "a layer cannot be read as tar");
}

}  // namespace hm::oci
