// SPDX-License-Identifier: Apache-2.0
// What must hold at every step of every run, whatever the faults. It sees every process at once
// and keeps what it has seen across their restarts, so it notices what no single node can.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "foundation/crypto/hash.h"

namespace hm::simulator {

struct Violation {
  std::string check;  // stable name, e.g. "fork"
  std::string what;
};

// An operation as the checker knows it: any name that is unique in the run.
using OperationName = crypto::Digest;

struct FinalRecord {
  std::uint64_t height = 0;
  crypto::Digest hash;
  crypto::Digest parent;
  std::vector<OperationName> operations;
};

class Checker {
 public:
  // A process of member `who` starts with what it recovered from its disk.
  void on_started(std::size_t who, std::uint64_t height, const crypto::Digest& hash);
  // An honest member made a block final: heights without a gap, one block per height, linked.
  void on_final(std::size_t who, const FinalRecord& record);
  // The state root of an honest member after a height.
  void on_root(std::size_t who, std::uint64_t height, const crypto::Digest& root);
  // A client was told that its operation is final at `height`.
  void on_acknowledged(const OperationName& operation, std::uint64_t height);
  // Units that exist according to one member, against what genesis made.
  void on_supply(std::size_t who, std::uint64_t height, bool conserved);
  // Member `who` answers at the end of the run which block it has at a height.
  void on_served(std::size_t who, std::uint64_t height, const crypto::Digest& hash);
  // Everything that was acknowledged must be among the operations that member `who` holds.
  void check_kept(std::size_t who, const std::map<OperationName, std::uint64_t>& held);

  void fail(const std::string& check, const std::string& what);
  // Breaches of this check are passed over: to see what else a known bug leads to.
  void allow(const std::string& check) { allowed_.insert(check); }
  const std::optional<Violation>& violation() const { return violation_; }

  std::uint64_t highest() const { return chain_.empty() ? 0 : chain_.rbegin()->first; }
  bool is_final(const OperationName& operation) const { return included_.contains(operation); }
  const std::map<std::uint64_t, FinalRecord>& chain() const { return chain_; }
  std::uint64_t acknowledged() const { return acknowledged_.size(); }

 private:
  std::map<std::uint64_t, FinalRecord> chain_;
  std::map<OperationName, std::uint64_t> included_;
  std::map<OperationName, std::uint64_t> acknowledged_;
  std::map<std::uint64_t, crypto::Digest> roots_;
  std::map<std::size_t, std::uint64_t> last_final_;
  std::set<std::string> allowed_;
  std::optional<Violation> violation_;
};

// The identity of a run: everything observable that happened, in order. Two runs of one seed have
// the same value, or something depends on more than the seed.
class TraceHash {
 public:
  void add(std::uint64_t value) {
    state_ = (state_ ^ value) * 0x9e3779b97f4a7c15;
    state_ ^= state_ >> 29;
  }
  void add(ByteView bytes);
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0x243f6a8885a308d3;
};

}  // namespace hm::simulator
