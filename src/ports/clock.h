// SPDX-License-Identifier: Apache-2.0
// Steady and wall time.
#pragma once

#include "foundation/base/time.h"

namespace hm::ports {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime now() const = 0;
  virtual UnixMillis wall() const = 0;
};

}  // namespace hm::ports
