// SPDX-License-Identifier: Apache-2.0
#include "core/consensus/block_tree.h"

#include <algorithm>

#include "foundation/base/check.h"

namespace hm::consensus {
namespace {

// Final bodies kept for peers that saw the certificate before the block; who lags further reads
// them from a store.
constexpr std::size_t kRecentFinal = 8;

}  // namespace

Tip tip_of(const TreeBlock& block) {
  const BlockHeader& header = block.block->header;
  return {header.view, header.height, block.hash, header.time_ms, header.exec};
}

TreeBlock* BlockTree::insert(BlockPtr block, const Digest& hash) {
  const auto [place, inserted] = blocks_.try_emplace(hash);
  if (!inserted) return nullptr;
  place->second.block = std::move(block);
  place->second.hash = hash;
  return &place->second;
}

TreeBlock* BlockTree::find(const Digest& hash) {
  const auto found = blocks_.find(hash);
  return found == blocks_.end() ? nullptr : &found->second;
}

std::vector<TreeBlock*> BlockTree::at_view(View view) {
  std::vector<TreeBlock*> found;
  for (auto& [hash, block] : blocks_) {
    if (block.block->header.view == view) found.push_back(&block);
  }
  return found;
}

Chain BlockTree::chain_to(View view, const Digest& hash) {
  Chain chain;
  Digest wanted = hash;
  // Views fall strictly from child to parent (checked on insertion), so this ends.
  while (wanted != tip_.hash) {
    if (view <= tip_.view) return {Chain::State::Detached, {}, 0, {}};
    TreeBlock* block = find(wanted);
    if (block == nullptr) return {Chain::State::MissingBody, {}, view, wanted};
    chain.blocks.push_back(block);
    view = block->block->header.parent_view;
    wanted = block->block->header.parent_hash;
  }
  std::ranges::reverse(chain.blocks);
  for (std::size_t i = 0; i < chain.blocks.size(); ++i) {
    if (chain.blocks[i]->block->header.height != tip_.height + 1 + i) {
      return {Chain::State::Detached, {}, 0, {}};
    }
  }
  chain.state = Chain::State::Complete;
  return chain;
}

void BlockTree::advance(const BlockPtr& block, const Digest& hash) {
  const BlockHeader& header = block->header;
  HM_CHECK(header.parent_hash == tip_.hash && header.height == tip_.height + 1);
  tip_ = {header.view, header.height, hash, header.time_ms, header.exec};
  recent_final_.emplace_back(hash, block);
  if (recent_final_.size() > kRecentFinal) recent_final_.pop_front();
}

BlockPtr BlockTree::body(const Digest& hash) {
  if (const TreeBlock* block = find(hash)) return block->block;
  const auto found = std::ranges::find(recent_final_, hash, &std::pair<Digest, BlockPtr>::first);
  return found == recent_final_.end() ? nullptr : found->second;
}

}  // namespace hm::consensus
