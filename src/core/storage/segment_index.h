// SPDX-License-Identifier: Apache-2.0
// Which segments of a domain are stored already. Who keeps objects implements it from the manifests
// that it has; what it says is believed, so it knows nothing from strangers, and forgets a segment
// before its shards are given up.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/storage/domain.h"
#include "core/storage/manifest.h"

namespace hm::storage {

struct KnownSegment {
  Segment segment;  // its `stripe` says nothing here
  std::shared_ptr<const Stripe> stripe;
};

class SegmentIndex {
 public:
  virtual ~SegmentIndex() = default;
  virtual std::optional<KnownSegment> find(const SegmentId& id) = 0;
};

}  // namespace hm::storage
