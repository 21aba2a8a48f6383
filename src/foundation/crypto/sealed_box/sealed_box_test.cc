// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/sealed_box/sealed_box.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "foundation/base/hex.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/sealed_box/key_schedule.h"
#include "foundation/crypto/sealed_box/test_boxes.h"

namespace hm::sealed_box {
namespace {

constexpr std::size_t kMaxPropertySize = std::size_t{64} << 10;

Bytes some_content() { return to_bytes(as_bytes("the content")); }

TEST(SealedBox, EveryReaderOpensWhatWasSealedAndAStrangerDoesNot) {
  EXPECT_TRUE(rc::check([] {
    const auto size = *rc::gen::weightedOneOf<std::size_t>(
        {{4, rc::gen::inRange<std::size_t>(0, 64)},
         {1, rc::gen::inRange<std::size_t>(0, kMaxPropertySize + 1)}});
    const auto count = *rc::gen::inRange<std::size_t>(1, 9);
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    Context context;
    bytes_of(seed)(context.owner);
    context.object = *rc::gen::resize(40, rc::gen::arbitrary<Bytes>());
    context.version = *rc::gen::arbitrary<std::uint64_t>();
    Bytes content(size);
    bytes_of(seed + 1)(content);

    const auto keys = keys_of(seed, count);
    const auto box = seal(content, readers_of(keys), context, bytes_of(seed + 2));
    RC_ASSERT(box.has_value());
    RC_ASSERT(decode(encode(*box)).value() == *box);
    for (const auto& key : keys) RC_ASSERT(open(*box, key, context).value() == content);
    RC_ASSERT(refusal_of(open(*box, key_of(seed + count), context)) == Refusal::NotAReader);
  }));
}

TEST(SealedBox, AnotherContextIsRefused) {
  const DecapsulationKey key = key_of(1);
  const std::array readers = {key.encapsulation_key()};
  const Context context = some_context();
  const auto box = seal(some_content(), readers, context, counting_bytes());
  ASSERT_TRUE(box.has_value());
  const auto refused = [&](auto change) {
    Context other = context;
    change(other);
    EXPECT_EQ(refusal_of(open(*box, key, other)), Refusal::WrongContextOrTampered);
  };
  for (std::size_t i = 0; i < context.owner.size(); ++i) {
    refused([i](Context& other) { other.owner[i] ^= 1; });
  }
  refused([](Context& other) { other.object.clear(); });
  refused([](Context& other) { other.object.push_back(0); });
  refused([](Context& other) { other.object.front() ^= 0x80; });
  refused([](Context& other) { ++other.version; });
  refused([](Context& other) { other.version |= std::uint64_t{1} << 63; });
}

TEST(SealedBox, ADifferentSplitOfTheSameContextBytesIsRefused) {
  const DecapsulationKey key = key_of(1);
  const std::array readers = {key.encapsulation_key()};
  Context context;
  context.object = Bytes{1, 2};
  Context other;
  other.object = Bytes{1};
  other.version = 2;
  const auto box = seal(some_content(), readers, context, counting_bytes());
  EXPECT_EQ(refusal_of(open(*box, key, other)), Refusal::WrongContextOrTampered);
}

// What the bytes of a box of two readers are to one of them.
enum class Part {
  Suite,
  Commitment,
  Count,
  OwnHint,
  OwnWrap,
  OtherHint,
  OtherWrap,
  Length,
  Content
};

Part part_of(std::size_t at, const Box& box, std::size_t own) {
  if (at < sizeof box.suite) return Part::Suite;
  at -= sizeof box.suite;
  if (at < sizeof box.commitment) return Part::Commitment;
  at -= sizeof box.commitment;
  if (at < 1) return Part::Count;
  at -= 1;
  if (at < 2 * kWrapSize) {
    const bool is_hint = at % kWrapSize < sizeof(Hint);
    if (at / kWrapSize == own) return is_hint ? Part::OwnHint : Part::OwnWrap;
    return is_hint ? Part::OtherHint : Part::OtherWrap;
  }
  return at < 2 * kWrapSize + 1 ? Part::Length : Part::Content;
}

// How opening may end after a bit of that part changed; no refusal means that the content came out.
std::set<std::optional<Refusal>> allowed_after(Part part) {
  switch (part) {
    case Part::Suite: return {Refusal::UnknownSuite};
    case Part::Commitment: return {Refusal::NotAReader};
    case Part::Count: return {Refusal::Malformed, Refusal::NoReaders, Refusal::TooManyReaders};
    case Part::OwnHint: return {Refusal::NotAReader, Refusal::UnsortedReaders};
    case Part::OwnWrap: return {Refusal::WrongContextOrTampered};
    case Part::OtherHint: return {std::nullopt, Refusal::UnsortedReaders};
    case Part::OtherWrap: return {std::nullopt};
    case Part::Length: return {Refusal::Malformed};
    case Part::Content: return {Refusal::NotCommitted};
  }
  return {};
}

class EveryFlippedBit : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(OfBothReaders, EveryFlippedBit, testing::Values(0, 1));

TEST_P(EveryFlippedBit, IsRefusedOrInTheWrapOfAnotherReaderAndChangesNothing) {
  const auto keys = keys_of(1, 2);
  const auto box = seal(some_content(), readers_of(keys), some_context(), counting_bytes());
  const DecapsulationKey& key = keys[GetParam()];
  const Hint hint = hint_of(key.encapsulation_key(), box->commitment);
  const std::size_t own = box->wraps[0].hint == hint ? 0 : 1;
  const Bytes good = encode(*box);
  std::map<std::pair<Part, std::optional<Refusal>>, int> ends;
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    Bytes bytes = good;
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    const auto altered = decode(bytes);
    std::optional<Refusal> end = refusal_of(altered);
    if (altered) {
      const auto opened = open(*altered, key, some_context());
      end = refusal_of(opened);
      ASSERT_EQ(opened.value_or(some_content()), some_content());
    }
    const Part part = part_of(bit / 8, *box, own);
    ASSERT_TRUE(allowed_after(part).contains(end))
        << "bit " << bit << ": " << (end ? name_of(*end) : "opens");
    ++ends[{part, end}];
  }
  EXPECT_EQ((ends[{Part::OtherWrap, std::nullopt}]), 8 * (kWrapSize - sizeof(Hint)));
  EXPECT_GT((ends[{Part::OwnHint, Refusal::NotAReader}]), 0);
}

TEST(SealedBox, AWrapOfAnotherBoxIsRefusedEvenOfTheSameReadersAndContext) {
  const auto keys = keys_of(1, 2);
  const auto first = seal(some_content(), readers_of(keys), some_context(), bytes_of(1));
  const auto second = seal(some_content(), readers_of(keys), some_context(), bytes_of(2));
  for (const DecapsulationKey& key : keys) {
    Box mixed = *first;
    mixed.wraps = second->wraps;
    EXPECT_EQ(refusal_of(open(mixed, key, some_context())), Refusal::NotAReader);
    // Nor does it help to correct the hints.
    for (Wrap& wrap : mixed.wraps) wrap.hint = hint_of(key.encapsulation_key(), mixed.commitment);
    EXPECT_EQ(refusal_of(open(mixed, key, some_context())), Refusal::WrongContextOrTampered);
  }
}

TEST(SealedBox, ContentOfAnotherBoxIsRefused) {
  const auto keys = keys_of(1, 1);
  auto box = seal(some_content(), readers_of(keys), some_context(), bytes_of(1));
  box->content = seal(some_content(), readers_of(keys), some_context(), bytes_of(2))->content;
  EXPECT_EQ(refusal_of(open(*box, keys[0], some_context())), Refusal::NotCommitted);
}

TEST(SealedBox, SealingAnewForFewerReadersRevokes) {
  const auto keys = keys_of(1, 3);
  const std::span stay = std::span(keys).first(2);
  Context next = some_context();
  const auto before = seal(some_content(), readers_of(keys), next, bytes_of(1));
  ++next.version;
  const auto after = seal(some_content(), readers_of(stay), next, bytes_of(2));
  EXPECT_NE(before->commitment, after->commitment);
  for (const DecapsulationKey& key : stay) EXPECT_EQ(open(*after, key, next), some_content());
  EXPECT_EQ(refusal_of(open(*after, keys[2], next)), Refusal::NotAReader);
}

TEST(AddReader, LetsTheNewOneOpenAndKeepsTheOldOnesAndTheCommitment) {
  EXPECT_TRUE(rc::check([] {
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    const auto count = *rc::gen::inRange<std::size_t>(2, 9);
    const auto begin_with = *rc::gen::inRange<std::size_t>(1, count);
    const auto keys = keys_of(seed, count);
    auto box = seal(some_content(), readers_of(std::span(keys).first(begin_with)), some_context(),
                    bytes_of(seed));
    const Box before = *box;
    for (std::size_t i = begin_with; i < count; ++i) {
      const auto& by = keys[*rc::gen::inRange<std::size_t>(0, i)];
      box = add_reader(*box, by, keys[i].encapsulation_key(), some_context(), bytes_of(seed + i));
      RC_ASSERT(box.has_value());
    }
    RC_ASSERT(box->commitment == before.commitment && box->content == before.content);
    RC_ASSERT(decode(encode(*box)).value() == *box);
    for (const auto& key : keys)
      RC_ASSERT(open(*box, key, some_context()).value() == some_content());
  }));
}

TEST(AddReader, RefusesWhatOpenRefusesAndAReaderWhoIsThere) {
  const auto keys = keys_of(1, 3);
  const auto box =
      seal(some_content(), readers_of(std::span(keys).first(2)), some_context(), bytes_of(1));
  const EncapsulationKey& reader = keys[2].encapsulation_key();
  const auto added = [&](const Box& to, const DecapsulationKey& by, const Context& context) {
    return refusal_of(add_reader(to, by, reader, context, counting_bytes()));
  };
  EXPECT_EQ(added(*box, keys[0], some_context()), std::nullopt);
  EXPECT_EQ(added(*box, keys[2], some_context()), Refusal::NotAReader);
  EXPECT_EQ(added(*box, keys[0], {}), Refusal::WrongContextOrTampered);
  for (const DecapsulationKey& present : std::span(keys).first(2)) {
    const auto again =
        add_reader(*box, keys[0], present.encapsulation_key(), some_context(), counting_bytes());
    EXPECT_EQ(refusal_of(again), Refusal::DuplicateReader);
  }
  Box altered = *box;
  altered.content.back() ^= 1;
  EXPECT_EQ(added(altered, keys[0], some_context()), Refusal::NotCommitted);
}

TEST(SealedBox, OfAnotherSuiteIsNeitherOpenedNorShared) {
  const auto keys = keys_of(1, 1);
  Box box = seal(some_content(), readers_of(keys), some_context(), bytes_of(1)).value();
  ++box.suite;
  EXPECT_EQ(refusal_of(open(box, keys[0], some_context())), Refusal::UnknownSuite);
  EXPECT_EQ(refusal_of(add_reader(box, keys[0], key_of(2).encapsulation_key(), some_context(),
                                  bytes_of(2))),
            Refusal::UnknownSuite);
}

TEST(Seal, RefusesNoReadersAndTheSameReaderTwice) {
  const auto keys = keys_of(1, 2);
  auto readers = readers_of(keys);
  EXPECT_EQ(refusal_of(seal({}, {}, some_context(), counting_bytes())), Refusal::NoReaders);
  readers.push_back(readers.front());
  EXPECT_EQ(refusal_of(seal({}, readers, some_context(), counting_bytes())),
            Refusal::DuplicateReader);
}

TEST(Seal, LimitsAreReachedAndNotExceeded) {
  auto keys = keys_of(1, kMaxReaders);
  auto readers = readers_of(keys);
  const auto full = seal(some_content(), readers, some_context(), bytes_of(1));
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ(decode(encode(*full)).value(), *full);
  EXPECT_EQ(open(*full, keys.back(), some_context()), some_content());
  const DecapsulationKey more = key_of(0);
  EXPECT_EQ(
      refusal_of(add_reader(*full, keys[0], more.encapsulation_key(), some_context(), bytes_of(2))),
      Refusal::TooManyReaders);
  readers.push_back(more.encapsulation_key());
  EXPECT_EQ(refusal_of(seal({}, readers, some_context(), bytes_of(1))), Refusal::TooManyReaders);

  const std::span one = std::span(readers).first(1);
  Bytes content(kMaxContentSize);
  const auto longest = seal(content, one, some_context(), bytes_of(1));
  ASSERT_TRUE(longest.has_value());
  EXPECT_EQ(decode(encode(*longest)).value(), *longest);
  EXPECT_EQ(open(*longest, keys[0], some_context()), content);
  content.push_back(0);
  EXPECT_EQ(refusal_of(seal(content, one, some_context(), bytes_of(1))), Refusal::ContentTooLong);

  Context context;
  context.object.resize(kMaxObjectIdSize);
  const auto box = seal({}, one, context, bytes_of(1));
  EXPECT_EQ(open(*box, keys[0], context), Bytes{});
  context.object.push_back(0);
  EXPECT_EQ(refusal_of(seal({}, one, context, bytes_of(1))), Refusal::ObjectIdTooLong);
  EXPECT_EQ(refusal_of(open(*box, keys[0], context)), Refusal::ObjectIdTooLong);
}

TEST(Seal, TheOrderOfReadersDoesNotShow) {
  const auto keys = keys_of(1, 8);
  auto readers = readers_of(keys);
  const auto hints = [](const Result<Box, Refusal>& box) {
    std::vector<Hint> all;
    for (const Wrap& wrap : box->wraps) all.push_back(wrap.hint);
    return all;
  };
  const auto some = hints(seal({}, readers, some_context(), counting_bytes()));
  std::ranges::reverse(readers);
  EXPECT_EQ(hints(seal({}, readers, some_context(), counting_bytes())), some);
  const auto others = hints(seal({}, readers, some_context(), bytes_of(2)));
  for (const Hint& hint : others) EXPECT_EQ(std::ranges::count(some, hint), 0);
}

// docs/protocols/sealed_box.md has the same example.
TEST(SealedBox, TheExampleOfTheProtocolPageComesOut) {
  std::array<std::uint8_t, ml_kem::kSeedSize> seed;
  counting_bytes()(seed);
  const DecapsulationKey key = DecapsulationKey::from_seed(seed);
  const std::array readers = {key.encapsulation_key()};
  const auto box = seal(some_content(), readers, some_context(), counting_bytes());
  ASSERT_TRUE(box.has_value());
  std::ifstream file(HM_SEALED_BOX_PAGE);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const Wrap& wrap = box->wraps.at(0);
  for (const std::string& value :
       {to_hex(box->commitment), to_hex(wrap.hint), to_hex(wrap.sealed_key), to_hex(box->content),
        crypto::sha256(encode(*box)).to_string(), std::to_string(encode(*box).size())}) {
    EXPECT_NE(page.find(value), std::string::npos) << value;
  }
}

}  // namespace
}  // namespace hm::sealed_box
