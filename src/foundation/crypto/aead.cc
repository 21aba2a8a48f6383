// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/aead.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "foundation/base/check.h"
#include "foundation/crypto/aead_vaes.h"
#include "foundation/crypto/wipe.h"

namespace hm::crypto {
namespace {

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};

using Tag = std::array<std::uint8_t, kAeadTagSize>;

int int_size(std::size_t size) { return static_cast<int>(size); }

std::size_t sum_of(const auto& pieces) {
  std::size_t sum = 0;
  for (const auto& each : pieces) sum += each.size();
  return sum;
}

// Where pieces go on: what is passed by stays in order.
template <class Piece>
class Walk {
 public:
  explicit Walk(std::span<const Piece> pieces) : left_(pieces) {}

  // What lies together from here on; not empty. Requires: there is more.
  Piece here() {
    while (offset_ == left_.front().size()) {
      left_ = left_.subspan(1);
      offset_ = 0;
    }
    return left_.front().subspan(offset_);
  }
  void pass(std::size_t size) { offset_ += size; }

 private:
  std::span<const Piece> left_;
  std::size_t offset_ = 0;
};

}  // namespace

// OpenSSL's memory, unless the other library does the work.
struct Aead::State {
  // Fetched once: looking it up at each message takes the library longer than a short message.
  std::unique_ptr<EVP_CIPHER, Free> cipher{EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)};
  std::unique_ptr<EVP_CIPHER_CTX, Free> context{EVP_CIPHER_CTX_new()};

  void start(int encrypt, const AeadKey& key, const AeadNonce& nonce, ByteView associated);
  void pass(const AeadRun& run);
  Tag seal(const AeadKey& key, const AeadNonce& nonce, ByteView associated,
           std::span<const AeadRun> runs);
  bool open(const AeadKey& key, const AeadNonce& nonce, ByteView associated, ByteView sealed,
            std::span<std::uint8_t> plaintext);
};

void Aead::State::start(int encrypt, const AeadKey& key, const AeadNonce& nonce,
                        ByteView associated) {
  int length = 0;
  HM_CHECK(EVP_CipherInit_ex(context.get(), cipher.get(), nullptr, key.data(), nonce.data(),
                             encrypt) == 1);
  if (!associated.empty()) {
    HM_CHECK(EVP_CipherUpdate(context.get(), nullptr, &length, associated.data(),
                              int_size(associated.size())) == 1);
  }
}

void Aead::State::pass(const AeadRun& run) {
  int length = 0;
  if (run.size == 0) return;
  HM_CHECK(EVP_CipherUpdate(context.get(), run.to, &length, run.from, int_size(run.size)) == 1);
}

Tag Aead::State::seal(const AeadKey& key, const AeadNonce& nonce, ByteView associated,
                      std::span<const AeadRun> runs) {
  start(1, key, nonce, associated);
  for (const AeadRun& run : runs) pass(run);
  Tag tag{};
  int length = 0;
  HM_CHECK(EVP_CipherFinal_ex(context.get(), tag.data(), &length) == 1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, tag.data()) ==
               1);
  return tag;
}

bool Aead::State::open(const AeadKey& key, const AeadNonce& nonce, ByteView associated,
                       ByteView sealed, std::span<std::uint8_t> plaintext) {
  Tag tag{};
  std::copy(sealed.end() - kAeadTagSize, sealed.end(), tag.begin());
  start(0, key, nonce, associated);
  pass({sealed.data(), plaintext.data(), plaintext.size()});
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
  seal_pieces(key, nonce, associated, {&plaintext, 1}, {&sealed, 1});
}

void Aead::seal_pieces(const AeadKey& key, const AeadNonce& nonce, ByteView associated,
                       std::span<const ByteView> plaintext,
                       std::span<const std::span<std::uint8_t>> sealed) {
  const std::size_t size = sum_of(plaintext);
  HM_CHECK(size <= kMaxAeadMessage && associated.size() <= kMaxAeadMessage);
  HM_CHECK(sum_of(sealed) == size + kAeadTagSize);
  Walk<ByteView> from(plaintext);
  Walk<std::span<std::uint8_t>> to(sealed);
  std::vector<AeadRun> runs;
  runs.reserve(plaintext.size() + sealed.size());
  for (std::size_t left = size; left > 0;) {
    const ByteView source = from.here();
    const std::span<std::uint8_t> space = to.here();
    const AeadRun run{source.data(), space.data(), std::min(source.size(), space.size())};
    from.pass(run.size);
    to.pass(run.size);
    left -= run.size;
    runs.push_back(run);
  }
  const Tag tag = state_ ? state_->seal(key, nonce, associated, runs)
                         : seal_by_vaes(key, nonce, associated, runs);
  for (ByteView left = tag; !left.empty();) {
    const std::span<std::uint8_t> space = to.here();
    const std::size_t now = std::min(left.size(), space.size());
    std::copy_n(left.begin(), now, space.begin());
    to.pass(now);
    left = left.subspan(now);
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
