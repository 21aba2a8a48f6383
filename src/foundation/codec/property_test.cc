// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "foundation/codec/reader.h"

namespace hm::codec {
namespace {

enum class Colour : std::uint8_t { Red, Green, Blue };

struct Everything {
  std::uint8_t u8 = 0;
  std::int16_t i16 = 0;
  std::uint32_t u32 = 0;
  std::int64_t i64 = 0;
  bool flag = false;
  Colour colour = Colour::Red;
  std::string text;
  Bytes bytes;
  std::array<std::uint8_t, 4> fixed{};
  std::array<std::uint16_t, 2> pair{};
  std::vector<std::optional<std::uint16_t>> items;
  std::variant<std::monostate, std::uint64_t, std::string> choice;
  std::map<std::uint32_t, std::string> map;
  std::map<std::string, Bytes> named;

  bool operator==(const Everything&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.u8, self.i16, self.u32, self.i64, self.flag, self.colour, self.text,
                    self.bytes, self.fixed, self.pair, self.items, self.choice, self.map,
                    self.named);
  }
};

}  // namespace

template <>
inline constexpr auto kMaxEnum<Colour> = Colour::Blue;

namespace {

rc::Gen<std::string> text() {
  return rc::gen::container<std::string>(rc::gen::inRange<char>(0x20, 0x7f));
}

Everything any_value() {
  Everything v;
  v.u8 = *rc::gen::arbitrary<std::uint8_t>();
  v.i16 = *rc::gen::arbitrary<std::int16_t>();
  v.u32 = *rc::gen::arbitrary<std::uint32_t>();
  v.i64 = *rc::gen::arbitrary<std::int64_t>();
  v.flag = *rc::gen::arbitrary<bool>();
  v.colour = static_cast<Colour>(*rc::gen::inRange(0, 3));
  v.text = *text();
  v.bytes = *rc::gen::arbitrary<Bytes>();
  v.fixed = *rc::gen::arbitrary<std::array<std::uint8_t, 4>>();
  v.pair = *rc::gen::arbitrary<std::array<std::uint16_t, 2>>();
  for (const bool present : *rc::gen::arbitrary<std::vector<bool>>()) {
    v.items.push_back(present ? std::optional(*rc::gen::arbitrary<std::uint16_t>()) : std::nullopt);
  }
  switch (*rc::gen::inRange(0, 3)) {
    case 0: v.choice = std::monostate{}; break;
    case 1: v.choice = *rc::gen::arbitrary<std::uint64_t>(); break;
    default: v.choice = *text(); break;
  }
  for (const std::uint32_t key : *rc::gen::arbitrary<std::vector<std::uint32_t>>()) {
    v.map[key] = *text();
  }
  v.named[*text()] = v.bytes;
  return v;
}

TEST(CodecProperty, EveryValueRoundTrips) {
  EXPECT_TRUE(rc::check([] {
    const Everything value = any_value();
    const auto back = decode<Everything>(encode(value));
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == value);
  }));
}

TEST(CodecProperty, WhateverDecodesReencodesToTheSameBytes) {
  EXPECT_TRUE(rc::check([] {
    Bytes bytes = encode(any_value());
    const auto edits = *rc::gen::inRange(0, 4);
    for (int i = 0; i < edits; ++i) {
      bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<std::uint8_t>();
    }
    const auto value = decode<Everything>(bytes);
    if (value) RC_ASSERT(encode(*value) == bytes);
  }));
}

TEST(CodecProperty, EveryProperPrefixIsTruncated) {
  EXPECT_TRUE(rc::check([] {
    const Bytes bytes = encode(any_value());
    const auto size = *rc::gen::inRange<std::size_t>(0, bytes.size());
    const auto value = decode<Everything>(ByteView(bytes).first(size));
    RC_ASSERT(!value.has_value());
    RC_ASSERT(value.error() == DecodeError::Truncated);
  }));
}

}  // namespace
}  // namespace hm::codec
