// SPDX-License-Identifier: Apache-2.0
#include "platform/shard_store/log_content.h"

#include <algorithm>
#include <limits>

#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "platform/shard_store/limits.h"
#include "platform/shard_store/shard_pages.h"

namespace hm::shard_store {
namespace {

constexpr std::string_view kIndexMagic = "HMSHIDX1";
constexpr std::size_t kIndexHeaderBytes = 8 + 8 + 8 + 4;
constexpr std::size_t kIndexRecordBytes = 1 + 1 + 4 + 4 + 32 + 32;
constexpr std::uint64_t kMaxUnits = std::numeric_limits<std::uint32_t>::max();

// Headers one after another without a read for each, and bodies without reading them. Zeros, which
// are no header, stand for what the disk does not give.
class Window {
 public:
  Window(const LogFile& file, std::uint64_t file_bytes) : file_(file), file_bytes_(file_bytes) {}

  // Fewer bytes than `count` only where the file or a block ends. Valid until the next call.
  ByteView at(std::uint64_t offset, std::size_t count) {
    const bool is_inside = offset >= begin_ && offset + count <= begin_ + size_;
    if (!is_inside) load(offset, count);
    const auto from = static_cast<std::size_t>(offset - begin_);
    return ByteView(buffer_).subspan(from, std::min(count, size_ - from));
  }

  bool is_readable() const { return is_readable_; }

 private:
  static constexpr std::size_t kWindowBytes = 4096;

  void load(std::uint64_t offset, std::size_t count) {
    if (load_up_to(offset, offset + kWindowBytes) || load_up_to(offset, offset + count)) return;
    // A disk fails by blocks, and slowly: the rest of this one is not tried.
    is_readable_ = false;
    size_ = left_before(offset, (offset / kWindowBytes + 1) * kWindowBytes);
    std::ranges::fill(buffer_, std::uint8_t{0});
  }

  bool load_up_to(std::uint64_t offset, std::uint64_t end) {
    begin_ = offset;
    size_ = left_before(offset, end);
    const auto got = file_.read(offset, std::span(buffer_).first(size_));
    return got && *got == size_;
  }

  std::size_t left_before(std::uint64_t offset, std::uint64_t end) const {
    return static_cast<std::size_t>(std::min(end, std::max(offset, file_bytes_)) - offset);
  }

  const LogFile& file_;
  std::uint64_t file_bytes_;
  Bytes buffer_ = Bytes(kWindowBytes);
  std::uint64_t begin_ = 0;
  std::size_t size_ = 0;
  bool is_readable_ = true;
};

class Scan {
 public:
  Scan(const LogFile& file, std::uint64_t size, LogNumber log, const RecordCodec& codec)
      : file_(file), size_(size), log_(log), codec_(codec), window_(file, size) {}

  LogContent run(std::uint64_t verify_from) {
    LogContent content;
    content.has_header = decode_log_header(window_.at(0, kLogHeaderBytes), log_).has_value();
    content.end = kFirstRecord;
    std::uint64_t offset = kFirstRecord;
    while (offset < size_) {
      const auto record = header_at(offset);
      if (!record) {
        const std::uint64_t next = next_header(offset);
        content.gaps.push_back({offset, next - offset});
        offset = next;
        continue;
      }
      const std::uint64_t end = offset + record_bytes(*record) + record->padding;
      const bool is_right = is_whole(*record, offset, end, verify_from);
      content.records.push_back({*record, unit_of(offset), !is_right});
      if (is_right) content.end = end;
      offset = end;
    }
    content.is_readable = window_.is_readable();
    return content;
  }

 private:
  static std::uint32_t unit_of(std::uint64_t offset) {
    return static_cast<std::uint32_t>(offset / kUnit);
  }

  std::optional<Record> header_at(std::uint64_t offset) {
    const ByteView bytes = window_.at(offset, kRecordHeaderBytes);
    if (bytes.size() < kRecordHeaderBytes) return std::nullopt;
    return codec_.decode(bytes.first<kRecordHeaderBytes>(), {log_, unit_of(offset)});
  }

  std::uint64_t next_header(std::uint64_t damaged) {
    for (std::uint64_t offset = damaged + kUnit; offset < size_; offset += kUnit) {
      if (header_at(offset)) return offset;
    }
    return size_;
  }

