// SPDX-License-Identifier: Apache-2.0
#include "core/assets/asset_id.h"

#include <algorithm>

#include "foundation/codec/writer.h"

namespace hm::assets {
namespace {

// The uuid's last bytes name the chain.
constexpr std::size_t kChainTag = 4;

auto tag_of(Uuid& uuid) { return std::span(uuid.bytes).last<kChainTag>(); }
auto tag_of(const Uuid& uuid) { return std::span(uuid.bytes).last<kChainTag>(); }

bool is_tagged(const Uuid& uuid, const identity::ChainId& chain) {
  return std::ranges::equal(tag_of(uuid), std::span(chain.bytes).first<kChainTag>());
}

Uuid tagged(Uuid uuid, const identity::ChainId& chain) {
  std::ranges::copy(std::span(chain.bytes).first<kChainTag>(), tag_of(uuid).begin());
  return uuid;
}

}  // namespace

std::string_view name_of(AssetIdError error) {
  switch (error) {
    case AssetIdError::Malformed: return "not of the form kind:uuid:hash";
    case AssetIdError::BadKind: return "unknown asset kind";
    case AssetIdError::BadUuid: return "not a canonical UUID";
    case AssetIdError::WrongUuidVersion: return "UUID is not version 7";
    case AssetIdError::BadHash: return "hash is not 64 lower-case hex digits";
    case AssetIdError::WrongChain: return "asset id of another chain";
    case AssetIdError::HashMismatch: return "mistyped: the hash does not cover this kind and uuid";
  }
  return "unknown";
}

AssetId AssetId::make(const identity::ChainId& chain, AssetKind kind, UnixMillis time,
                      std::span<const std::uint8_t, kUuidRandomSize> random) {
  AssetId id{kind, tagged(make_uuid_v7(time, random), chain), {}};
  id.hash = asset_hash(chain, kind, id.uuid);
  return id;
}

Result<AssetId, AssetIdError> AssetId::parse(const identity::ChainId& chain,
                                             std::string_view text) {
  const std::size_t first = text.find(':');
  const std::size_t last = text.rfind(':');
  if (first == std::string_view::npos || first == last ||
      text.substr(first + 1, last - first - 1).contains(':')) {
    return fail(AssetIdError::Malformed);
  }
  const auto kind = parse_kind(text.substr(0, first));
  if (!kind) return fail(AssetIdError::BadKind);
  const auto uuid = Uuid::parse(text.substr(first + 1, last - first - 1));
  if (!uuid) return fail(AssetIdError::BadUuid);
  const auto hash = crypto::Digest::parse(text.substr(last + 1));
  if (!hash) return fail(AssetIdError::BadHash);
  const AssetId id{*kind, *uuid, *hash};
  if (const auto checked = verify(chain, id); !checked) return fail(checked.error());
  return id;
}

std::string AssetId::to_string() const {
  return std::string(name_of(kind)) + ":" + uuid.to_string() + ":" + hash.to_string();
}

Result<void, AssetIdError> verify(const identity::ChainId& chain, const AssetId& id) {
  if (!id.uuid.is_v7()) return fail(AssetIdError::WrongUuidVersion);
  if (is_tagged(id.uuid, chain)) {
    if (asset_hash(chain, id.kind, id.uuid) != id.hash) return fail(AssetIdError::HashMismatch);
    return {};
  }
  // If the hash fits once the tag is ours, a digit of the tag was mistyped; else it is foreign.
  const bool mistyped = asset_hash(chain, id.kind, tagged(id.uuid, chain)) == id.hash;
  return fail(mistyped ? AssetIdError::HashMismatch : AssetIdError::WrongChain);
}

crypto::Digest asset_hash(const identity::ChainId& chain, AssetKind kind, const Uuid& uuid) {
  codec::Writer writer;
  writer.write(chain);
  writer.write(kind);
  writer.write(uuid);
  return crypto::tagged_hash("hm.asset.v1", writer.bytes());
}

}  // namespace hm::assets
