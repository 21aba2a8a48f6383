// SPDX-License-Identifier: Apache-2.0
#include "core/storage/segment_seal.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "core/storage/test_objects.h"
#include "foundation/base/hex.h"

namespace hm::storage {
namespace {

using namespace testing;

Bytes seal(const SegmentSecret& by, const Binding& binding, std::uint8_t flags, ByteView bytes) {
  Bytes sealed(bytes.size() + kSealOverhead);
  const std::span<std::uint8_t> space = sealed;
  SegmentSealer().seal(by, binding, flags, {&bytes, 1}, {&space, 1});
  return sealed;
}

std::optional<Bytes> open(const SegmentSecret& by, const Binding& binding, std::uint8_t flags,
                          ByteView sealed) {
  Bytes bytes(sealed.size() - kSealOverhead);
  if (!SegmentSealer().open(by, binding, flags, sealed, bytes)) return std::nullopt;
  return bytes;
}

ObjectBinding of_object() { return {owner(), to_bytes(as_bytes("object")), 7, 3}; }

DomainBinding of_domain() {
  const Domain in = domain();
  return {in.owner(), in.id()};
}

TEST(SealedSegment, IsThatOfTheExample) {
  // docs/protocols/storage.md, "Example of keys".
  const Domain in = domain();
  const Bytes segment = to_bytes(as_bytes("a segment"));
  const auto fingerprint = in.fingerprint(segment);
  const SegmentSecret own = in.secret_of(fingerprint, 0);
  EXPECT_EQ(to_hex(in.id_of(fingerprint).bytes),
            "46c3eba5d36ec3c88b01ceb7a590449d1d559c02b1b0cb27daa13b313ae41fb3");
  EXPECT_EQ(to_hex(own), "cb2ff8d8addfa6a63da542b3417a77f8e73eec5ffb5501221066b8a8e2e542a6");
  EXPECT_EQ(to_hex(seal(own, of_domain(), 0, segment)),
            "57ac545d78fafb5ce5e6fe28eeca06752e98d0f6dfb45a7e76050335b20ea3b587b0cff8386a897b90472a"
            "7329e0c9b95362eee1e83f2f71ff");
  EXPECT_EQ(to_hex(seal(secret(0), of_object(), 0, segment)),
            "f27bbf962df3f1e5449cbb8d43d747fb5973f62ec84ccd727a153ca425c0143fc4a7fc12d04cd7691d7f54"
            "0c037335eed0106e90c8bcb3364c");
}

TEST(SealedSegment, OpensInItsContextAndInNoOther) {
  const Bytes bytes = random_bytes(1000, 1);
  for (const Binding& binding : {Binding(of_object()), Binding(of_domain())}) {
    const Bytes sealed = seal(secret(0), binding, kCompressedFlag, bytes);
    EXPECT_EQ(open(secret(0), binding, kCompressedFlag, sealed), bytes);
    EXPECT_FALSE(open(secret(1), binding, kCompressedFlag, sealed));
    EXPECT_FALSE(open(secret(0), binding, 0, sealed));
    for (const std::size_t at : {0UL, 31UL, 32UL, 500UL, sealed.size() - 1}) {
      Bytes altered = sealed;
      altered[at] ^= 0x10;
      EXPECT_FALSE(open(secret(0), binding, kCompressedFlag, altered)) << at;
    }
  }
  const Bytes sealed = seal(secret(0), of_object(), 0, bytes);
  ObjectBinding other = of_object();
  other.owner = owner(9);
  EXPECT_FALSE(open(secret(0), other, 0, sealed));
  other = of_object();
  other.object.push_back(0);
  EXPECT_FALSE(open(secret(0), other, 0, sealed));
  other = of_object();
  ++other.version;
  EXPECT_FALSE(open(secret(0), other, 0, sealed));
  other = of_object();
  ++other.number;
  EXPECT_FALSE(open(secret(0), other, 0, sealed));
  EXPECT_FALSE(open(secret(0), of_domain(), 0, sealed));
}

TEST(SealedSegment, HasNoByteInCommonWithAnotherOfTheSameObject) {
  const Bytes bytes(64, 0);
  std::set<Bytes> beginnings;
  for (std::uint64_t number = 0; number < 100; ++number) {
    ObjectBinding binding = of_object();
    binding.number = number;
    const Bytes sealed = seal(secret(0), binding, 0, bytes);
    beginnings.insert(to_bytes(ByteView(sealed).first(8)));
    beginnings.insert(to_bytes(ByteView(sealed).subspan(kKeyCheckSize, 8)));
  }
  EXPECT_EQ(beginnings.size(), 200U);
}

TEST(Domain, GivesEqualSegmentsEqualKeysAndAnythingElseOthers) {
  const Bytes segment = random_bytes(1000, 1);
  std::set<SegmentId> ids;
  std::set<SegmentSecret> secrets;
  constexpr std::array<std::uint8_t, 2> kTwo{0, 1};
  for (const std::uint8_t first : kTwo) {
    for (const std::uint8_t of : kTwo) {
      const Domain in = domain(first, of);
      const auto fingerprint = in.fingerprint(segment);
      EXPECT_EQ(domain(first, of).fingerprint(segment), fingerprint);
      ids.insert(in.id_of(fingerprint));
      for (const std::uint8_t flags : kTwo) secrets.insert(in.secret_of(fingerprint, flags));
    }
  }
  EXPECT_EQ(ids.size(), 4U);
  EXPECT_EQ(secrets.size(), 8U);
}

}  // namespace
}  // namespace hm::storage
