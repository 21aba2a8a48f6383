// SPDX-License-Identifier: Apache-2.0
// Which records a log has: found by reading it, or out of its index file, which is written when the
// log is sealed and says the same without reading it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/shard_store/log_file.h"
#include "platform/shard_store/record.h"

namespace hm::shard_store {

struct LogRecord {
  Record record;
  std::uint32_t unit = 0;
  bool is_damaged = false;  // the header is right, the body is not
  bool operator==(const LogRecord&) const = default;
};

// Bytes in which no record begins that can be read.
struct LogGap {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

struct LogContent {
  std::vector<LogRecord> records;  // in order
  std::vector<LogGap> gaps;
  std::uint64_t end = 0;  // where the last record ends that is whole, or the header
  bool has_header = false;
  bool is_readable = true;  // the disk gave every part that was asked for
};

// Reads the headers of all records, and the bodies that reach beyond `verify_from`. Where a header
// is not right, or cannot be read, the next one that is is looked for.
Result<LogContent> scan_log(const LogFile& file, LogNumber log, const RecordCodec& codec,
                            std::uint64_t verify_from);

// Forgets what stands behind the last whole record; gives how many bytes that is.
std::uint64_t forget_torn_end(LogContent& content, std::uint64_t file_bytes);

Bytes encode_index(LogNumber log, std::uint64_t log_bytes, const std::vector<LogRecord>& records,
                   const RecordCodec& codec);
// None unless it is the index of this log with this length.
std::optional<std::vector<LogRecord>> decode_index(ByteView file, LogNumber log,
                                                   std::uint64_t log_bytes,
                                                   const RecordCodec& codec);
// The longest one.
std::uint64_t max_index_bytes();

}  // namespace hm::shard_store
