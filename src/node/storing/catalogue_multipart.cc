// SPDX-License-Identifier: Apache-2.0
// What the catalogue knows of objects that arrive in parts.
#include <fmt/format.h>

#include <algorithm>

#include "core/storage/limits.h"
#include "foundation/codec/writer.h"
#include "node/storing/catalogue.h"
#include "node/storing/catalogue_keys.h"
#include "node/storing/keeper_limits.h"

namespace hm::storing {

using ports::Space;

namespace {

constexpr std::size_t kNumberSize = 4;

}  // namespace

Result<storage::Profile> profile_of(const MultipartRow& row) {
  const auto [shortest, mean, longest] = row.profile;
  const auto profile = mean == 0 ? storage::Profile::fixed(longest)
                                 : storage::Profile::by_content(shortest, mean, longest);
  if (!profile) return damaged("how an object in parts is cut");
  return *profile;
}

Bytes part_key(std::uint8_t first, const MultipartId& id, PartNumber number) {
  Bytes key = prefixed(first, id.view());
  const Bytes last = big_endian(number);
  key.insert(key.end(), last.end() - kNumberSize, last.end());
  return key;
}

std::unexpected<Error> multipart_has_ended(const MultipartId& id) {
  return fail(ErrorCode::NotFound, "there is no such upload: " + id.to_string(),
              "it was completed or given up, or nothing came for a week");
}

Result<void> check_fit(const MultipartRow& row, const StoredPart& part) {
  const storage::PartContent& content = part.row.content;
  if (part.number == 0 || part.number > kMaxParts ||
      content.offset != (part.number - 1) * row.part_bytes) {
    return fail(ErrorCode::InvalidArgument, fmt::format("there is no part {}", part.number),
                fmt::format("parts have numbers from 1 to {}", kMaxParts));
  }
  if (content.size == 0 || content.size > row.part_bytes) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("part {} has {} bytes", part.number, content.size),
                fmt::format("each part but the last has {}, the last no more", row.part_bytes));
  }
  if (row.bytes && content.offset + content.size > *row.bytes) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("part {} ends behind the end of the object", part.number),
                fmt::format("the object was said to have {} bytes", *row.bytes));
  }
  if (row.segments > storage::kMaxSegments) {
    return fail(ErrorCode::InvalidArgument, "the parts together have too many segments",
                "store it under the profile 'backup', whose segments are longer");
  }
  return {};
}

Result<void> Catalogue::begin_multipart(const MultipartId& id, const MultipartRow& row) {
  std::size_t count = 0;
  HM_TRY_VOID(multiparts([&](const MultipartId&, const MultipartRow&) {
    ++count;
    return true;
  }));
  if (count >= kMaxMultiparts) {
    return fail(ErrorCode::Busy, "as many objects in parts as the node remembers are under way",
                "complete or give up one of them");
  }
  // Whatever is stored after it has a later version.
  if (row.own) head_.last_version = std::max(head_.last_version, row.own->version);
  return store_.write(
      {{Space::Meta, prefixed(kMultipartRow, id.view()), codec::encode(row)}, head_row()});
}

Result<std::optional<MultipartRow>> Catalogue::multipart(const MultipartId& id) const {
  return read<MultipartRow>(store_, Space::Meta, prefixed(kMultipartRow, id.view()),
                            "the row of an object in parts");
}

Result<void> Catalogue::multiparts(
    const std::function<bool(const MultipartId&, const MultipartRow&)>& visit) const {
  bool is_damaged = false;
  HM_TRY_VOID(store_.scan(Space::Meta, Bytes{kMultipartRow}, Bytes{kMultipartRow + 1},
                          [&](ByteView key, ByteView value) {
                            MultipartId id;
                            const auto row = codec::decode<MultipartRow>(value);
                            is_damaged = !row || key.size() != 1 + id.bytes.size();
                            if (is_damaged) return false;
                            std::ranges::copy(key.subspan(1), id.bytes.begin());
                            return visit(id, *row);
                          }));
  if (is_damaged) return damaged("the row of an object in parts");
  return {};
}

Result<std::uint64_t> Catalogue::begin_attempt(const MultipartId& id, UnixMillis touched) {
  HM_TRY(auto row, multipart(id));
  if (!row) return multipart_has_ended(id);
  row->touched = std::max(row->touched, touched);
  const std::uint64_t attempt = row->attempts++;
  HM_TRY_VOID(
      store_.write({{Space::Meta, prefixed(kMultipartRow, id.view()), codec::encode(*row)}}));
  return attempt;
}

Result<void> Catalogue::parts(const MultipartId& id, PartNumber after,
                              const std::function<bool(PartNumber, const PartRow&)>& visit) const {
  bool is_damaged = false;
  HM_TRY_VOID(store_.scan(
      Space::Meta, part_key(kPartRow, id, after + 1), behind(prefixed(kPartRow, id.view())),
      [&](ByteView key, ByteView value) {
        const auto row = codec::decode<PartRow>(value);
        is_damaged = !row || key.size() != 1 + id.bytes.size() + kNumberSize;
        if (is_damaged) return false;
        return visit(static_cast<PartNumber>(from_big_endian(key.last(kNumberSize))), *row);
      }));
  if (is_damaged) return damaged("the row of a part");
  return {};
}

Result<storage::Manifest> Catalogue::part_manifest(const MultipartId& id, PartNumber number) const {
  HM_TRY(const auto bytes, store_.get(Space::Manifests, part_key(kPartManifestRow, id, number)));
  if (!bytes) return damaged("the manifest of a part is missing");
  auto manifest = storage::decode_manifest(*bytes);
  if (!manifest) return damaged("the manifest of a part");
  return std::move(*manifest);
}

}  // namespace hm::storing
