// SPDX-License-Identifier: Apache-2.0
// Every asset's IPv6 address in the mesh's ULA prefix: fd48:4d00:‹32 bits of the chain id›:‹64 bits
// of the asset's hash›. The ledger keeps address → asset and refuses a second asset at one address.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/assets/asset_id.h"

namespace hm::assets {

struct Address {
  std::array<std::uint8_t, 16> bytes{};

  constexpr auto operator<=>(const Address&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.bytes); }

  // RFC 5952 text, e.g. "fd48:4d00:9f3c:11aa:1:2:3:4".
  std::string to_string() const;
  // Any RFC 4291 §2.2 spelling without an embedded IPv4 address or zone.
  static std::optional<Address> parse(std::string_view text);
};

Address address_of(const identity::ChainId& chain, const crypto::Digest& asset_hash);

// True iff the address lies in this chain's /64.
bool is_in_mesh(const identity::ChainId& chain, const Address& address);

}  // namespace hm::assets
