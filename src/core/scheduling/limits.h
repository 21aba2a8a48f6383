// SPDX-License-Identifier: Apache-2.0
// Bounds of what a tenant may demand, and the steps in which candidates are compared.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hm::scheduling {

// A lease request names so many candidates: enough to survive races for the best ones, few enough
// that the ledger judges a request within its time.
inline constexpr std::size_t kMaxChoices = 8;

// A filter is typed by a person or made by a program for one; more parts than this are a mistake.
inline constexpr std::size_t kMaxFilterText = 4096;
inline constexpr std::size_t kMaxFilterParts = 64;

// The default when nothing is said: long enough to try something.
inline constexpr std::uint64_t kDefaultDurationMs = 3'600'000;

inline constexpr std::uint16_t kMaxTrust = 1000;

// Differences below these steps do not decide, so that the next criterion has a say. Costs count
// equal if they agree in their five leading binary digits (3.1 to 6.3 percent), round-trip times in
// three (14 to 25 percent, above what two measurements of one path differ by).
inline constexpr int kCostDigits = 5;
inline constexpr int kRttDigits = 3;
inline constexpr std::uint16_t kTrustStep = 50;

}  // namespace hm::scheduling
