// SPDX-License-Identifier: Apache-2.0
// Objects whose parts were stored each by itself.
#include <gtest/gtest.h>

#include "core/storage/content_parts.h"
#include "core/storage/manifest_join.h"
#include "core/storage/test_objects.h"

namespace hm::storage {
namespace {

using testing::chance;
using testing::random_bytes;

PartContent content_of(ByteView object, std::uint64_t offset, std::size_t size, std::size_t piece) {
  ByteView part = object.subspan(offset, size);
  PartHasher hasher(offset);
  for (; !part.empty(); part = part.subspan(std::min(piece, part.size()))) {
    hasher.update(part.first(std::min(piece, part.size())));
  }
  PartContent content = hasher.finish();
  content.alone = blake3::hash(object.subspan(offset, size));
  return content;
}

TEST(ContentParts, PartsOfAnySizeGiveTheHashOfTheWhole) {
  const Bytes object = random_bytes(3'000'000, 1);
  const std::uint64_t page = kPartAlignment;
  for (const std::uint64_t part : {page, 2 * page, 3 * page, 5 * page, 16 * page, 45 * page}) {
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{1024}, std::size_t{1025}, std::size_t{65'536},
          std::size_t{65'537}, std::size_t{6 * 65'536}, std::size_t{1'000'000}, object.size()}) {
      const ByteView whole = ByteView(object).first(size);
      std::vector<PartContent> parts;
      for (std::uint64_t at = 0; at < size; at += part) {
        parts.push_back(content_of(whole, at, std::min<std::size_t>(part, size - at), 77'777));
      }
      EXPECT_EQ(content_of_parts(parts), blake3::hash(whole)) << part << ' ' << size;
    }
  }
}

TEST(ContentParts, HowAPartComesDoesNotMatterAndItLeavesFewValues) {
  const Bytes object = random_bytes(9 * kPartAlignment + 5, 2);
  const PartContent one = content_of(object, 3 * kPartAlignment, 6 * kPartAlignment + 5, 1 << 24);
  for (const std::size_t piece : {std::size_t{1'000}, std::size_t{65'536}, std::size_t{65'537}}) {
    EXPECT_EQ(content_of(object, 3 * kPartAlignment, 6 * kPartAlignment + 5, piece), one);
  }
  EXPECT_EQ(one.subtrees.size(), 3U) << "pages 3, 4 to 7, 8 and the short 9";
}

TEST(ContentParts, PartsThatDoNotFollowEachOtherAreRefused) {
  const Bytes object = random_bytes(4 * kPartAlignment, 3);
  const auto part = [&](std::uint64_t index) {
    return content_of(object, index * kPartAlignment, kPartAlignment, 1 << 20);
  };
  const auto refused = [](const std::vector<PartContent>& parts) {
    return content_of_parts(parts).error() == StorageError::NotParts;
  };
  EXPECT_TRUE(refused({part(1)}));
  EXPECT_TRUE(refused({part(0), part(2)}));
  EXPECT_TRUE(refused({part(1), part(0)}));
  EXPECT_TRUE(refused({part(0), part(0)}));
  auto lies = part(1);
  lies.subtrees.push_back(lies.subtrees.front());
  EXPECT_TRUE(refused({part(0), lies}));
  lies = part(1);
  lies.subtrees.front().level = 60;
  EXPECT_TRUE(refused({part(0), lies}));
  lies = part(1);
  lies.subtrees.clear();
  EXPECT_TRUE(refused({part(0), lies}));
  lies = part(0);
  lies.size -= 1;
  EXPECT_TRUE(refused({lies, part(1)}));
}

struct StoredParts {
  testing::Shards shards;
  std::vector<Manifest> manifests;
  std::vector<PartContent> contents;
};

void store_parts(StoredParts& stored, const Bytes& object, std::size_t part, const Domain* in,
                 const WithOwnSecret& own) {
  for (std::size_t at = 0; at < object.size(); at += part) {
    const std::size_t size = std::min(part, object.size() - at);
    ObjectPlan plan = testing::plan(in);
    if (in == nullptr) {
      plan.own = own;
      plan.first_number = at << 20;
    }
    stored.manifests.push_back(testing::store(ByteView(object).subspan(at, size), plan,
                                              stored.shards, testing::layout(4, 2), at + 1));
    EXPECT_TRUE(check(stored.manifests.back()));
    stored.contents.push_back(content_of(object, at, size, 1 << 20));
  }
}

TEST(ManifestJoiner, PartsAreReadAsOneObject) {
  const Domain domain = testing::domain();
  const WithOwnSecret own{.secret = {7, 1}, .version = 1};
  Bytes object = random_bytes(700'000, 4);
  testing::append(object, ByteView(object).first(300'000));  // equal segments in two parts
  for (const Domain* in : {static_cast<const Domain*>(nullptr), &domain}) {
    StoredParts stored;
    store_parts(stored, object, 4 * kPartAlignment, in, own);
    ManifestJoiner joiner(testing::version(2), {.name = "joined", .metadata = {}},
                          in != nullptr ? Protection(InDomain{domain.id()}) : Protection(own));
    for (const Manifest& part : stored.manifests) ASSERT_TRUE(joiner.add(part));
    const auto joined = joiner.take(content_of_parts(stored.contents).value());
    ASSERT_TRUE(joined);
    EXPECT_EQ(joined->size, object.size());
    EXPECT_EQ(joined->content, blake3::hash(object));
    EXPECT_EQ(decode_manifest(encode(*joined)), *joined);
    const auto back = testing::read_back(*joined, stored.shards);
    ASSERT_FALSE(back.failure) << back.failure->to_string();
    EXPECT_EQ(back.plain, object);
    const auto range = testing::read_back(*joined, stored.shards, 262'000, 530'001);
    EXPECT_EQ(range.plain, to_bytes(ByteView(object).subspan(262'000, 268'001)));
  }
}

TEST(ManifestJoiner, PartsOfAnotherObjectOrSealedOtherwiseAreRefused) {
  const Domain domain = testing::domain();
  const WithOwnSecret own{.secret = {7, 1}, .version = 1};
  const Bytes object = random_bytes(100'000, 5);
  StoredParts stored;
  store_parts(stored, object, object.size(), nullptr, own);
  const Manifest& part = stored.manifests.front();
  const auto verdict = [&](const Protection& protection, const ObjectVersion& what) {
    return ManifestJoiner(what, {}, protection).add(part);
  };
  EXPECT_TRUE(verdict(own, testing::version(3)));
  EXPECT_EQ(verdict(InDomain{domain.id()}, testing::version()).error(),
            StorageError::WrongProtection);
  EXPECT_EQ(verdict(WithOwnSecret{.secret = {7, 2}, .version = 1}, testing::version()).error(),
            StorageError::WrongProtection);
  EXPECT_EQ(verdict(own, testing::version(3, "other")).error(), StorageError::OtherObject);
  ManifestJoiner twice(testing::version(2), {}, own);
  EXPECT_TRUE(twice.add(part));
  EXPECT_TRUE(twice.add(part));
  EXPECT_EQ(twice.take({}).error(), StorageError::BadSegmentNumber);
  ManifestJoiner before(testing::version(0), {}, own);
  EXPECT_TRUE(before.add(part));
  EXPECT_EQ(before.take({}).error(), StorageError::BadVersion) << "sealed in a later version";
}

}  // namespace
}  // namespace hm::storage
