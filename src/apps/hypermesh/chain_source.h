// SPDX-License-Identifier: Apache-2.0
// Final blocks for `ledger verify` and `ledger export`: from a node's folder or from its API.
#pragma once

#include <cstdint>
#include <functional>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/failure.h"
#include "apps/hypermesh/folders.h"
#include "core/ledger/genesis.h"
#include "foundation/base/bytes.h"
#include "node/ledger_verify.h"

namespace hm::cli {

using Progress = std::function<void(std::uint64_t height)>;

// Replays what the node's store holds now and compares every root, receipt and certificate; the
// node may run meanwhile. A Failure names the block and what does not fit.
Answer<node::VerifyReport> verify_folder(const NodeFolder& folder, const Progress& progress);

// The same for the blocks that a node answers, from the genesis that it names itself: what it
// proves is that this chain id is what it claims to be.
Answer<node::VerifyReport> verify_node(ApiClient& client, const Progress& progress);

// Calls `visit` with the encoding of each final block from height 1 on, until it returns false.
Outcome each_block(ApiClient& client, const std::function<bool(const Bytes& encoded)>& visit);

}  // namespace hm::cli
