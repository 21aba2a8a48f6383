// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>

#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/little_endian.h"

namespace hm::falcon {
namespace {

// Writes `width` bits of each coefficient, high bits first. Requires: the bits fill `out`.
template <class T>
void pack(std::span<const T, kDegree> coefficients, unsigned width, std::uint8_t* out) {
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const T x : coefficients) {
    bits = (bits << width) | (static_cast<std::uint32_t>(x) & ((1U << width) - 1));
    for (held += width; held >= 8; held -= 8) {
      *out++ = static_cast<std::uint8_t>(bits >> (held - 8));
    }
  }
}

// Calls `put` with each field of `width` bits.
template <class Put>
void unpack(const std::uint8_t* in, unsigned width, Put put) {
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (std::size_t i = 0; i < kDegree; ++i) {
    for (; held < width; held += 8) bits = (bits << 8) | *in++;
    held -= width;
    put(i, (bits >> held) & ((1U << width) - 1));
  }
}

// Two's complement of `width` bits. Answers all ones where a field was the one value without a
// negative, otherwise zeros, without a branch: f, g and F are secret.
std::uint32_t unpack_signed(const std::uint8_t* in, unsigned width, SmallSpan out) {
  std::uint32_t out_of_range = 0;
  const std::uint32_t sign = 1U << (width - 1);
  unpack(in, width, [&](std::size_t i, std::uint32_t field) {
    out[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(field ^ sign) -
                                      static_cast<std::int32_t>(sign));
    out_of_range |= ((field ^ sign) - 1) >> 31;
  });
  return out_of_range;
}

constexpr std::size_t kSmallSize = kDegree * kSmallBits / 8;

// Algorithm 17, Compress: sign, seven low bits, then the high bits in unary, ended by a one.
// Nothing if they need more than `limit` bytes.
std::optional<std::size_t> compress(ShortView s2, std::uint8_t* out, std::size_t limit) {
  std::uint64_t bits = 0;
  unsigned held = 0;
  std::size_t size = 0;
  for (const std::int32_t x : s2) {
    const auto magnitude = static_cast<std::uint32_t>(std::abs(x));
    if (magnitude > kMaxSignatureCoefficient) return std::nullopt;
    const std::uint32_t high = magnitude >> 7;
    const std::uint32_t head = ((x < 0 ? 1U : 0U) << 7) | (magnitude & 0x7F);
    bits = (bits << (8 + high + 1)) | (std::uint64_t{head} << (high + 1)) | 1;
    for (held += 8 + high + 1; held >= 8; held -= 8) {
      if (size == limit) return std::nullopt;
      out[size++] = static_cast<std::uint8_t>(bits >> (held - 8));
    }
  }
  if (held != 0) {
    if (size == limit) return std::nullopt;
    out[size++] = static_cast<std::uint8_t>(bits << (8 - held));
  }
  return size;
}

// The next 57 bits or more from a position, high bits first. Requires: 8 readable bytes there.
std::uint64_t bits_at(const std::uint8_t* bytes, std::size_t position) {
  const std::uint64_t word = std::byteswap(crypto::load_little_endian(bytes + position / 8));
  return word << (position % 8);
}

// Algorithm 18, Decompress. The number of bytes used. Requires: 8 zeros behind the bytes, so that
// a look ahead needs no bound of its own.
Result<std::size_t, Refusal> decompress(ByteView bytes, ShortSpan s2) {
  constexpr std::size_t kMaxHigh = kMaxSignatureCoefficient >> 7;
  const std::size_t end = bytes.size() * 8;
  std::size_t position = 0;
  std::int32_t negative_zero = 0;  // negative if a coefficient is
  for (std::int16_t& x : s2) {
    const std::uint64_t bits = bits_at(bytes.data(), position);
    const auto minus = -static_cast<std::int32_t>(bits >> 63);  // -1 or 0
    const auto low = static_cast<std::int32_t>((bits >> 56) & 0x7F);
    const auto high = static_cast<std::size_t>(std::countl_zero(bits << 8));
    position += 8 + high + 1;
    if (high > kMaxHigh || position > end) [[unlikely]] {
      return fail(position - high + kMaxHigh > end ? Refusal::Truncated
                                                   : Refusal::CoefficientOutOfRange);
    }
    const std::int32_t magnitude = (static_cast<std::int32_t>(high) << 7) | low;
    negative_zero |= minus & (magnitude - 1);
    x = static_cast<std::int16_t>((magnitude ^ minus) - minus);
  }
  if (negative_zero < 0) return fail(Refusal::NegativeZero);
  const std::size_t used = (position + 7) / 8;
  const auto spare = static_cast<unsigned>(used * 8 - position);
  if ((bytes[used - 1] & ((1U << spare) - 1)) != 0) return fail(Refusal::TrailingBits);
  return used;
}

}  // namespace

