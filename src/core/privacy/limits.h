// SPDX-License-Identifier: Apache-2.0
// Bounds of what one owner may put on every member's ledger to say who may use its assets.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hm::privacy {

// A decision reads the grants of one owner; a thousand are judged within 20 µs (bench_privacy).
inline constexpr std::size_t kMaxGrantsPerOwner = 1024;
inline constexpr std::size_t kMaxGroupsPerOwner = 64;
// A group fits one operation.
inline constexpr std::size_t kMaxGroupMembers = 128;
inline constexpr std::size_t kMaxCertificatesPerOwner = 16;
// A certified name is a DNS name (RFC 1035 §2.3.4); a pattern is one with asterisks.
inline constexpr std::size_t kMaxCertifiedName = 253;
// Links of a chain of delegated grants below the owner's own.
inline constexpr std::uint8_t kMaxDelegations = 4;
inline constexpr std::uint8_t kWholeShare = 100;
inline constexpr std::uint16_t kMinutesPerDay = 1440;

// Of a vault: more than a machine has processors, memories, disks, links and GPUs.
inline constexpr std::size_t kVaultPlaces = 64;
inline constexpr std::size_t kVaultSaltSize = 32;

}  // namespace hm::privacy
