// SPDX-License-Identifier: Apache-2.0
// A node's key file: one Ed25519 signing key as text, mode 0600.
//   hypermesh-node-key 1
//   seed <64 hex digits>
//   public <64 hex digits>
// It authenticates the machine and signs its votes; the daemon reads it unattended, so there is no
// passphrase. A file that others may read, that belongs to another user or whose public key does
// not follow from the seed is refused by name.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "foundation/base/result.h"
#include "foundation/crypto/ed25519.h"

namespace hm::files {

// Bytes from the kernel's generator.
void fill_random(std::span<std::uint8_t> out);

// A new key with a seed from the kernel's generator.
crypto::SigningKey generate_node_key();

// Never replaces an existing file.
Result<void> write_node_key(const std::string& path, const crypto::SigningKey& key);

Result<crypto::SigningKey> read_node_key(const std::string& path);

// Reads the file, or creates it with a new key if there is none.
Result<crypto::SigningKey> load_or_create_node_key(const std::string& path);

}  // namespace hm::files
