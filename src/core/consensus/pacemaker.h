// SPDX-License-Identifier: Apache-2.0
// How long to wait: the adaptive delay bound Δ and the intervals made from it. Integers only.
#pragma once

#include <vector>

#include "core/consensus/limits.h"
#include "foundation/base/time.h"

namespace hm::consensus {

class Pacemaker {
 public:
  Pacemaker(Duration initial, Duration minimum, Duration maximum)
      : base_(initial), minimum_(minimum), maximum_(maximum) {}

  // From a proposal seen to its block notarized or final, as measured here: two or three delays,
  // the disk, and the checking of the payload.
  void add_round(Duration sample);
  // A view ended after a timer of ours had fired.
  void note_lost_view();
  void note_final() { lost_views_ = 0; }

  Duration delta() const;
  // A request to one peer is answered within this, however many views were lost.
  Duration answer_time() const { return 2 * base_; }
  // No proposal after this: nullify.
  Duration leader_timeout() const { return 3 * delta(); }
  // The same for a leader that let its last turn pass.
  Duration short_leader_timeout() const { return delta(); }
  // View not over after this: nullify.
  Duration advance_timeout() const { return 4 * delta(); }
  // Entry certificate not carried by a proposal after this: forward it.
  Duration forward_delay() const { return delta() / 2; }
  // A leader without operations waits this long for the tail to become final by itself.
  Duration tail_grace() const { return delta(); }
  // The `count`-th repetition of our votes in one view, from 0.
  Duration retry_interval(unsigned count) const;

 private:
  Duration base_;
  Duration minimum_;
  Duration maximum_;
  unsigned lost_views_ = 0;
  std::vector<Duration> samples_;  // ring
  std::size_t next_ = 0;
};

}  // namespace hm::consensus
