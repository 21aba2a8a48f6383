// SPDX-License-Identifier: Apache-2.0
// The secret that decides where segments are cut by content: the table of the gear hash (Xia et
// al., FastCDC, USENIX ATC 2016), expanded from a key of a privacy domain.
//
// Why it is secret. Lengths of segments fingerprint what was cut: who sees them and knows the table
// finds out whether an object is a file that he knows (Alexeev, Percival, Zhang, ePrint 2025/532;
// Truong et al., ePrint 2025/558). With a secret table he cannot compute the cuts of a file from
// the file alone.
//
// What it does not protect. The second paper recovers the secrets of five backup programs, a keyed
// gear hash among them, from lengths of segments of known content: such hashes are linear, and no
// secret changes that. So the table only helps against those who do not see lengths and know
// content together; the lengths themselves must stay hidden (docs/protocols/storage.md,
// "Segments"). Lookups in the table are by content, so a program on the same processor may learn of
// the content by its caches.
//
// Two owners who cut with different keys share no segments. A published key makes a domain of all
// who know it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hm::storage {

inline constexpr std::size_t kSegmentKeySize = 32;

class SegmentKey {
 public:
  explicit SegmentKey(std::span<const std::uint8_t, kSegmentKeySize> secret);
  ~SegmentKey();
  SegmentKey(const SegmentKey&) = delete;
  SegmentKey& operator=(const SegmentKey&) = delete;

  std::uint64_t gear(std::uint8_t byte) const { return gear_[byte]; }

  // The least length L with first <= L < end such that the hash of the kHashWindow bytes before L
  // has no bit of `mask`; `end` if there is none. Requires: first >= kHashWindow, bytes up to end-1
  // are there, bit 63 of the mask is clear.
  std::size_t find_cut(const std::uint8_t* bytes, std::size_t first, std::size_t end,
                       std::uint64_t mask) const;

 private:
  std::array<std::uint64_t, 256> gear_;
  std::array<std::uint64_t, 256> shifted_;  // gear << 1
};

}  // namespace hm::storage
