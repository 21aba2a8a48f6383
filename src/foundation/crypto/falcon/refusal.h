// SPDX-License-Identifier: Apache-2.0
// Why a key, a signature or an encoding of one is not accepted: one name per broken rule.
#pragma once

#include <cstdint>
#include <string_view>

namespace hm::falcon {

enum class Refusal : std::uint8_t {
  WrongLength,            // not a length that the format has
  WrongHeader,            // the first byte is of another scheme, degree or format
  CoefficientOutOfRange,  // not below q, or the one value of its width that has no negative
  Truncated,              // the bytes end within a coefficient
  NegativeZero,           // a second spelling of a coefficient 0
  TrailingBits,           // bits behind the last coefficient that are not 0
  TrailingBytes,          // bytes behind the last coefficient: any, or in the padding not 0
  NotInvertible,          // f has no inverse modulo q
  NotAnNtruKey,           // no small G completes f, g and F to a solution of f G - g F = q
  LongBasis,              // f and g solve it, but nothing that is signed with them is short
  NotShort,               // well-formed, but no signature of this message under this key
};

// Stable lower-case name, e.g. "wrong_length".
std::string_view name_of(Refusal refusal);

}  // namespace hm::falcon
