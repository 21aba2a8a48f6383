// SPDX-License-Identifier: Apache-2.0
// What of lending a node keeps in its folder and not on the ledger: whether sharing is paused, and
// the vault of Private assets. Both are readable by their owner only and written as a whole.
#pragma once

#include <optional>

#include "apps/hypermesh/folders.h"
#include "core/privacy/vault.h"
#include "foundation/base/result.h"
#include "node/lease_keeper.h"

namespace hm::cli {

// None: there is no such file.
Result<std::optional<node::Pause>> read_pause(const NodeFolder& folder);
Result<void> write_pause(const NodeFolder& folder, const std::optional<node::Pause>& pause);

Result<std::optional<privacy::Vault>> read_vault(const NodeFolder& folder);
Result<void> write_vault(const NodeFolder& folder, const privacy::Vault& vault);

}  // namespace hm::cli