  bool is_whole(const Record& record, std::uint64_t offset, std::uint64_t end,
                std::uint64_t verify_from) const {
    if (end > size_) return false;
    if (record.kind != RecordKind::Shard || end <= verify_from) return true;
    const auto pages =
        read_pages(file_, offset, record.root, record.shard_bytes, all_pages(record.shard_bytes));
    return pages && !pages->values_are_damaged;
  }

  const LogFile& file_;
  std::uint64_t size_;
  LogNumber log_;
  const RecordCodec& codec_;
  Window window_;
};

bool is_kind(std::uint8_t kind) {
  return kind >= static_cast<std::uint8_t>(RecordKind::Shard) &&
         kind <= static_cast<std::uint8_t>(RecordKind::HolderDropped);
}

}  // namespace

Result<LogContent> scan_log(const LogFile& file, LogNumber log, const RecordCodec& codec,
                            std::uint64_t verify_from) {
  HM_TRY(const std::uint64_t size, file.size());
  if (size / kUnit > kMaxUnits) {
    return fail(ErrorCode::Corrupt, "a log of shards is longer than any can be",
                "remove it; what it held has to be repaired from other nodes");
  }
  return Scan(file, size, log, codec).run(verify_from);
}

std::uint64_t forget_torn_end(LogContent& content, std::uint64_t file_bytes) {
  const auto is_behind = [&](std::uint64_t offset) { return offset >= content.end; };
  while (!content.records.empty() && is_behind(content.records.back().unit * kUnit)) {
    content.records.pop_back();
  }
  while (!content.gaps.empty() && is_behind(content.gaps.back().offset)) content.gaps.pop_back();
  return file_bytes - std::min(file_bytes, content.end);
}

Bytes encode_index(LogNumber log, std::uint64_t log_bytes, const std::vector<LogRecord>& records,
                   const RecordCodec& codec) {
  codec::Writer writer;
  writer.write_raw(as_bytes(kIndexMagic));
  writer.write(std::uint64_t{log});
  writer.write(log_bytes);
  writer.write(static_cast<std::uint32_t>(records.size()));
  for (const LogRecord& each : records) {
    writer.write(static_cast<std::uint8_t>(each.record.kind));
    writer.write(each.is_damaged);
    writer.write(each.record.shard_bytes);
    writer.write(each.unit);
    writer.write(each.record.root.bytes);
    writer.write(each.record.holder.bytes);
  }
  writer.write(codec.index_check(writer.bytes()).bytes);
  return std::move(writer).take();
}

std::optional<std::vector<LogRecord>> decode_index(ByteView file, LogNumber log,
                                                   std::uint64_t log_bytes,
                                                   const RecordCodec& codec) {
  if (file.size() < kIndexHeaderBytes + crypto::Digest::kSize) return std::nullopt;
  const ByteView content = file.first(file.size() - crypto::Digest::kSize);
  if (!std::ranges::equal(codec.index_check(content).bytes, file.subspan(content.size()))) {
    return std::nullopt;
  }
  // Whoever has the key has written this; what does not fit is a mistake, and bounded all the same.
  if (!std::ranges::equal(content.first(kIndexMagic.size()), as_bytes(kIndexMagic))) {
    return std::nullopt;
  }
  codec::Reader reader(content.subspan(kIndexMagic.size()));
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
  std::uint32_t count = 0;
  if (!reader.read(number) || !reader.read(bytes) || !reader.read(count) || number != log ||
      bytes != log_bytes || reader.rest().size() != count * kIndexRecordBytes) {
    return std::nullopt;
  }
  std::vector<LogRecord> records(count);
  for (LogRecord& each : records) {
    std::uint8_t kind = 0;
    const bool is_read = reader.read(kind) && reader.read(each.is_damaged) &&
                         reader.read(each.record.shard_bytes) && reader.read(each.unit) &&
                         reader.read(each.record.root.bytes) &&
                         reader.read(each.record.holder.bytes);
    if (!is_read || !is_kind(kind) || each.record.shard_bytes > ports::kMaxShardBytes) {
      return std::nullopt;
    }
    each.record.kind = static_cast<RecordKind>(kind);
  }
  return records;
}

std::uint64_t max_index_bytes() {
  return kIndexHeaderBytes + (kMaxLogRecords + kMaxBatchRecords) * kIndexRecordBytes +
         crypto::Digest::kSize;
}

}  // namespace hm::shard_store
