// SPDX-License-Identifier: Apache-2.0
// Encodings computed with an independent BCS implementation (npm package @mysten/bcs 2.1.2).
#include <gtest/gtest.h>

#include <array>

#include "foundation/base/hex.h"
#include "foundation/codec/reader.h"

namespace hm::codec {
namespace {

struct Inner {
  std::uint16_t a = 0;
  std::string b;
  bool operator==(const Inner&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.a, self.b); }
};

using Choice = std::variant<std::monostate, Inner, bool>;

struct Outer {
  std::vector<Inner> items;
  std::optional<std::uint32_t> maybe;
  Choice choice;
  std::map<std::string, std::uint8_t> map;
  bool operator==(const Outer&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.items, self.maybe, self.choice, self.map);
  }
};

// Both directions: the value encodes to the bytes, the bytes decode to the value.
template <class T>
void expect_golden(const T& value, std::string_view hex) {
  EXPECT_EQ(to_hex(encode(value)), hex);
  const auto back = decode<T>(from_hex(hex).value());
  ASSERT_TRUE(back) << hex << ": " << name_of(back.error());
  EXPECT_EQ(*back, value) << hex;
}

TEST(CodecGolden, Integers) {
  expect_golden(std::uint8_t{255}, "ff");
  expect_golden(std::uint16_t{0x1234}, "3412");
  expect_golden(std::uint32_t{0x12345678}, "78563412");
  expect_golden(std::uint64_t{0x0123456789abcdef}, "efcdab8967452301");
  expect_golden(~std::uint64_t{0}, "ffffffffffffffff");
  expect_golden(true, "01");
}

TEST(CodecGolden, TextAndSequences) {
  expect_golden(std::string("çå∞≠¢õß∂ƒ∫"), "18c3a7c3a5e2889ee289a0c2a2c3b5c39fe28882c692e288ab");
  expect_golden(std::string(), "00");
  expect_golden(std::vector<std::uint16_t>{1, 2, 0x300}, "03010002000003");
  expect_golden(std::array<std::uint16_t, 3>{1, 2, 3}, "010002000300");
  std::string two_byte_length = "c801";
  for (int i = 0; i < 200; ++i) two_byte_length += "07";
  expect_golden(Bytes(200, 7), two_byte_length);
}

TEST(CodecGolden, OptionsVariantsAndStructs) {
  expect_golden(std::optional<std::uint32_t>(9), "0109000000");
  expect_golden(std::optional<std::uint32_t>(), "00");
  expect_golden(Inner{7, "xy"}, "0700027879");
  expect_golden(Choice(std::monostate{}), "00");
  expect_golden(Choice(Inner{1, "z"}), "010100017a");
  expect_golden(Choice(true), "0201");
}

TEST(CodecGolden, MapsAreSortedByTheBytesOfTheirKeys) {
  expect_golden(std::map<std::string, std::uint8_t>{{"b", 1}, {"a", 2}, {"aa", 3}, {"", 4}},
                "04000401610201620102616103");
  // Little-endian keys: 0x0100 comes before 0x0001, and that before 0x00ff.
  expect_golden(std::map<std::uint16_t, bool>{{0x0100, true}, {0x0001, false}, {0x00ff, true}},
                "03000101010000ff0001");
}

TEST(CodecGolden, NestedStruct) {
  expect_golden(Outer{{{7, "x"}, {8, "yy"}}, 9u, Inner{1, "z"}, {{"k", 1}, {"a", 2}}},
                "020700017808000279790109000000010100017a02016102016b01");
}

TEST(CodecGolden, LengthsUpToTheLimitOfTheFormat) {
  Writer writer;
  writer.write_length(300);
  writer.write_length(0x7fffffff);
  EXPECT_EQ(to_hex(writer.bytes()), "ac02ffffffff07");
  Reader reader(writer.bytes());
  std::size_t first = 0;
  std::size_t second = 0;
  ASSERT_TRUE(reader.read_length(first) && reader.read_length(second));
  EXPECT_EQ(first, 300u);
  EXPECT_EQ(second, 0x7fffffffu);
}

}  // namespace
}  // namespace hm::codec
