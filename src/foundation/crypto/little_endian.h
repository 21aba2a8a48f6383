// SPDX-License-Identifier: Apache-2.0
// Words and the bytes that stand for them, low end first, on a machine of either end.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace hm::crypto {

[[gnu::always_inline]] inline std::uint64_t swap_if_big_endian(std::uint64_t word) {
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

// The word of the first `size` bytes, at most 8; missing high bytes are zero.
[[gnu::always_inline]] inline std::uint64_t load_little_endian(const std::uint8_t* bytes,
                                                               std::size_t size = 8) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, size);
  return swap_if_big_endian(word);
}

// The low `size` bytes of the word, at most 8.
[[gnu::always_inline]] inline void store_little_endian(std::uint64_t word, std::uint8_t* bytes,
                                                       std::size_t size = 8) {
  word = swap_if_big_endian(word);
  std::memcpy(bytes, &word, size);
}

}  // namespace hm::crypto
