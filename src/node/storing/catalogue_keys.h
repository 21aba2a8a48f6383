// SPDX-License-Identifier: Apache-2.0
// The keys of the catalogue's rows, and how a row is read. Private to the catalogue.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/reader.h"
#include "node/storing/multipart_rows.h"
#include "ports/store.h"

namespace hm::storing {

// Rows of Meta by their first byte.
inline constexpr std::uint8_t kHeadRow = 'h';
inline constexpr std::uint8_t kGarbageRow = 'g';
inline constexpr std::uint8_t kUploadRow = 'u';
inline constexpr std::uint8_t kFaultRow = 'f';
inline constexpr std::uint8_t kMultipartRow = 'm';
inline constexpr std::uint8_t kPartRow = 'p';
// Rows of Manifests: of a manifest, the name of an object id, and the manifest of a part.
inline constexpr std::uint8_t kManifestRow = 'm';
inline constexpr std::uint8_t kIdRow = 'i';
inline constexpr std::uint8_t kPartManifestRow = 'p';

inline Bytes key_of(std::string_view text) { return to_bytes(as_bytes(text)); }
inline Bytes prefixed(std::uint8_t first, ByteView rest) {
  Bytes key{first};
  key.insert(key.end(), rest.begin(), rest.end());
  return key;
}
inline Bytes big_endian(std::uint64_t number) {
  Bytes bytes(8);
  for (std::size_t i = 8; i > 0; --i, number >>= 8)
    bytes[i - 1] = static_cast<std::uint8_t>(number);
  return bytes;
}
inline std::uint64_t from_big_endian(ByteView bytes) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}
// What comes behind all keys that begin so; empty: nothing does.
inline Bytes behind(ByteView prefix) {
  Bytes end = to_bytes(prefix);
  while (!end.empty() && end.back() == 0xff) end.pop_back();
  if (!end.empty()) ++end.back();
  return end;
}

inline std::unexpected<Error> damaged(std::string_view what) {
  return fail(
      ErrorCode::Corrupt, "the catalogue of stored objects is damaged: " + std::string(what),
      "keep a copy of the folder 'objects': nothing else here knows the keys of what it lists");
}

template <class Row>
Result<std::optional<Row>> read(const ports::Store& store, ports::Space space, ByteView key,
                                std::string_view what) {
  HM_TRY(const auto bytes, store.get(space, key));
  if (!bytes) return std::optional<Row>();
  auto row = codec::decode<Row>(*bytes);
  if (!row) return damaged(what);
  return std::optional<Row>(std::move(*row));
}

// Parts of one object are together, in the order of their numbers.
Bytes part_key(std::uint8_t first, const MultipartId& id, PartNumber number);
std::unexpected<Error> multipart_has_ended(const MultipartId& id);
// Whether what has the name now allows the object. AlreadyExists, FailedPrecondition.
Result<void> check(const PutCondition& condition, const std::string& name,
                   const std::optional<ObjectRow>& old);
// Whether the part, which the row counts already, may be one of the object's. InvalidArgument.
Result<void> check_fit(const MultipartRow& row, const StoredPart& part);

}  // namespace hm::storing
