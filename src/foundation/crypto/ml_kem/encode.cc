// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ml_kem/encode.h"

#include <algorithm>
#include <utility>

#include "foundation/base/check.h"
#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/little_endian.h"
#include "foundation/crypto/ml_kem/modular.h"

namespace hm::ml_kem {
namespace {

// Eight coefficients of d bits are d bytes: a low word of up to eight and a high word of the rest.
constexpr std::size_t kGroup = 8;
constexpr unsigned kWordBits = 64;

template <unsigned d>
constexpr std::size_t kLowSize = std::min<std::size_t>(d, 8);

template <unsigned d>
void encode_all(const std::int16_t* f, std::uint8_t* out) {
  for (std::size_t i = 0; i < kCoefficients; i += kGroup, f += kGroup, out += d) {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    const auto put = [&]<unsigned at>(std::uint64_t value) {
      if constexpr (at < kWordBits) low |= value << at;
      if constexpr (at >= kWordBits) high |= value << (at - kWordBits);
      if constexpr (at < kWordBits && at + d > kWordBits) high |= value >> (kWordBits - at);
    };
    [&]<unsigned... j>(std::integer_sequence<unsigned, j...>) {
      (put.template operator()<d * j>(static_cast<std::uint16_t>(f[j])), ...);
    }(std::make_integer_sequence<unsigned, kGroup>());
    crypto::store_little_endian(low, out, kLowSize<d>);
    crypto::store_little_endian(high, out + kLowSize<d>, d - kLowSize<d>);
  }
}

template <unsigned d>
void decode_all(const std::uint8_t* bytes, std::int16_t* f) {
  constexpr std::uint64_t kMask = (1U << d) - 1;
  for (std::size_t i = 0; i < kCoefficients; i += kGroup, f += kGroup, bytes += d) {
    const std::uint64_t low = crypto::load_little_endian(bytes, kLowSize<d>);
    // The eight bytes that end the group: a load of fewer would go through memory.
    std::uint64_t high = 0;
    if constexpr (d > 8) high = crypto::load_little_endian(bytes + d - 8) >> (8 * (16 - d));
    const auto get = [&]<unsigned at>() {
      std::uint64_t value = 0;
      if constexpr (at < kWordBits) value |= low >> at;
      if constexpr (at >= kWordBits) value |= high >> (at - kWordBits);
      if constexpr (at < kWordBits && at + d > kWordBits) value |= high << (kWordBits - at);
      return static_cast<std::int16_t>(value & kMask);
    };
    [&]<unsigned... j>(std::integer_sequence<unsigned, j...>) {
      ((f[j] = get.template operator()<d * j>()), ...);
    }(std::make_integer_sequence<unsigned, kGroup>());
  }
}

}  // namespace

void encode(int d, const std::int16_t* f, std::uint8_t* out) {
  switch (d) {
    case 4: return encode_all<4>(f, out);
    case 5: return encode_all<5>(f, out);
    case 10: return encode_all<10>(f, out);
    case 11: return encode_all<11>(f, out);
    case 12: return encode_all<12>(f, out);
    default: HM_CHECK(false);
  }
}

void decode(int d, const std::uint8_t* bytes, std::int16_t* f) {
  switch (d) {
    case 4: return decode_all<4>(bytes, f);
    case 5: return decode_all<5>(bytes, f);
    case 10: return decode_all<10>(bytes, f);
    case 11: return decode_all<11>(bytes, f);
    case 12: return decode_all<12>(bytes, f);
    default: HM_CHECK(false);
  }
}

void encode_message(const Polynomial& f, std::uint8_t* out) {
  // Compress_1 is 1 for q/4 < x < 3q/4, which is tested by the signs of two differences.
  constexpr int kFirst = kQ / 4 + 1;
  constexpr int kCount = 3 * kQ / 4 - kFirst + 1;
  for (std::size_t i = 0; i < kWordSize; ++i) {
    unsigned byte = 0;
    for (std::size_t j = 0; j < 8; ++j) {
      const int past_first = canonical(f.c[8 * i + j]) - kFirst;
      const auto signs = static_cast<unsigned>(~past_first & (past_first - kCount));
      byte |= (signs >> 31) << j;
    }
    out[i] = static_cast<std::uint8_t>(byte);
  }
}

void decode_message(const std::uint8_t* bytes, Polynomial& f) {
  constexpr std::uint16_t kOne = (kQ + 1) / 2;  // Decompress_1(1)
  for (std::size_t i = 0; i < kCoefficients; ++i) {
    const auto bit = static_cast<std::uint16_t>(bytes[i / 8] >> (i % 8));
    f.c[i] = static_cast<std::int16_t>(crypto::mask_from_bit(bit) & kOne);
  }
}

}  // namespace hm::ml_kem
