// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/join_code.h"

#include <algorithm>

#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/hkdf.h"
#include "foundation/crypto/wipe.h"
#include "platform/files/key_file.h"

namespace hm::cli {
namespace {

constexpr std::string_view kPrefix = "hm1-";
constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t kChecksum = 4;
constexpr std::size_t kMaxCode = 256;

std::string to_base32(ByteView bytes) {
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8) | byte;
    for (count += 8; count >= 5; count -= 5) text.push_back(kAlphabet[(bits >> (count - 5)) & 31]);
  }
  if (count > 0) text.push_back(kAlphabet[(bits << (5 - count)) & 31]);
  return text;
}

// Unused bits must be zero: one spelling per code.
std::optional<Bytes> from_base32(std::string_view text) {
  Bytes bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 5) | static_cast<std::uint32_t>(value);
    count += 5;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> count));
    }
  }
  if (count >= 5 || (bits & ((1U << count) - 1)) != 0) return std::nullopt;
  return bytes;
}

std::array<std::uint8_t, kChecksum> checksum_of(ByteView body) {
  const crypto::Digest digest = crypto::tagged_hash("hm.join-code.v1", body);
  std::array<std::uint8_t, kChecksum> checksum{};
  std::copy_n(digest.bytes.begin(), kChecksum, checksum.begin());
  return checksum;
}

crypto::AeadKey key_of(const InvitationSecret& secret, Direction direction) {
  crypto::AeadKey key{};
  const std::string_view info =
      direction == Direction::ToInviter ? "hm.join.to-inviter.v1" : "hm.join.to-joiner.v1";
  crypto::hkdf_sha256(secret, {}, as_bytes(info), key);
  return key;
}

}  // namespace

std::string format_join_code(const JoinCode& code) {
  Bytes bytes = codec::encode(code);
  const auto checksum = checksum_of(bytes);
  for (const std::uint8_t byte : checksum) bytes.push_back(byte);
  return std::string(kPrefix) + to_base32(bytes);
}

Result<JoinCode> parse_join_code(std::string_view text) {
  const auto refuse = [](const char* why) {
    return fail(ErrorCode::InvalidArgument, std::string("this is not an invitation: ") + why,
                "copy the whole code that 'hypermesh invite' printed");
  };
  if (!text.starts_with(kPrefix)) return refuse("it does not begin with 'hm1-'");
  if (text.size() > kMaxCode) return refuse("it is too long");
  const auto bytes = from_base32(text.substr(kPrefix.size()));
  if (!bytes || bytes->size() <= kChecksum)
    return refuse("it has other characters or is cut short");
  const ByteView body = ByteView(*bytes).first(bytes->size() - kChecksum);
  const auto checksum = checksum_of(body);
  if (!std::ranges::equal(checksum, ByteView(*bytes).last(kChecksum)))
    return refuse("it is mistyped");
  auto code = codec::decode<JoinCode>(body);
  if (!code || code->version != 1) return refuse("it is of another version");
  return *code;
}

ChainFingerprint fingerprint_of(const identity::ChainId& chain) {
  ChainFingerprint fingerprint{};
  std::copy_n(chain.bytes.begin(), fingerprint.size(), fingerprint.begin());
  return fingerprint;
}

InvitationId invitation_id_of(const InvitationSecret& secret) {
  const crypto::Digest digest = crypto::tagged_hash("hm.invitation.v1", secret);
  InvitationId id{};
  std::copy_n(digest.bytes.begin(), id.size(), id.begin());
  return id;
}

Bytes seal_for(const InvitationSecret& secret, Direction direction, std::uint8_t step,
               ByteView plaintext) {
  crypto::AeadKey key = key_of(secret, direction);
  crypto::AeadNonce nonce{};
  files::fill_random(nonce);
  const Bytes sealed = crypto::seal(key, nonce, ByteView(&step, 1), plaintext);
  crypto::wipe(key);
  codec::Writer out;
  out.write(nonce);
  out.write_raw(sealed);
  return std::move(out).take();
}

std::optional<Bytes> open_from(const InvitationSecret& secret, Direction direction,
                               std::uint8_t step, ByteView sealed) {
  crypto::AeadNonce nonce{};
  if (sealed.size() < nonce.size()) return std::nullopt;
  std::copy_n(sealed.begin(), nonce.size(), nonce.begin());
  crypto::AeadKey key = key_of(secret, direction);
  auto plaintext = crypto::open(key, nonce, ByteView(&step, 1), sealed.subspan(nonce.size()));
  crypto::wipe(key);
  return plaintext;
}

}  // namespace hm::cli
