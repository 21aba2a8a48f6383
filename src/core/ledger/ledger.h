// SPDX-License-Identifier: Apache-2.0
// The ledger: executes final blocks of operations over exact state and says what it holds.
// Promises: same genesis and same blocks give the same state, receipts and root on every machine;
// a refused operation changes nothing; conservation is checked after every block.
// It does no I/O: apply() returns the writes that make the block durable. It knows nothing of
// votes. Signatures are checked before, by prepare() (operation.h), on any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/ledger/asset_index.h"
#include "core/ledger/changes.h"
#include "core/ledger/fault.h"
#include "core/ledger/genesis.h"
#include "core/ledger/lease_index.h"
#include "core/ledger/merkle.h"
#include "core/ledger/operation.h"
#include "core/ledger/tables.h"
#include "core/proofs/verdict.h"

namespace hm::ledger {

// A row of the persistent state, Space::State of ports/store.h.
struct StateEntry {
  Bytes key;
  Bytes value;
  bool operator==(const StateEntry&) const = default;
};
struct StateWrite {
  Bytes key;
  std::optional<Bytes> value;  // none deletes
  bool operator==(const StateWrite&) const = default;
};

struct BlockContext {
  std::uint64_t height = 0;  // exactly Ledger::height() + 1
  crypto::Digest hash;
  UnixMillis time;  // taken as no earlier than the block before
};

struct Receipt {
  crypto::Digest operation;
  std::optional<Refused> refused;  // none: applied
  bool operator==(const Receipt&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.operation, self.refused); }
};

// SHA-256 of the receipts' BCS bytes under "hm.receipts.v1".
crypto::Digest receipts_root(const std::vector<Receipt>& receipts);

struct BlockOutcome {
  std::vector<Receipt> receipts;  // one per operation, in order
  std::vector<AssetChange> changes;
  std::vector<LeaseChange> lease_changes;
  std::vector<StateWrite> writes;  // sorted by key
  crypto::Digest receipts_root;
  crypto::Digest root;  // of the state after the block: the execution root
};

// A value, or its absence, with the path that proves it under root().
struct StateProof {
  crypto::Digest root;
  std::optional<Bytes> value;
  MerkleProof path;
};

enum class RestoreError : std::uint8_t {
  BadKey,        // an entry's key is in no table
  BadValue,      // a value is not the one encoding of its record, or contradicts its key
  Incomplete,    // the chain record, supply or the last block is missing
  Inconsistent,  // records contradict each other (addresses, owners of nodes and assets)
  NotConserved,  // the holdings do not add up to the supply, or conservation is broken
  WrongRoot,     // the entries do not have the expected root
};
std::string_view name_of(RestoreError error);

class Layer;

class Ledger {
 public:
  // The state of a new chain. Requires: validate(genesis) passed.
  // `judge`: the same on every node of the chain; without one, no evidence proves anything.
  static Ledger from_genesis(const Genesis& genesis, FaultJudge judge = nullptr);

  // The state from persisted entries, in any order, checked against the root that the driver
  // persisted with them.
  static Result<Ledger, RestoreError> restore(std::span<const StateEntry> entries,
                                              const crypto::Digest& expected_root,
                                              FaultJudge judge = nullptr);

  Ledger(Ledger&&) noexcept = default;
  Ledger& operator=(Ledger&&) noexcept = default;
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  ~Ledger() = default;

  // What would happen if the operation stood alone in the next block: the very code of apply(), on
  // a scratch layer. none: it would be applied.
  std::optional<Refused> precheck(const PreparedOperation& operation) const;

  // Executes the next final block. Aborts if height is not the next (a driver's bug) or if
  // conservation breaks (ours).
  BlockOutcome apply(const BlockContext& block, std::span<const PreparedOperation> operations);

  // The chain and its head.
  const ChainRecord& chain() const { return tables_.chain; }
  const Policy& policy() const { return policy_of(tables_.chain.preset); }
  std::uint64_t height() const { return tables_.blocks.rbegin()->first; }
  const BlockRecord& head() const { return tables_.blocks.rbegin()->second; }
  Anchor anchor() const { return {height(), head().hash}; }
  crypto::Digest root() const { return tree_.root(); }

  // The sequence that the actor's next operation must have; empty for an unknown actor.
  std::optional<std::uint64_t> next_sequence(const Actor& actor) const;

  // Everything, ordered, for iteration; none of it may be kept across apply().
  const Tables& tables() const { return tables_; }
  const OwnerRecord* owner(const identity::OwnerId& id) const;
  const OwnerKeyRecord* owner_keys(const identity::OwnerId& id) const;
  const NodeRecord* node(const identity::NodeId& id) const;
  const assets::AssetRecord* asset(const crypto::Digest& hash) const;
  const assets::AssetRecord* asset_at(const assets::Address& address) const;
  const LeaseRecord* lease(const LeaseId& id) const;
  // Null if the node never committed any.
  const StorageCommitment* storage_commitment(const identity::NodeId& node) const;
  const AssetIndex& index() const { return index_; }
  const LeaseIndex& lease_index() const { return lease_index_; }
  // What the owner's account holds now: demurrage and ended unbonding included. Requires: the owner
  // is registered.
  caesar::Account account(const identity::OwnerId& id) const;

  // The four verdicts as of now.
  proofs::FourVerdicts verdicts(const assets::AssetRecord& asset) const;

  // The value under a state key (records.h) and its proof. Verify with verify_state().
  StateProof prove(ByteView key) const;

  // Every entry, sorted by key: what a new chain persists first, and what `ledger export` writes.
  std::vector<StateEntry> export_state() const;

  // The supply counted anew over every holding; equal to tables().supply unless we have a bug.
  // Empty if a sum overflows.
  std::optional<caesar::Supply> recount() const;

 private:
  friend class Speculation;
  Ledger() = default;
  void rebuild();
  std::vector<StateWrite> commit(Layer&& layer, std::uint64_t height, const BlockRecord& block);
  // Keeps the indexes in step with a changed row; most tables have none.
  template <class K, class V>
  void reindex(const K&, const V*, const V*) {}
  void reindex(const crypto::Digest& hash, const assets::AssetRecord* before,
               const assets::AssetRecord* after);
  void reindex(const LeaseId& id, const LeaseRecord* before, const LeaseRecord* after);
  void run_clock(Layer& layer, std::uint64_t height, UnixMillis time) const;

  Tables tables_;
  MerkleTree tree_;
  AssetIndex index_;
  LeaseIndex lease_index_;
  FaultJudge judge_ = nullptr;
};

// Operations waiting for a block, admitted one upon the other as if they were already in it: for a
// mempool that accepts a client's sequence n+1 while n waits. Ends with the ledger's next apply().
class Speculation {
 public:
  explicit Speculation(const Ledger& ledger);
  ~Speculation();
  Speculation(Speculation&&) noexcept;
  Speculation& operator=(Speculation&&) noexcept;

  // none: admitted, and later ones see its effect.
  std::optional<Refused> admit(const PreparedOperation& operation);

 private:
  const Ledger* ledger_;
  std::unique_ptr<Layer> layer_;
};

}  // namespace hm::ledger
