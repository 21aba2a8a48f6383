// SPDX-License-Identifier: Apache-2.0
#include "core/storage/manifest.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/storage/manifest_box.h"
#include "core/storage/test_objects.h"
#include "foundation/base/hex.h"

namespace hm::storage {
namespace {

using namespace testing;

using Key = sealed_box::DecapsulationKey;

Key key_from(std::uint8_t first) {
  std::array<std::uint8_t, ml_kem::kSeedSize> seed{};
  for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::uint8_t>(first + i);
  return Key::from_seed(seed);
}

std::vector<sealed_box::EncapsulationKey> readers(std::initializer_list<const Key*> keys) {
  std::vector<sealed_box::EncapsulationKey> out;
  for (const Key* each : keys) out.push_back(each->encapsulation_key());
  return out;
}

// Each shard of a stripe with another of `nodes` nodes.
void place(Manifest& manifest, std::size_t nodes) {
  std::size_t turn = 0;
  for (Stripe& stripe : manifest.stripes) {
    stripe.places.clear();
    for (std::size_t i = 0; i < stripe.code.shards(); ++i) {
      Place place;
      place.node.bytes.fill(static_cast<std::uint8_t>(turn++ % nodes));
      place.lease.bytes.fill(static_cast<std::uint8_t>(turn % 3));
      stripe.places.push_back(place);
    }
  }
}

Manifest some_manifest(const Domain* in = nullptr, std::size_t size = 40'000) {
  Shards shards;
  auto as = plan(in);
  as.description = {"photos/a \xc3\xa4.jpg", {{"content-type", "image/jpeg"}, {"x", ""}}};
  Manifest manifest = store(random_bytes(size, 1), as, shards, layout(4, 2));
  place(manifest, 6);
  return manifest;
}

TEST(ManifestBytes, AreReadBack) {
  const Domain in = domain();
  for (const Domain* each : {&in, static_cast<const Domain*>(nullptr)}) {
    for (const std::size_t size : {0U, 1U, 40'000U}) {
      const Manifest manifest = some_manifest(each, size);
      const Bytes bytes = encode(manifest);
      const auto again = decode_manifest(bytes);
      ASSERT_TRUE(again);
      EXPECT_EQ(*again, manifest);
      EXPECT_EQ(encode(*again), bytes);
    }
  }
}

TEST(ManifestBytes, AreReadBackWithoutPlaces) {
  Manifest manifest = some_manifest();
  for (Stripe& each : manifest.stripes) each.places.clear();
  EXPECT_EQ(decode_manifest(encode(manifest)).value(), manifest);
}

TEST(ManifestBytes, AreRefusedWhenTruncatedOrLonger) {
  const Bytes bytes = encode(some_manifest());
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    EXPECT_FALSE(decode_manifest(ByteView(bytes).first(size)));
  }
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(decode_manifest(longer).error(), StorageError::NotAManifest);
  Bytes other = bytes;
  other[0] = 2;
  EXPECT_EQ(decode_manifest(other).error(), StorageError::UnknownFormat);
}

TEST(ManifestBytes, ThatDecodeHaveOneSpelling) {
  const Bytes bytes = encode(some_manifest(nullptr, 2000));
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      Bytes altered = bytes;
      altered[at] ^= static_cast<std::uint8_t>(flip);
      if (const auto manifest = decode_manifest(altered)) {
        ++accepted;
        ASSERT_EQ(encode(*manifest), altered) << at;
      }
    }
  }
  EXPECT_GT(accepted, 0U);
}

