// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/identity/key_bundle.h"
#include "core/identity/key_rotation.h"
#include "core/identity/node_binding.h"
#include "core/identity/owner_keys.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::identity {
namespace {

crypto::SigningKey key(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(seed);
  return crypto::SigningKey::from_seed(bytes);
}

const OwnerKeys& owner(std::uint8_t seed) {
  static std::map<std::uint8_t, OwnerKeys> made;
  if (const auto found = made.find(seed); found != made.end()) return found->second;
  OwnerSeeds seeds;
  seeds.ed25519.fill(seed);
  seeds.falcon.fill(seed);
  seeds.ml_kem.fill(seed);
  return made.emplace(seed, OwnerKeys::generate(seeds, falcon::Arithmetic::Hardware)).first->second;
}

PublicKeys public_keys(std::uint8_t seed) { return validate(owner(seed).bundle()).value(); }

falcon::SigningRandomness randomness(std::uint8_t number) {
  falcon::SigningRandomness bytes;
  bytes.nonce.fill(number);
  bytes.seed.fill(number);
  return bytes;
}

TEST(KeyBundle, HoldsExactlyOneKeyOfEachAlgorithm) {
  const KeyBundle& good = owner(1).bundle();
  EXPECT_EQ(validate(good).value().ed25519, key(1).public_key());
  EXPECT_EQ(validate(KeyBundle{}).error(), BundleError::MissingKey);
  for (const auto& [algorithm, bytes] : good.keys) {
    auto missing = good;
    missing.keys.erase(algorithm);
    EXPECT_EQ(validate(missing).error(), BundleError::MissingKey) << algorithm;
    auto shorter = good;
    shorter.keys[algorithm].pop_back();
    EXPECT_EQ(validate(shorter).error(), BundleError::BadKeySize) << algorithm;
  }
  auto unknown = good;
  unknown.keys[7] = {1, 2, 3};
  EXPECT_EQ(validate(unknown).error(), BundleError::UnknownAlgorithm);
}

TEST(KeyBundle, RefusesSmallOrderAndNonCanonicalEd25519Keys) {
  auto bundle = owner(1).bundle();
  for (const std::uint8_t fill : {std::uint8_t{0}, std::uint8_t{0xff}}) {
    bundle.keys[kAlgorithmEd25519] = Bytes(32, fill);
    EXPECT_EQ(validate(bundle).error(), BundleError::InvalidEd25519);
  }
}

TEST(KeyBundle, RefusesPostQuantumKeysThatAreNotReduced) {
  auto bundle = owner(1).bundle();
  bundle.keys[kAlgorithmFalcon1024][1] = 0xff;
  bundle.keys[kAlgorithmFalcon1024][2] = 0xff;
  EXPECT_EQ(validate(bundle).error(), BundleError::InvalidFalcon);
  bundle = owner(1).bundle();
  bundle.keys[kAlgorithmMlKem1024][0] = 0xff;
  bundle.keys[kAlgorithmMlKem1024][1] |= 0x0f;
  EXPECT_EQ(validate(bundle).error(), BundleError::InvalidMlKem);
}

TEST(KeyBundle, OwnersWithDifferentKeysHaveDifferentIds) {
  EXPECT_NE(owner(1).id(), owner(2).id());
  EXPECT_NE(owner(1).id().to_string(), node_id_of(key(1).public_key()).to_string());
}

TEST(Name, IsLowerCaseLettersDigitsAndInnerPunctuation) {
  for (const char* good : {"a", "node-1", "lab.example_2", "7"}) EXPECT_TRUE(is_valid_name(good));
  for (const char* bad : {"", "-a", "a-", "A", "a b", "ä", ".", "a/b"}) {
    EXPECT_FALSE(is_valid_name(bad)) << bad;
  }
  EXPECT_TRUE(is_valid_name(std::string(63, 'a')));
  EXPECT_FALSE(is_valid_name(std::string(64, 'a')));
}

TEST(OwnerKeys, SecretsRestoreToTheSameOwnerAndOnlyToTheirOwnBundle) {
  const Bytes secret = owner(1).secret_bytes();
  const auto back = OwnerKeys::restore(owner(1).id(), owner(1).bundle(), secret);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->bundle(), owner(1).bundle());
  EXPECT_EQ(back->ed25519().public_key(), key(1).public_key());
  const crypto::Digest statement = crypto::sha256(as_bytes("x"));
  EXPECT_EQ(back->sign(statement, randomness(3)), owner(1).sign(statement, randomness(3)));

