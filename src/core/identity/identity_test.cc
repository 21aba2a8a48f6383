// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/identity/key_bundle.h"
#include "core/identity/node_binding.h"
#include "foundation/codec/reader.h"

namespace hm::identity {
namespace {

crypto::SigningKey key(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(seed);
  return crypto::SigningKey::from_seed(bytes);
}

NodeBinding bound(const crypto::SigningKey& owner, const crypto::SigningKey& node,
                  const crypto::Digest& context) {
  const OwnerId id = owner_id_of(KeyBundle::of(owner.public_key()));
  return {node.public_key(), id, "node-1",
          sign_as_owner(owner, context, id, node.public_key(), "node-1"),
          sign_as_node(node, context, id, "node-1")};
}

TEST(KeyBundle, HoldsExactlyOneEd25519Key) {
  const auto good = KeyBundle::of(key(1).public_key());
  EXPECT_EQ(validate(good).value(), key(1).public_key());
  EXPECT_EQ(validate(KeyBundle{}).error(), BundleError::MissingEd25519);
  auto unknown = good;
  unknown.keys[7] = {1, 2, 3};
  EXPECT_EQ(validate(unknown).error(), BundleError::UnknownAlgorithm);
  auto shorter = good;
  shorter.keys[kAlgorithmEd25519].pop_back();
  EXPECT_EQ(validate(shorter).error(), BundleError::BadKeySize);
}

TEST(KeyBundle, RefusesSmallOrderAndNonCanonicalKeys) {
  for (const std::uint8_t first : {std::uint8_t{0}, std::uint8_t{1}}) {
    crypto::PublicKey small;
    small.bytes[0] = first;
    EXPECT_EQ(validate(KeyBundle::of(small)).error(), BundleError::InvalidKey);
  }
  crypto::PublicKey huge;
  huge.bytes.fill(0xff);
  EXPECT_EQ(validate(KeyBundle::of(huge)).error(), BundleError::InvalidKey);
}

TEST(KeyBundle, AnotherAlgorithmKeepsTheFormat) {
  // One entry: u16 1, then 32 bytes with their length.
  const Bytes bytes = codec::encode(KeyBundle::of(key(1).public_key()));
  ASSERT_EQ(bytes.size(), 1u + 2u + 1u + 32u);
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes[1], 1);
  EXPECT_EQ(bytes[2], 0);
  EXPECT_EQ(bytes[3], 32);
}

TEST(KeyBundle, OwnersWithDifferentKeysHaveDifferentIds) {
  EXPECT_NE(owner_id_of(KeyBundle::of(key(1).public_key())),
            owner_id_of(KeyBundle::of(key(2).public_key())));
  EXPECT_NE(owner_id_of(KeyBundle::of(key(1).public_key())).to_string(),
            node_id_of(key(1).public_key()).to_string());
}

TEST(Name, IsLowerCaseLettersDigitsAndInnerPunctuation) {
  for (const char* good : {"a", "node-1", "lab.example_2", "7"}) EXPECT_TRUE(is_valid_name(good));
  for (const char* bad : {"", "-a", "a-", "A", "a b", "ä", ".", "a/b"}) {
    EXPECT_FALSE(is_valid_name(bad)) << bad;
  }
  EXPECT_TRUE(is_valid_name(std::string(63, 'a')));
  EXPECT_FALSE(is_valid_name(std::string(64, 'a')));
}

TEST(NodeBinding, NeedsBothSignaturesInItsContext) {
  const auto owner = key(1);
  const auto node = key(2);
  const auto context = genesis_binding_context("chain", 5);
  const NodeBinding good = bound(owner, node, context);
  EXPECT_TRUE(verify(good, owner.public_key(), context));
  EXPECT_EQ(good.node(), node_id_of(node.public_key()));

  EXPECT_EQ(verify(good, key(3).public_key(), context).error(), BindingError::NotSignedByOwner);
  EXPECT_EQ(verify(good, owner.public_key(), genesis_binding_context("chain", 6)).error(),
            BindingError::NotSignedByOwner);
  auto stolen = good;
  stolen.possession = key(3).sign(as_bytes("something"));
  EXPECT_EQ(verify(stolen, owner.public_key(), context).error(), BindingError::NotSignedByNode);
  // The owner's signature does not stand in for the node's.
  stolen.possession = good.owner_signature;
  EXPECT_EQ(verify(stolen, owner.public_key(), context).error(), BindingError::NotSignedByNode);
  auto renamed = good;
  renamed.name = "node-2";
  EXPECT_EQ(verify(renamed, owner.public_key(), context).error(), BindingError::NotSignedByOwner);
  renamed.name = "";
  EXPECT_EQ(verify(renamed, owner.public_key(), context).error(), BindingError::BadName);
  auto weak = good;
  weak.node_key = {};
  EXPECT_EQ(verify(weak, owner.public_key(), context).error(), BindingError::InvalidNodeKey);
}

}  // namespace
}  // namespace hm::identity
