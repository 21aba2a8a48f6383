// SPDX-License-Identifier: Apache-2.0
// Unpredictable bytes; in the simulator, bytes that follow from the seed.
#pragma once

#include <cstdint>
#include <span>

namespace hm::ports {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;
};

}  // namespace hm::ports
