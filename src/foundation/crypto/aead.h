// SPDX-License-Identifier: Apache-2.0
// Authenticated encryption: AES-256-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags.
// A nonce must never repeat under one key; who owns the key owns that rule (a counter, or a key
// that seals once). OpenSSL does the work, except on processors with vector instructions for AES
// that OpenSSL has no use for before 3.1; the bytes are the same.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "foundation/base/bytes.h"
#include "foundation/crypto/backend.h"

namespace hm::crypto {

inline constexpr std::size_t kAeadKeySize = 32;
inline constexpr std::size_t kAeadNonceSize = 12;
inline constexpr std::size_t kAeadTagSize = 16;
// One sealed message; far below the 2^36 byte limit of GCM and within the library's int lengths.
inline constexpr std::size_t kMaxAeadMessage = std::size_t{1} << 30;

using AeadKey = std::array<std::uint8_t, kAeadKeySize>;
using AeadNonce = std::array<std::uint8_t, kAeadNonceSize>;

// Ciphertext followed by the tag; `associated` is authenticated, not encrypted.
// Requires: sizes of at most kMaxAeadMessage.
Bytes seal(const AeadKey& key, const AeadNonce& nonce, ByteView associated, ByteView plaintext);

// The plaintext, or nothing if any bit of key, nonce, associated data or `sealed` differs.
std::optional<Bytes> open(const AeadKey& key, const AeadNonce& nonce, ByteView associated,
                          ByteView sealed);

// The same for many messages into memory of the caller: keeps the library's memory from call to
// call. One caller at a time. The last key stays in that memory until the next one or the end.
class Aead {
 public:
  explicit Aead(Backend backend = fastest_backend());
  ~Aead();
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;

  // Requires: `sealed` is kAeadTagSize longer than `plaintext`; they do not overlap.
  void seal(const AeadKey& key, const AeadNonce& nonce, ByteView associated, ByteView plaintext,
            std::span<std::uint8_t> sealed);

  // The same from pieces into pieces: what they are together is what seal() makes of `plaintext`
  // put together, wherever the pieces begin and end. Requires: as seal(), of their sums.
  void seal_pieces(const AeadKey& key, const AeadNonce& nonce, ByteView associated,
                   std::span<const ByteView> plaintext,
                   std::span<const std::span<std::uint8_t>> sealed);

  // False, and `plaintext` is wiped, where open() gives nothing. Requires: as seal().
  [[nodiscard]] bool open(const AeadKey& key, const AeadNonce& nonce, ByteView associated,
                          ByteView sealed, std::span<std::uint8_t> plaintext);

 private:
  struct State;
  std::unique_ptr<State> state_;  // none where that of the caller is enough
};

}  // namespace hm::crypto
