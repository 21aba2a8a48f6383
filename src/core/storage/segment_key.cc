// SPDX-License-Identifier: Apache-2.0
#include "core/storage/segment_key.h"

#include "core/storage/limits.h"
#include "foundation/base/bytes.h"
#include "foundation/crypto/hkdf.h"
#include "foundation/crypto/little_endian.h"
#include "foundation/crypto/wipe.h"

namespace hm::storage {
namespace {

template <std::size_t N>
void wipe_words(std::array<std::uint64_t, N>& words) {
  crypto::wipe({reinterpret_cast<std::uint8_t*>(words.data()), sizeof words});
}

}  // namespace

SegmentKey::SegmentKey(std::span<const std::uint8_t, kSegmentKeySize> secret) {
  crypto::Wiped<std::array<std::uint8_t, 256 * 8>> expanded;
  crypto::hkdf_sha256(secret, {}, as_bytes("hm.storage.gear.v1"), *expanded);
  for (std::size_t i = 0; i < 256; ++i) {
    gear_[i] = crypto::load_little_endian(expanded->data() + 8 * i);
    shifted_[i] = gear_[i] << 1;
  }
}

SegmentKey::~SegmentKey() {
  wipe_words(gear_);
  wipe_words(shifted_);
}

// "Rolling two bytes each time" (Xia et al., IEEE TPDS 31(9), 2020, §4.4): the hash behind the
// first byte of a pair is only needed shifted once more, so it is judged with the shifted mask, and
// one shift serves two bytes. Blocks of pairs are only asked whether there is a cut in them, which
// keeps the loop short; the one that has it is gone through again.
std::size_t SegmentKey::find_cut(const std::uint8_t* bytes, std::size_t first, std::size_t end,
                                 std::uint64_t mask) const {
  if (first >= end) return end;
  constexpr std::size_t kBlock = 16;
  const std::uint64_t shifted_mask = mask << 1;
  std::uint64_t hash = 0;
  for (std::size_t i = first - kHashWindow; i < first - 1; ++i) {
    hash = (hash << 1) + gear_[bytes[i]];
  }
  const auto has_cut = [&](const std::uint8_t* pair) {
    hash = (hash << 2) + shifted_[pair[0]];
    if ((hash & shifted_mask) == 0) [[unlikely]]
      return true;
    hash += gear_[pair[1]];
    return (hash & mask) == 0;
  };
  std::size_t length = first;
  for (; end - length > kBlock; length += kBlock) {
    const std::uint8_t* const next = bytes + length - 1;
    const std::uint64_t before = hash;
    if (has_cut(next) || has_cut(next + 2) || has_cut(next + 4) || has_cut(next + 6) ||
        has_cut(next + 8) || has_cut(next + 10) || has_cut(next + 12) || has_cut(next + 14)) {
      hash = before;
      break;
    }
  }
  for (; length < end; ++length) {
    hash = (hash << 1) + gear_[bytes[length - 1]];
    if ((hash & mask) == 0) return length;
  }
  return end;
}

}  // namespace hm::storage
