// SPDX-License-Identifier: Apache-2.0
// The parameters of Falcon-1024 (Falcon specification of 2020-10-01, round 3, table 3.3) and the
// sizes of what is encoded (section 3.11). All other files take their numbers from here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hm::falcon {

inline constexpr std::size_t kLogDegree = 10;
inline constexpr std::size_t kDegree = std::size_t{1} << kLogDegree;  // n

// Coefficients of public keys and signatures live in the integers modulo q.
inline constexpr std::uint32_t kModulus = 12289;

}  // namespace hm::falcon
