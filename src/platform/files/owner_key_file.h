// SPDX-License-Identifier: Apache-2.0
// An owner's keys as a text file of mode 0600. The public half is readable without a passphrase:
//   hypermesh-owner-key 1
//   owner <64 hex digits>              the owner's id: of its first bundle, also after a rotation
//   bundle <hex digits>                public keys, BCS
//   protection none | argon2id <passes> <memory in KiB> <salt, 32 hex digits>
//   secret <hex digits>                secret keys, BCS; under a passphrase sealed with
//   AES-256-GCM,
//                                      the lines above as associated data
// The sealing key comes from passphrase and salt and seals once: every writing takes a new salt.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/identity/owner_keys.h"
#include "foundation/base/result.h"
#include "foundation/crypto/password.h"
#include "platform/files/atomic_file.h"

namespace hm::files {

struct PublicOwnerKeys {
  identity::OwnerId owner;
  identity::KeyBundle bundle;
  bool is_protected = false;
};

// Gives the passphrase of the file named; asked only if there is one.
using PassphraseSource = std::function<Result<std::string>(const std::string& path)>;

// Keys from the kernel's generator.
identity::OwnerKeys generate_owner_keys();
// For one Falcon signature.
falcon::SigningRandomness fresh_falcon_randomness();

// Without a passphrase the secret stands in the clear, guarded by the file's mode alone.
Result<void> write_owner_keys(const std::string& path, const identity::OwnerKeys& keys,
                              const std::optional<std::string>& passphrase, Existing existing,
                              const crypto::PasswordCost& cost = crypto::kDefaultPasswordCost);

// Refused by name: a file that others may read, another format, a bundle that is not valid or not
// that of the secret, costs out of bounds (Corrupt), a wrong passphrase (PermissionDenied).
Result<identity::OwnerKeys> read_owner_keys(const std::string& path,
                                            const PassphraseSource& passphrase);

// The public half; needs no passphrase, and proves nothing about the secret.
Result<PublicOwnerKeys> read_public_owner_keys(const std::string& path);

// The same lines without protection and secret, under "hypermesh-owner 1": to give to others.
std::string format_public_owner_keys(const PublicOwnerKeys& keys);

}  // namespace hm::files
