// SPDX-License-Identifier: Apache-2.0
// The voting rules: the only code that holds the signing key and may sign a statement.
// Promises, across restarts if every returned vote was made durable and is restored:
//   at most one Propose and one Notarize per view; never Nullify and Finalize of one view; never
//   Finalize of another block than the one notarized; nothing at or below the floor; nothing while
//   abstaining. Does not check blocks (machine) and does not make votes durable (vote_log.h).
#pragma once

#include <map>
#include <optional>

#include "core/consensus/types.h"

namespace hm::consensus {

class Voter {
 public:
  // Without a key every rule refuses.
  Voter(ChainDomain domain, ValidatorIndex index, std::optional<SigningKey> key);

  bool can_vote() const { return key_.has_value() && !abstaining_ && !halted_; }

  // Rule 1. One proposal per view.
  std::optional<Vote> propose(View current, const Digest& block);
  // Rule 2, the part about votes: current view, first notarize vote in it. A nullify vote does not
  // matter (pitfall P3).
  std::optional<Vote> notarize(View current, const Digest& block);
  // Rule 3, the part about votes: not ahead of the current view, not finalized, once.
  std::optional<Vote> nullify(View current, View view);
  // Rule 5. `notarization` is a verified certificate.
  std::optional<Vote> finalize(const Certificate& notarization);

  bool has_proposed(View view) const;
  bool has_nullified(View view) const;
  bool has_finalized(View view) const;
  std::optional<Digest> notarized(View view) const;

  // A vote of ours found in the log.
  void restore(const Statement& statement);
  // Everything up to `view` is decided: forget it and never vote there again.
  void raise_floor(View view);
  View floor() const { return floor_; }

  // Votes may have been lost: no vote until resume().
  void abstain() { abstaining_ = true; }
  bool is_abstaining() const { return abstaining_; }
  // A finalization of `view`, at or above every view that we could have signed, is known.
  void resume(View view);
  // Our state or the chain is broken: no vote for the rest of this run.
  void halt() { halted_ = true; }
  bool is_halted() const { return halted_; }

 private:
  struct Signed {
    std::optional<Digest> proposed;
    std::optional<Digest> notarized;
    std::optional<Digest> finalized;
    bool nullified = false;
  };

  bool may_sign(View view) const { return can_vote() && view > floor_; }
  Vote sign(const Statement& statement);

  ChainDomain domain_;
  ValidatorIndex index_;
  std::optional<SigningKey> key_;
  std::map<View, Signed> signed_;
  View floor_ = 0;
  bool abstaining_ = false;
  bool halted_ = false;
};

}  // namespace hm::consensus
