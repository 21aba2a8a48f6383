// SPDX-License-Identifier: Apache-2.0
// The node's side of leases. For leases on this node's assets it accepts or declines what is
// requested, has each interval's reading signed by the tenant's side, gives assets back to their
// owner, and ends a lease whose tenant stays silent. For its owner's leases elsewhere it signs the
// tenant's half (tenant_meter.h). docs/protocols/lending.md, "Readings between nodes".
//
// Whoever runs things under leases says here what was used and whether they are there; a lease of
// which nothing is said counts as delivered and unused.
//
// Promises: a request is answered in the turn of the block that brings it. While paused, no request
// is accepted and the node's assets are in maintenance on the ledger. Everything but the pause
// comes from the ledger, so that a restart needs nothing else. A total only ever continues what the
// ledger has, and time before this process held the lease is not claimed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/activity/judge.h"
#include "node/delivered_time.h"
#include "node/meter_message.h"
#include "node/node.h"
#include "node/own_operations.h"
#include "node/reading_window.h"
#include "node/tenant_meter.h"
#include "ports/timer.h"

namespace hm::node {

// What this machine's owner allows, whatever the grants say.
struct LendingRules {
  privacy::NetworkClass widest_network = privacy::NetworkClass::Internet;
};

// That sharing is paused, with the assets that were in maintenance before and stay so.
struct Pause {
  std::vector<crypto::Digest> kept;
  bool is_ending = false;  // sharing was resumed; the other assets are being set back
  bool operator==(const Pause&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.kept, self.is_ending); }
};

// Where a pause outlives the process; none ends it.
using RememberPause = std::function<Result<void>(const std::optional<Pause>&)>;

struct LeaseKeeperConfig {
  LendingRules rules;
  std::optional<Pause> pause;  // as remembered
  RememberPause remember = [](const std::optional<Pause>&) { return Result<void>(); };
};

struct LeaseKeeperCounters {
  std::uint64_t accepted = 0;
  std::uint64_t declined = 0;
  std::uint64_t reclaimed_for_owner = 0;  // who came back to the machine
  std::uint64_t reclaimed_unsigned = 0;   // the tenant's side did not sign
  std::uint64_t readings = 0;             // on the ledger, signed by both sides
  std::uint64_t readings_refused = 0;
  std::uint64_t readings_signed = 0;   // as the tenant's side
  std::uint64_t messages_dropped = 0;  // of peers that say too much
  std::uint64_t messages_malformed = 0;
  std::uint64_t messages_unanswered = 0;  // with no right to an answer
};

class LeaseKeeper final : public NodeObserver {
 public:
  LeaseKeeper(Node& node, OwnOperations& operations, LeaseKeeperConfig config = {});
  ~LeaseKeeper() override;

  // The newest verdict on the machine's use; unknown before the first.
  void set_activity(const activity::ActivityVerdict& verdict);
  const activity::ActivityVerdict& activity() const { return activity_; }

  // Both are remembered before they take effect.
  Result<void> pause();
  Result<void> resume();
  bool is_paused() const { return pause_ && !pause_->is_ending; }

  // As the provider: what was used since the lease was accepted on this node, in the asset's unit
  // times seconds. Less than before, or than the ledger has, changes nothing; what the quantity and
  // the time do not admit is not claimed.
  void set_usage(const ledger::LeaseId& id, std::uint64_t used_total);
  // As the tenant: the most that it can have been. Until told, the provider's word is taken as far
  // as the quantity and this side's time admit it.
  void set_usage_bound(const ledger::LeaseId& id, std::uint64_t most);
  // As either: whether what runs under the lease is there, or the stream to it stands. The time in
  // which it is not is not claimed. Forgotten when the lease moves.
  void set_delivery(const ledger::LeaseId& id, Delivered delivered);

  LeaseKeeperCounters counters() const;

  // NodeObserver
  void on_final(const FinalEvent& event) override;
  void on_halted(const std::string& reason) override;
  void on_connected(const identity::NodeId& peer) override;
  void on_disconnected(const identity::NodeId& peer) override;
  void on_lease_message(const identity::NodeId& from, ByteView payload) override;

 private:
  // The reading that is being signed.
  struct Reading {
    ReadingWindow window;
    ledger::SignedTotal provider;
    MonoTime asked_at;
    std::optional<identity::NodeId> asked;
    bool is_submitted = false;
  };
  // A lease on this node.
  struct Kept {
    std::uint32_t placement = 0;
    bool is_acting = false;  // an operation about it is under way
    std::optional<DeliveredTime> time;
    Delivered delivered = Delivered::Yes;
    std::uint64_t used = 0;
    std::optional<Reading> reading;
  };
  struct Allowance {
    std::uint64_t left = 0;
    MonoTime at;
  };

  void look_at_all();
  void look(const ledger::LeaseId& id, UnixMillis held_from);
  void look_as_provider(const ledger::LeaseId& id, const ledger::LeaseRecord& lease,
                        UnixMillis held_from);
  void answer(const ledger::LeaseId& id, Kept& kept, const ledger::LeaseRecord& lease);
  std::optional<std::string> objection(const ledger::LeaseRecord& lease) const;
  bool is_for_idle_times(const ledger::LeaseRecord& lease) const;
  void act(const ledger::LeaseId& id, Kept& kept, ledger::Action action, std::uint64_t& counter);

  void read(const ledger::LeaseId& id, Kept& kept, const ledger::LeaseRecord& lease);
  void ask(const ledger::LeaseId& id, Kept& kept, const ledger::LeaseRecord& lease);
  void handle_reply(const identity::NodeId& from, const MeterReply& reply);
  void submit_reading(const ledger::LeaseId& id, Kept& kept, const ledger::SignedTotal& tenant);
  void settle(const ledger::LeaseId& id);

  void handle_asset(const assets::AssetRecord& asset, UnixMillis block_time);
  void keep_assets_in_step();
  void set_state(const assets::AssetRecord& asset, assets::AssetState state);

  bool may_speak(const identity::NodeId& peer);
  UnixMillis wall() const { return node_.ports().clock.wall(); }
  void arm();

  Node& node_;
  OwnOperations& operations_;
  LendingRules rules_;
  RememberPause remember_;
  std::optional<Pause> pause_;
  activity::ActivityVerdict activity_;
  TenantMeter tenant_;
  std::map<ledger::LeaseId, Kept> kept_;
  std::set<crypto::Digest> assets_under_way_;
  std::map<identity::NodeId, Allowance> allowances_;
  LeaseKeeperCounters counters_;
  std::unique_ptr<ports::Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::node
