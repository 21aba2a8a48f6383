// SPDX-License-Identifier: Apache-2.0
#include "platform/http/request_target.h"

#include <gtest/gtest.h>

namespace hm::http {
namespace {

TEST(RequestTarget, SplitsAndDecodes) {
  const auto target = parse_target("/assets/cpu%3A1?kind=cpu&state=&flag&q=a%26b+c");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/assets/cpu:1");
  const std::vector<std::pair<std::string, std::string>> expected{
      {"kind", "cpu"}, {"state", ""}, {"flag", ""}, {"q", "a&b c"}};
  EXPECT_EQ(target->query, expected);
}

TEST(RequestTarget, RefusesWhatHasNoSingleMeaning) {
  for (const char* bad : {"", "*", "http://x/", "/%", "/%4", "/%zz", "/%00", "/?a=%", "/?%00=1"}) {
    EXPECT_FALSE(parse_target(bad)) << bad;
  }
  std::string many = "/?";
  for (std::size_t i = 0; i <= kMaxQueryParameters; ++i) many += "a=1&";
  EXPECT_FALSE(parse_target(many));
}

TEST(RequestTarget, EncodedTextDecodesToItself) {
  const std::string text = "memory>=16GiB & 100%/ü";
  const auto target = parse_target("/?f=" + percent_encode(text));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->query.at(0).second, text);
}

}  // namespace
}  // namespace hm::http
