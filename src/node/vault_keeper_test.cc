// SPDX-License-Identifier: Apache-2.0
#include "node/vault_keeper.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "node/hardware_assets.h"
#include "node/memory_mesh.h"

namespace hm::node {
namespace {

constexpr const char* kSecret = "Most Secret Accelerator 9000";
constexpr std::uint64_t kSecretBytes = 0x1122334455667788;

ports::HardwareSnapshot hardware(bool has_any) {
  ports::HardwareSnapshot snapshot;
  if (!has_any) return snapshot;
  ports::HardwareItem item;
  item.kind = ports::HardwareKind::Gpu;
  item.key = "gpu0-secret-key";
  item.detected = kSecretBytes;
  item.offerable = true;
  item.descriptor = {{"model", std::string(kSecret)}};
  snapshot.items.push_back(item);
  return snapshot;
}

// A mesh whose second node has Private hardware, or none; and what it leaves behind.
struct Outcome {
  explicit Outcome(bool has_any) : mesh(2) {
    VaultKeeper vault(mesh.node(1), mesh.operations(1), std::nullopt,
                      [](const privacy::Vault&) { return Result<void>(); });
    HardwareAssets hardware_assets(mesh.node(1), mesh.operations(1), vault,
                                   {50, assets::PrivacyLevel::Private});
    hardware_assets.on_hardware_changed(hardware(has_any), {});
    mesh.run(30'000);
    state = mesh.ledger().export_state();
    for (std::uint64_t height = 1; height <= mesh.ledger().height(); ++height) {
      blocks.push_back((*mesh.node(0).chain().decoded_block(height))->block.payload);
    }
    kept = vault.vault()->assets();
    root = vault.vault()->root();
    on_ledger = mesh.ledger().node(mesh.id(1))->vault_root;
  }

  memory::MemoryMesh mesh;
  std::vector<ledger::StateEntry> state;
  std::vector<Bytes> blocks;
  std::vector<privacy::VaultAsset> kept;
  crypto::Digest root;
  std::optional<crypto::Digest> on_ledger;
};

bool holds(const Bytes& bytes, ByteView part) { return !std::ranges::search(bytes, part).empty(); }

TEST(Vault, ANodeWithPrivateHardwareLeavesTheSameShapeAsOneWithoutAny) {
  const Outcome with(true);
  const Outcome without(false);
  ASSERT_EQ(with.kept.size(), 1U);
  ASSERT_TRUE(without.kept.empty());
  EXPECT_EQ(with.on_ledger, with.root);
  EXPECT_EQ(without.on_ledger, without.root);
  EXPECT_NE(with.root, without.root);

  ASSERT_EQ(with.state.size(), without.state.size());
  for (std::size_t i = 0; i < with.state.size(); ++i) {
    EXPECT_EQ(with.state[i].key.size(), without.state[i].key.size());
    EXPECT_EQ(with.state[i].value.size(), without.state[i].value.size());
  }
  ASSERT_EQ(with.blocks.size(), without.blocks.size());
  for (std::size_t i = 0; i < with.blocks.size(); ++i) {
    EXPECT_EQ(with.blocks[i].size(), without.blocks[i].size());
  }
}

TEST(Vault, NothingOfThePrivateAssetIsInStateOrBlocks) {
  const Outcome with(true);
  ASSERT_EQ(with.kept.size(), 1U);
  const privacy::VaultAsset& asset = with.kept[0];
  EXPECT_EQ(asset.terms.quantity.detected, kSecretBytes);
  // The last four bytes of a uuid name the chain, which is no secret.
  const ByteView uuid = ByteView(asset.id.uuid.bytes).first(12);
  std::vector<Bytes> everything = with.blocks;
  for (const ledger::StateEntry& entry : with.state) {
    everything.push_back(entry.key);
    everything.push_back(entry.value);
  }
  ASSERT_GT(everything.size(), 10U);
  for (const Bytes& bytes : everything) {
    EXPECT_FALSE(holds(bytes, uuid));
    EXPECT_FALSE(holds(bytes, asset.id.hash.bytes));
    EXPECT_FALSE(holds(bytes, as_bytes(std::string_view(kSecret))));
    EXPECT_FALSE(holds(bytes, as_bytes(std::string_view("gpu0-secret-key"))));
    EXPECT_FALSE(holds(bytes, codec::encode(kSecretBytes)));
  }
}

TEST(Vault, IsSealedAnewWhenThePrivateHardwareChangesAndOnlyThen) {
  memory::MemoryMesh mesh(2);
  std::vector<crypto::Digest> remembered;
  const auto remember = [&](const privacy::Vault& vault) {
    remembered.push_back(vault.root());
    return Result<void>();
  };
  PrivateItem item;
  item.kind = assets::AssetKind::Gpu;
  item.terms.descriptor = {{"key", std::string("gpu0")}};
  item.terms.quantity = {8, 0, 0, "bytes"};
  std::optional<privacy::Vault> kept;
  {
    VaultKeeper vault(mesh.node(1), mesh.operations(1), std::nullopt, remember);
    vault.keep({item});
    vault.keep({item});
    mesh.run(10);
    EXPECT_EQ(remembered.size(), 1U);
    kept = vault.vault();
  }
  VaultKeeper vault(mesh.node(1), mesh.operations(1), kept, remember);
  const std::uint64_t height = mesh.ledger().height();
  vault.keep({item});
  mesh.run(10);
  EXPECT_EQ(mesh.ledger().height(), height) << "nothing changed";
  const auto id = vault.vault()->assets()[0].id;
  item.terms.quantity.detected = 16;
  vault.keep({item});
  mesh.run(10);
  EXPECT_EQ(remembered.size(), 2U);
  EXPECT_EQ(vault.vault()->assets()[0].id, id);
  EXPECT_EQ(mesh.ledger().node(mesh.id(1))->vault_root, remembered.back());
}

TEST(Vault, WhatIsNotRememberedIsNotCommitted) {
  memory::MemoryMesh mesh(2);
  VaultKeeper vault(mesh.node(1), mesh.operations(1), std::nullopt,
                    [](const privacy::Vault&) -> Result<void> {
                      return fail(ErrorCode::Io, "the disk is full");
                    });
  vault.keep({});
  mesh.run(1'000);
  EXPECT_FALSE(mesh.ledger().node(mesh.id(1))->vault_root);
}

}  // namespace
}  // namespace hm::node
