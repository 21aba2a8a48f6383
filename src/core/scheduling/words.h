// SPDX-License-Identifier: Apache-2.0
// The words of the filter's text, for the parser and for who writes it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace hm::scheduling {

inline constexpr char kQuote = '"';

// In the order of privacy::NetworkClass.
inline constexpr std::array<std::string_view, 3> kNetworkClasses = {"none", "mesh", "internet"};

struct TimeUnit {
  std::string_view name;
  std::uint64_t micros;
};
inline constexpr std::array<TimeUnit, 6> kTimeUnits = {{{"d", 86'400'000'000},
                                                        {"h", 3'600'000'000},
                                                        {"m", 60'000'000},
                                                        {"s", 1'000'000},
                                                        {"ms", 1'000},
                                                        {"us", 1}}};

}  // namespace hm::scheduling
