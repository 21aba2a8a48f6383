// SPDX-License-Identifier: Apache-2.0
// Strong types: quantities and identifiers that cannot be mixed up.
//   struct HeightTag;  using Height = Strong<HeightTag, std::uint64_t>;
//   struct NodeIdTag;  using NodeId = Id32<NodeIdTag>;
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "foundation/base/bytes.h"
#include "foundation/base/hex.h"

namespace hm {

// An integer with a meaning. Comparison and explicit access; arithmetic only as `next()`.
template <class Tag, class Rep>
struct Strong {
  Rep value{};

  constexpr Strong() = default;
  constexpr explicit Strong(Rep v) : value(v) {}
  constexpr auto operator<=>(const Strong&) const = default;
  constexpr Strong next() const { return Strong(static_cast<Rep>(value + 1)); }

  static constexpr auto fields(auto& self) { return std::tie(self.value); }
};

// A 32-byte identifier or digest, in text 64 lower-case hex digits.
template <class Tag>
struct Id32 {
  static constexpr std::size_t kSize = 32;
  std::array<std::uint8_t, kSize> bytes{};

  constexpr auto operator<=>(const Id32&) const = default;
  constexpr bool is_zero() const { return *this == Id32{}; }
  ByteView view() const { return bytes; }
  std::string to_string() const { return to_hex(bytes); }
  static std::optional<Id32> parse(std::string_view text) {
    Id32 id;
    if (!from_hex_exact(text, id.bytes)) return std::nullopt;
    return id;
  }

  static constexpr auto fields(auto& self) { return std::tie(self.bytes); }
};

}  // namespace hm

template <class Tag>
struct std::hash<hm::Id32<Tag>> {
  // The bytes are a digest or as good as one; the first eight are spread enough.
  std::size_t operator()(const hm::Id32<Tag>& id) const noexcept {
    std::size_t h = 0;
    for (std::size_t i = 0; i < sizeof h; ++i) h = (h << 8) | id.bytes[i];
    return h;
  }
};
