// SPDX-License-Identifier: Apache-2.0
// Messages about containers from hostile bytes. Whatever decodes re-encodes to the same bytes, is
// within the limits, and asks for nothing that does not validate.
#include <algorithm>
#include <cstdint>

#include "foundation/base/check.h"
#include "node/hosting/limits.h"
#include "node/hosting/session_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hm;
  const ByteView bytes(data, size);
  const auto message = hosting::decode_session_message(bytes);
  if (!message) {
    HM_CHECK(name_of(message.error()) != "unknown");
    return 0;
  }
  HM_CHECK(size <= hosting::kMaxMessage);
  HM_CHECK(std::ranges::equal(hosting::encode(*message), bytes));
  if (const auto* open = std::get_if<hosting::Open>(&*message)) {
    if (const auto* start = std::get_if<hosting::StartRun>(&open->request)) {
      HM_CHECK(containers::validate(start->spec).has_value());
    }
  }
  return 0;
}
