// SPDX-License-Identifier: Apache-2.0
// A stored state from hostile bytes: a list of keys and values. What restores is exactly what was
// given, has the root of it, and conserves every unit.
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/ledger/ledger.h"
#include "foundation/base/check.h"
#include "foundation/codec/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

struct Row {
  hm::Bytes key;
  hm::Bytes value;
  static constexpr auto fields(auto& self) { return std::tie(self.key, self.value); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hm::ledger;
  auto rows = hm::codec::decode<std::vector<Row>>({data, size});
  if (!rows) return 0;
  std::ranges::sort(*rows, {}, &Row::key);
  if (std::ranges::adjacent_find(*rows, {}, &Row::key) != rows->end()) return 0;
  std::vector<StateEntry> entries;
  std::vector<MerkleUpdate> updates;
  for (Row& row : *rows) {
    updates.push_back({hm::crypto::sha256(row.key), hm::crypto::sha256(row.value)});
    entries.push_back({std::move(row.key), std::move(row.value)});
  }
  MerkleTree tree;
  tree.update(std::move(updates));
  const auto ledger = Ledger::restore(entries, tree.root());
  if (!ledger) return 0;
  HM_CHECK(ledger->export_state() == entries);
  HM_CHECK(ledger->tables().supply.is_conserved());
  return 0;
}
