// SPDX-License-Identifier: Apache-2.0
#include "platform/quic/packet_keys.h"

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "foundation/base/check.h"
#include "foundation/crypto/aes128_gcm.h"
#include "foundation/crypto/wipe.h"

namespace hm::quic {
namespace {

using crypto::Aes128Block;
using crypto::Aes128Gcm;
using Secret = std::span<const std::uint8_t>;
using Key = std::array<std::uint8_t, crypto::kAes128KeySize>;

thread_local std::uint64_t authentic = 0;

// ngtcp2 hands a key back as the pointer that it was given, and nothing beside it that tells whose
// it is. All memory begins at an even address: an odd one is a key of ours.
template <class T>
void* handle_of(std::unique_ptr<T> key) {
  return reinterpret_cast<char*>(key.release()) + 1;
}
template <class T>
T* own_key(void* handle) {
  const bool is_own = (reinterpret_cast<std::uintptr_t>(handle) & 1) != 0;
  return is_own ? reinterpret_cast<T*>(static_cast<char*>(handle) - 1) : nullptr;
}
Aes128Gcm* own_key(const ngtcp2_crypto_aead_ctx& context) {
  return own_key<Aes128Gcm>(context.native_handle);
}
Aes128Block* own_key(const ngtcp2_crypto_cipher_ctx& context) {
  return own_key<Aes128Block>(context.native_handle);
}

int encrypt(std::uint8_t* out, const ngtcp2_crypto_aead* aead,
            const ngtcp2_crypto_aead_ctx* context, const std::uint8_t* plain, std::size_t size,
            const std::uint8_t* nonce, std::size_t nonce_size, const std::uint8_t* aad,
            std::size_t aad_size) {
  const auto* const own = own_key(*context);
  if (own == nullptr) {
    return ngtcp2_crypto_encrypt_cb(out, aead, context, plain, size, nonce, nonce_size, aad,
                                    aad_size);
  }
  HM_CHECK(nonce_size == crypto::kAeadNonceSize);
  own->seal(std::span<const std::uint8_t, crypto::kAeadNonceSize>(nonce, nonce_size),
            {aad, aad_size}, {plain, size}, {out, size + crypto::kAeadTagSize});
  return 0;
}

int decrypt(std::uint8_t* out, const ngtcp2_crypto_aead* aead,
            const ngtcp2_crypto_aead_ctx* context, const std::uint8_t* sealed, std::size_t size,
            const std::uint8_t* nonce, std::size_t nonce_size, const std::uint8_t* aad,
            std::size_t aad_size) {
  int rc = NGTCP2_ERR_DECRYPT;
  if (const auto* const own = own_key(*context); own == nullptr) {
    rc = ngtcp2_crypto_decrypt_cb(out, aead, context, sealed, size, nonce, nonce_size, aad,
                                  aad_size);
  } else if (size >= crypto::kAeadTagSize) {
    HM_CHECK(nonce_size == crypto::kAeadNonceSize);
    if (own->open(std::span<const std::uint8_t, crypto::kAeadNonceSize>(nonce, nonce_size),
                  {aad, aad_size}, {sealed, size}, {out, size - crypto::kAeadTagSize})) {
      rc = 0;
    }
  }
  if (rc == 0) ++authentic;
  return rc;
}

// RFC 9001 §5.4.3
int mask_header(std::uint8_t* out, const ngtcp2_crypto_cipher* cipher,
                const ngtcp2_crypto_cipher_ctx* context, const std::uint8_t* sample) {
  const auto* const own = own_key(*context);
  if (own == nullptr) return ngtcp2_crypto_hp_mask_cb(out, cipher, context, sample);
  const auto block = own->encrypt(
      std::span<const std::uint8_t, crypto::kAesBlockSize>(sample, NGTCP2_HP_SAMPLELEN));
  std::copy_n(block.begin(), NGTCP2_HP_MASKLEN, out);
  return 0;
}

void delete_packet_key(ngtcp2_conn* conn, ngtcp2_crypto_aead_ctx* context, void* user_data) {
  const std::unique_ptr<Aes128Gcm> own(own_key(*context));
  if (!own) ngtcp2_crypto_delete_crypto_aead_ctx_cb(conn, context, user_data);
}

void delete_header_key(ngtcp2_conn* conn, ngtcp2_crypto_cipher_ctx* context, void* user_data) {
  const std::unique_ptr<Aes128Block> own(own_key(*context));
  if (!own) ngtcp2_crypto_delete_crypto_cipher_ctx_cb(conn, context, user_data);
}

void replace(ngtcp2_crypto_aead_ctx& context, const Key& key) {
  ngtcp2_crypto_aead_ctx_free(&context);
  context.native_handle = handle_of(std::make_unique<Aes128Gcm>(key));
}

bool can_replace(ngtcp2_conn* conn) {
  const auto cipher =
      reinterpret_cast<std::intptr_t>(ngtcp2_conn_get_crypto_ctx(conn)->aead.native_handle);
  return cipher == GNUTLS_CIPHER_AES_128_GCM && crypto::has_aes128();
}

// RFC 9001 §6
int update_keys(ngtcp2_conn* conn, std::uint8_t* rx_secret, std::uint8_t* tx_secret,
                ngtcp2_crypto_aead_ctx* rx_context, std::uint8_t* rx_iv,
                ngtcp2_crypto_aead_ctx* tx_context, std::uint8_t* tx_iv,
                const std::uint8_t* current_rx, const std::uint8_t* current_tx, std::size_t size,
                void* user_data) {
  if (!can_replace(conn)) {
    return ngtcp2_crypto_update_key_cb(conn, rx_secret, tx_secret, rx_context, rx_iv, tx_context,
                                       tx_iv, current_rx, current_tx, size, user_data);
  }
  crypto::Wiped<Key> rx;
  crypto::Wiped<Key> tx;
  if (ngtcp2_crypto_update_key(conn, rx_secret, tx_secret, rx_context, rx->data(), rx_iv,
                               tx_context, tx->data(), tx_iv, current_rx, current_tx, size) != 0) {
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }
  replace(*rx_context, *rx);
  replace(*tx_context, *tx);
  return 0;
}

// RFC 8446 §7.1 with the labels of RFC 9001 §5.1: HKDF-Expand-Label without a context.
bool expand(const ngtcp2_crypto_ctx& context, Secret secret, std::string_view label,
            std::span<std::uint8_t> out) {
  constexpr std::string_view kPrefix = "tls13 ";
  std::array<std::uint8_t, 32> info{0, static_cast<std::uint8_t>(out.size()),
                                    static_cast<std::uint8_t>(kPrefix.size() + label.size())};
  auto at = std::ranges::copy(kPrefix, info.begin() + 3).out;
  at = std::ranges::copy(label, at).out;
  const auto size = static_cast<std::size_t>(at - info.begin()) + 1;  // no context: a zero
  return ngtcp2_crypto_hkdf_expand(out.data(), out.size(), &context.md, secret.data(),
                                   secret.size(), info.data(), size) == 0;
}

using Install = int (*)(ngtcp2_conn*, const std::uint8_t*, std::size_t,
                        const ngtcp2_crypto_aead_ctx*, const std::uint8_t*, std::size_t,
                        const ngtcp2_crypto_cipher_ctx*);

int install_own(ngtcp2_conn* conn, Secret secret, Install install) {
  const auto& context = *ngtcp2_conn_get_crypto_ctx(conn);
  crypto::Wiped<Key> key;
  crypto::Wiped<Key> header_key;
  std::array<std::uint8_t, crypto::kAeadNonceSize> iv{};
  if (!expand(context, secret, "quic key", *key) || !expand(context, secret, "quic iv", iv) ||
      !expand(context, secret, "quic hp", *header_key)) {
    return -1;
  }
  ngtcp2_crypto_aead_ctx packet{handle_of(std::make_unique<Aes128Gcm>(*key))};
  ngtcp2_crypto_cipher_ctx header{handle_of(std::make_unique<Aes128Block>(*header_key))};
  if (install(conn, secret.data(), secret.size(), &packet, iv.data(), iv.size(), &header) == 0) {
    return 0;
  }
  delete_packet_key(conn, &packet, nullptr);
  delete_header_key(conn, &header, nullptr);
  return -1;
}

// GnuTLS has secrets for a level of the handshake, of one direction or of both.
int take_secrets(gnutls_session_t session, gnutls_record_encryption_level_t level,
                 const void* rx_secret, const void* tx_secret, std::size_t size) {
  auto* const reference = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
  auto* const conn = reference->get_conn(reference);
  const auto* const rx = static_cast<const std::uint8_t*>(rx_secret);
  const auto* const tx = static_cast<const std::uint8_t*>(tx_secret);
  if (level == GNUTLS_ENCRYPTION_LEVEL_APPLICATION && can_replace(conn)) {
    if (rx != nullptr && install_own(conn, {rx, size}, ngtcp2_conn_install_rx_key) != 0) return -1;
    if (tx != nullptr && install_own(conn, {tx, size}, ngtcp2_conn_install_tx_key) != 0) return -1;
    return 0;
  }
  const auto stage = ngtcp2_crypto_gnutls_from_gnutls_record_encryption_level(level);
  if (rx != nullptr && ngtcp2_crypto_derive_and_install_rx_key(conn, nullptr, nullptr, nullptr,
                                                               stage, rx, size) != 0) {
    return -1;
  }
  if (tx != nullptr && ngtcp2_crypto_derive_and_install_tx_key(conn, nullptr, nullptr, nullptr,
                                                               stage, tx, size) != 0) {
    return -1;
  }
  return 0;
}

}  // namespace

std::uint64_t authentic_packets() { return authentic; }

void choose_packet_keys(gnutls_session_int* session) {
  gnutls_handshake_set_secret_function(session, take_secrets);
}

void set_packet_callbacks(ngtcp2_callbacks& table) {
  table.encrypt = encrypt;
  table.decrypt = decrypt;
  table.update_key = update_keys;
  table.hp_mask = mask_header;
  table.delete_crypto_aead_ctx = delete_packet_key;
  table.delete_crypto_cipher_ctx = delete_header_key;
}

}  // namespace hm::quic
