// SPDX-License-Identifier: Apache-2.0
// Votes and certificates per view. Counts stake per statement, assembles certificates, keeps what
// proves a fault. Verifies each signature once, and votes that no longer matter only when they
// contradict another. Holds at most two votes per signer, view and kind.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/consensus/certificate.h"
#include "core/consensus/types.h"
#include "core/consensus/validator_set.h"

namespace hm::consensus {

class VoteCollector {
 public:
  VoteCollector(ChainDomain domain, const ValidatorSet& validators)
      : domain_(domain), validators_(&validators) {}

  enum class Outcome : std::uint8_t { Counted, Known, Kept, BadSignature, Dropped };

  // A vote that came from its signer over an authenticated channel. If the certificate that it
  // could help to form exists already, the vote is kept unverified for comparison (Kept).
  Outcome add(const Vote& vote);
  // A vote that anybody may have relayed: always verified.
  Outcome add_relayed(const Vote& vote);
  // Our own, or restored from our log.
  void add_own(const Vote& vote);

  enum class Certified : std::uint8_t { New, Known, Invalid };
  // Verifies unless the same statement is certified already or decided (at or below the floor).
  Certified add_certificate(const Certificate& certificate);
  // From our own log, or verified elsewhere.
  void restore_certificate(const Certificate& certificate);

  const Certificate* notarization(View view) const;
  const Certificate* nullification(View view) const;
  const Certificate* finalization(View view) const;
  // Any certificate that ends `view`, the strongest first.
  const Certificate* any(View view) const;
  // The highest view with a certificate above the floor.
  std::optional<View> highest_certified() const;
  // Finalizations above the floor, newest first.
  std::vector<const Certificate*> finalizations() const;
  // Views above the floor with a notarization, ascending.
  std::vector<View> notarized_views() const;

  bool has_vote(VoteKind kind, View view, ValidatorIndex signer) const;
  // The leader's verified signature on a proposal, if known.
  std::optional<Signature> proposal_signature(View view, ValidatorIndex leader,
                                              const Digest& block) const;
  // Stake of nullify votes in the view, excluding `except`.
  std::uint64_t nullify_stake(View view, std::optional<ValidatorIndex> except) const;
  // Two proposals of the leader are known and verified.
  bool is_equivocated(View view, ValidatorIndex leader) const;

  // Everything up to `view` is decided; details below view - kPastViews are dropped.
  void raise_floor(View view);

  // Certificates assembled or learned since the last call, for the log.
  std::vector<Certificate> take_fresh();
  // Faults found since the last call, each (signer, view, kind) once.
  std::vector<std::pair<FaultKind, Evidence>> take_faults();
  std::uint64_t verified_count() const { return verified_count_; }

 private:
  struct Slot {
    Digest block;
    Signature signature;
    bool verified = false;
  };
  struct Record {
    std::map<std::pair<VoteKind, ValidatorIndex>, std::vector<Slot>> slots;
    std::map<Statement, std::uint64_t> stake;
    std::optional<Certificate> notarization;
    std::optional<Certificate> nullification;
    std::optional<Certificate> finalization;
    std::optional<Certificate>& of(VoteKind kind);
  };

  const Record* find(View view) const;
  bool is_certified(VoteKind kind, View view) const;
  bool check(const Statement& statement, ValidatorIndex signer, Slot& slot);
  Outcome insert(const Vote& vote, bool verified, bool count);
  void compare(View view, ValidatorIndex signer, VoteKind kind, const Digest& block);
  void count(Record& record, const Vote& vote);
  void store(const Certificate& certificate);

  ChainDomain domain_;
  const ValidatorSet* validators_;
  std::map<View, Record> views_;
  View floor_ = 0;
  std::vector<Certificate> fresh_;
  std::vector<std::pair<FaultKind, Evidence>> faults_;
  std::set<std::tuple<View, ValidatorIndex, FaultKind>> reported_;
  std::uint64_t verified_count_ = 0;
};

}  // namespace hm::consensus
