// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/duration.h"

#include <gtest/gtest.h>

namespace hm::cli {
namespace {

TEST(Duration, IsOneNumberAndOneUnit) {
  EXPECT_EQ(parse_duration("90s"), 90'000u);
  EXPECT_EQ(parse_duration("10m"), 600'000u);
  EXPECT_EQ(parse_duration("1h"), 3'600'000u);
  EXPECT_EQ(parse_duration("7d"), 7ull * 86'400'000);
  EXPECT_EQ(parse_duration("0s"), 0u);
  EXPECT_EQ(parse_duration("36500d"), kMaxDurationMs);
}

TEST(Duration, WithAnyOtherSpellingIsRefused) {
  for (const char* bad : {"",
                          "s",
                          "1",
                          "1 h",
                          " 1h",
                          "1h ",
                          "-1h",
                          "+1h",
                          "1.5h",
                          "01h",
                          "00s",
                          "1H",
                          "1ms",
                          "1h30m",
                          "1w",
                          "1min",
                          "0x1s",
                          "36501d",
                          "18446744073709551616s",
                          "99999999999999999999d"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
  EXPECT_FALSE(parse_duration(std::string_view("1\0h", 3)));
}

TEST(Duration, AsAnOptionIsAboveZeroAndNamedInItsFailure) {
  ASSERT_TRUE(duration_of("--for", "1h"));
  for (const char* bad : {"0s", "1"}) {
    const auto refused = duration_of("--for", bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().exit, ExitCode::Usage);
    EXPECT_NE(refused.error().what.find("--for"), std::string::npos);
    EXPECT_FALSE(refused.error().why.empty());
    EXPECT_NE(refused.error().to_do.find("--for 90s"), std::string::npos);
  }
}

TEST(Duration, IsWrittenAsItIsRead) {
  for (const char* text : {"0s", "1s", "90s", "119m", "25h", "7d", "36500d"}) {
    EXPECT_EQ(duration_text(*parse_duration(text)), text);
  }
  EXPECT_EQ(duration_text(3'600'000), "1h");
  EXPECT_EQ(duration_text(1'999), "1s");
  EXPECT_EQ(duration_text(999), "0s");
}

TEST(Duration, ForPeopleHasTwoUnits) {
  EXPECT_EQ(format_duration(0), "0 s");
  EXPECT_EQ(format_duration(999), "0 s");
  EXPECT_EQ(format_duration(45'000), "45 s");
  EXPECT_EQ(format_duration(90'000), "1 min 30 s");
  EXPECT_EQ(format_duration(3'600'000), "1 h");
  EXPECT_EQ(format_duration(3'605'000), "1 h");
  EXPECT_EQ(format_duration(5'400'000), "1 h 30 min");
  EXPECT_EQ(format_duration(7ull * 86'400'000 - 1), "6 d 23 h");
}

TEST(Moment, IsUtcToTheSecond) {
  EXPECT_EQ(format_moment(0), "1970-01-01 00:00:00 UTC");
  EXPECT_EQ(format_moment(1'709'210'096'789), "2024-02-29 12:34:56 UTC");
  EXPECT_EQ(format_moment(253'402'300'799'999), "9999-12-31 23:59:59 UTC");
  EXPECT_EQ(format_moment(253'402'300'800'000), "never");
  EXPECT_EQ(format_moment(~0ull), "never");
}

}  // namespace
}  // namespace hm::cli
