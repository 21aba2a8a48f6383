// SPDX-License-Identifier: Apache-2.0
// Grants as people write and read them: every word, every refusal, and back again.
#include "apps/hypermesh/grant_words.h"

#include <gtest/gtest.h>

#include "apps/hypermesh/command_line.h"
#include "apps/hypermesh/time_words.h"

namespace hm::cli {
namespace {

constexpr std::uint64_t kDay = 86'400'000;
// 2026-01-01T00:00:00Z, an hour ahead of UTC.
constexpr LocalTime kLocal{UnixMillis(1'767'225'600'000), 60};

template <class Id>
Id id(std::uint8_t fill) {
  Id made;
  made.bytes.fill(fill);
  return made;
}

GrantNames plain_names() {
  return {[](const identity::OwnerId& owner) { return owner.bytes[0] == 1 ? "alice" : "bob"; },
          [](const privacy::GroupId&) { return "family"; },
          [](const identity::NodeId&) { return "node1"; }};
}

Answer<identity::OwnerId> find(const std::string& name) {
  if (name == "alice") return id<identity::OwnerId>(1);
  if (name == "bob") return id<identity::OwnerId>(2);
  return failed(ExitCode::Failure, "nobody is called " + name);
}

privacy::Grant base_grant() {
  privacy::Grant grant;
  grant.owner = grant.issuer = id<identity::OwnerId>(1);
  grant.to = privacy::ToOwner{id<identity::OwnerId>(2)};
  grant.assets.kind = assets::AssetKind::Gpu;
  return grant;
}

TEST(TimeWords, DailyWindowsAreTwoUnequalTimesOfDay) {
  EXPECT_EQ(parse_window("20-08"), (DailyWindow{1200, 480}));
  EXPECT_EQ(parse_window("20:30-06:05"), (DailyWindow{1230, 365}));
  EXPECT_EQ(parse_window("00-24"), (DailyWindow{0, 1440}));
  EXPECT_EQ(format_window({1230, 365}), "20:30-06:05");
  for (const char* bad : {"", "20", "8-20", "20-20", "20-25", "24-08", "20:60-08", "20-08-",
                          "20:3-08", "20 - 08", "-08", "20:-08", "00:00-24:01"}) {
    EXPECT_FALSE(parse_window(bad)) << bad;
  }
}

TEST(TimeWords, WeekdaysAreRangesAndListsWithoutADayTwice) {
  EXPECT_EQ(parse_days("mon-fri"), 0x1f);
  EXPECT_EQ(parse_days("sat,sun"), 0x60);
  EXPECT_EQ(parse_days("fri-mon"), 0x71);
  EXPECT_EQ(parse_days("wed"), 0x04);
  for (const char* bad :
       {"", "Mon", "monday", "mon,", "mon-", "mon,mon", "mon-fri,wed", "mon mon"}) {
    EXPECT_FALSE(parse_days(bad)) << bad;
  }
  for (unsigned days = 1; days <= 0x7f; ++days) {
    const auto word = static_cast<std::uint8_t>(days);
    EXPECT_EQ(parse_days(format_days(word)), word) << format_days(word);
  }
}

TEST(TimeWords, OffsetsHaveASignHoursAndMinutes) {
  EXPECT_EQ(parse_utc_offset("+02:00"), 120);
  EXPECT_EQ(parse_utc_offset("-05:30"), -330);
  EXPECT_EQ(format_utc_offset(-330), "-05:30");
  EXPECT_EQ(parse_utc_offset(format_utc_offset(0)), 0);
  for (const char* bad : {"", "2", "+2", "02:00", "+02", "+02:60", "+24:01", "+0200", "+02:00 "}) {
    EXPECT_FALSE(parse_utc_offset(bad)) << bad;
  }
}

TEST(TimeWords, AnEndIsADayAMomentOrASpan) {
  const auto until = [](const char* text) { return parse_until(text, kLocal); };
  EXPECT_EQ(until("30d"), UnixMillis(kLocal.now.value + 30 * kDay));
  // Midnight after the day, local time.
  EXPECT_EQ(until("2026-01-01"), UnixMillis(kLocal.now.value + kDay - 3'600'000));
  EXPECT_EQ(until("2026-01-01T12:00"), UnixMillis(kLocal.now.value + 11 * 3'600'000));
  EXPECT_EQ(until("2026-01-01T12:00Z"), UnixMillis(kLocal.now.value + 12 * 3'600'000));
  EXPECT_EQ(until("2026-01-01T12:00:01.250+02:00"),
            UnixMillis(kLocal.now.value + 10 * 3'600'000 + 1'250));
  for (const char* bad :
       {"", "tomorrow", "2026-02-30", "2026-13-01", "2026-1-1", "2026-01-01T", "2026-01-01T24:00",
        "2026-01-01T12", "2026-01-01T12:00z", "30", "1969-12-31"}) {
    EXPECT_FALSE(until(bad)) << bad;
  }
}

TEST(GrantWords, AShareIsOneToAHundredPercent) {
  EXPECT_EQ(parse_share("50%").value(), 50);
  EXPECT_EQ(parse_share("1").value(), 1);
  EXPECT_EQ(parse_share("100%").value(), 100);
  for (const char* bad : {"", "%", "0%", "0", "101%", "-1%", "50 %", "0.5", "50%%", "half"}) {
    const auto refused = parse_share(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().exit, ExitCode::Usage);
    EXPECT_NE(refused.error().what.find("'" + std::string(bad) + "'"), std::string::npos);
  }
}

TEST(GrantWords, WhoIsNamedIsTold) {
  using Kind = GranteeWord::Kind;
  EXPECT_EQ(parse_grantee("bob").value(), (GranteeWord{Kind::Owner, "bob", ""}));
  EXPECT_EQ(parse_grantee("group:family").value(), (GranteeWord{Kind::Group, "family", ""}));
  EXPECT_EQ(parse_grantee("group:family@alice").value(),
            (GranteeWord{Kind::Group, "family", "alice"}));
  EXPECT_EQ(parse_grantee("cert:*.lab.org@bob").value(),
            (GranteeWord{Kind::Certificate, "*.lab.org", "bob"}));
  EXPECT_EQ(parse_grantee("cert:*").value(), (GranteeWord{Kind::Certificate, "*", ""}));
  EXPECT_EQ(parse_grantee("anyone").value(), (GranteeWord{Kind::Anyone, "", ""}));
  for (const char* bad : {"", "group:", "group:Family", "cert:", "cert:a.*.b", "cert:x@",
                          "bob@alice", "groups:family", "@alice"}) {
    EXPECT_FALSE(parse_grantee(bad)) << bad;
  }
}

TEST(GrantWords, NamesAreLookedUp) {
  const identity::ChainId chain{};
  const auto self = id<identity::OwnerId>(1);
  const auto to = [&](const char* text) {
    return grantee_of(parse_grantee(text).value(), chain, self, find);
  };
  EXPECT_EQ(to("bob").value(), privacy::Grantee(privacy::ToOwner{id<identity::OwnerId>(2)}));
  EXPECT_EQ(to("group:family").value(),
            privacy::Grantee(privacy::ToGroup{privacy::group_id(chain, self, "family")}));
  EXPECT_EQ(to("group:family@bob").value(), privacy::Grantee(privacy::ToGroup{privacy::group_id(
                                                chain, id<identity::OwnerId>(2), "family")}));
  EXPECT_FALSE(to("eve"));
  EXPECT_FALSE(to("cert:*@eve"));
  EXPECT_FALSE(group_member_of(parse_grantee("group:family").value(), find));
  EXPECT_FALSE(group_member_of(parse_grantee("anyone").value(), find));
}

// One good and one bad spelling of every option.
TEST(GrantWords, EveryOptionIsReadAndRefusedByName) {
  struct Case {
    std::optional<std::string> GrantWords::* word;
    const char* good;
    const char* bad;
    const char* option;
  };
  const std::vector<Case> cases = {
      {&GrantWords::network, "mesh", "lan", "--network"},
      {&GrantWords::hours, "20-08", "20-20", "--hours"},
      {&GrantWords::days, "mon-fri", "workdays", "--days"},
      {&GrantWords::when, "idle", "sometimes", "--when"},
      {&GrantWords::price, "0.5/GiB", "cheap", "--price"},
      {&GrantWords::at_most, "2", "0", "--at-most"},
      {&GrantWords::largest, "4GiB", "0", "--largest"},
      {&GrantWords::longest, "24h", "0s", "--longest"},
      {&GrantWords::per_day, "3", "many", "--per-day"},
      {&GrantWords::notice, "10m", "soon", "--notice"},
      {&GrantWords::until, "30d", "2001-01-01", "--until"},
      {&GrantWords::may_delegate, "4", "5", "--may-delegate"},
  };
  const privacy::Grant plain = apply_words(base_grant(), {.share = "50%"}, kLocal).value();
  for (const Case& one : cases) {
    GrantWords words{.share = "50%"};
    words.*one.word = one.good;
    const auto read = apply_words(base_grant(), words, kLocal);
    ASSERT_TRUE(read) << one.option << ": " << read.error().what;
    EXPECT_NE(*read, plain) << one.option;
    words.*one.word = one.bad;
    const auto refused = apply_words(base_grant(), words, kLocal);
    ASSERT_FALSE(refused) << one.option;
    EXPECT_EQ(refused.error().exit, ExitCode::Usage);
    EXPECT_NE(refused.error().what.find(one.option), std::string::npos) << refused.error().what;
    EXPECT_FALSE(refused.error().to_do.empty());
  }
}

TEST(GrantWords, HoursAreLocalAndAnOffsetAloneIsRefused) {
  GrantWords words{.share = "50%"};
  words.days = "sat-sun";
  EXPECT_EQ(apply_words(base_grant(), words, kLocal)->hours,
            (privacy::Hours{0, 1440, 1440 + 60, 0x60}));
  words.hours = "20-08";
  words.utc_offset = "-05:00";
  EXPECT_EQ(apply_words(base_grant(), words, kLocal)->hours,
            (privacy::Hours{1200, 480, 1440 - 300, 0x60}));
  GrantWords alone{.share = "50%"};
  alone.utc_offset = "+02:00";
  EXPECT_FALSE(apply_words(base_grant(), alone, kLocal));
}

TEST(GrantWords, AGrantToOneselfIsRefused) {
  privacy::Grant grant = base_grant();
  grant.to = privacy::ToOwner{grant.owner};
  EXPECT_FALSE(apply_words(grant, {.share = "50%"}, kLocal));
}

privacy::Grant full_grant() {
  privacy::Grant grant = base_grant();
  grant.share_percent = 35;
  grant.limits = {2, 4096, 36 * 3'600'000, 3};
  grant.network = privacy::NetworkClass::Internet;
  grant.hours = privacy::Hours{1230, 365, 1440 - 330, 0x71};
  grant.when = privacy::When::Idle;
  grant.price = caesar::Price{caesar::Amount{500'000'001}, 1u << 30};
  grant.expiry = UnixMillis(kLocal.now.value + 12'345'678);
  grant.notice_ms = 90'000;
  grant.delegations = 3;
  return grant;
}

// The undo of 'unshare' is a command line: what the parser makes of it is the same grant.
TEST(GrantWords, TheCommandThatMakesAGrantAgainMakesTheSame) {
  std::vector<privacy::Grant> grants = {full_grant(), base_grant()};
  grants.back().share_percent = 100;
  for (const privacy::Grantee& to :
       {privacy::Grantee(privacy::ToAnyone{}),
        privacy::Grantee(privacy::CertificatePattern{id<identity::OwnerId>(2), "*.lab.org"}),
        privacy::Grantee(privacy::CertificatePattern{std::nullopt, "*"})}) {
    grants.push_back(full_grant());
    grants.back().to = to;
  }
  for (const privacy::Grant& grant : grants) {
    std::vector<std::string> arguments = {"share", "gpu"};
    for (std::string& word : options_of(grant, plain_names())) arguments.push_back(std::move(word));
    const auto parsed = parse_command_line(std::move(arguments));
    const auto* invocation = std::get_if<Invocation>(&parsed);
    ASSERT_NE(invocation, nullptr) << std::get<Failure>(parsed).what;
    const auto& share = std::get<Share>(invocation->command);
    ASSERT_EQ(share.with.size(), 1u);
    privacy::Grant base = base_grant();
    base.to = grantee_of(parse_grantee(share.with[0]).value(), {}, base.owner, find).value();
    const auto again = apply_words(base, share.words, kLocal);
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(*again, grant);
  }
}

TEST(GrantWords, OneSentenceSaysAll) {
  EXPECT_EQ(describe(full_grant(), plain_names()),
            "bob may lease up to 35 % of every gpu of alice, while nobody uses the machine, from "
            "20:30 to 06:05 on mon,fri-sun (UTC-05:30), in at most 2 leases at one time, at most "
            "4096 in one lease, for at most 36h in one lease, in at most 3 new leases a day, with "
            "the internet, for 0.500000001 CAES an hour for 1073741824 units, until 2026-01-01 "
            "03:25:45 UTC, and has 90s of notice before it is taken back; it may be passed on 3 "
            "times");
  privacy::Grant plain = base_grant();
  plain.share_percent = 50;
  plain.price = caesar::Price{{}, 1};
  plain.assets.node = id<identity::NodeId>(3);
  EXPECT_EQ(describe(plain, plain_names()),
            "bob may lease up to 50 % of every gpu on node1 of alice, without any network, for "
            "nothing, and may lose it without notice");
  EXPECT_EQ(limit_words(full_grant()),
            "2 at a time, 4096 each, for 36h, 3 a day, when idle, 20:30-06:05 mon,fri-sun");
  EXPECT_EQ(price_words(plain), "0");
}

}  // namespace
}  // namespace hm::cli