TEST(ManifestCheck, NamesTheRuleThatIsBroken) {
  const Domain in = domain();
  const auto error_with = [&](const std::function<void(Manifest&)>& spoil,
                              const Domain* of = nullptr) {
    Manifest manifest = some_manifest(of);
    spoil(manifest);
    const auto result = check(manifest);
    EXPECT_FALSE(result);
    return result ? StorageError::BadSizes : result.error();
  };
  using M = Manifest;
  EXPECT_EQ(error_with([](M& m) { m.depth = 2; }), StorageError::BadDepth);
  EXPECT_EQ(error_with([](M& m) { m.what.object.resize(257); }), StorageError::ObjectIdTooLong);
  EXPECT_EQ(error_with([](M& m) { m.description.name.resize(4097, 'x'); }),
            StorageError::NameTooLong);
  EXPECT_EQ(error_with([](M& m) {
              for (int i = 0; i < 65; ++i) m.description.metadata[std::to_string(i)] = "";
            }),
            StorageError::MetadataTooLong);
  EXPECT_EQ(error_with([](M& m) { std::get<WithOwnSecret>(m.protection).version = 2; }),
            StorageError::BadVersion);
  EXPECT_EQ(error_with([](M& m) { m.stripes[0].roots.pop_back(); }), StorageError::BadStripe);
  EXPECT_EQ(error_with([](M& m) { m.stripes[0].places.pop_back(); }), StorageError::BadStripe);
  EXPECT_EQ(error_with([](M& m) { m.stripes[0].shard_bytes = 4095; }), StorageError::BadStripe);
  EXPECT_EQ(error_with([](M& m) { m.stripes.push_back(m.stripes[0]); }),
            StorageError::UnusedStripe);
  EXPECT_EQ(error_with([](M& m) { m.segments[0].flags = 2; }), StorageError::BadSegmentLength);
  EXPECT_EQ(error_with([](M& m) { m.segments[0].flags = kCompressedFlag; }),
            StorageError::BadSegmentLength);
  EXPECT_EQ(error_with([](M& m) { --m.segments[0].plain_length; }), StorageError::BadSegmentLength);
  EXPECT_EQ(error_with([](M& m) { m.segments[0].seal = SharedSegment{}; }),
            StorageError::WrongProtection);
  EXPECT_EQ(error_with([](M& m) { m.segments[0].seal = SegmentNumber{1}; }, &in),
            StorageError::WrongProtection);
  EXPECT_EQ(error_with([](M& m) { m.segments[1].seal = SegmentNumber{0}; }),
            StorageError::BadSegmentNumber);
  EXPECT_EQ(error_with([](M& m) { m.segments[0].stripe = 1; }), StorageError::NoSuchStripe);
  EXPECT_EQ(error_with([](M& m) { m.segments[0].offset = 0xffffffff; }),
            StorageError::BeyondStripe);
  EXPECT_EQ(error_with([](M& m) {
              m.segments[0].offset = static_cast<std::uint32_t>(m.stripes[0].capacity()) -
                                     m.segments[0].sealed_length + 1;
            }),
            StorageError::BeyondStripe);
  EXPECT_EQ(error_with([](M& m) { ++m.size; }), StorageError::WrongTotal);
}

// --- Sealed -----------------------------------------------------------------------------------

TEST(SealedManifest, IsReadByItsReadersAndByNobodyElse) {
  const Manifest manifest = some_manifest();
  const Key alice = key_from(1);
  const Key bob = key_from(2);
  const Key eve = key_from(3);
  const auto box = seal_manifest(manifest, readers({&alice, &bob}), chance(1)).value();
  EXPECT_EQ(open_manifest(box, alice, version()).value(), manifest);
  EXPECT_EQ(open_manifest(box, bob, version()).value(), manifest);
  EXPECT_EQ(open_manifest(box, eve, version()).error(), StorageError::NotAReader);
  EXPECT_EQ(open_manifest(box, alice, version(2)).error(), StorageError::ManifestNotOpened);
  EXPECT_EQ(open_manifest(box, alice, version(1, "other")).error(),
            StorageError::ManifestNotOpened);
  auto altered = box;
  altered.content[100] ^= 1;
  EXPECT_EQ(open_manifest(altered, alice, version()).error(), StorageError::ManifestNotOpened);
  EXPECT_EQ(seal_manifest(manifest, {}, chance(1)).error(), StorageError::BadReaders);
}

