// SPDX-License-Identifier: Apache-2.0
// A sealed box as a value, and its bytes (docs/protocols/sealed_box.md is normative). What can be
// done with one is in sealed_box.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/ml_kem/ml_kem.h"
#include "foundation/crypto/sealed_box/limits.h"

namespace hm::sealed_box {

using EncapsulationKey = ml_kem::EncapsulationKey<ml_kem::MlKem1024>;
using DecapsulationKey = ml_kem::DecapsulationKey<ml_kem::MlKem1024>;

enum class Refusal : std::uint8_t {
  UnknownSuite,     // algorithms that this version does not know
  Malformed,        // not the one encoding of a box
  NoReaders,        // nobody could open it
  TooManyReaders,   // more than kMaxReaders
  UnsortedReaders,  // hints out of order, or the same twice
  DuplicateReader,  // a key is given twice, or has a wrap already
  ContentTooLong,   // longer than kMaxContentSize
  ObjectIdTooLong,  // longer than kMaxObjectIdSize
  // No wrap has the hint of this key: it is no reader's, or commitment or hint were altered.
  NotAReader,
  // The key has a wrap that does not open: the context is another, or the wrap was altered or comes
  // from another box. These cannot be told apart.
  WrongContextOrTampered,
  // The wrap gives a content key, but the box is committed to another key or sealed content: the
  // content was altered, or whoever made the wrap cheats.
  NotCommitted,
  // Key and content are those of the commitment, but the content is not sealed under that key:
  // whoever made the box cheats.
  BadContent,
};

// Stable lower-case name, e.g. "not_a_reader".
std::string_view name_of(Refusal refusal);

// ML-KEM-1024, HKDF-SHA-256, AES-256-GCM. A number is never reused; another suite may have another
// layout behind its number.
inline constexpr std::uint16_t kSuiteMlKem1024 = 1;

using Commitment = std::array<std::uint8_t, 32>;
using Hint = std::array<std::uint8_t, 8>;

// The content key for one reader.
struct Wrap {
  Hint hint{};
  ml_kem::Ciphertext<ml_kem::MlKem1024> ciphertext{};
  std::array<std::uint8_t, crypto::kAeadKeySize + crypto::kAeadTagSize> sealed_key{};

  bool operator==(const Wrap&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.hint, self.ciphertext.bytes, self.sealed_key);
  }
};

struct Box {
  std::uint16_t suite = kSuiteMlKem1024;
  Commitment commitment{};
  std::vector<Wrap> wraps;  // by ascending hint
  Bytes content;            // sealed, with its tag

  bool operator==(const Box&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.suite, self.commitment, self.wraps, self.content);
  }
};

// Longer bytes are no box.
inline constexpr std::size_t kWrapSize = sizeof(Wrap);
inline constexpr std::size_t kMaxBoxSize =
    sizeof(std::uint16_t) + sizeof(Commitment) + 2 + kMaxReaders * kWrapSize +  // length: 2 bytes
    4 + kMaxContentSize + crypto::kAeadTagSize;                                 // length: 4 bytes
static_assert(kWrapSize == 1624);

// Strict: succeeds only if encode() gives the same bytes again. Memory is bounded by the input's
// size before it is taken, and that by kMaxBoxSize.
Result<Box, Refusal> decode(ByteView bytes);

Bytes encode(const Box& box);

}  // namespace hm::sealed_box
