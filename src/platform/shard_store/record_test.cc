// SPDX-License-Identifier: Apache-2.0
#include "platform/shard_store/record.h"

#include <gtest/gtest.h>

#include "foundation/base/hex.h"
#include "platform/shard_store/log_content.h"

namespace hm::shard_store {
namespace {

constexpr Key kKey = {7, 7, 7};

Record sample(RecordKind kind, std::uint32_t bytes) {
  Record record{kind, bytes, {}, {}};
  record.root.bytes.fill(0xaa);
  record.holder.bytes.fill(0xbb);
  return record;
}

TEST(Record, IsReadWhereItWasWrittenAndNowhereElse) {
  const RecordCodec codec(kKey);
  const Place place{3, 700};
  for (const Record& record :
       {sample(RecordKind::Shard, 1), sample(RecordKind::Shard, ports::kMaxShardBytes),
        sample(RecordKind::HolderAdded, 4'000), sample(RecordKind::HolderDropped, 0)}) {
    const RecordHeader header = codec.encode(record, place);
    EXPECT_EQ(codec.decode(header, place), record);
    EXPECT_FALSE(codec.decode(header, {3, 701}));
    EXPECT_FALSE(codec.decode(header, {4, 700}));
    EXPECT_FALSE(RecordCodec({7, 7, 8}).decode(header, place));
  }
}

TEST(Record, IsNoneWithAnyBitChanged) {
  const RecordCodec codec(kKey);
  const RecordHeader header = codec.encode(sample(RecordKind::Shard, 99), {1, 2});
  for (std::size_t bit = 0; bit < header.size() * 8; ++bit) {
    RecordHeader changed = header;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(codec.decode(changed, {1, 2})) << bit;
  }
}

TEST(Record, HasPaddingUpToTheEndOfItsBlockOrNone) {
  const RecordCodec codec(kKey);
  const Place place{1, static_cast<std::uint32_t>(2 * kBlockBytes / kUnit) + 1};
  Record record = sample(RecordKind::HolderAdded, 10);
  const auto right = static_cast<std::uint32_t>(kBlockBytes - kUnit - kRecordHeaderBytes);
  for (std::uint32_t padding = 0; padding <= 2 * kBlockBytes; ++padding) {
    record.padding = padding;
    const auto got = codec.decode(codec.encode(record, place), place);
    EXPECT_EQ(got.has_value(), padding == 0 || padding == right) << padding;
  }
}

TEST(Record, IsNoneThatNobodyWouldWrite) {
  const RecordCodec codec(kKey);
  for (const Record& record :
       {sample(RecordKind::Shard, 0), sample(RecordKind::Shard, ports::kMaxShardBytes + 1),
        sample(RecordKind::HolderAdded, 0), sample(RecordKind::HolderDropped, 1),
        sample(static_cast<RecordKind>(0), 1), sample(static_cast<RecordKind>(4), 1)}) {
    EXPECT_FALSE(codec.decode(codec.encode(record, {1, 2}), {1, 2}));
  }
}

// The format of what is on disks already; the checks are those that b3sum gives.
TEST(Record, HasItsBytes) {
  const RecordCodec codec(kKey);
  EXPECT_EQ(to_hex(codec.encode(sample(RecordKind::Shard, 0x1234), {1, 2})),
            "484d5352020100003412000000000000"
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
            "76a2d8d8fd04923fab3ae4086f604871");
  EXPECT_EQ(to_hex(encode_log_header(5, kKey)),
            "484d53484c4f47320500000000000000"
            "0707070000000000000000000000000000000000000000000000000000000000"
            "f2fe213e4f2dac42b9a73867e00ce8b9");
  EXPECT_EQ(record_bytes(sample(RecordKind::Shard, 1)), 128u);
  EXPECT_EQ(record_bytes(sample(RecordKind::Shard, 65'537)), 96u + 2 * 32 + 65'568);
  EXPECT_EQ(record_bytes(sample(RecordKind::HolderAdded, 65'537)), 96u);
}

TEST(LogHeader, HasTheKeyOfItsLogOrNone) {
  const LogHeader header = encode_log_header(5, kKey);
  EXPECT_EQ(decode_log_header(header, 5), kKey);
  EXPECT_FALSE(decode_log_header(header, 6));
  EXPECT_FALSE(decode_log_header(ByteView(header).first(63), 5));
  for (std::size_t bit = 0; bit < header.size() * 8; ++bit) {
    LogHeader changed = header;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(decode_log_header(changed, 5)) << bit;
  }
}

TEST(LogIndex, IsTakenForItsLogAndLengthOnly) {
  const RecordCodec codec(kKey);
  const std::vector<LogRecord> records = {{sample(RecordKind::Shard, 9), 2, false},
                                          {sample(RecordKind::Shard, 10), 7, true},
                                          {sample(RecordKind::HolderDropped, 0), 12, false}};
  const Bytes index = encode_index(3, 1'000, records, codec);
  EXPECT_EQ(decode_index(index, 3, 1'000, codec), records);
  EXPECT_FALSE(decode_index(index, 4, 1'000, codec));
  EXPECT_FALSE(decode_index(index, 3, 1'001, codec));
  EXPECT_FALSE(decode_index(index, 3, 1'000, RecordCodec({1})));
  for (std::size_t size = 0; size < index.size(); ++size) {
    EXPECT_FALSE(decode_index(ByteView(index).first(size), 3, 1'000, codec));
  }
  EXPECT_EQ(decode_index(encode_index(1, 64, {}, codec), 1, 64, codec), std::vector<LogRecord>{});
}

}  // namespace
}  // namespace hm::shard_store
