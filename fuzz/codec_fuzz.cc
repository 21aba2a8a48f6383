// SPDX-License-Identifier: Apache-2.0
// The codec's promise on hostile bytes: whatever decodes re-encodes to the same bytes. The type
// below nests every construct of the format.
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "foundation/base/check.h"
#include "foundation/codec/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

enum class Colour : std::uint8_t { Red, Green, Blue };

struct Leaf {
  std::uint16_t number = 0;
  std::string text;
  Colour colour = Colour::Red;
  static constexpr auto fields(auto& self) { return std::tie(self.number, self.text, self.colour); }
};

struct Tree {
  std::int64_t wide = 0;
  hm::Bytes bytes;
  std::array<std::uint8_t, 3> fixed{};
  std::vector<Leaf> leaves;
  std::optional<Leaf> maybe;
  std::variant<std::monostate, Leaf, std::vector<std::uint32_t>> choice;
  std::map<std::uint16_t, std::string> map;
  std::map<std::string, std::optional<bool>> named;
  static constexpr auto fields(auto& self) {
    return std::tie(self.wide, self.bytes, self.fixed, self.leaves, self.maybe, self.choice,
                    self.map, self.named);
  }
};

template <class T>
void check_one_spelling(hm::ByteView input) {
  if (const auto value = hm::codec::decode<T>(input)) {
    const hm::Bytes again = hm::codec::encode(*value);
    HM_CHECK(std::ranges::equal(again, input));
  }
}

}  // namespace

template <>
inline constexpr auto hm::codec::kMaxEnum<Colour> = Colour::Blue;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const hm::ByteView input(data, size);
  check_one_spelling<Tree>(input);
  check_one_spelling<std::vector<std::string>>(input);
  check_one_spelling<std::map<std::string, hm::Bytes>>(input);
  check_one_spelling<std::variant<bool, Colour, std::uint64_t>>(input);
  return 0;
}
