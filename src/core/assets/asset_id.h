// SPDX-License-Identifier: Apache-2.0
// AssetId: `kind:uuid:hash`, self-verifying. hash = SHA-256("hm.asset.v1" ‖ chain id ‖ kind ‖
// uuid). The uuid is version 7 and its last four bytes are the first four of the chain id, so that
// an id of another chain is told from a mistyped one, offline. docs/protocols/ledger.md §2 is
// normative.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "core/assets/kind.h"
#include "core/assets/uuid.h"
#include "core/identity/ids.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"

namespace hm::assets {

enum class AssetIdError : std::uint8_t {
  Malformed,         // not three parts separated by ':'
  BadKind,           // the first part is not a kind
  BadUuid,           // the second part is not a UUID in lower-case canonical form
  WrongUuidVersion,  // a UUID, but not version 7
  BadHash,           // the third part is not 64 lower-case hex digits
  WrongChain,        // made for another chain
  HashMismatch,      // mistyped: the hash does not cover this kind and uuid
};
std::string_view name_of(AssetIdError error);

struct AssetId {
  AssetKind kind = AssetKind::Cpu;
  Uuid uuid;
  crypto::Digest hash;

  constexpr auto operator<=>(const AssetId&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.kind, self.uuid, self.hash); }

  // The id of a new asset: a fresh version 7 uuid tagged with the chain, and its hash.
  static AssetId make(const identity::ChainId& chain, AssetKind kind, UnixMillis time,
                      std::span<const std::uint8_t, kUuidRandomSize> random);

  // Parses and verifies.
  static Result<AssetId, AssetIdError> parse(const identity::ChainId& chain, std::string_view text);

  std::string to_string() const;
};

// Checks uuid version, chain and hash of an id that came in binary form.
Result<void, AssetIdError> verify(const identity::ChainId& chain, const AssetId& id);

crypto::Digest asset_hash(const identity::ChainId& chain, AssetKind kind, const Uuid& uuid);

}  // namespace hm::assets
