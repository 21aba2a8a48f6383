// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/aead_vaes.h"

#include "foundation/base/check.h"
#include "foundation/crypto/aes128_gcm.h"
#include "foundation/crypto/wipe.h"

#if defined(__x86_64__)
#include <intel-ipsec-mb.h>

namespace hm::crypto {
namespace {

// The library's table of functions for this processor; null where it has none that are better than
// OpenSSL's. Calls only read it. Never freed: who seals may live until the end.
const IMB_MGR* functions() {
  static const IMB_MGR* const functions = []() -> const IMB_MGR* {
    if (fastest_backend() != Backend::Avx512) return nullptr;
    IMB_MGR* const made = alloc_mb_mgr(0);
    if (made == nullptr) return nullptr;
    IMB_ARCH used = IMB_ARCH_NONE;
    init_mb_mgr_auto(made, &used);
    constexpr std::uint64_t kNeeded = IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ;
    if (used >= IMB_ARCH_AVX512 && (made->features & kNeeded) == kNeeded) return made;
    free_mb_mgr(made);
    return nullptr;
  }();
  return functions;
}

struct Work {
  alignas(64) gcm_key_data key;
  gcm_context_data message;
};

}  // namespace

bool has_vaes_aead() { return functions() != nullptr; }

void seal_by_vaes(const AeadKey& key, const AeadNonce& nonce, ByteView associated,
                  ByteView plaintext, std::span<std::uint8_t> sealed) {
  const IMB_MGR* const library = functions();
  HM_CHECK(library != nullptr);
  Wiped<Work> work;
  IMB_AES256_GCM_PRE(library, key.data(), &work->key);
  IMB_AES256_GCM_ENC(library, &work->key, &work->message, sealed.data(), plaintext.data(),
                     plaintext.size(), nonce.data(), associated.data(), associated.size(),
                     sealed.data() + plaintext.size(), kAeadTagSize);
}

bool open_by_vaes(const AeadKey& key, const AeadNonce& nonce, ByteView associated, ByteView sealed,
                  std::span<std::uint8_t> plaintext) {
  const IMB_MGR* const library = functions();
  HM_CHECK(library != nullptr);
  Wiped<Work> work;
  std::array<std::uint8_t, kAeadTagSize> tag{};
  IMB_AES256_GCM_PRE(library, key.data(), &work->key);
  IMB_AES256_GCM_DEC(library, &work->key, &work->message, plaintext.data(), sealed.data(),
                     plaintext.size(), nonce.data(), associated.data(), associated.size(),
                     tag.data(), kAeadTagSize);
  return equal_in_constant_time(tag, sealed.last(kAeadTagSize));
}

bool has_aes128() { return functions() != nullptr; }

struct Aes128Gcm::Schedule {
  Wiped<gcm_key_data> key;
};

Aes128Gcm::Aes128Gcm(std::span<const std::uint8_t, kAes128KeySize> key)
    : schedule_(std::make_unique<Schedule>()) {
  HM_CHECK(has_aes128());
  IMB_AES128_GCM_PRE(functions(), key.data(), &*schedule_->key);
}

void Aes128Gcm::seal(std::span<const std::uint8_t, kAeadNonceSize> nonce, ByteView associated,
                     ByteView plaintext, std::span<std::uint8_t> sealed) const {
  HM_CHECK(sealed.size() == plaintext.size() + kAeadTagSize);
  Wiped<gcm_context_data> message;
  IMB_AES128_GCM_ENC(functions(), &*schedule_->key, &*message, sealed.data(), plaintext.data(),
                     plaintext.size(), nonce.data(), associated.data(), associated.size(),
                     sealed.data() + plaintext.size(), kAeadTagSize);
}

bool Aes128Gcm::open(std::span<const std::uint8_t, kAeadNonceSize> nonce, ByteView associated,
                     ByteView sealed, std::span<std::uint8_t> plaintext) const {
  HM_CHECK(sealed.size() == plaintext.size() + kAeadTagSize);
  Wiped<gcm_context_data> message;
  std::array<std::uint8_t, kAeadTagSize> tag{};
  IMB_AES128_GCM_DEC(functions(), &*schedule_->key, &*message, plaintext.data(), sealed.data(),
                     plaintext.size(), nonce.data(), associated.data(), associated.size(),
                     tag.data(), kAeadTagSize);
  if (equal_in_constant_time(tag, sealed.last(kAeadTagSize))) return true;
  wipe(plaintext);
  return false;
}

struct Aes128Block::Schedule {
  static constexpr std::size_t kRoundKeys = 11;
  struct Keys {
    alignas(kAesBlockSize) std::array<std::uint8_t, kRoundKeys * kAesBlockSize> encrypting;
    alignas(kAesBlockSize) std::array<std::uint8_t, kRoundKeys * kAesBlockSize> decrypting;
  };
  Wiped<Keys> keys;
};

Aes128Block::Aes128Block(std::span<const std::uint8_t, kAes128KeySize> key)
    : schedule_(std::make_unique<Schedule>()) {
  HM_CHECK(has_aes128());
  IMB_AES_KEYEXP_128(functions(), key.data(), schedule_->keys->encrypting.data(),
                     schedule_->keys->decrypting.data());
}

// The library has no block by itself: in Cipher Feedback Mode it is the first that zeros become.
std::array<std::uint8_t, kAesBlockSize> Aes128Block::encrypt(
    std::span<const std::uint8_t, kAesBlockSize> block) const {
  constexpr std::array<std::uint8_t, kAesBlockSize> kZeros{};
  std::array<std::uint8_t, kAesBlockSize> out{};
  IMB_AES128_CFB_ONE(functions(), out.data(), kZeros.data(), block.data(),
                     schedule_->keys->encrypting.data(), kAesBlockSize);
  return out;
}

}  // namespace hm::crypto
#else

namespace hm::crypto {

bool has_vaes_aead() { return false; }
void seal_by_vaes(const AeadKey&, const AeadNonce&, ByteView, ByteView, std::span<std::uint8_t>) {
  HM_CHECK(false);
}
bool open_by_vaes(const AeadKey&, const AeadNonce&, ByteView, ByteView, std::span<std::uint8_t>) {
  HM_CHECK(false);
}

bool has_aes128() { return false; }

struct Aes128Gcm::Schedule {};
struct Aes128Block::Schedule {};

Aes128Gcm::Aes128Gcm(std::span<const std::uint8_t, kAes128KeySize>) { HM_CHECK(false); }
Aes128Block::Aes128Block(std::span<const std::uint8_t, kAes128KeySize>) { HM_CHECK(false); }
std::array<std::uint8_t, kAesBlockSize> Aes128Block::encrypt(
    std::span<const std::uint8_t, kAesBlockSize>) const {
  HM_CHECK(false);
}
void Aes128Gcm::seal(std::span<const std::uint8_t, kAeadNonceSize>, ByteView, ByteView,
                     std::span<std::uint8_t>) const {
  HM_CHECK(false);
}
bool Aes128Gcm::open(std::span<const std::uint8_t, kAeadNonceSize>, ByteView, ByteView,
                     std::span<std::uint8_t>) const {
  HM_CHECK(false);
}

}  // namespace hm::crypto
#endif

namespace hm::crypto {

Aes128Gcm::~Aes128Gcm() = default;
Aes128Block::~Aes128Block() = default;

}  // namespace hm::crypto
