// SPDX-License-Identifier: Apache-2.0
// What 'hypermesh share' checks and changes, and grants out of the API's JSON.
#include "apps/hypermesh/share_plan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/asset_terms.h"
#include "apps/hypermesh/grant_json.h"
#include "core/api/lending_json.h"

namespace hm::cli {
namespace {

using assets::PrivacyLevel;
using nlohmann::ordered_json;

constexpr LocalTime kLocal{UnixMillis(1'767'225'600'000), 0};

template <class Id>
Id id(std::uint8_t fill) {
  Id made;
  made.bytes.fill(fill);
  return made;
}

Share share_of(std::vector<std::string> with) {
  Share options;
  options.what = "gpu";
  options.words.share = "50%";
  options.with = std::move(with);
  return options;
}

Failure refusal_of(const Share& options) {
  const auto checked = check_share(options, kLocal);
  EXPECT_FALSE(checked) << "nothing was refused";
  return checked ? Failure{} : checked.error();
}

OwnAsset asset_of(PrivacyLevel level) {
  OwnAsset asset;
  asset.id.kind = assets::AssetKind::Memory;
  asset.id.hash = id<crypto::Digest>(7);
  asset.node = id<identity::NodeId>(3);
  asset.terms.level = level;
  asset.terms.quantity = {1000, 100, 60, "bytes"};
  return asset;
}

privacy::Grant grant_of(std::uint8_t percent) {
  privacy::Grant grant;
  grant.owner = grant.issuer = id<identity::OwnerId>(1);
  grant.to = privacy::ToOwner{id<identity::OwnerId>(2)};
  grant.share_percent = percent;
  grant.price = caesar::Price{{}, 1};
  return grant;
}

TEST(SharePlan, NobodyNamedMeansNothingSharedAndTheChoicesAreTold) {
  const Failure failure = refusal_of(share_of({}));
  EXPECT_EQ(failure.exit, ExitCode::Usage);
  for (const char* word : {"OWNER", "group:NAME", "cert:PATTERN", "anyone", "--level"}) {
    EXPECT_NE(failure.why.find(word), std::string::npos) << word;
  }
}

TEST(SharePlan, ALevelMayNameTheAudience) {
  Share options = share_of({});
  options.level = "full_public";
  EXPECT_EQ(check_share(options, kLocal)->with,
            (std::vector<GranteeWord>{{GranteeWord::Kind::Anyone, "", ""}}));
  options.level = "public_network";
  EXPECT_EQ(check_share(options, kLocal)->with,
            (std::vector<GranteeWord>{{GranteeWord::Kind::Certificate, "*", ""}}));
  for (const char* level : {"private_network", "p2p", "private", "open"}) {
    options.level = level;
    EXPECT_NE(refusal_of(options).what.find(level == std::string("private") ? "private" : level),
              std::string::npos);
  }
  options = share_of({"bob"});
  options.level = "p2p";
  EXPECT_TRUE(check_share(options, kLocal));
}

TEST(SharePlan, ContradictionsAreRefusedByName) {
  EXPECT_NE(refusal_of(share_of({"bob", "bob"})).what.find("--with bob"), std::string::npos);
  EXPECT_NE(refusal_of(share_of({"groups:family"})).what.find("groups:family"), std::string::npos);
  Share options = share_of({"anyone"});
  options.level = "public_network";
  EXPECT_NE(refusal_of(options).to_do.find("full_public"), std::string::npos);
  options = share_of({"cert:*"});
  options.level = "p2p";
  EXPECT_NE(refusal_of(options).to_do.find("public_network"), std::string::npos);
  options = share_of({"bob"});
  options.level = "public_network";
  options.from = "3f2a";
  EXPECT_NE(refusal_of(options).what.find("--from"), std::string::npos);
  options = share_of({"bob"});
  options.words.share = "101%";
  EXPECT_NE(refusal_of(options).what.find("101%"), std::string::npos);
  options = share_of({"bob"});
  options.words.hours = "20-20";
  EXPECT_NE(refusal_of(options).what.find("--hours"), std::string::npos);
}

TEST(SharePlan, AKindIsAKindAndAllElseAnAsset) {
  EXPECT_EQ(check_share(share_of({"bob"}), kLocal)->kind, assets::AssetKind::Gpu);
  Share options = share_of({"bob"});
  options.what = "gpu:0198aaaa";
  EXPECT_FALSE(check_share(options, kLocal)->kind);
}

TEST(SharePlan, SharesAddUpToTheWholeAtMost) {
  const OwnAsset asset = asset_of(PrivacyLevel::PublicNetwork);
  std::vector<privacy::Grant> grants = {grant_of(30), grant_of(25)};
  EXPECT_EQ(granted_percent(grants, asset, kLocal.now), 55u);
  grants[0].expiry = kLocal.now;
  EXPECT_EQ(granted_percent(grants, asset, kLocal.now), 25u);
  grants[0].expiry.reset();
  grants[0].assets.kind = assets::AssetKind::Gpu;
  EXPECT_EQ(granted_percent(grants, asset, kLocal.now), 25u);
  grants[0].assets = {assets::AssetKind::Memory, id<identity::NodeId>(4), std::nullopt};
  EXPECT_EQ(granted_percent(grants, asset, kLocal.now), 25u);
  grants[0].assets = {std::nullopt, id<identity::NodeId>(3), id<crypto::Digest>(7)};
  EXPECT_EQ(granted_percent(grants, asset, kLocal.now), 55u);
  grants[0].parent = id<privacy::GrantId>(9);
  EXPECT_EQ(granted_percent(grants, asset, kLocal.now), 25u);
  EXPECT_EQ(granted_percent(std::vector(5, grant_of(90)), asset, kLocal.now), 100u);
}

TEST(SharePlan, OffersRiseWithWhatIsFreeAndNeverFall) {
  const assets::AssetTerms terms = asset_of(PrivacyLevel::PublicNetwork).terms;
  const assets::AssetTerms more = opened(terms, 55, std::nullopt);
  EXPECT_EQ(more.quantity, (assets::Quantity{1000, 550, 510, "bytes"}));
  EXPECT_EQ(opened(terms, 5, std::nullopt), terms);
  EXPECT_EQ(opened(terms, 5, PrivacyLevel::FullPublic).level, PrivacyLevel::FullPublic);
  assets::AssetTerms huge = terms;
  huge.quantity = {~0ull, 0, 0, "bytes"};
  EXPECT_EQ(opened(huge, 100, std::nullopt).quantity.offered, ~0ull);
  assets::AssetTerms device = terms;
  device.quantity = {1, 0, 0, "devices"};
  EXPECT_EQ(opened(device, 50, std::nullopt).quantity.offered, 0u);
}

TEST(SharePlan, GrantsThatCannotTakeEffectAreRefused) {
  const OwnAsset asset = asset_of(PrivacyLevel::PublicNetwork);
  std::vector<privacy::Grant> grants = {grant_of(50)};
  EXPECT_TRUE(check_effect(grants, asset, std::nullopt));
  EXPECT_TRUE(check_effect(grants, asset, PrivacyLevel::FullPublic));
  grants[0].to = privacy::ToAnyone{};
  EXPECT_FALSE(check_effect(grants, asset, std::nullopt));
  EXPECT_TRUE(check_effect(grants, asset, PrivacyLevel::FullPublic));
  grants[0].price.reset();
  const auto no_price = check_effect(grants, asset, PrivacyLevel::FullPublic);
  ASSERT_FALSE(no_price);
  EXPECT_NE(no_price.error().to_do.find("--price 0"), std::string::npos);
}

TEST(SharePlan, WhatTheLedgerHasInFullIsNotHiddenAgain) {
  const std::vector<privacy::Grant> grants = {grant_of(50)};
  EXPECT_FALSE(
      check_effect(grants, asset_of(PrivacyLevel::PublicNetwork), PrivacyLevel::PrivateNetwork));
  EXPECT_FALSE(check_effect(grants, asset_of(PrivacyLevel::P2P), PrivacyLevel::PublicNetwork));
  EXPECT_TRUE(check_effect(grants, asset_of(PrivacyLevel::P2P), PrivacyLevel::P2P));
  EXPECT_TRUE(
      check_effect(grants, asset_of(PrivacyLevel::FullPublic), PrivacyLevel::PublicNetwork));
}

TEST(SharePlan, WhatTheMachineNeedsItselfIsNotLent) {
  assets::AssetTerms terms;
  EXPECT_TRUE(is_lendable(terms));
  terms.descriptor["lendable"] = false;
  EXPECT_FALSE(is_lendable(terms));
  terms.descriptor["lendable"] = true;
  EXPECT_TRUE(is_lendable(terms));
  terms.state = assets::AssetState::Retired;
  EXPECT_FALSE(is_lendable(terms));
}

ordered_json json_of(const privacy::Grant& grant) {
  api::JsonWriter writer;
  ledger::GrantRecord record;
  record.grant = grant;
  api::write_grant_record(writer, id<privacy::GrantId>(5), record, nullptr);
  return ordered_json::parse(std::move(writer).take());
}

TEST(GrantJson, EveryMemberComesBack) {
  privacy::Grant grant = grant_of(35);
  grant.limits = {2, 4096, 3'600'000, 3};
  grant.hours = privacy::Hours{1230, 365, 1440 - 330, 0x71};
  grant.when = privacy::When::Idle;
  grant.network = privacy::NetworkClass::Mesh;
  grant.expiry = UnixMillis(1);
  grant.notice_ms = 5;
  grant.delegations = 2;
  grant.number = ~0ull;
  grant.parent = id<privacy::GrantId>(9);
  grant.issuer = id<identity::OwnerId>(4);
  grant.assets = {assets::AssetKind::Gpu, id<identity::NodeId>(3), id<crypto::Digest>(7)};
  for (const privacy::Grantee& to :
       {privacy::Grantee(privacy::ToAnyone{}), grant.to,
        privacy::Grantee(privacy::ToGroup{id<privacy::GroupId>(6)}),
        privacy::Grantee(privacy::CertificatePattern{id<identity::OwnerId>(2), "*.lab.org"})}) {
    grant.to = to;
    const auto row = grant_row_of_json(json_of(grant));
    ASSERT_TRUE(row) << row.error().what;
    EXPECT_EQ(row->grant, grant);
    EXPECT_EQ(row->id, id<privacy::GrantId>(5));
    EXPECT_FALSE(row->revoked);
  }
}

TEST(GrantJson, WhatIsNotUnderstoodIsRefused) {
  const ordered_json good = json_of(grant_of(50));
  ASSERT_TRUE(grant_row_of_json(good));
  for (const auto& [pointer, value] :
       std::vector<std::pair<std::string, ordered_json>>{{"/id", "xy"},
                                                         {"/grant/owner", 5},
                                                         {"/grant/to", ordered_json::object()},
                                                         {"/grant/to", {{"anyone", false}}},
                                                         {"/grant/share_percent", 300},
                                                         {"/grant/share_percent", -1},
                                                         {"/grant/network", "lan"},
                                                         {"/grant/price", "free"},
                                                         {"/grant/hours", {{"from_minute", 1}}},
                                                         {"/grant/limits", 5},
                                                         {"/revoked", "no"},
                                                         {"/use", nullptr}}) {
    ordered_json bad = good;
    bad[ordered_json::json_pointer(pointer)] = value;
    EXPECT_FALSE(grant_row_of_json(bad)) << pointer << " " << value;
  }
  EXPECT_FALSE(grant_row_of_json(ordered_json::array()));
  EXPECT_FALSE(group_row_of_json(ordered_json::object()));
}

TEST(AssetTermsOfJson, LeasesChangeNoTerms) {
  const auto terms = terms_of_json(ordered_json::parse(R"({"state": "in_use",
      "level": "public_network", "descriptor": {}, "quantity": {"detected": 10, "offered": 8,
      "available": 3, "leased": 5, "unit": "bytes"}})"));
  ASSERT_TRUE(terms) << terms.error().what;
  EXPECT_EQ(terms->quantity, (assets::Quantity{10, 8, 8, "bytes"}));
  EXPECT_EQ(terms->state, assets::AssetState::Available);
}

}  // namespace
}  // namespace hm::cli
