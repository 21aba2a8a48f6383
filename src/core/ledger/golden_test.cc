// SPDX-License-Identifier: Apache-2.0
// The examples of docs/protocols/ledger.md; the constants come from an independent encoder
// (Python's hashlib over bytes put together by hand).
#include <gtest/gtest.h>

#include "core/assets/address.h"
#include "core/ledger/job_result.h"
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

TEST(LedgerGolden, OpenLeaseOperationId) {
  assets::AssetId asset{assets::AssetKind::Gpu, {}, filled<crypto::Digest>(0x77)};
  for (std::size_t i = 0; i < asset.uuid.bytes.size(); ++i) {
    asset.uuid.bytes[i] = static_cast<std::uint8_t>(i);
  }
  const Operation operation{
      .chain_id = counting_chain(),
      .actor = filled<identity::OwnerId>(0x33),
      .sequence = 7,
      .anchor = {5, filled<crypto::Digest>(0x44)},
      .expiry_height = 105,
      .action = OpenLease{.choices = {{asset, filled<privacy::GrantId>(0x88)}},
                          .quantity = 2,
                          .duration_ms = 3'600'000,
                          .network = privacy::NetworkClass::Mesh,
                          .highest_price = {caesar::caes(2), 1}}};
  EXPECT_EQ(operation_id(operation).to_string(),
            "d111c4dd1d5e25628eb6886acaa8bec4a58e947faabef59435b09fe6778763fe");
}

TEST(LedgerGolden, GrantId) {
  const privacy::Grant grant{.owner = filled<identity::OwnerId>(0x11),
                             .issuer = filled<identity::OwnerId>(0x22),
                             .parent = filled<privacy::GrantId>(0x33),
                             .number = 7,
                             .to = privacy::ToGroup{filled<privacy::GroupId>(0x44)},
                             .assets = {assets::AssetKind::Gpu, {}, filled<crypto::Digest>(0x55)},
                             .share_percent = 50,
                             .limits = {2, 8, 86'400'000, 10},
                             .network = privacy::NetworkClass::Mesh,
                             .hours = privacy::Hours{1'200, 480, 1'500, 0x1f},
                             .when = privacy::When::Idle,
                             .price = caesar::Price{caesar::caes(1), 4},
                             .expiry = UnixMillis{1'760'000'000'000},
                             .notice_ms = 60'000,
                             .delegations = 1};
  EXPECT_EQ(privacy::grant_id(counting_chain(), grant).to_string(),
            "5241478e3d24acbd1583158182c8390496cab584fc626b3c3f62113e493dde79");
}

TEST(LedgerGolden, GroupId) {
  const auto owner = filled<identity::OwnerId>(0x22);
  EXPECT_EQ(privacy::group_id(counting_chain(), owner, "friends").to_string(),
            "70f58ec502ca1612680682bf3838b522a33a005ff3ba8cd795416a2ba8b1e656");
}

TEST(LedgerGolden, MeterStatement) {
  const auto lease = filled<LeaseId>(0x66);
  EXPECT_EQ(meter_statement(counting_chain(), lease, 1, 12, 59'000, 118'000'000).to_string(),
            "d59b6db695dc4d6ae5550d656d92816166272fa46c1638c2fff3060f2cd8ea65");
}

TEST(LedgerGolden, ResultCommitmentAndStatement) {
  const auto lease = filled<LeaseId>(0x66);
  ResultSalt salt{};
  salt.fill(0x99);
  const auto commitment =
      result_commitment(counting_chain(), lease, filled<crypto::Digest>(0xaa), 3, salt);
  EXPECT_EQ(commitment.to_string(),
            "782ff083716c702e668e92d76807a8f4d232c34cadac65a55742165c91d580a2");
  EXPECT_EQ(result_statement(counting_chain(), lease, commitment).to_string(),
            "c115755b545a834f2391cb1622d14135e8c2415ad0f9def8bfc6e13a5bba19be");
}

TEST(LedgerGolden, ReportDisagreementOperationIdAndEvidence) {
  std::vector<SignedResult> results;
  for (const std::uint8_t byte : std::initializer_list<std::uint8_t>{1, 2, 3}) {
    SignedResult result{.lease = filled<LeaseId>(byte),
                        .commitment = filled<crypto::Digest>(0x10),
                        .output = filled<crypto::Digest>(0x20),
                        .exit_code = byte,
                        .key = filled<crypto::PublicKey>(0x40)};
    result.salt.fill(0x30);
    result.signature.bytes.fill(0x50);
    results.push_back(result);
  }
  const Operation operation{.chain_id = counting_chain(),
                            .actor = filled<identity::OwnerId>(0x33),
                            .sequence = 7,
                            .anchor = {5, filled<crypto::Digest>(0x44)},
                            .expiry_height = 105,
                            .action = ReportDisagreement{results, 2}};
  EXPECT_EQ(operation_id(operation).to_string(),
            "2f68d66566215bb325e2b09265fb55de6a8c5933588c908c2d3a5d17ecd93a87");
  EXPECT_EQ(evidence_hash(counting_chain(), results).to_string(),
            "9f4e3269da7ffefe139e3dba26188e3b261deff5e187ecf2a078afb7af769317");
}

TEST(LedgerGolden, SetAllowanceOperationId) {
  const Operation operation{
      .chain_id = counting_chain(),
      .actor = filled<identity::OwnerId>(0x33),
      .sequence = 7,
      .anchor = {5, filled<crypto::Digest>(0x44)},
      .expiry_height = 105,
      .action = SetAllowance{filled<identity::NodeId>(0x66), caesar::Amount{1'500'000'000}}};
  EXPECT_EQ(operation_id(operation).to_string(),
            "8f12ca6448a802086c333c18a7197333bec2200a68e781bc06a486781455d518");
}

TEST(LedgerGolden, CommitStorageOperationId) {
  const Operation operation{
      .chain_id = counting_chain(),
      .actor = filled<identity::OwnerId>(0x33),
      .sequence = 7,
      .anchor = {5, filled<crypto::Digest>(0x44)},
      .expiry_height = 105,
      .action = CommitStorage{filled<identity::NodeId>(0x66), 3, filled<crypto::Digest>(0x77),
                              filled<crypto::Digest>(0x88)}};
  EXPECT_EQ(operation_id(operation).to_string(),
            "8266e0774b035f81b000e5ce40de9bb846f46f9d5a9cfb4f18de045dcc711a1c");
}

TEST(LedgerGolden, EmptyReceiptsRoot) {
  EXPECT_EQ(receipts_root({}).to_string(),
            "8fe1c167314e8d8e7f2c315bca0ff8ad303a0a238f34a79e3f2b8f6b025944ea");
}

}  // namespace
}  // namespace hm::ledger
