// SPDX-License-Identifier: Apache-2.0
#include "foundation/base/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

namespace hm::log {
namespace {

using nlohmann::json;

TEST(Log, FilterSetsTheLevelByComponent) {
  ASSERT_TRUE(configure("warning,consensus=trace,quic=off", Format::Json));
  EXPECT_TRUE(enabled(Level::Trace, "consensus"));
  EXPECT_FALSE(enabled(Level::Info, "node"));
  EXPECT_TRUE(enabled(Level::Warning, "node"));
  EXPECT_FALSE(enabled(Level::Error, "quic"));
}

TEST(Log, FilterRefusesAnUnknownLevelByNameAndKeepsTheOldOne) {
  ASSERT_TRUE(configure("error", Format::Human));
  const auto refused = configure("info,node=loud", Format::Human);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("'loud'"), std::string::npos);
  EXPECT_FALSE(enabled(Level::Info, "node"));
}

TEST(Log, JsonLineParsesBackWhateverBytesAreLogged) {
  const std::string hostile = "a\"b\\c\n\x01\xff\xc3(";
  const std::string line = detail::json_line("t", Level::Info, "node", hostile,
                                             {{"text", hostile},
                                              {"count", 18446744073709551615u},
                                              {"low", -5},
                                              {"yes", true},
                                              {"message", "second"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const json object = json::parse(line);
  EXPECT_EQ(object["level"], "info");
  EXPECT_EQ(object["count"], 18446744073709551615u);
  EXPECT_EQ(object["low"], -5);
  EXPECT_EQ(object["yes"], true);
  EXPECT_EQ(object["message_"], "second");
  EXPECT_EQ(object["text"].get<std::string>().substr(0, 6), "a\"b\\c\n");
}

TEST(Log, HumanLineEscapesControlCharactersAndInvalidUtf8) {
  const std::string line = detail::human_line("t", Level::Error, "quic", "one\ntwo\x1b[2J",
                                              {{"peer", "bad\xff"}, {"name", "é x"}, {"n", 3}});
  EXPECT_EQ(line, "t error   quic: one\\x0atwo\\x1b[2J peer=bad\\xff name=\"é x\" n=3");
}

TEST(Log, WritesOneLinePerMessageToStandardError) {
  ASSERT_TRUE(configure("info", Format::Json));
  testing::internal::CaptureStderr();
  info("node", "started", {{"height", 7}});
  debug("node", "not shown");
  const std::string out = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(out.ends_with('\n'));
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
  EXPECT_EQ(json::parse(out)["height"], 7);
}

}  // namespace
}  // namespace hm::log
