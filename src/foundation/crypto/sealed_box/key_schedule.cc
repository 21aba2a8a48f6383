// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/sealed_box/key_schedule.h"

#include <algorithm>
#include <string_view>

#include "foundation/codec/writer.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/hkdf.h"
#include "foundation/crypto/wipe.h"

namespace hm::sealed_box {
namespace {

using crypto::AeadKey;
using crypto::Wiped;

constexpr std::string_view kContentLabel = "hm.sealed-box.content.v1";
constexpr std::string_view kCommitmentLabel = "hm.sealed-box.commitment.v1";
constexpr std::string_view kWrapLabel = "hm.sealed-box.wrap.v1";
constexpr std::string_view kHintTag = "hm.sealed-box.hint.v1";
constexpr crypto::AeadNonce kOnlyNonce{};

// The beginning of everything that is derived or authenticated.
codec::Writer bound_to(std::string_view label, const Context& context) {
  codec::Writer info;
  info.write(label);
  info.write(kSuiteMlKem1024);
  info.write(context.owner);
  info.write(context.object);
  info.write(context.version);
  return info;
}

Bytes content_info(const Context& context) { return bound_to(kContentLabel, context).take(); }

// Key and context of a wrap are as unique as its ciphertext, even if `m` were used twice.
Bytes wrap_info(const Context& context, const Commitment& commitment,
                const EncapsulationKey& reader, ByteView ciphertext) {
  codec::Writer info = bound_to(kWrapLabel, context);
  info.write_raw(commitment);
  info.write_raw(reader.hash());
  info.write(crypto::sha256(ciphertext).bytes);
  return std::move(info).take();
}

// The key of one message, whose associated data is what the key was derived with.
Bytes seal_under(ByteView secret, ByteView info, ByteView message) {
  Wiped<AeadKey> key;
  crypto::hkdf_sha256(secret, {}, info, *key);
  return crypto::seal(*key, kOnlyNonce, info, message);
}

std::optional<Bytes> open_under(ByteView secret, ByteView info, ByteView sealed) {
  Wiped<AeadKey> key;
  crypto::hkdf_sha256(secret, {}, info, *key);
  return crypto::open(*key, kOnlyNonce, info, sealed);
}

}  // namespace

Bytes seal_content(const ContentKey& key, const Context& context, ByteView content) {
  return seal_under(key, content_info(context), content);
}

std::optional<Bytes> open_content(const ContentKey& key, const Context& context, ByteView sealed) {
  return open_under(key, content_info(context), sealed);
}

Commitment commit(const ContentKey& key, const Context& context, ByteView sealed) {
  codec::Writer info = bound_to(kCommitmentLabel, context);
  info.write(crypto::sha256(sealed).bytes);
  Commitment commitment;
  crypto::hkdf_sha256(key, {}, info.bytes(), commitment);
  return commitment;
}

Hint hint_of(const EncapsulationKey& reader, const Commitment& commitment) {
  codec::Writer input;
  input.write_raw(commitment);
  input.write_raw(reader.hash());
  const crypto::Digest digest = crypto::tagged_hash(kHintTag, input.bytes());
  Hint hint;
  std::ranges::copy_n(digest.bytes.begin(), hint.size(), hint.begin());
  return hint;
}

Wrap wrap_for(const EncapsulationKey& reader, MessageView m, const ContentKey& key,
              const Context& context, const Commitment& commitment) {
  auto made = ml_kem::encapsulate(reader, m);
  const Bytes info = wrap_info(context, commitment, reader, made.ciphertext.bytes);
  const Bytes sealed_key = seal_under(made.secret.view(), info, key);
  Wrap wrap{.hint = hint_of(reader, commitment), .ciphertext = made.ciphertext};
  std::ranges::copy(sealed_key, wrap.sealed_key.begin());
  return wrap;
}

bool unwrap(const Wrap& wrap, const DecapsulationKey& own, const Context& context,
            const Commitment& commitment, ContentKey& out) {
  const ml_kem::SharedSecret secret = own.decapsulate(wrap.ciphertext);
  const Bytes info = wrap_info(context, commitment, own.encapsulation_key(), wrap.ciphertext.bytes);
  auto key = open_under(secret.view(), info, wrap.sealed_key);
  if (!key) return false;
  const crypto::WipeLater wiped(*key);
  std::ranges::copy(*key, out.begin());
  return true;
}

}  // namespace hm::sealed_box
