// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "core/assets/address.h"
#include "core/assets/asset_id.h"
#include "core/assets/limits.h"
#include "core/assets/record.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::assets {
namespace {

identity::ChainId chain(std::uint8_t first) {
  identity::ChainId id;
  id.bytes.fill(0x11);
  id.bytes[0] = first;
  return id;
}

constexpr std::array<std::uint8_t, kUuidRandomSize> kRandom = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

AssetId sample() {
  return AssetId::make(chain(0x9f), AssetKind::Gpu, UnixMillis{1'760'000'000'123}, kRandom);
}

TEST(Uuid, Version7HasTimeVersionAndVariant) {
  // The example of RFC 9562 appendix A.6.
  const auto example = Uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  ASSERT_TRUE(example);
  EXPECT_TRUE(example->is_v7());
  EXPECT_EQ(example->time(), UnixMillis{0x017f22e279b0});
  EXPECT_EQ(example->to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  std::array<std::uint8_t, kUuidRandomSize> ones{};
  ones.fill(0xff);
  const Uuid made = make_uuid_v7(UnixMillis{0x017f22e279b0}, ones);
  EXPECT_EQ(made.to_string(), "017f22e2-79b0-7fff-bfff-ffffffffffff");
}

TEST(Uuid, HasOneSpelling) {
  for (const char* bad :
       {"", "017F22E2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e279b07cc398c4dc0c0c07398f",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e27-9b0-7cc3-98c4-dc0c0c07398f"}) {
    EXPECT_FALSE(Uuid::parse(bad)) << bad;
  }
}

TEST(AssetId, TextVerifiesOffline) {
  const AssetId id = sample();
  EXPECT_TRUE(id.to_string().starts_with("gpu:0199"));
  EXPECT_EQ(AssetId::parse(chain(0x9f), id.to_string()).value(), id);
  EXPECT_EQ(id.uuid.time(), UnixMillis{1'760'000'000'123});
}

TEST(AssetId, EachFaultHasItsName) {
  const auto here = chain(0x9f);
  const AssetId id = sample();
  const std::string text = id.to_string();
  const auto error = [&](const std::string& bad) { return AssetId::parse(here, bad).error(); };
  EXPECT_EQ(error(""), AssetIdError::Malformed);
  EXPECT_EQ(error("gpu:" + id.uuid.to_string()), AssetIdError::Malformed);
  EXPECT_EQ(error(text + ":"), AssetIdError::Malformed);
  EXPECT_EQ(error("xpu" + text.substr(3)), AssetIdError::BadKind);
  EXPECT_EQ(error("GPU" + text.substr(3)), AssetIdError::BadKind);
  EXPECT_EQ(error("gpu:1234:" + id.hash.to_string()), AssetIdError::BadUuid);
  auto version4 = id;
  version4.uuid.bytes[6] = 0x4a;
  EXPECT_EQ(error(version4.to_string()), AssetIdError::WrongUuidVersion);
  EXPECT_EQ(error(text.substr(0, text.size() - 1)), AssetIdError::BadHash);
  EXPECT_EQ(error("cpu" + text.substr(3)), AssetIdError::HashMismatch);
  EXPECT_EQ(AssetId::parse(chain(0x9e), text).error(), AssetIdError::WrongChain);
}

TEST(AssetId, AnyMistypedDigitIsCaughtAndNotTakenForAnotherChain) {
  const auto here = chain(0x9f);
  const std::string text = sample().to_string();
  for (std::size_t i = 4; i < text.size(); ++i) {
    if (text[i] == '-' || text[i] == ':') continue;
    std::string typed = text;
    typed[i] = typed[i] == 'b' ? 'a' : 'b';
    const auto parsed = AssetId::parse(here, typed);
    ASSERT_FALSE(parsed) << i;
    const bool is_version = parsed.error() == AssetIdError::WrongUuidVersion;
    EXPECT_TRUE(is_version || parsed.error() == AssetIdError::HashMismatch) << i;
  }
}

TEST(AssetId, HashCoversChainKindAndUuid) {
  const AssetId id = sample();
  EXPECT_NE(id.hash, asset_hash(chain(0x9e), id.kind, id.uuid));
  EXPECT_NE(id.hash, asset_hash(chain(0x9f), AssetKind::Cpu, id.uuid));
  EXPECT_TRUE(verify(chain(0x9f), id));
}

TEST(Address, HoldsChainAndHashInsideTheMeshPrefix) {
  const AssetId id = sample();
  const Address address = address_of(chain(0x9f), id.hash);
  EXPECT_TRUE(address.to_string().starts_with("fd48:4d00:9f11:1111:"));
  EXPECT_TRUE(is_in_mesh(chain(0x9f), address));
  EXPECT_FALSE(is_in_mesh(chain(0x9e), address));
  EXPECT_EQ(Address::parse(address.to_string()), address);
}

TEST(Address, TextFollowsRfc5952) {
  const auto round = [](const char* text) {
    const auto parsed = Address::parse(text);
    return parsed ? parsed->to_string() : std::string("refused");
  };
  EXPECT_EQ(round("::"), "::");
  EXPECT_EQ(round("::1"), "::1");
  EXPECT_EQ(round("1::"), "1::");
  EXPECT_EQ(round("2001:DB8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  EXPECT_EQ(round("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(round("1:0:0:2:0:0:0:3"), "1:0:0:2::3");
  for (const char* bad : {"", ":", ":::", "1:2", "1::2::3", "12345::", "::ffff:1.2.3.4",
                          "fe80::1%1", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "g::"}) {
    EXPECT_EQ(round(bad), "refused") << bad;
  }
  EXPECT_TRUE(rc::check("every address is its own text", [](std::array<std::uint8_t, 16> bytes) {
    const Address address{bytes};
    RC_ASSERT(Address::parse(address.to_string()) == address);
  }));
}

AssetTerms good_terms() {
  AssetTerms terms;
  terms.descriptor = {{"brand", std::string("Sample")}, {"logical_cores", std::uint64_t{8}}};
  terms.quantity = {8, 4, 2, "threads"};
  return terms;
}

TEST(Terms, QuantitiesAreOrdered) {
  EXPECT_TRUE(validate(good_terms()));
  auto terms = good_terms();
  terms.quantity.offered = 9;
  EXPECT_EQ(validate(terms).error(), TermsError::OfferedAboveDetected);
  terms = good_terms();
  terms.quantity.available = 5;
  EXPECT_EQ(validate(terms).error(), TermsError::AvailableAboveOffered);
  for (const char* unit : {"", "GiB", "a b", "a/b"}) {
    terms = good_terms();
    terms.quantity.unit = unit;
    EXPECT_EQ(validate(terms).error(), TermsError::BadUnit) << unit;
  }
}

TEST(Terms, ClosedLevelsAreNeverTakenInTheClear) {
  auto terms = good_terms();
  for (const auto level :
       {PrivacyLevel::Private, PrivacyLevel::PrivateNetwork, PrivacyLevel::P2P}) {
    terms.level = level;
    EXPECT_EQ(validate(terms).error(), TermsError::LevelNeedsCommitment);
  }
  terms.level = PrivacyLevel::FullPublic;
  EXPECT_TRUE(validate(terms));
}

TEST(Terms, DescriptorIsBoundedInEveryDirection) {
  const auto with = [](std::string key, DescriptorValue value) {
    auto terms = good_terms();
    terms.descriptor[std::move(key)] = std::move(value);
    return validate(terms);
  };
  EXPECT_TRUE(with("gpu.0.uuid", std::string(kMaxDescriptorText, 'x')));
  EXPECT_EQ(with("k", std::string(kMaxDescriptorText + 1, 'x')).error(),
            TermsError::DescriptorTooLarge);
  EXPECT_EQ(with(std::string(kMaxDescriptorKey + 1, 'k'), true).error(),
            TermsError::DescriptorTooLarge);
  EXPECT_EQ(with("k", std::vector<std::string>(kMaxDescriptorListItems + 1)).error(),
            TermsError::DescriptorTooLarge);
  EXPECT_EQ(with("k", std::vector<std::string>(20, std::string(500, 'x'))).error(),
            TermsError::DescriptorTooLarge);
  EXPECT_EQ(with("Key", true).error(), TermsError::DescriptorInvalid);
  EXPECT_EQ(with("", true).error(), TermsError::DescriptorInvalid);
  EXPECT_EQ(with("k", std::string("\x1b[2J")).error(), TermsError::DescriptorInvalid);
  EXPECT_EQ(with("k", std::string("\xc0\x80")).error(), TermsError::DescriptorInvalid);
  auto many = good_terms();
  for (std::size_t i = 0; i <= kMaxDescriptorEntries; ++i) {
    many.descriptor["k" + std::to_string(i)] = true;
  }
  EXPECT_EQ(validate(many).error(), TermsError::DescriptorTooLarge);
}

TEST(Vocabulary, NamesParseBack) {
  for (int i = 0; i <= static_cast<int>(AssetKind::Economic); ++i) {
    const auto kind = static_cast<AssetKind>(i);
    EXPECT_EQ(parse_kind(name_of(kind)), kind);
  }
  for (int i = 0; i <= static_cast<int>(AssetState::Retired); ++i) {
    const auto state = static_cast<AssetState>(i);
    EXPECT_EQ(parse_state(name_of(state)), state);
  }
  for (int i = 0; i <= static_cast<int>(PrivacyLevel::FullPublic); ++i) {
    const auto level = static_cast<PrivacyLevel>(i);
    EXPECT_EQ(parse_level(name_of(level)), level);
  }
  EXPECT_FALSE(parse_kind("tpu"));
}

TEST(AssetRecord, RoundTripsThroughTheCodec) {
  AssetRecord record;
  record.id = sample();
  record.terms = good_terms();
  record.terms.price = caesar::Price{caesar::Amount{5}};
  record.version = 3;
  EXPECT_EQ(codec::decode<AssetRecord>(codec::encode(record)).value(), record);
}

}  // namespace
}  // namespace hm::assets
