// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/keccak/sponge.h"

#include <algorithm>

#include "foundation/base/check.h"
#include "foundation/crypto/little_endian.h"
#include "foundation/crypto/wipe.h"

namespace hm::keccak {
namespace {

constexpr std::size_t kLaneSize = sizeof(std::uint64_t);  // low byte first (FIPS 202 §B.1)

void xor_byte(State& state, std::size_t at, std::uint8_t byte) {
  state[at / kLaneSize] ^= std::uint64_t{byte} << (8 * (at % kLaneSize));
}

}  // namespace

Sponge::~Sponge() { crypto::wipe({reinterpret_cast<std::uint8_t*>(state_.data()), sizeof state_}); }

void Sponge::xor_in(ByteView bytes) {
  while (!bytes.empty() && at_ % kLaneSize != 0) {
    xor_byte(state_, at_++, bytes.front());
    bytes = bytes.subspan(1);
  }
  while (bytes.size() >= kLaneSize) {
    state_[at_ / kLaneSize] ^= crypto::load_little_endian(bytes.data());
    at_ += kLaneSize;
    bytes = bytes.subspan(kLaneSize);
  }
  for (const std::uint8_t byte : bytes) xor_byte(state_, at_++, byte);
}

void Sponge::absorb(ByteView input) {
  HM_CHECK(!squeezing_);
  while (!input.empty()) {
    const std::size_t take = std::min(rate_ - at_, input.size());
    xor_in(input.first(take));
    input = input.subspan(take);
    if (at_ == rate_) {
      permute(state_);
      at_ = 0;
    }
  }
}

void Sponge::finish() {
  xor_byte(state_, at_, static_cast<std::uint8_t>(suffix_));
  xor_byte(state_, rate_ - 1, kLastPaddingBit);
  squeezing_ = true;
  at_ = rate_;
}

void Sponge::squeeze(std::span<std::uint8_t> out) {
  if (!squeezing_) finish();
  while (!out.empty()) {
    if (at_ == rate_) {
      permute(state_);
      at_ = 0;
    }
    if (at_ % kLaneSize == 0 && out.size() >= kLaneSize) {
      crypto::store_little_endian(state_[at_ / kLaneSize], out.data());
      at_ += kLaneSize;
      out = out.subspan(kLaneSize);
    } else {
      out.front() = static_cast<std::uint8_t>(state_[at_ / kLaneSize] >> (8 * (at_ % kLaneSize)));
      ++at_;
      out = out.subspan(1);
    }
  }
}

}  // namespace hm::keccak
