// SPDX-License-Identifier: Apache-2.0
// UUID version 7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then version, variant and the rest.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "foundation/base/time.h"

namespace hm::assets {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  constexpr auto operator<=>(const Uuid&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.bytes); }

  // RFC 9562 §4: version 7 and variant 10.
  bool is_v7() const;
  // The time in a version 7 UUID, as its maker's clock said.
  UnixMillis time() const;
  // 8-4-4-4-12 lower-case hex.
  std::string to_string() const;
  // Any version, that one spelling only.
  static std::optional<Uuid> parse(std::string_view text);
};

inline constexpr std::size_t kUuidRandomSize = 10;

// A version 7 UUID from a time (its low 48 bits) and random bytes.
Uuid make_uuid_v7(UnixMillis time, std::span<const std::uint8_t, kUuidRandomSize> random);

}  // namespace hm::assets
