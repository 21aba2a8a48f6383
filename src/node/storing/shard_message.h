// SPDX-License-Identifier: Apache-2.0
// What two nodes say to each other about shards, on STOQ's channel of storage: questions, numbered
// by whoever asks, and one answer for each. docs/protocols/storage.md §10 is normative.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "core/ledger/lease.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/codec/error_code.h"
#include "foundation/codec/reader.h"
#include "ports/shard_store.h"
#include "ports/transport.h"

namespace hm::storing {

// What the bytes are to their tenant. A box is a sealed manifest, which a new node of the same
// owner looks for when the one that had them all is lost.
enum class ShardKind : std::uint8_t { Data, Box };

// The bytes of a shard as a field of a message; before they are read they get a place of their own.
inline const Bytes& content(const ports::SharedBytes& shard) { return *shard; }
inline Bytes& content(ports::SharedBytes& shard) {
  auto place = std::make_shared<Bytes>();
  Bytes& bytes = *place;
  shard = std::move(place);
  return bytes;
}

// Keep a shard under a lease. Answered by Done.
struct PutShard {
  ledger::LeaseId lease;
  ShardKind kind = ShardKind::Data;
  ports::ShardRoot root;
  ports::SharedBytes shard;  // never null
  bool operator==(const PutShard& other) const {
    return std::tie(lease, kind, root) == std::tie(other.lease, other.kind, other.root) &&
           *shard == *other.shard;
  }
  static constexpr auto fields(auto& self) {
    return std::tuple<decltype((self.lease)), decltype((self.kind)), decltype((self.root)),
                      decltype(content(self.shard))>(self.lease, self.kind, self.root,
                                                     content(self.shard));
  }
};
// `count` bytes from `offset` on, fewer at the end. Answered by ShardPart.
struct GetShard {
  ports::ShardRoot root;
  std::uint64_t offset = 0;
  std::uint64_t count = 0;
  bool operator==(const GetShard&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.root, self.offset, self.count); }
};
// Answered by ports::ProvenPage.
struct ProvePage {
  ports::ShardRoot root;
  std::uint64_t page = 0;
  bool operator==(const ProvePage&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.root, self.page); }
};
// Answered by ShardStates, in the order of `roots`.
struct HasShards {
  std::vector<ports::ShardRoot> roots;
  bool operator==(const HasShards&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.roots); }
};
// What is kept under a lease, after `cursor`. Answered by ports::ShardList.
struct ListShards {
  ledger::LeaseId lease;
  ShardKind kind = ShardKind::Data;
  std::optional<ports::ShardRoot> cursor;
  bool operator==(const ListShards&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.lease, self.kind, self.cursor); }
};
// Once the asking node has committed to `generation`, in which nothing refers to them. Answered by
// Done.
struct DropShards {
  ledger::LeaseId lease;
  ShardKind kind = ShardKind::Data;
  std::uint64_t generation = 0;
  std::vector<ports::ShardRoot> roots;
  bool operator==(const DropShards&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.lease, self.kind, self.generation, self.roots);
  }
};
// Of both kinds together. Answered by ports::HolderUsage.
struct LeaseUsage {
  ledger::LeaseId lease;
  bool operator==(const LeaseUsage&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.lease); }
};

// The order of the alternatives is the wire format, here and below.
using Request =
    std::variant<PutShard, GetShard, ProvePage, HasShards, ListShards, DropShards, LeaseUsage>;

struct Done {
  bool operator==(const Done&) const = default;
  static constexpr auto fields(auto&) { return std::tie(); }
};
// A part of a shard, or all of it.
struct ShardPart {
  std::uint64_t shard_bytes = 0;  // of the whole
  Bytes bytes;
  bool operator==(const ShardPart&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.shard_bytes, self.bytes); }
};
// None for what is not there.
struct ShardStates {
  std::vector<std::optional<ports::ShardState>> states;
  bool operator==(const ShardStates&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.states); }
};
struct Refused {
  ErrorCode code = ErrorCode::Unavailable;
  std::string message;
  std::string detail;
  bool operator==(const Refused&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.code, self.message, self.detail);
  }
};

using Reply = std::variant<Done, ShardPart, ports::ProvenPage, ShardStates, ports::ShardList,
                           ports::HolderUsage, Refused>;

struct Query {
  std::uint64_t number = 0;
  Request request;
  bool operator==(const Query&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.number, self.request); }
};
struct Response {
  std::uint64_t number = 0;  // of the question
  Reply reply;
  bool operator==(const Response&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.number, self.reply); }
};
using ShardMessage = std::variant<Query, Response>;

enum class ShardMessageError : std::uint8_t {
  TooLong,     // above kMaxMessage, or above kMaxPlainMessage without a shard in it
  Malformed,   // not the one encoding of a message
  OutOfRange,  // an offset, a count, a number of roots or a length that no shard has
};
std::string_view name_of(ShardMessageError error);

// Copies the bytes of a shard once. Requires: texts of a refusal within kMaxRefusalText.
Bytes encode(const ShardMessage& message);
// Likewise, but the bytes of a shard, which end a message that has any, stay where they are.
struct EncodedApart {
  Bytes head;
  ports::SharedBytes shard;  // null if there are none
};
EncodedApart encode_apart(ShardMessage message);
// Everything about a message that needs no state. Copies the bytes of a shard once.
Result<ShardMessage, ShardMessageError> decode_shard_message(ByteView bytes);
// Whether these bytes claim to be a response, for who asks nothing.
bool claims_response(ByteView bytes);
// Within the ranges that OutOfRange is about.
bool is_sound(const Request& request);

// What a question counts as against the window, until it is answered.
std::uint64_t cost_of(const Request& request);
// The bytes of a shard that it moves, one way or the other.
std::uint64_t shard_bytes_of(const Request& request);

}  // namespace hm::storing

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::storing::ShardKind> = hm::storing::ShardKind::Box;
