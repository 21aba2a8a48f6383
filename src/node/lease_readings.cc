// SPDX-License-Identifier: Apache-2.0
// LeaseKeeper: readings of the leases on this node, and what peers say about theirs.
#include <algorithm>
#include <utility>
#include <vector>

#include "foundation/base/log.h"
#include "node/lease_keeper.h"
#include "node/limits.h"

namespace hm::node {

void LeaseKeeper::read(const ledger::LeaseId& id, Kept& kept, const ledger::LeaseRecord& lease) {
  const auto due = due_reading(node_.ledger().policy(), lease, wall());
  if (!due) return;
  if (!kept.reading || kept.reading->window.interval < due->interval) {
    const std::uint64_t total = lease.placement.provider_ms +
                                kept.time->take(due->begin, due->end, node_.ports().clock.now());
    const std::uint64_t limit = ledger::used_limit(node_.ledger().policy(), lease.quantity, total);
    const std::uint64_t used = std::max(lease.placement.provider_used, std::min(kept.used, limit));
    const crypto::Digest statement =
        meter_statement(node_.chain_id(), id, kept.placement, due->interval, total, used);
    kept.reading = Reading{
        .window = *due,
        .provider = {total, used, node_.key().public_key(), node_.key().sign(statement.bytes)},
        .asked_at = {},
        .asked = {},
        .is_submitted = false};
    ask(id, kept, lease);
    return;
  }
  if (kept.reading->is_submitted) return;
  if (node_.ports().clock.now() >= kept.reading->asked_at + kAskAgain) ask(id, kept, lease);
}

// The tenant's connected nodes in the order of their ids, one after the other, round and round.
void LeaseKeeper::ask(const ledger::LeaseId& id, Kept& kept, const ledger::LeaseRecord& lease) {
  Reading& reading = *kept.reading;
  reading.asked_at = node_.ports().clock.now();
  std::vector<identity::NodeId> nodes;
  for (const identity::NodeId& peer : node_.peers()) {
    const ledger::NodeRecord* record = node_.ledger().node(peer);
    if (record != nullptr && record->binding.owner == lease.tenant) nodes.push_back(peer);
  }
  if (nodes.empty()) return;
  auto next = nodes.begin();
  if (reading.asked) {
    next = std::upper_bound(nodes.begin(), nodes.end(), *reading.asked);
    if (next == nodes.end()) next = nodes.begin();
  }
  reading.asked = *next;
  (void)node_.send_lease_message(*next, encode(MeterRequest{.lease = id,
                                                            .placement = kept.placement,
                                                            .interval = reading.window.interval,
                                                            .up_to = reading.window.end,
                                                            .provider = reading.provider}));
}

void LeaseKeeper::on_lease_message(const identity::NodeId& from, ByteView payload) {
  if (!may_speak(from)) {
    ++counters_.messages_dropped;
    return;
  }
  const auto message = decode_meter_message(payload);
  if (!message) {
    ++counters_.messages_malformed;
    return;
  }
  if (const auto* reply = std::get_if<MeterReply>(&*message)) return handle_reply(from, *reply);
  const auto answer = tenant_.handle_request(from, std::get<MeterRequest>(*message));
  if (!answer) {
    ++counters_.messages_unanswered;
    return;
  }
  (void)node_.send_lease_message(from, encode(*answer));
}

// A bucket for each connected peer, filled by time: what is in it may be said at once.
bool LeaseKeeper::may_speak(const identity::NodeId& peer) {
  const MonoTime now = node_.ports().clock.now();
  const auto [found, is_new] = allowances_.try_emplace(peer, Allowance{kMeterMessageBurst, now});
  Allowance& allowance = found->second;
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(now - allowance.at);
  const std::uint64_t earned =
      static_cast<std::uint64_t>(waited.count()) * kMeterMessagesPerSecond / 1000;
  if (earned > 0) {
    allowance.left = std::min(kMeterMessageBurst, allowance.left + earned);
    allowance.at = now;
  }
  if (allowance.left == 0) return false;
  --allowance.left;
  return true;
}

void LeaseKeeper::handle_reply(const identity::NodeId& from, const MeterReply& reply) {
  const auto found = kept_.find(reply.lease);
  const ledger::LeaseRecord* lease = node_.ledger().lease(reply.lease);
  const bool is_expected = found != kept_.end() && lease != nullptr && found->second.reading &&
                           !found->second.reading->is_submitted &&
                           found->second.placement == reply.placement &&
                           found->second.reading->window.interval == reply.interval &&
                           identity::node_id_of(reply.tenant.key) == from;
  const ledger::NodeRecord* record = node_.ledger().node(from);
  if (!is_expected || record == nullptr || record->binding.owner != lease->tenant) {
    ++counters_.messages_unanswered;
    return;
  }
  const crypto::Digest statement =
      meter_statement(node_.chain_id(), reply.lease, reply.placement, reply.interval,
                      reply.tenant.delivered_ms, reply.tenant.used);
  if (!crypto::verify(reply.tenant.key, statement.bytes, reply.tenant.signature)) {
    ++counters_.messages_unanswered;
    return;
  }
  submit_reading(reply.lease, found->second, reply.tenant);
}

void LeaseKeeper::submit_reading(const ledger::LeaseId& id, Kept& kept,
                                 const ledger::SignedTotal& tenant) {
  Reading& reading = *kept.reading;
  reading.is_submitted = true;
  const std::uint32_t interval = reading.window.interval;
  ledger::MeterReading both{.lease = id,
                            .placement = kept.placement,
                            .interval = interval,
                            .provider = reading.provider,
                            .tenant = tenant};
  operations_.submit(ledger::MeterLease{std::move(both)}, [this, alive = alive_, id,
                                                           interval](const auto& refused) {
    if (!*alive) return;
    if (refused) {
      ++counters_.readings_refused;
      log::warning(
          "leases", "a reading was refused",
          {{"lease", id.to_string()}, {"interval", interval}, {"why", ledger::explain(*refused)}});
      return;
    }
    ++counters_.readings;
    if ((interval + 1) % kReadingsPerSettlement == 0) settle(id);
  });
}

void LeaseKeeper::settle(const ledger::LeaseId& id) {
  operations_.submit(ledger::SettleLease{id}, [](const auto& refused) {
    // Nothing was due, or the lease ended first and paid.
    if (refused) {
      log::debug("leases", "nothing was settled", {{"why", ledger::explain(*refused)}});
    }
  });
}

}  // namespace hm::node
