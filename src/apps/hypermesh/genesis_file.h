// SPDX-License-Identifier: Apache-2.0
// The genesis document as TOML, for people to read and agree on (docs/guide/cli.md). The chain id
// is the hash of its BCS form, so two files with the same meaning name the same chain. Reading is
// strict: unknown keys, wrong types and whatever the ledger refuses are refused by name.
#pragma once

#include <string>
#include <string_view>

#include "core/ledger/genesis.h"
#include "foundation/base/result.h"

namespace hm::cli {

std::string format_genesis(const ledger::Genesis& genesis);

// `source` names the text in errors. What is returned has passed ledger::validate().
Result<ledger::Genesis> parse_genesis(std::string_view text, std::string_view source);

Result<void> write_genesis_file(const std::string& path, const ledger::Genesis& genesis);
Result<ledger::Genesis> read_genesis_file(const std::string& path);

}  // namespace hm::cli