TEST(SealedManifest, IsSharedByAWrapThatLeavesManifestAndCommitment) {
  const Manifest manifest = some_manifest();
  const Key alice = key_from(1);
  const Key bob = key_from(2);
  const auto box = seal_manifest(manifest, readers({&alice}), chance(1)).value();
  EXPECT_EQ(open_manifest(box, bob, version()).error(), StorageError::NotAReader);
  const auto shared = sealed_box::add_reader(box, alice, bob.encapsulation_key(),
                                             context_of(manifest.what), chance(2))
                          .value();
  EXPECT_EQ(open_manifest(shared, bob, version()).value(), manifest);
  EXPECT_EQ(shared.content, box.content);
  EXPECT_EQ(shared.commitment, box.commitment);
}

TEST(SealedManifest, OfTheNextVersionIsNotReadByWhoWasRevoked) {
  const Bytes object = random_bytes(40'000, 1);
  Shards shards;
  const Manifest manifest = store(object, plan(), shards, layout(4, 2));
  const Key alice = key_from(1);
  const Key bob = key_from(2);
  const auto box = seal_manifest(manifest, readers({&alice, &bob}), chance(1)).value();
  const Manifest next = next_version(manifest);
  const auto revoked = seal_manifest(next, readers({&alice}), chance(2)).value();
  EXPECT_NE(revoked.commitment, box.commitment);
  EXPECT_EQ(open_manifest(revoked, bob, version(2)).error(), StorageError::NotAReader);
  // Nor with the wrap that he has.
  auto forged = revoked;
  forged.wraps = box.wraps;
  EXPECT_FALSE(open_manifest(forged, bob, version(2)));
  EXPECT_EQ(read_back(open_manifest(revoked, alice, version(2)).value(), shards).plain, object);
  EXPECT_EQ(open_manifest(box, bob, version()).value(), manifest);
}

TEST(SealedManifest, IsRefusedWhenItIsOfAnotherObjectThanItsBox) {
  const Manifest manifest = some_manifest();
  const Key alice = key_from(1);
  const auto box =
      sealed_box::seal(encode(manifest), readers({&alice}), context_of(version(2)), chance(1))
          .value();
  EXPECT_EQ(open_manifest(box, alice, version(2)).error(), StorageError::OtherObject);
}

TEST(LongManifest, IsStoredAsAnObjectAndFoundAgain) {
  const Bytes object = random_bytes(6'000'000, 1);
  const Domain in = domain();
  Shards shards;
  auto as = plan(&in);
  as.profile = Profile::fixed(256).value();
  Manifest manifest = store(object, as, shards, layout(4, 2));
  place(manifest, 6);
  ASSERT_FALSE(fits_a_box(manifest));
  const Key alice = key_from(1);
  EXPECT_EQ(seal_manifest(manifest, readers({&alice}), chance(1)).error(),
            StorageError::ManifestTooLong);

  StripeWriter writer(layout(4, 2), chance(3), shards.sink());
  Manifest outer = cut_manifest(manifest, writer, chance(4)).value();
  place(outer, 6);
  ASSERT_TRUE(fits_a_box(outer));
  EXPECT_EQ(outer.depth, 1);
  const auto box = seal_manifest(outer, readers({&alice}), chance(1)).value();

  const Manifest opened = open_manifest(box, alice, version()).value();
  const ReadBack content = read_back(opened, shards);
  ASSERT_FALSE(content.failure);
  const Manifest inner = unfold(opened, content.plain).value();
  EXPECT_EQ(inner, manifest);
  EXPECT_TRUE(read_back(inner, shards).plain == object);

  Manifest other = opened;
  ++other.what.version;
  EXPECT_EQ(unfold(other, content.plain).error(), StorageError::OtherObject);
  EXPECT_EQ(unfold(opened, encode(opened)).error(), StorageError::BadDepth);
}

}  // namespace
}  // namespace hm::storage
