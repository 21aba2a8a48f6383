// SPDX-License-Identifier: Apache-2.0
// Exhaustive search for forks with the real Voter. The adversary is as strong as the model allows:
// it leads every view, proposes every block, signs everything with its own keys, and shows any
// certificate that exists to anyone at any time. Each honest validator may take, at any moment,
// every step that the voting rules allow. All reachable states are visited.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <vector>

#include "core/consensus/test_cluster.h"
#include "core/consensus/voter.h"

namespace hm::consensus::testing {
namespace {

struct ModelBlock {
  View view = 0;
  int parent = -1;  // index, or -1 for genesis
};

// What one honest validator has signed, and where it is. Blocks are numbered from 1; 0 is none.
struct Honest {
  std::uint8_t view = 1;
  std::array<std::uint8_t, 4> notarized{};  // by view
  std::array<std::uint8_t, 4> finalized{};
  std::array<bool, 4> nullified{};
  auto operator<=>(const Honest&) const = default;
};

using State = std::vector<Honest>;  // sorted: honest validators are interchangeable

// Rules that a test may break, to see that the search would notice.
enum class Broken : std::uint8_t { Nothing, SkipCheck, FinalizeAfterNullify, DoubleNotarize };

class Search {
 public:
  Search(int honest, int byzantine, View views, Broken broken)
      : honest_(honest), byzantine_(byzantine), views_(views), broken_(broken) {
    for (View view = 1; view <= views; ++view) {
      const int below = static_cast<int>(blocks_.size());
      for (int parent = -1; parent < below; ++parent) blocks_.push_back({view, parent});
      if (view == 1) blocks_.push_back({view, -1});  // the first leader equivocates
    }
  }

  // The number of states in which two blocks that exclude each other are final; with a broken rule
  // the search ends at the first.
  std::size_t run() {
    std::vector<State> open{State(static_cast<std::size_t>(honest_))};
    seen_.insert(open[0]);
    while (!open.empty()) {
      const State state = std::move(open.back());
      open.pop_back();
      if (is_forked(state)) ++forks_;
      if (forks_ > 0 && broken_ != Broken::Nothing) return forks_;
      for (std::size_t i = 0; i < state.size(); ++i) {
        // Equal ones take equal steps.
        if (i > 0 && state[i] == state[i - 1]) continue;
        for (const Honest& next : steps(state, state[i])) {
          State successor = state;
          successor[i] = next;
          std::ranges::sort(successor);
          if (seen_.insert(successor).second) open.push_back(std::move(successor));
        }
      }
    }
    return forks_;
  }
  std::size_t states() const { return seen_.size(); }

 private:
  int quorum() const { return 2 * (honest_ + byzantine_) / 3 + 1; }

  bool certified(const State& state, VoteKind kind, View view, int block) const {
    int signers = byzantine_;
    for (const Honest& honest : state) {
      const auto number = static_cast<std::uint8_t>(block + 1);
      if (kind == VoteKind::Nullify) signers += honest.nullified[view] ? 1 : 0;
      if (kind == VoteKind::Notarize) signers += honest.notarized[view] == number ? 1 : 0;
      if (kind == VoteKind::Finalize) signers += honest.finalized[view] == number ? 1 : 0;
    }
    return signers >= quorum();
  }

  bool is_justified(const State& state, const ModelBlock& block) const {
    const View parent_view = block.parent < 0 ? 0 : blocks_[std::size_t(block.parent)].view;
    if (block.parent >= 0 && !certified(state, VoteKind::Notarize, parent_view, block.parent)) {
      return false;
    }
    if (broken_ == Broken::SkipCheck) return true;
    for (View view = parent_view + 1; view < block.view; ++view) {
      if (!certified(state, VoteKind::Nullify, view, 0)) return false;
    }
    return true;
  }

  bool is_ended(const State& state, View view) const {
    if (certified(state, VoteKind::Nullify, view, 0)) return true;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      if (blocks_[b].view == view && certified(state, VoteKind::Notarize, view, int(b)))
        return true;
    }
    return false;
  }

  bool is_forked(const State& state) const {
    std::vector<int> finals;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      if (certified(state, VoteKind::Finalize, blocks_[b].view, int(b))) finals.push_back(int(b));
    }
    const auto descends = [&](int block, int ancestor) {
      while (block >= 0 && block != ancestor) block = blocks_[std::size_t(block)].parent;
      return block == ancestor;
    };
    for (const int a : finals) {
      for (const int b : finals) {
        if (!descends(a, b) && !descends(b, a)) return true;
      }
    }
    return false;
  }

