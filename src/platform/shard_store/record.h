// SPDX-License-Identifier: Apache-2.0
// The bytes of a log (docs/protocols/shard_log.md): a header, then records. A
// record's header is under a check that covers where it stands and is made with the store's key,
// which nobody outside knows: bytes inside a shard are never taken for a record. The body is under
// the shard's root.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "foundation/base/bytes.h"
#include "foundation/blake3/blake3.h"
#include "ports/shard_store.h"

namespace hm::shard_store {

// Records begin at multiples of it.
inline constexpr std::uint64_t kUnit = 32;
inline constexpr std::uint64_t kLogHeaderBytes = 64;
// Logs are written in whole blocks, and no block twice: with what one write leaves of its last one,
// and with what the log's header leaves of the first one.
inline constexpr std::uint64_t kBlockBytes = 4096;
inline constexpr std::uint64_t kFirstRecord = kBlockBytes;
constexpr std::uint64_t block_down(std::uint64_t bytes) {
  return bytes / kBlockBytes * kBlockBytes;
}
constexpr std::uint64_t block_up(std::uint64_t bytes) {
  return block_down(bytes + kBlockBytes - 1);
}
inline constexpr std::uint64_t kRecordHeaderBytes = 96;

using Key = blake3::Key;
using LogNumber = std::uint32_t;  // from 1

enum class RecordKind : std::uint8_t {
  Shard = 1,          // its bytes follow; a holder is added too
  HolderAdded = 2,    // to a shard that stands elsewhere
  HolderDropped = 3,  // and with the last one the shard
};

struct Record {
  RecordKind kind = RecordKind::Shard;
  std::uint32_t shard_bytes = 0;  // 0 in HolderDropped
  ports::ShardRoot root;
  ports::HolderId holder;
  std::uint32_t padding = 0;  // zeros behind the last record of a write, up to the block's end
  bool operator==(const Record&) const = default;
};

// Where a record begins.
struct Place {
  LogNumber log = 0;  // 0: nowhere
  std::uint32_t unit = 0;
  std::uint64_t offset() const { return unit * kUnit; }
  bool operator==(const Place&) const = default;
};

// Of the page values, of the body with what fills it up to a unit, and of a whole record without
// its padding.
std::uint64_t values_bytes(std::uint64_t shard_bytes);
std::uint64_t content_bytes(std::uint64_t shard_bytes);
std::uint64_t record_bytes(const Record& record);

using RecordHeader = std::array<std::uint8_t, kRecordHeaderBytes>;
using LogHeader = std::array<std::uint8_t, kLogHeaderBytes>;

class RecordCodec {
 public:
  explicit RecordCodec(const Key& key);

  RecordHeader encode(const Record& record, const Place& place) const;
  // None if it is not the header of a record that was written there.
  std::optional<Record> decode(std::span<const std::uint8_t, kRecordHeaderBytes> header,
                               const Place& place) const;

  // Of a whole index file.
  crypto::Digest index_check(ByteView content) const;

 private:
  Key record_key_;
  Key index_key_;
};

// Each log begins with the key, and log 0 is the file that has nothing else: the key is lost only
// with all of them.
LogHeader encode_log_header(LogNumber log, const Key& key);
std::optional<Key> decode_log_header(ByteView header, LogNumber log);

}  // namespace hm::shard_store
