// SPDX-License-Identifier: Apache-2.0
#include "platform/files/key_file.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cerrno>

#include "foundation/base/check.h"
#include "foundation/base/hex.h"
#include "foundation/crypto/wipe.h"
#include "platform/files/atomic_file.h"
#include "platform/files/key_text.h"

namespace hm::files {
namespace {

constexpr std::size_t kMaxKeyFile = 1024;  // three short lines
constexpr std::string_view kFirstLine = "hypermesh-node-key 1";

}  // namespace

void fill_random(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t n = ::getrandom(out.data(), out.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    HM_CHECK(n > 0);
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

crypto::SigningKey generate_node_key() {
  std::array<std::uint8_t, crypto::SigningKey::kSeedSize> seed{};
  const crypto::WipeLater guard(seed);
  fill_random(seed);
  return crypto::SigningKey::from_seed(seed);
}

Result<void> write_node_key(const std::string& path, const crypto::SigningKey& key) {
  auto seed = key.seed();
  const crypto::WipeLater seed_guard(seed);
  std::string hex = to_hex(seed);
  const crypto::WipeLater hex_guard(hex);
  std::string text =
      fmt::format("{}\nseed {}\npublic {}\n", kFirstLine, hex, key.public_key().to_string());
  const crypto::WipeLater text_guard(text);
  return write_file(path, as_bytes(text), Access::Secret, Existing::Refuse);
}

Result<crypto::SigningKey> read_node_key(const std::string& path) {
  HM_TRY(Bytes content, read_file(path, kMaxKeyFile, Access::Secret));
  const crypto::WipeLater guard(content);
  std::string_view text = as_text(content);
  const auto first = take_line(text, kFirstLine);
  const auto seed_line = take_line(text, "seed ");
  const auto public_line = take_line(text, "public ");
  if (!first || !first->empty()) return unusable_key(path, "unknown format or version");
  if (!seed_line || !public_line || !text.empty()) {
    return unusable_key(path, "lines missing or too many");
  }
  std::array<std::uint8_t, crypto::SigningKey::kSeedSize> seed{};
  const crypto::WipeLater seed_guard(seed);
  if (!from_hex_exact(*seed_line, seed)) return unusable_key(path, "seed is not 64 hex digits");
  crypto::SigningKey key = crypto::SigningKey::from_seed(seed);
  if (*public_line != key.public_key().to_string()) {
    return unusable_key(path, "public key does not belong to the seed");
  }
  return key;
}

Result<crypto::SigningKey> load_or_create_node_key(const std::string& path) {
  auto key = read_node_key(path);
  if (key || key.error().code != ErrorCode::NotFound) return key;
  crypto::SigningKey fresh = generate_node_key();
  HM_TRY_VOID(write_node_key(path, fresh));
  return fresh;
}

}  // namespace hm::files
