// SPDX-License-Identifier: Apache-2.0
#include "platform/files/owner_key_file.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "foundation/base/hex.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"
#include "foundation/crypto/wipe.h"
#include "platform/files/key_file.h"
#include "platform/files/key_text.h"

namespace hm::files {
namespace {

// About 12 KiB are needed.
constexpr std::size_t kMaxOwnerKeyFile = 32 * 1024;
constexpr std::string_view kFirstLine = "hypermesh-owner-key 1\n";
// A key that is derived for one file and salt seals one message.
constexpr crypto::AeadNonce kOnlyNonce{};

struct Protection {
  crypto::PasswordCost cost;
  crypto::PasswordSalt salt{};
};

struct Parsed {
  PublicOwnerKeys keys;
  std::optional<Protection> protection;
  std::string head;  // everything above the secret: what the seal binds
  Bytes secret;      // sealed or not
  Parsed() = default;
  Parsed(Parsed&&) noexcept = default;
  Parsed& operator=(Parsed&&) noexcept = default;
  ~Parsed() { crypto::wipe(secret); }
};

std::optional<std::uint32_t> take_number(std::string_view& text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data() + text.size() || *end != ' ') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return value;
}

std::optional<Protection> parse_protection(std::string_view text) {
  Protection protection;
  if (!text.starts_with("argon2id ")) return std::nullopt;
  text.remove_prefix(9);
  const auto passes = take_number(text);
  const auto memory = take_number(text);
  if (!passes || !memory || !from_hex_exact(text, protection.salt)) return std::nullopt;
  protection.cost = {*passes, *memory};
  if (!crypto::is_acceptable(protection.cost)) return std::nullopt;
  return protection;
}

std::string format_protection(const std::optional<Protection>& protection) {
  if (!protection) return "none";
  return fmt::format("argon2id {} {} {}", protection->cost.passes, protection->cost.memory_kib,
                     to_hex(protection->salt));
}

Result<Parsed> parse(const std::string& path) {
  HM_TRY(Bytes content, read_file(path, kMaxOwnerKeyFile, Access::Secret));
  const crypto::WipeLater guard(content);
  std::string_view text = as_text(content);
  if (!text.starts_with(kFirstLine)) return unusable_key(path, "unknown format or version");
  text.remove_prefix(kFirstLine.size());
  const auto owner = take_line(text, "owner ");
  const auto bundle = take_line(text, "bundle ");
  const auto protection = take_line(text, "protection ");
  const std::size_t head = content.size() - text.size();
  const auto secret = take_line(text, "secret ");
  if (!owner || !bundle || !protection || !secret || !text.empty()) {
    return unusable_key(path, "lines missing or too many");
  }
  Parsed parsed;
  parsed.head = as_text(content).substr(0, head);
  const auto id = identity::OwnerId::parse(*owner);
  if (!id) return unusable_key(path, "the owner's id is not 64 hex digits");
  const auto bundle_bytes = from_hex(*bundle);
  auto decoded =
      bundle_bytes
          ? codec::decode<identity::KeyBundle>(*bundle_bytes)
          : Result<identity::KeyBundle, codec::DecodeError>(fail(codec::DecodeError::Truncated));
  if (!decoded || !identity::validate(*decoded)) {
    return unusable_key(path, "the key bundle is not valid");
  }
  if (*protection != "none") {
    parsed.protection = parse_protection(*protection);
    if (!parsed.protection) return unusable_key(path, "the protection is unknown or out of bounds");
  }
  auto bytes = from_hex(*secret);
  if (!bytes) return unusable_key(path, "the secret is not hex digits");
  parsed.secret = std::move(*bytes);
  parsed.keys = {*id, std::move(*decoded), parsed.protection.has_value()};
  return parsed;
}

Result<crypto::AeadKey> derive(const Protection& protection, std::string_view passphrase) {
  const auto key = crypto::derive_password_key(passphrase, protection.salt, protection.cost);
  if (key) return *key;
  return fail(ErrorCode::Busy,
              fmt::format("{} MiB of memory for the passphrase are not to be had",
                          protection.cost.memory_kib / 1024),
              "free some memory and try again");
}

Result<Bytes> unlock(const std::string& path, Parsed& parsed, const PassphraseSource& source) {
  if (!parsed.protection) return std::exchange(parsed.secret, {});
  HM_TRY(std::string passphrase, source(path));
  const crypto::WipeLater guard(passphrase);
  HM_TRY(crypto::AeadKey key, derive(*parsed.protection, passphrase));
  const crypto::WipeLater key_guard(key);
  auto secret = crypto::open(key, kOnlyNonce, as_bytes(parsed.head), parsed.secret);
  if (secret) return std::move(*secret);
  return fail(ErrorCode::PermissionDenied, fmt::format("the passphrase does not open {}", path),
              "it is another one, or the file was changed");
}

}  // namespace

identity::OwnerKeys generate_owner_keys() {
  identity::OwnerSeeds seeds;
  fill_random(seeds.ed25519);
  fill_random(seeds.falcon);
  fill_random(seeds.ml_kem);
  return identity::OwnerKeys::generate(seeds);
}

falcon::SigningRandomness fresh_falcon_randomness() {
  falcon::SigningRandomness randomness;
  fill_random(randomness.nonce);
  fill_random(randomness.seed);
  return randomness;
}

Result<void> write_owner_keys(const std::string& path, const identity::OwnerKeys& keys,
                              const std::optional<std::string>& passphrase, Existing existing,
                              const crypto::PasswordCost& cost) {
  std::optional<Protection> protection;
  if (passphrase) {
    protection.emplace();
    protection->cost = cost;
    fill_random(protection->salt);
  }
  std::string text =
      fmt::format("{}owner {}\nbundle {}\nprotection {}\n", kFirstLine, keys.id().to_string(),
                  to_hex(codec::encode(keys.bundle())), format_protection(protection));
  Bytes secret = keys.secret_bytes();
  const crypto::WipeLater guard(secret);
  if (protection) {
    HM_TRY(crypto::AeadKey key, derive(*protection, *passphrase));
    const crypto::WipeLater key_guard(key);
    Bytes sealed = crypto::seal(key, kOnlyNonce, as_bytes(text), secret);
    crypto::wipe(secret);
    secret = std::move(sealed);
  }
  std::string hex = to_hex(secret);
  const crypto::WipeLater hex_guard(hex);
  text.reserve(text.size() + hex.size() + 16);  // no copy is left behind by growing
  const crypto::WipeLater text_guard(text);
  text += "secret ";
  text += hex;
  text += '\n';
  return write_file(path, as_bytes(text), Access::Secret, existing);
}

Result<identity::OwnerKeys> read_owner_keys(const std::string& path,
                                            const PassphraseSource& passphrase) {
  HM_TRY(Parsed parsed, parse(path));
  HM_TRY(Bytes secret, unlock(path, parsed, passphrase));
  const crypto::WipeLater guard(secret);
  auto keys = identity::OwnerKeys::restore(parsed.keys.owner, parsed.keys.bundle, secret);
  if (!keys) return unusable_key(path, identity::name_of(keys.error()));
  return std::move(*keys);
}

std::string format_public_owner_keys(const PublicOwnerKeys& keys) {
  return fmt::format("hypermesh-owner 1\nowner {}\nbundle {}\n", keys.owner.to_string(),
                     to_hex(codec::encode(keys.bundle)));
}

Result<PublicOwnerKeys> read_public_owner_keys(const std::string& path) {
  HM_TRY(const Parsed parsed, parse(path));
  return parsed.keys;
}

}  // namespace hm::files
