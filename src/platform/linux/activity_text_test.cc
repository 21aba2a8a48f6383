// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/activity_text.h"

#include <gtest/gtest.h>

#include <string>

namespace hm::linux {
namespace {

using activity::Pressure;

TEST(ActivityText, CpuTimesAddUpByWhatTheyMean) {
  EXPECT_EQ(parse_cpu_times("cpu  1 2 4 8 16 32 64 128 256 512\ncpu0 1 1 1 1 1 1 1 1 1 1\n"),
            (CpuTimes{.busy = 1 + 2 + 4 + 32 + 64, .idle = 8 + 16, .stolen = 128}));
  EXPECT_TRUE(parse_cpu_times("cpu 1 2 3 4 5 6 7 8")) << "before there were guests";
}

TEST(ActivityText, MalformedCpuTimesAreRefused) {
  EXPECT_FALSE(parse_cpu_times(""));
  EXPECT_FALSE(parse_cpu_times("cpu0 1 2 3 4 5 6 7 8"));
  EXPECT_FALSE(parse_cpu_times("cpu 1 2 3 4 5 6 7"));
  EXPECT_FALSE(parse_cpu_times("cpu 1 2 3 4 5 6 7\n8"));
  EXPECT_FALSE(parse_cpu_times("cpu 1 2 3 -4 5 6 7 8"));
  EXPECT_FALSE(parse_cpu_times("cpu 1 2 3 4 5 6 7 18446744073709551615")) << "sums would overflow";
}

TEST(ActivityText, PressureIsReadInHundredths) {
  EXPECT_EQ(parse_pressure("some avg10=2.97 avg60=8.04 avg300=15.93 total=5371360882\n"
                           "full avg10=0.05 avg60=0.00 avg300=0.00 total=0\n"),
            (Pressure{.some = 297, .full = 5}));
  EXPECT_EQ(parse_pressure("some avg10=100.00 avg60=0.00 avg300=0.00 total=1\n"),
            (Pressure{.some = 10'000, .full = {}}));
}

TEST(ActivityText, MalformedPressureIsRefused) {
  for (const char* text :
       {"", "full avg10=0.00\n", "some\n", "some avg60=0.00\n", "some avg10=\n", "some avg10=1\n",
        "some avg10=1.2\n", "some avg10=1.234\n", "some avg10=.12\n", "some avg10=-1.00\n",
        "some avg10=100.01\n", "some avg10=1e.00\n", "some avg10=4294967296.00\n",
        "some avg10=0.00\nsome avg10=0.00\n", "some avg10=0.00\nmost avg10=0.00\n",
        "some avg10=0.00\n\n\n"}) {
    EXPECT_FALSE(parse_pressure(text)) << text;
  }
}

TEST(ActivityText, GroupUsageIsTheLineOfThatName) {
  EXPECT_EQ(parse_group_usage("usage_usec 123\nuser_usec 100\nsystem_usec 23\n"), 123U);
  EXPECT_FALSE(parse_group_usage("nr_periods 0\n"));
  EXPECT_FALSE(parse_group_usage("usage_usec many\n"));
  EXPECT_FALSE(parse_group_usage("usage_usec 1 2\n"));
}

std::string session_text(std::string_view session_class, std::string_view state,
                         std::string_view type, std::string_view remote) {
  return "# This is private data. Do not parse.\nUID=1000\nUSER=ann\nACTIVE=1\nSTATE=" +
         std::string(state) + "\nREMOTE=" + std::string(remote) + "\nTYPE=" + std::string(type) +
         "\nORIGINAL_TYPE=tty\nCLASS=" + std::string(session_class) + "\nREMOTE_HOST=CLASS=x\n";
}

TEST(ActivityText, SessionsArePeoplesOrNotAndHaveAScreenOrNot) {
  using Screen = Session::Screen;
  const auto of = [](auto... fields) { return parse_session(session_text(fields...)); };
  EXPECT_EQ(of("user", "active", "wayland", "0"), (Session{true, Screen::Local}));
  EXPECT_EQ(of("user", "online", "x11", "1"), (Session{true, Screen::Remote}));
  EXPECT_EQ(of("user-early", "active", "tty", "1"), (Session{true, Screen::None}));
  EXPECT_EQ(of("user", "closing", "tty", "0"), (Session{false, Screen::None}));
  EXPECT_EQ(of("greeter", "active", "wayland", "0"), (Session{false, Screen::Local}));
  EXPECT_EQ(of("manager", "active", "unspecified", "0"), (Session{false, Screen::None}));
}

TEST(ActivityText, SessionsThatLackAFieldOrHaveItTwiceAreRefused) {
  const std::string good = session_text("user", "active", "tty", "0");
  ASSERT_TRUE(parse_session(good));
  for (const char* field : {"CLASS=", "STATE=", "\nTYPE=", "REMOTE=0"}) {
    std::string without = good;
    without.replace(without.find(field), std::string_view(field).size(), "\nX=");
    EXPECT_FALSE(parse_session(without)) << field;
  }
  EXPECT_FALSE(parse_session(good + "CLASS=greeter\n"));
  EXPECT_FALSE(parse_session(session_text("user", "active", "tty", "yes")));
  EXPECT_FALSE(parse_session(""));
}

}  // namespace
}  // namespace hm::linux
