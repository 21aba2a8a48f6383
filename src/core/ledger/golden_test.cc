// SPDX-License-Identifier: Apache-2.0
// The examples of docs/protocols/ledger.md; the constants come from an independent encoder
// (Python's hashlib over bytes put together by hand).
#include <gtest/gtest.h>

#include "core/assets/address.h"
#include "core/ledger/ledger.h"
#include "core/ledger/operation.h"

namespace hm::ledger {
namespace {

template <class Id>
Id filled(std::uint8_t byte) {
  Id id;
  id.bytes.fill(byte);
  return id;
}

identity::ChainId counting_chain() {
  identity::ChainId chain;
  for (std::size_t i = 0; i < chain.bytes.size(); ++i) {
    chain.bytes[i] = static_cast<std::uint8_t>(i);
  }
  return chain;
}

TEST(LedgerGolden, OwnerAndNodeIds) {
  const auto key = filled<crypto::PublicKey>(0x22);
  const identity::KeyBundle bundle{
      {{1, Bytes(32, 0x22)}, {2, Bytes(1793, 0x22)}, {3, Bytes(1568, 0x22)}}};
  EXPECT_EQ(identity::owner_id_of(bundle).to_string(),
            "fa70e743c8b02fe2bb0e5b3eeba3584d97e930ca12099f627618d11b308f321c");
  EXPECT_EQ(identity::node_id_of(key).to_string(),
            "cf566d3e4c31fb446bd43b3c411d14c14d5f20d3261d734d2470b1928b4d2b3b");
}

TEST(LedgerGolden, GenesisBindingContext) {
  EXPECT_EQ(identity::genesis_binding_context("mesh", 1'760'000'000'000).to_string(),
            "cd96c28c1b328c1959d268b53fb6ce2792b440c2b69563c62a5c2936ad6b0649");
}

TEST(LedgerGolden, AssetIdAndAddress) {
  constexpr std::array<std::uint8_t, assets::kUuidRandomSize> kRandom = {1, 2, 3, 4, 5,
                                                                         6, 7, 8, 9, 10};
  const auto id = assets::AssetId::make(counting_chain(), assets::AssetKind::Gpu,
                                        UnixMillis{1'760'000'000'123}, kRandom);
  EXPECT_EQ(id.to_string(),
            "gpu:0199c82c-c07b-7102-8304-050600010203:"
            "a417066633945f820509e87cbe47eba15780825d7f47a2298753ed1b94ee43c1");
  EXPECT_EQ(assets::address_of(counting_chain(), id.hash).to_string(),
            "fd48:4d00:1:203:a417:666:3394:5f82");
}

TEST(LedgerGolden, OperationId) {
  const Operation operation{
      .chain_id = counting_chain(),
      .actor = filled<identity::OwnerId>(0x33),
      .sequence = 7,
      .anchor = {5, filled<crypto::Digest>(0x44)},
      .expiry_height = 105,
      .action = TransferCaes{filled<identity::OwnerId>(0x55), caesar::Amount{1'500'000'000}}};
  EXPECT_EQ(operation_id(operation).to_string(),
            "c0901d1d82ec9d0e2f3fd06d0cb828f7febeccd1d44181d83081448e8ab2b859");
}

TEST(LedgerGolden, EmptyReceiptsRoot) {
  EXPECT_EQ(receipts_root({}).to_string(),
            "8fe1c167314e8d8e7f2c315bca0ff8ad303a0a238f34a79e3f2b8f6b025944ea");
}

}  // namespace
}  // namespace hm::ledger
