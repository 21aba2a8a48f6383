// SPDX-License-Identifier: Apache-2.0
// AES-128 as QUIC protects packets with it (RFC 9001 §5.3, §5.4): in Galois/Counter Mode (NIST SP
// 800-38D) under one key for many messages, four blocks at a time in a vector of 512 bits, and one
// block by itself. Intel's Multi-Buffer library does the work.
//
// Does not do. It is there only on processors with vector instructions for AES, on which the TLS
// library needs three times as long: elsewhere who asks for one gets none and uses that library. A
// nonce must never repeat under one key; who owns the key owns that rule.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "foundation/base/bytes.h"
#include "foundation/crypto/aead.h"

namespace hm::crypto {

inline constexpr std::size_t kAes128KeySize = 16;
inline constexpr std::size_t kAesBlockSize = 16;

// Whether this processor, and the library that the build has for it, can do what is below.
bool has_aes128();

class Aes128Gcm {
 public:
  // Requires: has_aes128().
  explicit Aes128Gcm(std::span<const std::uint8_t, kAes128KeySize> key);
  ~Aes128Gcm();
  Aes128Gcm(const Aes128Gcm&) = delete;
  Aes128Gcm& operator=(const Aes128Gcm&) = delete;

  // Requires: `sealed` is kAeadTagSize longer than `plaintext`; they begin at one place or do not
  // overlap.
  void seal(std::span<const std::uint8_t, kAeadNonceSize> nonce, ByteView associated,
            ByteView plaintext, std::span<std::uint8_t> sealed) const;

  // False, and `plaintext` is wiped, unless every bit is as it was sealed. Requires: as seal().
  [[nodiscard]] bool open(std::span<const std::uint8_t, kAeadNonceSize> nonce, ByteView associated,
                          ByteView sealed, std::span<std::uint8_t> plaintext) const;

 private:
  struct Schedule;  // what is computed from the key once
  std::unique_ptr<Schedule> schedule_;
};

class Aes128Block {
 public:
  // Requires: has_aes128().
  explicit Aes128Block(std::span<const std::uint8_t, kAes128KeySize> key);
  ~Aes128Block();
  Aes128Block(const Aes128Block&) = delete;
  Aes128Block& operator=(const Aes128Block&) = delete;

  std::array<std::uint8_t, kAesBlockSize> encrypt(
      std::span<const std::uint8_t, kAesBlockSize> block) const;

 private:
  struct Schedule;
  std::unique_ptr<Schedule> schedule_;
};

}  // namespace hm::crypto
