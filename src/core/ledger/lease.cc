// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/lease.h"

#include <limits>

#include "foundation/codec/writer.h"
#include "foundation/crypto/hash.h"

namespace hm::ledger {

std::string_view name_of(LeaseState state) {
  switch (state) {
    case LeaseState::Requested: return "requested";
    case LeaseState::Active: return "active";
    case LeaseState::Draining: return "draining";
    case LeaseState::Closed: return "closed";
    case LeaseState::Failed: return "failed";
  }
  return "unknown";
}

std::string_view name_of(LeaseEnd end) {
  switch (end) {
    case LeaseEnd::None: return "none";
    case LeaseEnd::ByTenant: return "by_tenant";
    case LeaseEnd::Expired: return "expired";
    case LeaseEnd::ByOwner: return "by_owner";
    case LeaseEnd::Declined: return "declined";
    case LeaseEnd::NotAccepted: return "not_accepted";
    case LeaseEnd::Dark: return "dark";
    case LeaseEnd::AssetGone: return "asset_gone";
    case LeaseEnd::WrongResult: return "wrong_result";
  }
  return "unknown";
}

crypto::Digest meter_statement(const identity::ChainId& chain, const LeaseId& lease,
                               std::uint32_t placement, std::uint32_t interval,
                               std::uint64_t delivered_ms, std::uint64_t used) {
  codec::Writer writer;
  writer.write(chain);
  writer.write(lease);
  writer.write(placement);
  writer.write(interval);
  writer.write(delivered_ms);
  writer.write(used);
  return crypto::tagged_hash("hm.meter.v1", std::move(writer).take());
}

std::uint64_t most_used(std::uint64_t quantity, std::uint64_t ms) {
  __extension__ using Wide = unsigned __int128;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(std::min(Wide{quantity} * ms / 1000, Wide{kMost}));
}

std::uint64_t used_limit(const Policy& policy, std::uint64_t quantity, std::uint64_t delivered_ms) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t slack = std::min(policy.meter_interval_ms, kMost - delivered_ms);
  return most_used(quantity, delivered_ms + slack);
}

}  // namespace hm::ledger
