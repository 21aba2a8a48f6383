// SPDX-License-Identifier: Apache-2.0
#include "node/storing/shard_message.h"

#include <algorithm>
#include <utility>

#include "foundation/codec/writer.h"
#include "node/storing/limits.h"

namespace hm::storing {
namespace {

constexpr std::uint8_t kQueryTag = 0;
constexpr std::uint8_t kResponseTag = 1;
constexpr std::uint8_t kPutTag = 0;
constexpr std::uint8_t kPartTag = 1;
// Before the tag of the request or reply: that of the message, and the number.
constexpr std::size_t kInnerTagAt = 1 + sizeof(std::uint64_t);

bool may_carry_shard(ByteView bytes) {
  if (bytes.size() <= kInnerTagAt) return false;
  const std::uint8_t inner = bytes[kInnerTagAt];
  return (bytes[0] == kQueryTag && inner == kPutTag) ||
         (bytes[0] == kResponseTag && inner == kPartTag);
}

bool is_shard_length(std::uint64_t bytes) { return bytes >= 1 && bytes <= ports::kMaxShardBytes; }
bool is_root_count(std::size_t count) { return count >= 1 && count <= kMaxRoots; }

// What a message may say, beyond its encoding.
struct IsSound {
  bool operator()(const Query& query) const { return std::visit(*this, query.request); }
  bool operator()(const Response& response) const { return std::visit(*this, response.reply); }

  bool operator()(const PutShard& r) const {
    return r.shard != nullptr && is_shard_length(r.shard->size());
  }
  bool operator()(const GetShard& r) const {
    return r.offset <= ports::kMaxShardBytes && is_shard_length(r.count);
  }
  bool operator()(const ProvePage& r) const {
    return r.page < blake3::page_count(ports::kMaxShardBytes);
  }
  bool operator()(const HasShards& r) const { return is_root_count(r.roots.size()); }
  bool operator()(const DropShards& r) const {
    return r.generation >= 1 && is_root_count(r.roots.size());
  }
  bool operator()(const ShardPart& r) const {
    return is_shard_length(r.shard_bytes) && r.bytes.size() <= r.shard_bytes;
  }
  bool operator()(const ports::ProvenPage& r) const {
    return is_shard_length(r.shard_bytes) && r.page.size() <= blake3::kPageSize &&
           r.proof.size() <= blake3::kPageProofMax;
  }
  bool operator()(const ShardStates& r) const {
    return is_root_count(r.states.size()) && std::ranges::all_of(r.states, [](const auto& state) {
             return !state || is_shard_length(state->bytes);
           });
  }
  bool operator()(const ports::ShardList& r) const {
    return r.shards.size() <= ports::kMaxListedShards &&
           std::ranges::all_of(
               r.shards, [](const auto& each) { return is_shard_length(each.state.bytes); }) &&
           std::ranges::is_sorted(r.shards, std::ranges::less_equal{}, &ports::ListedShard::root);
  }
  bool operator()(const Refused& r) const {
    return r.message.size() <= kMaxRefusalText && r.detail.size() <= kMaxRefusalText;
  }
  bool operator()(const auto& /*other*/) const { return true; }
};

}  // namespace

std::string_view name_of(ShardMessageError error) {
  switch (error) {
    case ShardMessageError::TooLong: return "too_long";
    case ShardMessageError::Malformed: return "malformed";
    case ShardMessageError::OutOfRange: return "out_of_range";
  }
  return "unknown";
}

Bytes encode(const ShardMessage& message) { return codec::encode(message); }

EncodedApart encode_apart(ShardMessage message) {
  ports::SharedBytes shard;
  if (auto* query = std::get_if<Query>(&message)) {
    if (auto* put = std::get_if<PutShard>(&query->request)) {
      shard = std::exchange(put->shard, std::make_shared<const Bytes>());
    }
  } else if (auto* part = std::get_if<ShardPart>(&std::get<Response>(message).reply)) {
    shard = std::make_shared<const Bytes>(std::exchange(part->bytes, {}));
  }
  codec::Writer writer;
  writer.write(message);
  if (shard == nullptr || shard->empty()) return {std::move(writer).take(), nullptr};
  // The length, of no bytes so far, is what the message ends with.
  Bytes head = std::move(writer).take();
  head.pop_back();
  codec::Writer length;
  length.write_length(shard->size());
  head.insert(head.end(), length.bytes().begin(), length.bytes().end());
  return {std::move(head), std::move(shard)};
}

Result<ShardMessage, ShardMessageError> decode_shard_message(ByteView bytes) {
  if (bytes.size() > (may_carry_shard(bytes) ? kMaxMessage : kMaxPlainMessage)) {
    return fail(ShardMessageError::TooLong);
  }
  auto message = codec::decode<ShardMessage>(bytes);
  if (!message) return fail(ShardMessageError::Malformed);
  if (!std::visit(IsSound{}, *message)) return fail(ShardMessageError::OutOfRange);
  return std::move(*message);
}

bool is_sound(const Request& request) { return std::visit(IsSound{}, request); }

bool claims_response(ByteView bytes) { return !bytes.empty() && bytes[0] == kResponseTag; }

std::uint64_t shard_bytes_of(const Request& request) {
  if (const auto* put = std::get_if<PutShard>(&request)) return put->shard->size();
  if (const auto* get = std::get_if<GetShard>(&request)) return get->count;
  return 0;
}

std::uint64_t cost_of(const Request& request) {
  const std::uint64_t bytes = shard_bytes_of(request);
  return bytes == 0 ? kPlainCost : ports::counted_bytes(bytes);
}

}  // namespace hm::storing
