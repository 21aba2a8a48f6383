// SPDX-License-Identifier: Apache-2.0
// Messages between the sides of a lease from hostile bytes. Whatever decodes re-encodes to the same
// bytes and is within the limit.
#include <algorithm>
#include <cstdint>

#include "foundation/base/check.h"
#include "node/limits.h"
#include "node/meter_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hm;
  const ByteView bytes(data, size);
  const auto message = node::decode_meter_message(bytes);
  if (!message) {
    HM_CHECK(name_of(message.error()) != "unknown");
    return 0;
  }
  HM_CHECK(size <= node::kMaxMeterMessage);
  HM_CHECK(std::ranges::equal(node::encode(*message), bytes));
  return 0;
}
