// SPDX-License-Identifier: Apache-2.0
// Policy files: what is read, what is refused, and the example in the guide.
#include "apps/hypermesh/policy_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace hm::cli {
namespace {

std::string example_of_the_guide() {
  std::ifstream file(HM_LENDING_PAGE);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const std::string fence = "```toml\n";
  const std::size_t begin = page.find(fence);
  const std::size_t end = page.find("```", begin + fence.size());
  if (begin == std::string::npos || end == std::string::npos) return {};
  return page.substr(begin + fence.size(), end - begin - fence.size());
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

constexpr std::string_view kSmall = R"(format = 1
owner = "alice"
[[person]]
name = "alice"
[[person]]
name = "bob"
[[person]]
name = "carol"
[[asset]]
name = "box"
kind = "memory"
detected = "16GiB"
[[group]]
name = "lab"
members = ["cert:*.lab.org@carol"]
[[grant]]
name = "first"
to = "group:lab"
what = "memory"
share = "50%"
price = "1/GiB"
at_most = 2
may_delegate = 1
until = "2030-12-31"
[[test]]
name = "certified"
who = "bob"
certificates = ["bob.lab.org@carol"]
asset = "box"
quantity = "1GiB"
at = "2030-01-01T00:00"
expects = "allow"
)";

TEST(PolicyFile, TheExampleOfTheGuidePasses) {
  const std::string text = example_of_the_guide();
  const auto document = parse_policy(text, "lending.md");
  ASSERT_TRUE(document) << document.error().what << " " << document.error().why;
  EXPECT_EQ(document->tests.size(), 4u);
  for (const privacy::PolicyFailure& failure : privacy::run(*document)) {
    ADD_FAILURE() << failure.test << ": " << failure.sentence;
  }
}

TEST(PolicyFile, AGrantThatGivesTooMuchFailsItsTest) {
  const auto document =
      parse_policy(replaced(example_of_the_guide(), "hours = \"20-08\"\n", ""), "policy.toml");
  ASSERT_TRUE(document) << document.error().what;
  const auto failures = privacy::run(*document);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].test, "but not by day");
  EXPECT_NE(failures[0].sentence.find("outside_hours"), std::string::npos);
}

TEST(PolicyFile, CertificatesPricesAndUseCount) {
  const auto failures_of = [](std::string_view more) {
    const auto document = parse_policy(std::string(kSmall) + std::string(more), "policy.toml");
    EXPECT_TRUE(document) << document.error().what;
    return document ? privacy::run(*document).size() : 99;
  };
  EXPECT_EQ(failures_of(""), 0u);
  EXPECT_EQ(failures_of("open_leases = 2\n"), 1u);
  EXPECT_EQ(failures_of("in_use = \"8GiB\"\n"), 1u);
  EXPECT_EQ(failures_of("highest_price = \"0.5/GiB\"\n"), 1u);
  EXPECT_EQ(failures_of("network = \"mesh\"\n"), 1u);
}

TEST(PolicyFile, AGrantMayBePassedOnWithinItself) {
  const std::string passed_on = R"([[grant]]
name = "second"
from = "first"
by = "bob"
to = "carol"
what = "memory"
share = "10%"
[[test]]
name = "passed on"
who = "carol"
asset = "box"
quantity = "1GiB"
at = "2030-01-01T00:00"
expects = "allow"
)";
  const auto within = parse_policy(std::string(kSmall) + passed_on, "policy.toml");
  ASSERT_TRUE(within) << within.error().what;
  EXPECT_TRUE(privacy::run(*within).empty());
  const auto beyond =
      parse_policy(std::string(kSmall) + replaced(passed_on, "10%", "60%"), "policy.toml");
  ASSERT_TRUE(beyond) << beyond.error().what;
  EXPECT_EQ(privacy::run(*beyond).size(), 1u);
}

TEST(PolicyFile, EveryFaultIsRefusedAndNamed) {
  const std::string good(kSmall);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[[[", "TOML"},
      {replaced(good, "format = 1", "format = 2"), "format"},
      {replaced(good, "owner = \"alice\"", "owner = \"eve\""), "eve"},
      {good + "surprise = 1\n", "surprise"},
      {replaced(good, "name = \"bob\"", "name = \"alice\""), "twice"},
      {replaced(good, "name = \"bob\"", "name = \"Bob\""), "name"},
      {replaced(good, "kind = \"memory\"", "kind = \"ram\""), "kind"},
      {replaced(good, "name = \"box\"", "name = \"gpu\""), "name"},
      {replaced(good, "16GiB", "lots"), "detected"},
      {replaced(good, "cert:*.lab.org@carol", "cert:*.lab.org@eve"), "eve"},
      {replaced(good, "cert:*.lab.org@carol", "anyone"), "member"},
      {replaced(good, "group:lab", "group:labs"), "labs"},
      {replaced(good, "group:lab", "eve"), "eve"},
      {replaced(good, "what = \"memory\"", "what = \"ram\""), "what"},
      {replaced(good, "share = \"50%\"", "share = \"0%\""), "0%"},
      {replaced(good, "share = \"50%\"\n", ""), "share"},
      {replaced(good, "price = \"1/GiB\"", "price = \"cheap\""), "cheap"},
      {replaced(good, "at_most = 2", "at_most = \"2\""), "at_most"},
      {replaced(good, "2030-12-31", "30d"), "until"},
      {replaced(good, "may_delegate = 1", "may_delegate = 9"), "may-delegate"},
      {replaced(good, "who = \"bob\"", "who = \"eve\""), "eve"},
      {replaced(good, "bob.lab.org@carol", "bob.lab.org"), "certificates"},
      {replaced(good, "asset = \"box\"", "asset = \"crate\""), "asset"},
      {replaced(good, "quantity = \"1GiB\"", "quantity = \"some\""), "quantity"},
      {replaced(good, "at = \"2030-01-01T00:00\"", "at = \"noon\""), "at"},
      {replaced(good, "expects = \"allow\"", "expects = \"yes\""), "expects"},
      {good + "rule = \"expired\"\n", "rule"},
      {good + "machine = \"off\"\n", "machine"},
      {good + "action = \"steal\"\n", "action"},
      {good.substr(0, good.find("[[test]]")), "test"},
      {good + good.substr(good.find("[[test]]")), "once"},
  };
  for (const auto& [text, word] : cases) {
    const auto refused = parse_policy(text, "policy.toml");
    ASSERT_FALSE(refused) << word;
    const std::string told = refused.error().what + refused.error().why + refused.error().to_do;
    EXPECT_NE(told.find(word), std::string::npos) << word << ": " << told;
    EXPECT_NE(told.find("policy.toml"), std::string::npos) << told;
    EXPECT_EQ(refused.error().exit, ExitCode::Failure) << told;
  }
}

}  // namespace
}  // namespace hm::cli
