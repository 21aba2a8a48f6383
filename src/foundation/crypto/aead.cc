// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/aead.h"

#include <openssl/evp.h>

#include <memory>

#include "foundation/base/check.h"
#include "foundation/crypto/wipe.h"

namespace hm::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

int int_size(ByteView bytes) { return static_cast<int>(bytes.size()); }

}  // namespace

Bytes seal(const AeadKey& key, const AeadNonce& nonce, ByteView associated, ByteView plaintext) {
  HM_CHECK(plaintext.size() <= kMaxAeadMessage && associated.size() <= kMaxAeadMessage);
  const ContextPtr context(EVP_CIPHER_CTX_new());
  Bytes sealed(plaintext.size() + kAeadTagSize);
  int length = 0;
  HM_CHECK(context && EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(),
                                         nonce.data()) == 1);
  if (!associated.empty()) {
    HM_CHECK(EVP_EncryptUpdate(context.get(), nullptr, &length, associated.data(),
                               int_size(associated)) == 1);
  }
  if (!plaintext.empty()) {
    HM_CHECK(EVP_EncryptUpdate(context.get(), sealed.data(), &length, plaintext.data(),
                               int_size(plaintext)) == 1);
  }
  std::uint8_t* tag = sealed.data() + plaintext.size();
  HM_CHECK(EVP_EncryptFinal_ex(context.get(), tag, &length) == 1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, tag) == 1);
  return sealed;
}

std::optional<Bytes> open(const AeadKey& key, const AeadNonce& nonce, ByteView associated,
                          ByteView sealed) {
  if (sealed.size() < kAeadTagSize || sealed.size() > kMaxAeadMessage + kAeadTagSize ||
      associated.size() > kMaxAeadMessage) {
    return std::nullopt;
  }
  const ByteView ciphertext = sealed.first(sealed.size() - kAeadTagSize);
  std::array<std::uint8_t, kAeadTagSize> tag{};
  std::copy(sealed.end() - kAeadTagSize, sealed.end(), tag.begin());

  const ContextPtr context(EVP_CIPHER_CTX_new());
  Bytes plaintext(ciphertext.size());
  int length = 0;
  HM_CHECK(context && EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(),
                                         nonce.data()) == 1);
  if (!associated.empty()) {
    HM_CHECK(EVP_DecryptUpdate(context.get(), nullptr, &length, associated.data(),
                               int_size(associated)) == 1);
  }
  if (!ciphertext.empty()) {
    HM_CHECK(EVP_DecryptUpdate(context.get(), plaintext.data(), &length, ciphertext.data(),
                               int_size(ciphertext)) == 1);
  }
  std::uint8_t none = 0;
  HM_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagSize, tag.data()) ==
           1);
  if (EVP_DecryptFinal_ex(context.get(), &none, &length) != 1) {
    wipe(plaintext);
    return std::nullopt;
  }
  return plaintext;
}

}  // namespace hm::crypto
