// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/aead.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "foundation/base/check.h"
#include "foundation/crypto/aead_vaes.h"
#include "foundation/crypto/wipe.h"

namespace hm::crypto {
namespace {

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};

int int_size(ByteView bytes) { return static_cast<int>(bytes.size()); }

}  // namespace

// OpenSSL's memory, unless the other library does the work.
struct Aead::State {
  // Fetched once: looking it up at each message takes the library longer than a short message.
  std::unique_ptr<EVP_CIPHER, Free> cipher{EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)};
  std::unique_ptr<EVP_CIPHER_CTX, Free> context{EVP_CIPHER_CTX_new()};

  // Encrypts or decrypts into `out`, all but the tag.
  void run(int encrypt, const AeadKey& key, const AeadNonce& nonce, ByteView associated,
           ByteView input, std::uint8_t* out);
  void seal(const AeadKey& key, const AeadNonce& nonce, ByteView associated, ByteView plaintext,
            std::span<std::uint8_t> sealed);
  bool open(const AeadKey& key, const AeadNonce& nonce, ByteView associated, ByteView sealed,
            std::span<std::uint8_t> plaintext);
};

void Aead::State::run(int encrypt, const AeadKey& key, const AeadNonce& nonce, ByteView associated,
                      ByteView input, std::uint8_t* out) {
  int length = 0;
  HM_CHECK(EVP_CipherInit_ex(context.get(), cipher.get(), nullptr, key.data(), nonce.data(),
                             encrypt) == 1);
  if (!associated.empty()) {
    HM_CHECK(EVP_CipherUpdate(context.get(), nullptr, &length, associated.data(),
                              int_size(associated)) == 1);
  }
  if (!input.empty()) {
    HM_CHECK(EVP_CipherUpdate(context.get(), out, &length, input.data(), int_size(input)) == 1);
  }
}

void Aead::State::seal(const AeadKey& key, const AeadNonce& nonce, ByteView associated,
                       ByteView plaintext, std::span<std::uint8_t> sealed) {
  run(1, key, nonce, associated, plaintext, sealed.data());
  std::uint8_t* tag = sealed.data() + plaintext.size();
  int length = 0;
  HM_CHECK(EVP_CipherFinal_ex(context.get(), tag, &length) == 1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, tag) == 1);
}

bool Aead::State::open(const AeadKey& key, const AeadNonce& nonce, ByteView associated,
                       ByteView sealed, std::span<std::uint8_t> plaintext) {
  std::array<std::uint8_t, kAeadTagSize> tag{};
  std::copy(sealed.end() - kAeadTagSize, sealed.end(), tag.begin());
  run(0, key, nonce, associated, sealed.first(plaintext.size()), plaintext.data());
  std::uint8_t none = 0;
  int length = 0;
  HM_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagSize, tag.data()) ==
           1);
  return EVP_CipherFinal_ex(context.get(), &none, &length) == 1;
}

Aead::Aead(Backend backend) {
  if (backend == Backend::Avx512 && has_vaes_aead()) return;
  state_ = std::make_unique<State>();
  HM_CHECK(state_->cipher && state_->context);
}
Aead::~Aead() = default;
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;

void Aead::seal(const AeadKey& key, const AeadNonce& nonce, ByteView associated, ByteView plaintext,
                std::span<std::uint8_t> sealed) {
  HM_CHECK(plaintext.size() <= kMaxAeadMessage && associated.size() <= kMaxAeadMessage);
  HM_CHECK(sealed.size() == plaintext.size() + kAeadTagSize);
  if (state_) {
    state_->seal(key, nonce, associated, plaintext, sealed);
  } else {
    seal_by_vaes(key, nonce, associated, plaintext, sealed);
  }
}

bool Aead::open(const AeadKey& key, const AeadNonce& nonce, ByteView associated, ByteView sealed,
                std::span<std::uint8_t> plaintext) {
  HM_CHECK(plaintext.size() <= kMaxAeadMessage && associated.size() <= kMaxAeadMessage);
  HM_CHECK(sealed.size() == plaintext.size() + kAeadTagSize);
  const bool is_whole = state_ ? state_->open(key, nonce, associated, sealed, plaintext)
                               : open_by_vaes(key, nonce, associated, sealed, plaintext);
  if (!is_whole) wipe(plaintext);
  return is_whole;
}

Bytes seal(const AeadKey& key, const AeadNonce& nonce, ByteView associated, ByteView plaintext) {
  HM_CHECK(plaintext.size() <= kMaxAeadMessage);
  Bytes sealed(plaintext.size() + kAeadTagSize);
  Aead().seal(key, nonce, associated, plaintext, sealed);
  return sealed;
}

std::optional<Bytes> open(const AeadKey& key, const AeadNonce& nonce, ByteView associated,
                          ByteView sealed) {
  if (sealed.size() < kAeadTagSize || sealed.size() > kMaxAeadMessage + kAeadTagSize ||
      associated.size() > kMaxAeadMessage) {
    return std::nullopt;
  }
  Bytes plaintext(sealed.size() - kAeadTagSize);
  if (!Aead().open(key, nonce, associated, sealed, plaintext)) return std::nullopt;
  return plaintext;
}

}  // namespace hm::crypto
