// SPDX-License-Identifier: Apache-2.0
// Sealed manifests on their way into the mesh: a bundle is stored as a shard of kind Box, copies of
// it with several owners. docs/protocols/storage.md, "Bundles", is normative.
#pragma once

#include <tuple>
#include <vector>

#include "core/storage/manifest.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::storing {

struct BundleEntry {
  storage::ObjectVersion what;  // the context of the box
  Bytes box;
  bool operator==(const BundleEntry&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.what, self.box); }
};

struct Bundle {
  std::vector<BundleEntry> entries;
  bool operator==(const Bundle&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.entries); }
};

// As many bundles as these need, in their order, none longer than a shard; how many entries each
// has. Requires: no box is longer than kMaxBundledBox.
std::vector<std::size_t> bundle(std::vector<BundleEntry> entries, std::vector<Bytes>& bundles);
// Corrupt: none, or longer than a shard.
Result<Bundle> decode_bundle(ByteView bytes);

}  // namespace hm::storing
