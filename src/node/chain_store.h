// SPDX-License-Identifier: Apache-2.0
// The chain on disk: final blocks, their receipts, the ledger's state and its roots, written
// together per block, so that the store is always the state after some final block.
// docs/protocols/store.md is normative for keys and values.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/consensus/types.h"
#include "core/ledger/ledger.h"
#include "foundation/base/result.h"
#include "ports/store.h"

namespace hm::node {

struct ChainHead {
  std::uint64_t height = 0;
  crypto::Digest hash;
  crypto::Digest state_root;
  bool operator==(const ChainHead&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.height, self.hash, self.state_root);
  }
};

class ChainStore {
 public:
  explicit ChainStore(ports::Store& store) : store_(&store) {}

  // The newest block whose effects are in the store; none in a new store. Refuses, by name, a
  // store of another chain or of another format.
  Result<std::optional<ChainHead>> head(const identity::ChainId& chain) const;

  // Writes the state of a new chain, durably.
  Result<void> initialise(const ledger::Ledger& ledger);

  // Writes a block with everything that follows from it, as one batch.
  Result<void> append(const consensus::Block& block, const crypto::Digest& hash,
                      const consensus::Certificate& certificate,
                      const ledger::BlockOutcome& outcome);
  Result<void> sync() { return store_->sync(); }

  Result<std::vector<ledger::StateEntry>> state() const;
  // The encoding of FinalBlock, as encode_final_block() made it.
  Result<std::optional<Bytes>> block(std::uint64_t height) const;
  Result<std::optional<consensus::FinalBlock>> decoded_block(std::uint64_t height) const;
  Result<std::optional<std::uint64_t>> height_of(const crypto::Digest& block_hash) const;
  Result<std::vector<ledger::Receipt>> receipts(std::uint64_t height) const;
  // Consecutive encoded blocks from `from`, at most `count`, stopping after about `max_bytes`.
  Result<std::vector<Bytes>> blocks(std::uint64_t from, std::size_t count,
                                    std::size_t max_bytes) const;
  // Execution roots of the heights first … last, as far as kept.
  Result<std::vector<std::pair<std::uint64_t, crypto::Digest>>> roots(std::uint64_t first,
                                                                      std::uint64_t last) const;

 private:
  ports::Store* store_;
};

}  // namespace hm::node
