// SPDX-License-Identifier: Apache-2.0
// Bytes of a STOQ stream, cut at places that the input chooses, and the text of an address: the
// reader never holds more than came, never lets a frame over its limit through, and finds the same
// frames however the bytes are cut.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/stoq/address.h"
#include "core/stoq/frame.h"
#include "core/stoq/limits.h"
#include "foundation/base/check.h"

namespace {

struct Outcome {
  std::vector<hm::Bytes> frames;
  bool failed = false;

  bool operator==(const Outcome&) const = default;
};

Outcome read(hm::ByteView bytes, std::size_t step) {
  hm::stoq::FrameReader reader;
  Outcome out;
  std::size_t channel = 0;
  std::size_t fed = 0;
  while (!bytes.empty()) {
    auto piece = bytes.first(step == 0 ? bytes.size() : std::min(step, bytes.size()));
    bytes = bytes.subspan(piece.size());
    fed += piece.size();
    while (true) {
      const auto item = reader.next(piece);
      if (!item) {
        out.failed = true;
        return out;
      }
      HM_CHECK(reader.buffered() <= hm::stoq::kFrameGrowthFactor * fed + hm::stoq::kFrameGrowth);
      if (!*item) break;
      if ((*item)->header) {
        channel = (*item)->header->channel;
      } else {
        HM_CHECK(!(*item)->frame.empty());
        HM_CHECK((*item)->frame.size() <= hm::stoq::kMaxFrame[channel]);
        out.frames.push_back(hm::to_bytes((*item)->frame));
      }
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = 1 + data[0];
  const hm::ByteView bytes(data + 1, size - 1);
  HM_CHECK(read(bytes, 0) == read(bytes, step));
  const auto address = hm::stoq::Address::parse(hm::as_text(bytes));
  if (address) {
    HM_CHECK(!address->is_ipv4_mapped());
    const auto again = hm::stoq::Address::parse(address->to_string());
    HM_CHECK(again && *again == *address);
  }
  return 0;
}
