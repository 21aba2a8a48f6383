// SPDX-License-Identifier: Apache-2.0
// Bodies of blocks that are not final yet, by hash, above one final tip; and a few final ones for
// peers that miss them. Knows nothing of votes.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "core/consensus/types.h"

namespace hm::consensus {

// What is known of the newest final block; at genesis made from the configuration.
struct Tip {
  View view = 0;
  Height height = 0;
  Digest hash;
  std::uint64_t time_ms = 0;
  ExecutionRoot exec;
};

enum class Validation : std::uint8_t { Unknown, Asked, Valid, Invalid };

struct TreeBlock {
  BlockPtr block;
  Digest hash;
  Validation validation = Validation::Unknown;
  bool complained = false;  // a refusal was counted already
};

Tip tip_of(const TreeBlock& block);

// The blocks from the final tip (excluded) to a block (included), oldest first.
struct Chain {
  enum class State : std::uint8_t { Complete, MissingBody, Detached };
  State state = State::Detached;
  std::vector<TreeBlock*> blocks;  // if Complete
  View missing_view = 0;           // if MissingBody
  Digest missing_hash;
};

class BlockTree {
 public:
  explicit BlockTree(Tip tip) : tip_(tip) {}

  const Tip& tip() const { return tip_; }
  // Replaces the tip by a stored final block, before start.
  void reset(const Tip& tip) { tip_ = tip; }

  // Null if a block of that hash is here already. The body must match the header.
  TreeBlock* insert(BlockPtr block, const Digest& hash);
  TreeBlock* find(const Digest& hash);
  std::vector<TreeBlock*> at_view(View view);

  // Detached: the block does not descend from the final tip.
  Chain chain_to(View view, const Digest& hash);

  // `block` (a child of the tip) is final: it becomes the tip.
  void advance(const BlockPtr& block, const Digest& hash);
  // Drops blocks at or below the tip's view, apart from those remembered for peers, and what
  // `keep` refuses among the blocks below `current`.
  template <class Keep>
  void prune(View current, const Keep& keep) {
    std::erase_if(blocks_, [&](const auto& entry) {
      const View view = entry.second.block->header.view;
      return view <= tip_.view || (view < current && !keep(entry.second));
    });
  }
  // A body for a peer, final or not; null if unknown.
  BlockPtr body(const Digest& hash);
  std::size_t size() const { return blocks_.size(); }

 private:
  Tip tip_;
  std::map<Digest, TreeBlock> blocks_;
  std::deque<std::pair<Digest, BlockPtr>> recent_final_;
};

}  // namespace hm::consensus