void encode_public_key(ResidueView h, std::span<std::uint8_t, kPublicKeySize> out) {
  out[0] = kPublicKeyHeader;
  pack(h, kPublicKeyBits, out.data() + 1);
}

Result<void, Refusal> decode_public_key(ByteView bytes, ResidueSpan h) {
  if (bytes.size() != kPublicKeySize) return fail(Refusal::WrongLength);
  if (bytes[0] != kPublicKeyHeader) return fail(Refusal::WrongHeader);
  bool in_range = true;
  unpack(bytes.data() + 1, kPublicKeyBits, [&](std::size_t i, std::uint32_t field) {
    in_range &= field < kModulus;
    h[i] = static_cast<Residue>(field);
  });
  if (!in_range) return fail(Refusal::CoefficientOutOfRange);
  return {};
}

void encode_secret_key(SmallView f, SmallView g, SmallView big_f,
                       std::span<std::uint8_t, kSecretKeySize> out) {
  out[0] = kSecretKeyHeader;
  pack(f, kSmallBits, out.data() + 1);
  pack(g, kSmallBits, out.data() + 1 + kSmallSize);
  pack(big_f, kLargeBits, out.data() + 1 + 2 * kSmallSize);
}

Result<void, Refusal> decode_secret_key(ByteView bytes, SmallSpan f, SmallSpan g, SmallSpan big_f) {
  if (bytes.size() != kSecretKeySize) return fail(Refusal::WrongLength);
  if (bytes[0] != kSecretKeyHeader) return fail(Refusal::WrongHeader);
  std::uint32_t out_of_range = unpack_signed(bytes.data() + 1, kSmallBits, f);
  out_of_range |= unpack_signed(bytes.data() + 1 + kSmallSize, kSmallBits, g);
  out_of_range |= unpack_signed(bytes.data() + 1 + 2 * kSmallSize, kLargeBits, big_f);
  if (crypto::declassified(out_of_range) != 0) return fail(Refusal::CoefficientOutOfRange);
  return {};
}

std::optional<Bytes> encode_signature(SignatureFormat format,
                                      std::span<const std::uint8_t, kNonceSize> nonce,
                                      ShortView s2) {
  const bool padded = format == SignatureFormat::Padded;
  Bytes out(padded ? kPaddedSignatureSize : kMaxCompressedSignatureSize);
  out[0] = kSignatureHeader;
  std::ranges::copy(nonce, out.begin() + 1);
  const auto size = compress(s2, out.data() + kSignatureHeadSize, out.size() - kSignatureHeadSize);
  if (!size) return std::nullopt;
  if (!padded) out.resize(kSignatureHeadSize + *size);
  return out;
}

Result<void, Refusal> decode_signature(SignatureFormat format, ByteView bytes, ShortSpan s2) {
  const bool padded = format == SignatureFormat::Padded;
  if (padded ? bytes.size() != kPaddedSignatureSize
             : bytes.size() <= kSignatureHeadSize || bytes.size() > kMaxCompressedSignatureSize) {
    return fail(Refusal::WrongLength);
  }
  if (bytes[0] != kSignatureHeader) return fail(Refusal::WrongHeader);
  const ByteView body = bytes.subspan(kSignatureHeadSize);
  std::array<std::uint8_t, kMaxCompressedSignatureSize + 8> zero_ended;
  std::ranges::fill(std::ranges::copy(body, zero_ended.begin()).out, zero_ended.end(), 0);
  HM_TRY(const std::size_t used, decompress(ByteView(zero_ended.data(), body.size()), s2));
  const ByteView rest = body.subspan(used);
  const bool allowed =
      padded ? std::ranges::all_of(rest, [](std::uint8_t b) { return b == 0; }) : rest.empty();
  if (!allowed) return fail(Refusal::TrailingBytes);
  return {};
}

}  // namespace hm::falcon
