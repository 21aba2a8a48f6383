// SPDX-License-Identifier: Apache-2.0
// Where passphrases come from: a file that was named, or the terminal, never the command line or a
// variable that other processes see.
#pragma once

#include <optional>
#include <string>

#include "apps/hypermesh/command.h"
#include "apps/hypermesh/failure.h"
#include "platform/files/owner_key_file.h"

namespace hm::cli {

// The passphrase of an existing key file: of --passphrase-file or HYPERMESH_PASSPHRASE_FILE,
// otherwise asked for on the terminal, otherwise a refusal.
files::PassphraseSource passphrase_source(const Globals& globals);

// The keys in the file. Denied if it is missing or its passphrase is not to be had.
Answer<identity::OwnerKeys> open_owner_keys(const std::string& path,
                                            const files::PassphraseSource& source);

// The passphrase for a key file to be written: none if so asked, of a file, or asked for twice.
Answer<std::optional<std::string>> new_passphrase(const NewProtection& wanted);

}  // namespace hm::cli
