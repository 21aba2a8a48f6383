// SPDX-License-Identifier: Apache-2.0
// An asset that may be asked for a lease, with all that is known about it here. It owns nothing:
// what it points to must outlive the question.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/assets/record.h"
#include "core/privacy/decision.h"

namespace hm::scheduling {

enum class Reachability : std::uint8_t {
  Connected,    // this node talks to it
  KnownAlive,   // others do, lately
  Unreachable,  // nobody does: nothing starts there now
};

struct Candidate {
  assets::AssetId id;
  privacy::AssetFacts facts;  // of the same hash; says kind, owner and node
  std::string_view owner_name;
  std::string_view node_name;
  std::span<const privacy::GrantView> grants;      // the owner's
  const assets::Descriptor* descriptor = nullptr;  // null: not shown to the requester
  std::uint16_t trust = 0;                         // 0 … kMaxTrust
  std::optional<std::uint64_t> rtt_us;             // none: not measured
  Reachability reachability = Reachability::Unreachable;
  privacy::Idleness idleness = privacy::Idleness::Unknown;  // of its machine
};

}  // namespace hm::scheduling
