// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/keccak/shake_x4.h"

#include <algorithm>

#include "foundation/base/check.h"
#include "foundation/crypto/keccak/sponge.h"
#include "foundation/crypto/little_endian.h"
#include "foundation/crypto/wipe.h"

namespace hm::keccak {
namespace {

constexpr std::size_t kLaneSize = sizeof(std::uint64_t);

}  // namespace

template <std::size_t rate>
ShakeX4<rate>::ShakeX4(std::span<const ByteView> inputs, crypto::Backend backend)
    : count_(inputs.size()), backend_(backend) {
  HM_CHECK(count_ >= 1 && count_ <= kStates);
  for (std::size_t s = 0; s < count_; ++s) {
    HM_CHECK(inputs[s].size() < rate && inputs[s].size() == inputs[0].size());
    std::array<std::uint8_t, rate> block{};
    std::ranges::copy(inputs[s], block.begin());
    block[inputs[s].size()] = static_cast<std::uint8_t>(Suffix::Shake);
    block[rate - 1] |= kLastPaddingBit;
    for (std::size_t i = 0; i < rate / kLaneSize; ++i) {
      states_.lanes[kStates * i + s] = crypto::load_little_endian(block.data() + kLaneSize * i);
    }
    crypto::wipe(block);
  }
}

template <std::size_t rate>
ShakeX4<rate>::~ShakeX4() {
  crypto::wipe({reinterpret_cast<std::uint8_t*>(states_.lanes), sizeof states_.lanes});
}

template <std::size_t rate>
void ShakeX4<rate>::squeeze_blocks(std::span<const std::span<std::uint8_t>> out) {
  HM_CHECK(out.size() == count_ && out[0].size() % rate == 0);
  for (const auto& each : out) HM_CHECK(each.size() == out[0].size());
  for (std::size_t at = 0; at < out[0].size(); at += rate) {
    permute_x4(states_, count_, backend_);
    for (std::size_t s = 0; s < count_; ++s) {
      for (std::size_t i = 0; i < rate / kLaneSize; ++i) {
        crypto::store_little_endian(states_.lanes[kStates * i + s],
                                    out[s].data() + at + kLaneSize * i);
      }
    }
  }
}

template class ShakeX4<168>;
template class ShakeX4<136>;

}  // namespace hm::keccak