  std::vector<Honest> steps(const State& state, const Honest& me) const {
    std::vector<Honest> result;
    for (View view = me.view; view <= views_; ++view) {
      if (!is_ended(state, view)) continue;
      Honest next = me;
      next.view = static_cast<std::uint8_t>(view + 1);
      result.push_back(next);
    }
    for (View view = 1; view <= views_; ++view) {
      if (allows(me, {VoteKind::Nullify, view, {}})) {
        result.push_back(me);
        result.back().nullified[view] = true;
      }
    }
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      const View view = blocks_[b].view;
      const auto number = static_cast<std::uint8_t>(b + 1);
      Digest hash;
      hash.bytes[0] = number;
      if (view == me.view && is_justified(state, blocks_[b]) &&
          allows(me, {VoteKind::Notarize, view, hash})) {
        result.push_back(me);
        result.back().notarized[view] = number;
      }
      if (certified(state, VoteKind::Notarize, view, int(b)) &&
          allows(me, {VoteKind::Finalize, view, hash})) {
        result.push_back(me);
        result.back().finalized[view] = number;
      }
    }
    return result;
  }

  // Asks a Voter with this past; answers are remembered.
  bool allows(const Honest& me, const Statement& step) const {
    const auto [known, fresh] = answers_.try_emplace({me, step});
    if (!fresh) return known->second;
    Voter voter(test_domain(), 0, SigningKey::from_seed(keys_[0].seed()));
    for (View view = 1; view <= views_; ++view) {
      Digest hash;
      hash.bytes[0] = me.notarized[view];
      if (me.notarized[view] != 0 && broken_ != Broken::DoubleNotarize) {
        voter.restore({VoteKind::Notarize, view, hash});
      }
      hash.bytes[0] = me.finalized[view];
      if (me.finalized[view] != 0) voter.restore({VoteKind::Finalize, view, hash});
      const bool forgets =
          broken_ == Broken::FinalizeAfterNullify && step.kind == VoteKind::Finalize;
      if (me.nullified[view] && !forgets) voter.restore({VoteKind::Nullify, view, {}});
    }
    std::optional<Vote> vote;
    if (step.kind == VoteKind::Nullify) vote = voter.nullify(me.view, step.view);
    if (step.kind == VoteKind::Notarize) vote = voter.notarize(me.view, step.block);
    if (step.kind == VoteKind::Finalize) {
      vote = voter.finalize({{VoteKind::Notarize, step.view, step.block}, {}, {}});
    }
    // No honest key ever signs what would incriminate it.
    if (vote && broken_ == Broken::Nothing) expect_innocent(me, step);
    return known->second = vote.has_value();
  }

  void expect_innocent(const Honest& me, const Statement& step) const {
    Digest hash;
    hash.bytes[0] = me.notarized[step.view];
    if (!hash.is_zero()) {
      EXPECT_FALSE(conflict_of(step, {VoteKind::Notarize, step.view, hash}));
    }
    hash.bytes[0] = me.finalized[step.view];
    if (!hash.is_zero()) {
      EXPECT_FALSE(conflict_of(step, {VoteKind::Finalize, step.view, hash}));
    }
    if (me.nullified[step.view]) {
      EXPECT_FALSE(conflict_of(step, {VoteKind::Nullify, step.view, {}}));
    }
  }

  int honest_;
  int byzantine_;
  View views_;
  Broken broken_;
  std::vector<ModelBlock> blocks_;
  std::set<State> seen_;
  std::size_t forks_ = 0;
  std::vector<SigningKey> keys_ = make_keys(1);
  mutable std::map<std::pair<Honest, Statement>, bool> answers_;
};

TEST(Safety, NoForkInAnyReachableStateWithAThirdLessOneByzantine) {
  Search search(3, 1, 2, Broken::Nothing);
  EXPECT_EQ(search.run(), 0u);
  EXPECT_GT(search.states(), 1000u);
}

TEST(Safety, BeyondAThirdForksExistAndNoHonestKeyIsIncriminated) {
  Search search(2, 2, 2, Broken::Nothing);
  EXPECT_GT(search.run(), 0u);
}

TEST(Safety, TheSearchFindsEachRuleBroken) {
  for (const Broken broken :
       {Broken::SkipCheck, Broken::FinalizeAfterNullify, Broken::DoubleNotarize}) {
    Search search(3, 1, 2, broken);
    EXPECT_GT(search.run(), 0u) << static_cast<int>(broken);
  }
}

}  // namespace
}  // namespace hm::consensus::testing
