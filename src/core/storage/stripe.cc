// SPDX-License-Identifier: Apache-2.0
#include "core/storage/stripe.h"

#include <algorithm>
#include <bit>

#include "core/storage/limits.h"
#include "foundation/base/check.h"

namespace hm::storage {
namespace {

bool are_sizes_valid(erasure::Code code, std::uint32_t shard_bytes) {
  return code.is_valid() && shard_bytes >= kMinShardBytes && shard_bytes <= kMaxShardBytes &&
         code.shards() * shard_bytes <= kMaxStripeBytes;
}

std::size_t padme(std::size_t length) {
  const auto exponent = static_cast<unsigned>(std::bit_width(length)) - 1;
  const auto kept = static_cast<unsigned>(std::bit_width(exponent));
  const std::size_t mask = (std::size_t{1} << (exponent - kept)) - 1;
  return (length + mask) & ~mask;
}

}  // namespace

bool Layout::is_valid() const {
  return are_sizes_valid(code, shard_bytes) && capacity() >= kMinStripeCapacity;
}

bool Stripe::is_valid() const {
  return are_sizes_valid(code, shard_bytes) && roots.size() == code.shards() &&
         (places.empty() || places.size() == code.shards());
}

std::uint32_t shard_bytes_for(std::size_t used, const Layout& layout) {
  HM_CHECK(used <= layout.capacity());
  const std::size_t least = (used + layout.code.data - 1) / layout.code.data;
  const std::size_t padded = padme(std::max(least, kMinShardBytes));
  return static_cast<std::uint32_t>(std::min<std::size_t>(padded, layout.shard_bytes));
}

}  // namespace hm::storage