  EXPECT_EQ(OwnerKeys::restore(owner(1).id(), owner(2).bundle(), secret).error(),
            OwnerKeysError::WrongPublicKeys);
  EXPECT_EQ(OwnerKeys::restore(owner(1).id(), owner(1).bundle(),
                               ByteView(secret).first(secret.size() - 1))
                .error(),
            OwnerKeysError::Malformed);
}

TEST(OwnerSignature, NeedsBothHalves) {
  const crypto::Digest statement = crypto::sha256(as_bytes("statement"));
  const OwnerSignature good = owner(1).sign(statement, randomness(1));
  EXPECT_EQ(broken_half(public_keys(1), statement, good), std::nullopt);
  EXPECT_EQ(broken_half(public_keys(2), statement, good), Half::Ed25519);
  auto broken = good;
  broken.falcon.bytes[100] ^= 1;
  EXPECT_EQ(broken_half(public_keys(1), statement, broken), Half::Falcon);
  broken = good;
  broken.falcon = owner(2).sign_falcon(statement, randomness(1));
  EXPECT_EQ(broken_half(public_keys(1), statement, broken), Half::Falcon);
}

TEST(NodeBinding, NeedsEverySignatureInItsContext) {
  const auto node = key(2);
  const auto context = genesis_binding_context("chain", 5);
  const PublicKeys keys = public_keys(1);
  const NodeBinding good = bind_node(owner(1), node, context, "node-1", randomness(1));
  EXPECT_TRUE(verify(good, keys, context));
  EXPECT_EQ(good.node(), node_id_of(node.public_key()));

  EXPECT_EQ(verify(good, public_keys(3), context).error(), BindingError::NotSignedByOwner);
  EXPECT_EQ(verify(good, keys, genesis_binding_context("chain", 6)).error(),
            BindingError::NotSignedByOwner);
  auto quantum = good;  // somebody broke Ed25519 alone
  quantum.owner_signature.falcon =
      owner(3).sign_falcon(crypto::sha256(as_bytes("x")), randomness(1));
  EXPECT_EQ(verify(quantum, keys, context).error(), BindingError::NotFalconSigned);
  auto stolen = good;
  stolen.possession = key(3).sign(as_bytes("something"));
  EXPECT_EQ(verify(stolen, keys, context).error(), BindingError::NotSignedByNode);
  // The owner's signature does not stand in for the node's.
  stolen.possession = good.owner_signature.ed25519;
  EXPECT_EQ(verify(stolen, keys, context).error(), BindingError::NotSignedByNode);
  auto renamed = good;
  renamed.name = "node-2";
  EXPECT_EQ(verify(renamed, keys, context).error(), BindingError::NotSignedByOwner);
  renamed.name = "";
  EXPECT_EQ(verify(renamed, keys, context).error(), BindingError::BadName);
  auto weak = good;
  weak.node_key = {};
  EXPECT_EQ(verify(weak, keys, context).error(), BindingError::InvalidNodeKey);
}

TEST(KeyRotation, NewKeysSignForOnePlaceInOneHistory) {
  const RotationContext context{{}, owner(1).id(), 7};
  const KeyRotation good =
      sign_rotation(owner(1), owner(2), context, 10, {randomness(1), randomness(2)});
  EXPECT_TRUE(check_possession(good, context));
  EXPECT_TRUE(
      verify(public_keys(1).falcon, rotation_statement(context, good.bundle, 10), good.agreement));
  auto later = context;
  later.sequence = 8;
  EXPECT_EQ(check_possession(good, later).error(), RotationError::NotHeld);
  auto elsewhere = context;
  elsewhere.chain.bytes[0] = 1;
  EXPECT_EQ(check_possession(good, elsewhere).error(), RotationError::NotHeld);
  auto longer = good;
  longer.overlap = 11;
  EXPECT_EQ(check_possession(longer, context).error(), RotationError::NotHeld);
  auto swapped = good;
  swapped.bundle = owner(3).bundle();
  EXPECT_EQ(check_possession(swapped, context).error(), RotationError::NotHeld);
  swapped.bundle = {};
  EXPECT_EQ(check_possession(swapped, context).error(), RotationError::BadKeyBundle);
}

}  // namespace
}  // namespace hm::identity
