// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "core/api/error.h"
#include "core/api/json_writer.h"
#include "core/api/lending_request.h"
#include "core/api/limits.h"
#include "core/api/request.h"
#include "core/api/text.h"

namespace hm::api {
namespace {

TEST(JsonWriter, WritesWhatAParserReadsBack) {
  JsonWriter json;
  json.begin_object();
  json.member("text", "a\"b\\c\n\t\x01").member("number", std::uint64_t{18446744073709551615U});
  json.member("negative", -5).member("flag", true).member("none", std::optional<std::uint64_t>{});
  json.member("list", std::vector<std::string>{"x", "y"}).key("empty").begin_array().end_array();
  json.key("object").begin_object().end_object().end_object();
  const auto parsed = nlohmann::json::parse(std::move(json).take());
  EXPECT_EQ(parsed["text"], "a\"b\\c\n\t\x01");
  EXPECT_EQ(parsed["number"], 18446744073709551615U);
  EXPECT_EQ(parsed["negative"], -5);
  EXPECT_EQ(parsed["none"], nullptr);
  EXPECT_EQ(parsed["list"].size(), 2U);
  EXPECT_TRUE(parsed["empty"].empty());
}

TEST(JsonWriter, ReplacesWhatIsNotUtf8) {
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82"}) {
    JsonWriter json;
    json.value(std::string("a") + bad + "z");
    const auto parsed = nlohmann::json::parse(std::move(json).take()).get<std::string>();
    EXPECT_TRUE(parsed.starts_with("a\xEF\xBF\xBD"));
    EXPECT_TRUE(parsed.ends_with("z"));
  }
  JsonWriter json;
  json.value("€ 😀 ü");
  EXPECT_EQ(std::move(json).take(), "\"€ 😀 ü\"");
}

TEST(Text, Base64HasOneSpelling) {
  for (std::size_t size = 0; size < 70; ++size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 + size);
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  }
  EXPECT_EQ(to_base64(as_bytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(to_base64(as_bytes("foob")), "Zm9vYg==");
  EXPECT_EQ(to_base64url(as_bytes("foob")), "Zm9vYg");
  EXPECT_EQ(to_base64url(as_bytes("\xfb\xff\xfe")), "-__-");
  for (const char* bad : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "====", "Zg==Zg==", "Zm 9", "Zm9v\n"}) {
    EXPECT_FALSE(from_base64(bad)) << bad;
  }
}

TEST(Text, TimesAreRfc3339) {
  EXPECT_EQ(to_rfc3339(UnixMillis(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(UnixMillis(951782400123)), "2000-02-29T00:00:00.123Z");
  EXPECT_EQ(to_rfc3339(UnixMillis(~std::uint64_t{0})), "9999-12-31T23:59:59.999Z");
}

TEST(Text, NumbersHaveOneSpelling) {
  EXPECT_EQ(parse_number("0"), 0U);
  EXPECT_EQ(parse_number("18446744073709551615"), ~std::uint64_t{0});
  for (const char* bad : {"", "00", "01", "+1", "-1", " 1", "1 ", "1e3", "18446744073709551616"}) {
    EXPECT_FALSE(parse_number(bad)) << bad;
  }
}

TEST(Request, ReadsARegistrationUnderEitherName) {
  const auto request = decode_register(
      R"({"type":"CPU","spec":{"cores":8,"brand":"x","smt":true,"features":["aes"]},
          "quantity":{"detected":8,"offered":2,"unit":"threads"},"level":"full_public",
          "price":"0.25"})");
  ASSERT_TRUE(request) << request.error().field << request.error().problem;
  const auto& fields = std::get<RegisterRequest>(*request);
  EXPECT_EQ(fields.kind, assets::AssetKind::Cpu);
  EXPECT_EQ(fields.terms.descriptor.at("cores"), assets::DescriptorValue(std::uint64_t{8}));
  EXPECT_EQ(fields.terms.quantity, (assets::Quantity{8, 2, 2, "threads"}));
  EXPECT_EQ(fields.terms.level, assets::PrivacyLevel::FullPublic);
  EXPECT_EQ(fields.terms.price->amount.value, 250'000'000U);
}

TEST(Request, NamesTheFieldThatIsWrong) {
  const auto field = [](std::string_view body) {
    const auto request = decode_register(body);
    return request ? std::string("accepted") : request.error().field;
  };
  EXPECT_EQ(field("{}"), "kind");
  EXPECT_EQ(field(R"({"kind":"toaster"})"), "kind");
  EXPECT_EQ(field(R"({"kind":"cpu"})"), "quantity");
  EXPECT_EQ(field(R"({"kind":"cpu","quantity":{"detected":-1}})"), "quantity.detected");
  EXPECT_EQ(field(R"({"kind":"cpu","quantity":{"detected":1.5}})"), "quantity.detected");
  EXPECT_EQ(field(R"({"kind":"cpu","quantity":{"detected":1}})"), "quantity.unit");
  const std::string good = R"({"kind":"cpu","quantity":{"detected":1,"unit":"x"})";
  EXPECT_EQ(field(good + "}"), "accepted");
  EXPECT_EQ(field(good + R"(,"colour":"red"})"), "colour");
  EXPECT_EQ(field(good + R"(,"price":0.5})"), "price");
  EXPECT_EQ(field(good + R"(,"level":"secret"})"), "level");
  EXPECT_EQ(field(good + R"(,"descriptor":{"a":{"b":1}}})"), "descriptor.a");
  EXPECT_EQ(field(good + R"(,"proofs":{"space":"00"}})"), "proofs.space");
  EXPECT_EQ(field(good + R"(,"kind":"gpu"})"), "kind");
  EXPECT_EQ(field("not json"), "");
  EXPECT_EQ(field("[]"), "");
}

TEST(Request, RefusesDepthBeforeParsing) {
  const std::string deep(100'000, '[');
  EXPECT_EQ(decode_batch(deep).error().problem, "is nested too deeply");
  EXPECT_EQ(decode_register(deep).error().problem, "is nested too deeply");
  EXPECT_TRUE(decode_batch(R"(["5b5b5b5b5b5b5b5b5b5b5b"])"));
}

TEST(Request, ASignedOperationStandsAlone) {
  const auto sealed = decode_update(R"({"operation":"AAEC"})");
  ASSERT_TRUE(sealed);
  EXPECT_EQ(std::get<SignedRequest>(*sealed).operation, (Bytes{0, 1, 2}));
  EXPECT_FALSE(decode_update(R"({"operation":"AAEC","state":"failed"})"));
  EXPECT_FALSE(decode_update(R"({"operation":"?"})"));
}

TEST(Request, AbsentIsNotTheSameAsNull) {
  EXPECT_FALSE(std::get<UpdateRequest>(*decode_update("{}")).price);
  const auto cleared = std::get<UpdateRequest>(*decode_update(R"({"price":null})"));
  ASSERT_TRUE(cleared.price);
  EXPECT_FALSE(*cleared.price);
}

TEST(Request, ConsensusCannotBeSwitchedOff) {
  const std::string to = R"({"to":")" + std::string(64, 'a') + R"(","consensus_required":)";
  EXPECT_TRUE(decode_transfer(to + "true}"));
  EXPECT_EQ(decode_transfer(to + "false}").error().field, "consensus_required");
}

TEST(Request, ABatchIsBoundedAndNamesTheBadEntry) {
  EXPECT_EQ(decode_batch(R"(["00ff","AAEC"])")->size(), 2U);
  EXPECT_EQ(decode_batch(R"({"operations":["00"]})")->size(), 1U);
  EXPECT_FALSE(decode_batch("[]"));
  EXPECT_EQ(decode_batch(R"(["00",7])").error().field, "operations[1]");
  std::string many = "[";
  for (std::size_t i = 0; i <= kMaxBatchOperations; ++i) many += i == 0 ? "\"00\"" : ",\"00\"";
  EXPECT_EQ(decode_batch(many + "]").error().problem, "has too many entries");
}

TEST(LendingRequest, APlanTakesTheFilterOverWhatStandsBesideIt) {
  const auto plan = decode_plan(
      R"({"tenant":"a","filter":"kind=gpu,quantity=3","quantity":2,"duration_ms":1000,
          "network":"mesh","highest_price":"0.5/1024"})");
  ASSERT_TRUE(plan) << plan.error().field << plan.error().problem;
  EXPECT_EQ(plan->filter.kind, assets::AssetKind::Gpu);
  EXPECT_EQ(plan->filter.quantity, 3U);
  EXPECT_EQ(plan->filter.duration_ms, 1000U);
  EXPECT_EQ(plan->filter.network, privacy::NetworkClass::Mesh);
  EXPECT_EQ(plan->filter.highest_price->quantity, 1024U);
  EXPECT_FALSE(plan->explain);
}

TEST(LendingRequest, NamesTheFieldThatIsWrong) {
  const auto plan = [](std::string_view body) { return decode_plan(body).error().field; };
  EXPECT_EQ(plan("{}"), "tenant");
  EXPECT_EQ(plan(R"({"tenant":"a","filter":"kind=toaster"})"), "filter");
  EXPECT_EQ(plan(R"({"tenant":"a","filter":")" + std::string(5000, 'k') + R"("})"), "filter");
  EXPECT_EQ(plan(R"({"tenant":"a","quantity":0})"), "quantity");
  EXPECT_EQ(decode_decide(R"({"requester":"a","asset":"b","action":"eat"})").error().field,
            "action");
  EXPECT_EQ(decode_level(R"({"asset":"a","level":"secret"})").error().field, "level");
  EXPECT_EQ(decode_pause(R"({"all":true})").error().field, "all");
  EXPECT_EQ(decode_signed("{}").error().field, "signed");
  EXPECT_EQ(decode_signed(R"({"signed":"?"})").error().field, "signed");
}

TEST(LendingRequest, RevokeNamesALeaseOrSaysAll) {
  EXPECT_TRUE(decode_pause(""));
  EXPECT_EQ(decode_revoke(R"({"lease":"aa"})")->lease, "aa");
  EXPECT_FALSE(decode_revoke(R"({"all":true,"now":true})")->lease);
  EXPECT_TRUE(decode_revoke(R"({"all":true,"now":true})")->now);
  EXPECT_EQ(decode_revoke("{}").error().field, "lease");
  EXPECT_EQ(decode_revoke(R"({"all":false})").error().field, "lease");
  EXPECT_EQ(decode_revoke(R"({"all":true,"lease":"aa"})").error().field, "lease");
}

TEST(ApiError, HasOneShape) {
  const auto error = refused({.rule = ledger::Refusal::SequenceGap, .given = 7, .wanted = 5});
  EXPECT_EQ(error.status, 409);
  const auto body = nlohmann::json::parse(encode(error, "r-1", UnixMillis(0)))["error"];
  EXPECT_EQ(body["code"], "REFUSED");
  EXPECT_EQ(body["details"]["rule"], "sequence_gap");
  EXPECT_EQ(body["details"]["proof"], "time");
  EXPECT_EQ(body["details"]["given"], 7);
  EXPECT_EQ(body["request_id"], "r-1");
  EXPECT_EQ(body["timestamp"], "1970-01-01T00:00:00.000Z");
}

}  // namespace
}  // namespace hm::api
