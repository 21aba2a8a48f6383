// SPDX-License-Identifier: Apache-2.0
#include "node/storing/shard_message.h"

#include <gtest/gtest.h>

#include "core/stoq/limits.h"
#include "node/storing/limits.h"

namespace hm::storing {
namespace {

ports::SharedBytes shard(std::size_t size) {
  return std::make_shared<const Bytes>(size, std::uint8_t{3});
}

std::optional<ShardMessageError> error_of(const ShardMessage& message) {
  const auto decoded = decode_shard_message(encode(message));
  return decoded ? std::nullopt : std::optional(decoded.error());
}
std::optional<ShardMessageError> error_of(Request request) {
  return error_of(ShardMessage{Query{1, std::move(request)}});
}
std::optional<ShardMessageError> error_of(Reply reply) {
  return error_of(ShardMessage{Response{1, std::move(reply)}});
}

TEST(ShardMessages, EveryKindSurvivesTheRoundTrip) {
  const ports::ShardRoot root{{7}};
  const std::vector<ShardMessage> all = {
      Query{1, PutShard{{{1}}, ShardKind::Box, root, shard(70'000)}},
      Query{2, GetShard{root, 5, 6}},
      Query{3, ProvePage{root, 63}},
      Query{4, HasShards{{root, root}}},
      Query{5, ListShards{{{1}}, ShardKind::Data, root}},
      Query{6, DropShards{{{1}}, ShardKind::Box, 9, {root}}},
      Query{7, LeaseUsage{{{1}}}},
      Response{1, Done{}},
      Response{2, ShardPart{10, Bytes(6, 1)}},
      Response{2, ShardPart{10, {}}},
      Response{3, ports::ProvenPage{10, Bytes(10, 1), {blake3::ChainingValue{{3}}}}},
      Response{4, ShardStates{{ports::ShardState{4, true}, std::nullopt}}},
      Response{5, ports::ShardList{{{root, {4, false}}}, root}},
      Response{6, ports::HolderUsage{1, 2, 3}},
      Response{7, Refused{ErrorCode::Busy, "a", "b"}}};
  for (const ShardMessage& message : all) {
    const auto decoded = decode_shard_message(encode(message));
    ASSERT_TRUE(decoded) << name_of(decoded.error());
    EXPECT_EQ(*decoded, message);
    EXPECT_EQ(claims_response(encode(message)), std::holds_alternative<Response>(message));
    auto apart = encode_apart(message);
    if (apart.shard) apart.head.insert(apart.head.end(), apart.shard->begin(), apart.shard->end());
    EXPECT_EQ(apart.head, encode(message));
  }
}

TEST(ShardMessages, WhatNoShardHasIsOutOfRange) {
  constexpr auto kOutOfRange = ShardMessageError::OutOfRange;
  EXPECT_EQ(error_of(PutShard{.shard = shard(0)}), kOutOfRange);
  EXPECT_EQ(error_of(PutShard{.shard = shard(ports::kMaxShardBytes + 1)}), kOutOfRange);
  EXPECT_EQ(error_of(PutShard{.shard = shard(ports::kMaxShardBytes)}), std::nullopt);
  EXPECT_EQ(error_of(GetShard{.count = 0}), kOutOfRange);
  EXPECT_EQ(error_of(GetShard{.count = ports::kMaxShardBytes + 1}), kOutOfRange);
  EXPECT_EQ(error_of(GetShard{.offset = ports::kMaxShardBytes + 1, .count = 1}), kOutOfRange);
  EXPECT_EQ(error_of(ProvePage{.page = 64}), kOutOfRange);
  EXPECT_EQ(error_of(HasShards{}), kOutOfRange);
  EXPECT_EQ(error_of(HasShards{std::vector<ports::ShardRoot>(kMaxRoots + 1)}), kOutOfRange);
  EXPECT_EQ(error_of(DropShards{.generation = 0, .roots = {{}}}), kOutOfRange)
      << "0 is before every commitment";
  EXPECT_EQ(error_of(ShardPart{0, {}}), kOutOfRange);
  EXPECT_EQ(error_of(ShardPart{5, Bytes(6)}), kOutOfRange);
  EXPECT_EQ(error_of(ports::ProvenPage{1 << 20, Bytes(blake3::kPageSize + 1), {}}), kOutOfRange);
  EXPECT_EQ(error_of(ShardStates{{ports::ShardState{0, false}}}), kOutOfRange);
  EXPECT_EQ(error_of(ports::ShardList{{{{}, {1, false}}, {{}, {1, false}}}, {}}), kOutOfRange)
      << "one root twice";
  EXPECT_EQ(error_of(Refused{ErrorCode::Io, std::string(kMaxRefusalText + 1, 'a'), {}}),
            kOutOfRange);
}

TEST(ShardMessages, OnlyAShardMakesAMessageLong) {
  EXPECT_EQ(error_of(HasShards{std::vector<ports::ShardRoot>(3'000)}), ShardMessageError::TooLong);
  EXPECT_EQ(decode_shard_message(Bytes(kMaxMessage + 1, 0)).error(), ShardMessageError::TooLong);
  EXPECT_EQ(error_of(PutShard{.shard = shard(kMaxMessage)}), ShardMessageError::TooLong);
}

TEST(ShardMessages, TheLongestOfEachFits) {
  const ports::ShardRoot root{};
  const auto length = [](const ShardMessage& message) { return encode(message).size(); };
  EXPECT_LE(length(Query{~0ULL, PutShard{{}, {}, root, shard(ports::kMaxShardBytes)}}),
            kMaxMessage);
  EXPECT_LE(length(Response{~0ULL, ShardPart{1, Bytes(ports::kMaxShardBytes)}}), kMaxMessage);
  EXPECT_LE(length(Response{~0ULL, ports::ProvenPage{1, Bytes(blake3::kPageSize),
                                                     blake3::PageProof(blake3::kPageProofMax)}}),
            kMaxPlainMessage);
  EXPECT_LE(
      length(Response{~0ULL, ports::ShardList{std::vector<ports::ListedShard>(kMaxRoots), root}}),
      kMaxPlainMessage);
  EXPECT_LE(length(Query{~0ULL, DropShards{{}, {}, 1, std::vector<ports::ShardRoot>(kMaxRoots)}}),
            kMaxPlainMessage);
  constexpr std::size_t kStorageChannel = static_cast<std::size_t>(ports::Channel::Storage);
  EXPECT_LE(kMaxMessage, stoq::kMaxFrame[kStorageChannel]);
  EXPECT_LE(kWindowBytes + kPeerShare, stoq::kMaxQueue[kStorageChannel]);
}

TEST(ShardMessages, TrailingBytesAndOtherSpellingsAreMalformed) {
  Bytes bytes = encode(Query{1, PutShard{.shard = shard(10)}});
  bytes.push_back(0);
  EXPECT_EQ(decode_shard_message(bytes).error(), ShardMessageError::Malformed);
  bytes = encode(Query{1, LeaseUsage{}});
  bytes[0] = 2;
  EXPECT_EQ(decode_shard_message(bytes).error(), ShardMessageError::Malformed);
  bytes.pop_back();
  EXPECT_EQ(decode_shard_message(bytes).error(), ShardMessageError::Malformed);
  EXPECT_EQ(decode_shard_message({}).error(), ShardMessageError::Malformed);
}

}  // namespace
}  // namespace hm::storing
