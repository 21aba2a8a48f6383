// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/changes.h"

namespace hm::ledger {

std::string_view name_of(AssetEvent event) {
  switch (event) {
    case AssetEvent::Registered: return "registered";
    case AssetEvent::Updated: return "updated";
    case AssetEvent::Transferred: return "transferred";
    case AssetEvent::Retired: return "retired";
  }
  return "unknown";
}

std::string_view name_of(LeaseEvent event) {
  switch (event) {
    case LeaseEvent::Requested: return "requested";
    case LeaseEvent::Accepted: return "accepted";
    case LeaseEvent::Renewed: return "renewed";
    case LeaseEvent::Moved: return "moved";
    case LeaseEvent::Draining: return "draining";
    case LeaseEvent::Ended: return "ended";
    case LeaseEvent::Metered: return "metered";
    case LeaseEvent::Settled: return "settled";
  }
  return "unknown";
}

}  // namespace hm::ledger
