// SPDX-License-Identifier: Apache-2.0
// Decisions on secrets without a branch: a condition is a mask, all ones or zero, and a choice is
// arithmetic on masks. Compilers recognise such arithmetic and may turn it back into a branch; a
// value barrier hides from them that a mask has only two values.
//
// mark_secret() and declassify() let valgrind's memcheck prove it: a secret counts as memory that
// was never written, and each branch or address that depends on it is reported, until the
// specification makes the value public. Outside valgrind they do nothing.
#pragma once

#include <climits>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "foundation/base/bytes.h"

namespace hm::crypto {

// `value`, of which the compiler no longer knows anything.
template <std::unsigned_integral T>
[[gnu::always_inline]] inline T value_barrier(T value) {
  __asm__("" : "+r"(value));
  return value;
}

// All ones if the lowest bit of `bit` is set, otherwise zero.
template <std::unsigned_integral T>
[[gnu::always_inline]] inline T mask_from_bit(T bit) {
  return value_barrier(static_cast<T>(T{0} - static_cast<T>(bit & 1)));
}

template <std::unsigned_integral T>
[[gnu::always_inline]] inline T mask_if_nonzero(T value) {
  const T signs = static_cast<T>(value | static_cast<T>(T{0} - value));
  return mask_from_bit(static_cast<T>(signs >> (sizeof(T) * CHAR_BIT - 1)));
}

template <std::unsigned_integral T>
[[gnu::always_inline]] inline T mask_if_equal(T a, T b) {
  return static_cast<T>(~mask_if_nonzero(static_cast<T>(a ^ b)));
}

template <std::unsigned_integral T>
[[gnu::always_inline]] inline T mask_if_less(T a, T b) {
  // The borrow of a - b, from the top bits of its operands and result.
  const T borrow = static_cast<T>((~a & b) | ((~a | b) & static_cast<T>(a - b)));
  return mask_from_bit(static_cast<T>(borrow >> (sizeof(T) * CHAR_BIT - 1)));
}

// `if_set` where the mask is all ones, `if_clear` where it is zero.
template <std::unsigned_integral T>
[[gnu::always_inline]] inline T select(T mask, T if_set, T if_clear) {
  return static_cast<T>(if_clear ^ (value_barrier(mask) & (if_set ^ if_clear)));
}

// All ones if the bytes are the same, otherwise zero. Requires: the same size.
std::uint8_t mask_if_same_bytes(ByteView a, ByteView b);

// Each byte of `out` is that of `if_set` or of `if_clear`. Requires: the same size.
void select_bytes(std::uint8_t mask, ByteView if_set, ByteView if_clear,
                  std::span<std::uint8_t> out);

// True iff marks count: this process runs under valgrind, with whose header it was compiled.
bool is_memory_checked();

// From here on no branch and no address may depend on these bytes.
void mark_secret(ByteView bytes);

// From here on they may: the specification publishes these bytes, or what follows from them.
void declassify(ByteView bytes);

// A verdict that the caller learns anyhow.
template <class T>
  requires std::is_trivially_copyable_v<T>
T declassified(T value) {
  declassify({reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  return value;
}

}  // namespace hm::crypto
