// SPDX-License-Identifier: Apache-2.0
#include "core/containers/registry_answer.h"

#include <gtest/gtest.h>

#include <string>

#include "core/containers/limits.h"

namespace hm::containers {
namespace {

TEST(AuthChallenge, TheTokenServiceIsRead) {
  const auto challenges = parse_auth_challenges(
      R"(Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push")");
  ASSERT_EQ(challenges.size(), 1U);
  EXPECT_EQ(challenges[0].scheme, "bearer");
  EXPECT_EQ(challenges[0].parameters.at("realm"), "https://auth.example/token");
  EXPECT_EQ(challenges[0].parameters.at("service"), "registry.example");
  EXPECT_EQ(challenges[0].parameters.at("scope"), "repository:a/b:pull,push");
}

TEST(AuthChallenge, SeveralMayStandInOneHeader) {
  const auto challenges = parse_auth_challenges(
      "Negotiate, Basic realm=\"a \\\"b\\\"\" , BEARER Realm = x ,Service=\"y\"");
  ASSERT_EQ(challenges.size(), 3U);
  EXPECT_EQ(challenges[0].scheme, "negotiate");
  EXPECT_EQ(challenges[1].parameters.at("realm"), "a \"b\"");
  EXPECT_EQ(challenges[2].scheme, "bearer");
  EXPECT_EQ(challenges[2].parameters.at("realm"), "x");
  EXPECT_EQ(challenges[2].parameters.at("service"), "y");
}

TEST(AuthChallenge, WhatIsGarbledEndsTheList) {
  EXPECT_TRUE(parse_auth_challenges("").empty());
  EXPECT_TRUE(parse_auth_challenges("=,\"").empty());
  EXPECT_TRUE(parse_auth_challenges("Bearer realm=\"open")[0].parameters.empty());
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "a,";
  EXPECT_EQ(parse_auth_challenges(many).size(), kMaxChallenges);
}

TEST(TokenAnswer, EitherNameOfTheTokenIsTaken) {
  EXPECT_EQ(*parse_token_answer(as_bytes(R"({"token":"a.b","expires_in":60})")), "a.b");
  EXPECT_EQ(*parse_token_answer(as_bytes(R"({"access_token":"c"})")), "c");
  EXPECT_EQ(parse_token_answer(as_bytes("{}")).error(), ImageError::WrongType);
  EXPECT_EQ(parse_token_answer(as_bytes(R"({"token":"a\r\nHost: b"})")).error(),
            ImageError::WrongType);
  EXPECT_EQ(parse_token_answer(as_bytes("nothing")).error(), ImageError::NotJson);
}

TEST(Url, IsTakenApart) {
  EXPECT_EQ(*parse_url("https://Registry.Example/v2/?a=b"),
            (Url{true, "registry.example", 443, "/v2/?a=b"}));
  EXPECT_EQ(*parse_url("HTTP://[::1]:5000"), (Url{false, "::1", 5000, "/"}));
  EXPECT_EQ(*parse_url("http://host?a"), (Url{false, "host", 80, "/?a"}));
  EXPECT_EQ(authority_of(*parse_url("http://[::1]:5000/x")), "[::1]:5000");
  EXPECT_EQ(authority_of(*parse_url("https://host:443/x")), "host");
}

TEST(Url, WhatCouldMeanSomethingElseIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("host/path"), std::string("ftp://host/"),
        std::string("file:///etc/passwd"), std::string("https://user:secret@host/"),
        std::string("https://host/#part"), std::string("https://host/a b"),
        std::string("https://host/\r\nX: y"), std::string("https://ho\xc3\xa9st/"),
        std::string("https:///x"), std::string("https://host:0/"),
        std::string("https://host:70000/"), "https://host/" + std::string(kMaxUrlBytes, 'a')}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

TEST(Url, ALocationMayBeRelative) {
  const Url base = *parse_url("http://host:5000/v2/a/blobs/uploads/");
  EXPECT_EQ(*resolve_url(base, "/v2/x?y"), (Url{false, "host", 5000, "/v2/x?y"}));
  EXPECT_EQ(*resolve_url(base, "//other/x"), (Url{false, "other", 80, "/x"}));
  EXPECT_EQ(*resolve_url(base, "https://other/x"), (Url{true, "other", 443, "/x"}));
  EXPECT_FALSE(resolve_url(base, "x"));
  EXPECT_FALSE(is_same_origin(base, *resolve_url(base, "//host/x")));
  EXPECT_TRUE(is_same_origin(base, *resolve_url(base, "/x")));
}

TEST(Url, OnlyAddressesOfThisMachineAreLoopback) {
  EXPECT_TRUE(is_loopback_host("localhost") && is_loopback_host("127.0.0.1") &&
              is_loopback_host("127.9.9.9") && is_loopback_host("::1"));
  EXPECT_FALSE(is_loopback_host("127.0.0.1.evil.example") ||
               is_loopback_host("127.evil.example.x") ||
               is_loopback_host("localhost.evil.example") || is_loopback_host("::2") ||
               is_loopback_host("128.0.0.1"));
}

TEST(PercentEncoding, LeavesOnlyWhatNeedsNone) {
  EXPECT_EQ(percent_encoded("repository:a/b:pull"), "repository%3Aa%2Fb%3Apull");
  EXPECT_EQ(percent_encoded("a-._~9\xff&="), "a-._~9%FF%26%3D");
}

}  // namespace
}  // namespace hm::containers
