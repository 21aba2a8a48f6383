// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/refusal.h"

namespace hm::falcon {

std::string_view name_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::WrongLength: return "wrong_length";
    case Refusal::WrongHeader: return "wrong_header";
    case Refusal::CoefficientOutOfRange: return "coefficient_out_of_range";
    case Refusal::Truncated: return "truncated";
    case Refusal::NegativeZero: return "negative_zero";
    case Refusal::TrailingBits: return "trailing_bits";
    case Refusal::TrailingBytes: return "trailing_bytes";
    case Refusal::NotInvertible: return "not_invertible";
    case Refusal::NotAnNtruKey: return "not_an_ntru_key";
    case Refusal::LongBasis: return "long_basis";
    case Refusal::NotShort: return "not_short";
  }
  return "unknown";
}

}  // namespace hm::falcon
