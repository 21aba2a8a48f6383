// SPDX-License-Identifier: Apache-2.0
#include "platform/shard_store/record.h"

#include <algorithm>

#include "foundation/base/check.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::shard_store {
namespace {

constexpr std::string_view kLogMagic = "HMSHLOG2";
constexpr std::array<std::uint8_t, 4> kRecordMagic = {'H', 'M', 'S', 'R'};
constexpr std::uint8_t kVersion = 2;
constexpr std::size_t kCheckBytes = 16;
using Check = std::array<std::uint8_t, kCheckBytes>;

Check check_of(const Key& key, const Place& place, ByteView header) {
  codec::Writer writer;
  writer.write(std::uint64_t{place.log});
  writer.write(place.offset());
  writer.write_raw(header);
  const crypto::Digest digest = blake3::keyed_hash(key, writer.bytes());
  Check check;
  std::copy_n(digest.bytes.begin(), check.size(), check.begin());
  return check;
}

bool is_padding(const Record& record, const Place& place) {
  const std::uint64_t end = place.offset() + record_bytes(record);
  return record.padding == 0 || record.padding == block_up(end) - end;
}

bool is_possible(const Record& record) {
  switch (record.kind) {
    case RecordKind::Shard:
    case RecordKind::HolderAdded:
      return record.shard_bytes >= 1 && record.shard_bytes <= ports::kMaxShardBytes;
    case RecordKind::HolderDropped: return record.shard_bytes == 0;
  }
  return false;
}

template <std::size_t N>
std::array<std::uint8_t, N> as_array(const Bytes& bytes) {
  HM_CHECK(bytes.size() == N);
  std::array<std::uint8_t, N> array;
  std::ranges::copy(bytes, array.begin());
  return array;
}

}  // namespace

std::uint64_t values_bytes(std::uint64_t shard_bytes) {
  const std::uint64_t pages = blake3::page_count(shard_bytes);
  return pages == 1 ? 0 : pages * blake3::ChainingValue::kSize;
}

std::uint64_t content_bytes(std::uint64_t shard_bytes) {
  const std::uint64_t filled = (shard_bytes + kUnit - 1) / kUnit * kUnit;
  return values_bytes(shard_bytes) + filled;
}

std::uint64_t record_bytes(const Record& record) {
  return kRecordHeaderBytes +
         (record.kind == RecordKind::Shard ? content_bytes(record.shard_bytes) : 0);
}

RecordCodec::RecordCodec(const Key& key)
    : record_key_(blake3::derive_key("hypermesh shard store record 1", key)),
      index_key_(blake3::derive_key("hypermesh shard store index 1", key)) {}

RecordHeader RecordCodec::encode(const Record& record, const Place& place) const {
  codec::Writer writer;
  writer.write(kRecordMagic);
  writer.write(kVersion);
  writer.write(static_cast<std::uint8_t>(record.kind));
  writer.write(std::uint16_t{0});
  writer.write(record.shard_bytes);
  writer.write(record.padding);
  writer.write(record.root.bytes);
  writer.write(record.holder.bytes);
  writer.write(check_of(record_key_, place, writer.bytes()));
  return as_array<kRecordHeaderBytes>(std::move(writer).take());
}

std::optional<Record> RecordCodec::decode(std::span<const std::uint8_t, kRecordHeaderBytes> header,
                                          const Place& place) const {
  // Nearly everything that is looked at after damage ends here.
  if (!std::ranges::equal(header.first<kRecordMagic.size()>(), kRecordMagic)) return std::nullopt;
  codec::Reader reader(header.subspan(kRecordMagic.size()));
  std::uint8_t version = 0;
  std::uint8_t kind = 0;
  std::uint16_t zero = 0;
  Record record;
  Check check;
  const bool is_read = reader.read(version) && reader.read(kind) && reader.read(zero) &&
                       reader.read(record.shard_bytes) && reader.read(record.padding) &&
                       reader.read(record.root.bytes) && reader.read(record.holder.bytes) &&
                       reader.read(check);
  record.kind = static_cast<RecordKind>(kind);
  if (!is_read || version != kVersion || zero != 0 || !is_possible(record) ||
      !is_padding(record, place) ||
      check != check_of(record_key_, place, header.first<kRecordHeaderBytes - kCheckBytes>())) {
    return std::nullopt;
  }
  return record;
}

crypto::Digest RecordCodec::index_check(ByteView content) const {
  return blake3::keyed_hash(index_key_, content);
}

LogHeader encode_log_header(LogNumber log, const Key& key) {
  codec::Writer writer;
  writer.write_raw(as_bytes(kLogMagic));
  writer.write(std::uint64_t{log});
  writer.write(key);
  writer.write(check_of(key, {}, writer.bytes()));
  return as_array<kLogHeaderBytes>(std::move(writer).take());
}

std::optional<Key> decode_log_header(ByteView header, LogNumber log) {
  if (header.size() != kLogHeaderBytes) return std::nullopt;
  Key key;
  std::copy_n(header.begin() + kLogMagic.size() + sizeof(std::uint64_t), key.size(), key.begin());
  if (!std::ranges::equal(header, encode_log_header(log, key))) return std::nullopt;
  return key;
}

}  // namespace hm::shard_store
