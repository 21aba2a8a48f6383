// SPDX-License-Identifier: Apache-2.0
// What a block did to assets and leases, for those who watch.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/assets/asset_id.h"
#include "core/ledger/lease.h"

namespace hm::ledger {

enum class AssetEvent : std::uint8_t { Registered, Updated, Transferred, Retired };
std::string_view name_of(AssetEvent event);

struct AssetChange {
  AssetEvent event = AssetEvent::Registered;
  assets::AssetId id;
  std::uint64_t version = 0;
  crypto::Digest operation;
};

enum class LeaseEvent : std::uint8_t {
  Requested,
  Accepted,
  Renewed,
  Moved,  // to its next choice, where it is requested again
  Draining,
  Ended,  // Closed or Failed; a second time if its result was outvoted afterwards
  Metered,
  Settled,  // without ending
};
std::string_view name_of(LeaseEvent event);

struct LeaseChange {
  LeaseEvent event = LeaseEvent::Requested;
  LeaseId lease;
  LeaseState state = LeaseState::Requested;
  LeaseEnd end = LeaseEnd::None;            // of the placement that ended, or is to
  std::optional<crypto::Digest> operation;  // none: the block's own doing, by the clock
};

}  // namespace hm::ledger
