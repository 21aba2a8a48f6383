// SPDX-License-Identifier: Apache-2.0
// Messages about shards from hostile bytes. Whatever decodes re-encodes to the same bytes and is
// within the limits of what a shard and a window are.
#include <algorithm>
#include <cstdint>

#include "foundation/base/check.h"
#include "node/storing/limits.h"
#include "node/storing/shard_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hm;
  const ByteView bytes(data, size);
  const auto message = storing::decode_shard_message(bytes);
  if (!message) {
    HM_CHECK(name_of(message.error()) != "unknown");
    return 0;
  }
  HM_CHECK(size <= storing::kMaxMessage);
  HM_CHECK(std::ranges::equal(storing::encode(*message), bytes));
  HM_CHECK(storing::claims_response(bytes) == std::holds_alternative<storing::Response>(*message));
  if (const auto* query = std::get_if<storing::Query>(&*message)) {
    HM_CHECK(storing::is_sound(query->request));
    HM_CHECK(storing::cost_of(query->request) >= ports::kMinCountedBytes);
    HM_CHECK(storing::cost_of(query->request) <= storing::kWindowBytes);
    HM_CHECK(storing::shard_bytes_of(query->request) <= ports::kMaxShardBytes);
  } else if (const auto* part =
                 std::get_if<storing::ShardPart>(&std::get<storing::Response>(*message).reply)) {
    HM_CHECK(part->bytes.size() <= part->shard_bytes);
  }
  return 0;
}
