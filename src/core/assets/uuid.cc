// SPDX-License-Identifier: Apache-2.0
#include "core/assets/uuid.h"

#include <algorithm>

#include "foundation/base/hex.h"

namespace hm::assets {
namespace {

constexpr std::size_t kTextLength = 36;
constexpr bool is_dash(std::size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

}  // namespace

bool Uuid::is_v7() const { return (bytes[6] & 0xf0) == 0x70 && (bytes[8] & 0xc0) == 0x80; }

UnixMillis Uuid::time() const {
  std::uint64_t millis = 0;
  for (std::size_t i = 0; i < 6; ++i) millis = (millis << 8) | bytes[i];
  return UnixMillis{millis};
}

std::string Uuid::to_string() const {
  std::string text = to_hex(bytes);
  for (const std::size_t position : {8u, 13u, 18u, 23u}) text.insert(position, 1, '-');
  return text;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != kTextLength) return std::nullopt;
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash(i) != (text[i] == '-')) return std::nullopt;
    if (!is_dash(i)) digits.push_back(text[i]);
  }
  Uuid uuid;
  if (!from_hex_exact(digits, uuid.bytes)) return std::nullopt;
  return uuid;
}

Uuid make_uuid_v7(UnixMillis time, std::span<const std::uint8_t, kUuidRandomSize> random) {
  Uuid uuid;
  for (std::size_t i = 0; i < 6; ++i) {
    uuid.bytes[i] = static_cast<std::uint8_t>(time.value >> (8 * (5 - i)));
  }
  std::ranges::copy(random, uuid.bytes.begin() + 6);
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | 0x70);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid;
}

}  // namespace hm::assets
