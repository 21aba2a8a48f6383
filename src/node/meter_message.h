// SPDX-License-Identifier: Apache-2.0
// What the nodes of the two sides of a lease say to each other, on STOQ's channel of leases.
// docs/protocols/lending.md, "Readings between nodes", is normative.
#pragma once

#include <cstdint>
#include <string_view>
#include <tuple>
#include <variant>

#include "core/ledger/lease.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::node {

// The provider's node asks for the tenant's half of a reading.
struct MeterRequest {
  ledger::LeaseId lease;
  std::uint32_t placement = 0;
  std::uint32_t interval = 0;
  UnixMillis up_to;  // the reading ends here: the interval's end, or before where the lease ends
  ledger::SignedTotal provider;
  bool operator==(const MeterRequest&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.lease, self.placement, self.interval, self.up_to, self.provider);
  }
};

struct MeterReply {
  ledger::LeaseId lease;
  std::uint32_t placement = 0;
  std::uint32_t interval = 0;
  ledger::SignedTotal tenant;
  bool operator==(const MeterReply&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.lease, self.placement, self.interval, self.tenant);
  }
};

// The order is the wire format.
using MeterMessage = std::variant<MeterRequest, MeterReply>;

enum class MeterMessageError : std::uint8_t {
  TooLong,    // above kMaxMeterMessage
  Malformed,  // not the one encoding of a message
};
std::string_view name_of(MeterMessageError error);

Bytes encode(const MeterMessage& message);
Result<MeterMessage, MeterMessageError> decode_meter_message(ByteView bytes);

}  // namespace hm::node
