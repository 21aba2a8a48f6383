// SPDX-License-Identifier: Apache-2.0
// Which shards can be counted on, as of one moment: for a worker that goes through the catalogue.
#pragma once

#include <set>
#include <utility>
#include <vector>

#include "node/storing/storage_care.h"

namespace hm::storing {

struct StorageCare::Judge {
  std::set<storage::Place> standing;
  std::set<std::pair<ledger::LeaseId, crypto::Digest>> faulty;

  bool is_good(const StripeRow& row, std::size_t index) const {
    const storage::Place& place = row.places[index];
    return standing.contains(place) && !faulty.contains({place.lease, row.roots[index]});
  }
  std::vector<std::uint8_t> bad_of(const StripeRow& row) const {
    std::vector<std::uint8_t> bad;
    for (std::size_t i = 0; i < row.roots.size(); ++i) {
      if (!is_good(row, i)) bad.push_back(static_cast<std::uint8_t>(i));
    }
    return bad;
  }
};

}  // namespace hm::storing
