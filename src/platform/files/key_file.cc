// SPDX-License-Identifier: Apache-2.0
#include "platform/files/key_file.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cerrno>
#include <optional>

#include "foundation/base/check.h"
#include "foundation/base/hex.h"
#include "foundation/crypto/wipe.h"
#include "platform/files/atomic_file.h"

namespace hm::files {
namespace {

constexpr std::size_t kMaxKeyFile = 1024;  // four short lines
constexpr std::string_view kFirstLine = "hypermesh-key 1";

std::unexpected<Error> corrupt(const std::string& path, std::string_view why) {
  return fail(ErrorCode::Corrupt, fmt::format("{} is not a usable key file: {}", path, why),
              "restore it from a copy; a lost key cannot be recreated");
}

// Takes the next line off `text`; it must be `name` and a space, and gives what follows.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view name) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (!line.starts_with(name)) return std::nullopt;
  line.remove_prefix(name.size());
  return line;
}

}  // namespace

std::string_view name_of(KeyRole role) {
  switch (role) {
    case KeyRole::Owner: return "owner";
    case KeyRole::Node: return "node";
  }
  return "unknown";
}

void fill_random(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t n = ::getrandom(out.data(), out.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    HM_CHECK(n > 0);
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

crypto::SigningKey generate_key() {
  std::array<std::uint8_t, crypto::SigningKey::kSeedSize> seed{};
  fill_random(seed);
  crypto::SigningKey key = crypto::SigningKey::from_seed(seed);
  crypto::wipe(seed);
  return key;
}

Result<void> write_key_file(const std::string& path, KeyRole role, const crypto::SigningKey& key) {
  auto seed = key.seed();
  std::string hex = to_hex(seed);
  std::string text = fmt::format("{}\nrole {}\nseed {}\npublic {}\n", kFirstLine, name_of(role),
                                 hex, key.public_key().to_string());
  const auto written = write_file(path, as_bytes(text), Access::Secret, Existing::Refuse);
  crypto::wipe(seed);
  crypto::wipe({reinterpret_cast<std::uint8_t*>(hex.data()), hex.size()});
  crypto::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return written;
}

Result<crypto::SigningKey> read_key_file(const std::string& path, KeyRole role) {
  HM_TRY(Bytes content, read_file(path, kMaxKeyFile, Access::Secret));
  std::string_view text = as_text(content);
  std::array<std::uint8_t, crypto::SigningKey::kSeedSize> seed{};

  const auto first = take_line(text, kFirstLine);
  const auto role_line = take_line(text, "role ");
  const auto seed_line = take_line(text, "seed ");
  const auto public_line = take_line(text, "public ");
  if (!first || !first->empty()) return corrupt(path, "unknown format or version");
  if (!role_line || !seed_line || !public_line || !text.empty()) {
    return corrupt(path, "lines missing or too many");
  }
  if (*role_line != name_of(role)) {
    return corrupt(path, fmt::format("role is '{}', '{}' is needed", *role_line, name_of(role)));
  }
  if (!from_hex_exact(*seed_line, seed)) return corrupt(path, "seed is not 64 hex digits");
  crypto::SigningKey key = crypto::SigningKey::from_seed(seed);
  crypto::wipe(seed);
  const bool matches = *public_line == key.public_key().to_string();
  crypto::wipe(content);
  if (!matches) return corrupt(path, "public key does not belong to the seed");
  return key;
}

Result<crypto::SigningKey> load_or_create_key(const std::string& path, KeyRole role) {
  auto key = read_key_file(path, role);
  if (key || key.error().code != ErrorCode::NotFound) return key;
  crypto::SigningKey fresh = generate_key();
  HM_TRY_VOID(write_key_file(path, role, fresh));
  return fresh;
}

}  // namespace hm::files
