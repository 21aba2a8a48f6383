// SPDX-License-Identifier: Apache-2.0
// Key files: one Ed25519 signing key as text, mode 0600.
//   hypermesh-key 1
//   role owner
//   seed <64 hex digits>
//   public <64 hex digits>
// A file that others may read, that belongs to another user, whose role differs or whose public key
// does not follow from the seed is refused by name.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "foundation/base/result.h"
#include "foundation/crypto/ed25519.h"

namespace hm::files {

enum class KeyRole : std::uint8_t {
  Owner,  // a person's or organisation's key; signs operations
  Node,   // a machine's key; authenticates it and signs its votes
};
std::string_view name_of(KeyRole role);

// Bytes from the kernel's generator.
void fill_random(std::span<std::uint8_t> out);

// A new key with a seed from the kernel's generator.
crypto::SigningKey generate_key();

// Never replaces an existing file.
Result<void> write_key_file(const std::string& path, KeyRole role, const crypto::SigningKey& key);

Result<crypto::SigningKey> read_key_file(const std::string& path, KeyRole role);

// Reads the file, or creates it with a new key if there is none.
Result<crypto::SigningKey> load_or_create_key(const std::string& path, KeyRole role);

}  // namespace hm::files
