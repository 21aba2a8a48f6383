// SPDX-License-Identifier: Apache-2.0
// Operations and payloads from hostile bytes. Whatever decodes re-encodes to the same bytes; bytes
// that decode are also signed anew and led through the rules, which must answer alike at admission
// and in a block, conserve every unit, and change nothing when they refuse.
#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/ledger/payload.h"
#include "core/ledger/sample_lent.h"
#include "foundation/base/check.h"
#include "foundation/codec/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace hm;
using namespace hm::ledger;

// Rebuilt now and then, so that a long run does not grow it.
constexpr int kInputsPerChain = 256;

sample::Market& market() {
  static int uses = 0;
  static std::optional<sample::LendingChain> current;
  if (uses++ % kInputsPerChain == 0) current.emplace();
  return current->market;
}

void check_payload(ByteView bytes) {
  const auto payload = decode_payload(bytes);
  if (payload) HM_CHECK(std::ranges::equal(encode_payload(*payload), bytes));
}

void check_rules(Operation operation) {
  sample::Market& at_time = market();
  sample::Chain& at = at_time.chain();
  operation.chain_id = at.id();
  const bool by_node = std::holds_alternative<identity::NodeId>(operation.actor);
  const auto key = sample::key(by_node ? 1000 : 0);
  if (by_node) {
    operation.actor = sample::node_id(key);
  } else {
    operation.actor = sample::owner_id(0);
  }
  // Three in four have a right frame, so that the action decides.
  if (operation.sequence % 4 != 0) {
    operation.sequence = at.ledger().next_sequence(operation.actor).value();
    operation.anchor = at.ledger().anchor();
    operation.expiry_height = at.ledger().height() + 1;
  }
  const auto prepared = prepare(sign(std::move(operation), key), at.id());
  if (!prepared) {
    HM_CHECK(!explain(prepared.error()).empty());
    return;
  }
  const auto refused = at.ledger().precheck(*prepared);
  Tables before = at.ledger().tables();
  const auto outcome = at_time.block({*prepared});
  HM_CHECK(outcome.receipts.at(0).refused.has_value() == refused.has_value());
  HM_CHECK(at.ledger().recount() == at.ledger().tables().supply);
  if (!refused) {
    const auto restored = Ledger::restore(at.ledger().export_state(), at.ledger().root());
    HM_CHECK(restored && restored->tables() == at.ledger().tables());
    return;
  }
  Tables after = at.ledger().tables();
  before.blocks.clear();
  after.blocks.clear();
  HM_CHECK(before == after);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_payload(bytes);
  (void)prepare(bytes, market().chain().id());
  const auto decoded = codec::decode<SignedOperation>(bytes);
  if (!decoded) return 0;
  HM_CHECK(std::ranges::equal(codec::encode(*decoded), bytes));
  check_rules(decoded->operation);
  return 0;
}
