// SPDX-License-Identifier: Apache-2.0
// Every bound of a sealed box, with its reason. All are part of the format
// (docs/protocols/sealed_box.md): what one node seals, every other opens.
#pragma once

#include <cstddef>

namespace hm::sealed_box {

// A wrap takes 1624 bytes and an encapsulation: 1.6 MiB and some 50 ms in all. For more readers,
// seal a key for a group.
inline constexpr std::size_t kMaxReaders = 1024;

// A box is one message that is in memory as a whole. What is larger is encrypted elsewhere, in
// parts, and its key is what is sealed.
inline constexpr std::size_t kMaxContentSize = std::size_t{16} << 20;

// Every id of ours fits several times, and what is derived from stays below the 1024 bytes that
// some implementations of HKDF take.
inline constexpr std::size_t kMaxObjectIdSize = 256;

}  // namespace hm::sealed_box
