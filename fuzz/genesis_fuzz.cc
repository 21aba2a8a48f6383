// SPDX-License-Identifier: Apache-2.0
// Genesis documents from hostile bytes: one encoding each, every fault has a sentence, and what
// validates makes a ledger that conserves every unit.
#include <algorithm>
#include <cstdint>

#include "core/ledger/genesis.h"
#include "core/ledger/ledger.h"
#include "foundation/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hm::ledger;
  const hm::ByteView bytes(data, size);
  const auto genesis = decode_genesis(bytes);
  if (!genesis) return 0;
  HM_CHECK(std::ranges::equal(encode(*genesis), bytes));
  if (const auto checked = validate(*genesis); !checked) {
    HM_CHECK(!explain(checked.error()).empty());
    return 0;
  }
  const Ledger ledger = Ledger::from_genesis(*genesis);
  HM_CHECK(ledger.recount() == ledger.tables().supply);
  return 0;
}
