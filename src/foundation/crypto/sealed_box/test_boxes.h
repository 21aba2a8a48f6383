// SPDX-License-Identifier: Apache-2.0
// Keys, chance and contexts for the tests of sealed boxes: the same on every run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "foundation/crypto/keccak/shake.h"
#include "foundation/crypto/sealed_box/sealed_box.h"

namespace hm::sealed_box {

// 0, 1, 2, …: what one draw got, the next goes on from.
inline Randomness counting_bytes() {
  return [next = std::uint8_t{0}](std::span<std::uint8_t> out) mutable {
    for (std::uint8_t& byte : out) byte = next++;
  };
}

// Bytes that differ from seed to seed.
inline Randomness bytes_of(std::uint64_t seed) {
  keccak::Shake128 stream;
  stream.absorb({reinterpret_cast<const std::uint8_t*>(&seed), sizeof seed});
  return [stream](std::span<std::uint8_t> out) mutable { stream.squeeze(out); };
}

inline DecapsulationKey key_of(std::uint64_t seed) {
  std::array<std::uint8_t, ml_kem::kSeedSize> bytes;
  bytes_of(~seed)(bytes);
  return DecapsulationKey::from_seed(bytes);
}

inline std::vector<DecapsulationKey> keys_of(std::uint64_t first, std::size_t count) {
  std::vector<DecapsulationKey> keys;
  keys.reserve(count);
  for (std::size_t i = 0; i < count; ++i) keys.push_back(key_of(first + i));
  return keys;
}

inline std::vector<EncapsulationKey> readers_of(std::span<const DecapsulationKey> keys) {
  std::vector<EncapsulationKey> readers;
  readers.reserve(keys.size());
  for (const DecapsulationKey& key : keys) readers.push_back(key.encapsulation_key());
  return readers;
}

// Why there is no value; nothing if there is one.
template <class T>
std::optional<Refusal> refusal_of(const Result<T, Refusal>& result) {
  return result ? std::nullopt : std::optional(result.error());
}

inline Context some_context() {
  Context context{.object = to_bytes(as_bytes("object")), .version = 7};
  context.owner.fill(0x22);
  return context;
}

}  // namespace hm::sealed_box
