// SPDX-License-Identifier: Apache-2.0
// The vote log: what a record holds, how records are numbered, which may be trimmed. A vote waits
// here until its record is durable; certificates ride along with the next vote.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "core/consensus/effects.h"
#include "core/consensus/types.h"

namespace hm::consensus {

// One journal record. `block` is the body that a Propose or Notarize among `votes` names, so that
// votes for a block imply its availability even if every validator loses power.
struct LogRecord {
  std::vector<Certificate> certificates;
  std::vector<Vote> votes;
  std::optional<Block> block;
  bool operator==(const LogRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.certificates, self.votes, self.block);
  }
};

class VoteLog {
 public:
  // Votes that wait for durability, with what is needed to send them.
  struct Waiting {
    LogSequence sequence = 0;
    std::vector<Vote> votes;
    BlockPtr block;
  };

  // Empty if the bytes are not a record.
  std::optional<LogRecord> restore(LogSequence sequence, ByteView bytes);

  // Certificates go with the next votes; those of decided views are dropped, apart from the
  // newest finalization.
  void note_certificate(const Certificate& certificate);

  Persist append(std::vector<Vote> votes, BlockPtr block);

  // The votes that may now be counted and sent, oldest first.
  std::vector<Waiting> take_durable(LogSequence sequence);
  bool has_waiting() const { return !waiting_.empty(); }

  // The first record to keep, if a worthwhile number of records became useless.
  std::optional<LogSequence> trim(View final_view);

 private:
  struct Entry {
    LogSequence sequence = 0;
    View newest_vote = 0;
    View newest_finalization = 0;
    std::size_t bytes = 0;
  };

  static Entry entry_of(LogSequence sequence, const LogRecord& record);

  LogSequence next_ = 1;
  LogSequence durable_ = 0;
  std::deque<Entry> entries_;
  std::deque<Waiting> waiting_;
  std::vector<Certificate> certificates_;
};

}  // namespace hm::consensus
