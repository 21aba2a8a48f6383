// SPDX-License-Identifier: Apache-2.0
// The bytes that all parts of one store may take together. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>

#include "foundation/base/result.h"

namespace hm::oci {

class SpaceBudget {
 public:
  explicit SpaceBudget(std::uint64_t most) : most_(most) {}

  // NoCapacity, and nothing taken, if so much is not left.
  Result<void> take(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    if (used_ > most_ || bytes > most_ - used_) {
      return fail(ErrorCode::NoCapacity, "the image store is full",
                  "Remove images that are not needed, or raise the store's limit.");
    }
    used_ += bytes;
    return {};
  }
  // Of what lies on the disk already, whatever the limit says.
  void count(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    used_ += bytes;
  }
  void give_back(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    used_ -= bytes < used_ ? bytes : used_;
  }
  std::uint64_t used() const {
    const std::lock_guard lock(mutex_);
    return used_;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t most_;
  std::uint64_t used_ = 0;
};

}  // namespace hm::oci
