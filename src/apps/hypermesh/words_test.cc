// SPDX-License-Identifier: Apache-2.0
// What people type and read: quantities, filters, suggestions, terminal text.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/asset_filter.h"
#include "apps/hypermesh/quantity.h"
#include "apps/hypermesh/suggestion.h"
#include "apps/hypermesh/terminal.h"

namespace hm::cli {
namespace {

using nlohmann::json;

TEST(Quantity, ReadsUnitsOf1000AndOf1024) {
  EXPECT_EQ(parse_quantity("0"), 0u);
  EXPECT_EQ(parse_quantity("16GiB"), 16ull << 30);
  EXPECT_EQ(parse_quantity("16Gi"), 16ull << 30);
  EXPECT_EQ(parse_quantity("10G"), 10'000'000'000ull);
  EXPECT_EQ(parse_quantity("1.5KiB"), 1536u);
  EXPECT_EQ(parse_quantity("2k"), 2000u);
  EXPECT_EQ(parse_quantity("18446744073709551615"), ~0ull);
}

TEST(Quantity, RefusesWhatHasNoSingleMeaning) {
  for (const char* bad : {"", "GiB", "-1", "1.", ".5", "1.5", "1e3", "16 GiB", "1Qi", "1.2.3K",
                          "18446744073709551616", "99999999999P", "1KB2"}) {
    EXPECT_FALSE(parse_quantity(bad)) << bad;
  }
}

TEST(Quantity, APriceMayBeForManyUnits) {
  EXPECT_EQ(parse_price("0.5"), (caesar::Price{caesar::Amount{500'000'000}, 1}));
  EXPECT_EQ(parse_price("1/GiB"), (caesar::Price{caesar::caes(1), 1u << 30}));
  EXPECT_EQ(parse_price("2/100GB"), (caesar::Price{caesar::caes(2), 100'000'000'000}));
  for (const char* bad : {"", "/GiB", "1/", "1/0", "1/apples", "-1", "1/2/3"}) {
    EXPECT_FALSE(parse_price(bad)) << bad;
  }
}

TEST(Quantity, WritesThemShort) {
  EXPECT_EQ(format_quantity(0, "bytes"), "0 B");
  EXPECT_EQ(format_quantity(1536, "bytes"), "1.5 KiB");
  EXPECT_EQ(format_quantity(16ull << 30, "bytes"), "16 GiB");
  EXPECT_EQ(format_quantity(2500, "millicores"), "2.5 cores");
  EXPECT_EQ(format_quantity(1000, "millicores"), "1 core");
  EXPECT_EQ(format_quantity(10'000'000'000ull, "bits_per_second"), "10 Gbit/s");
  EXPECT_EQ(format_quantity(7, "widgets"), "7 widgets");
  EXPECT_EQ(format_age(300), "0.3 s");
  EXPECT_EQ(format_age(90'000), "90 s");
  EXPECT_EQ(format_age(7'200'000), "2 h");
}

TEST(Suggestion, FindsTheNearOneAndNothingElse) {
  const std::vector<std::string_view> names = {"status", "assets", "validators", "wallet"};
  EXPECT_EQ(suggestion_for("stauts", names), "status");
  EXPECT_EQ(suggestion_for("asset", names), "assets");
  EXPECT_EQ(suggestion_for("validator", names), "validators");
  EXPECT_EQ(suggestion_for("frobnicate", names), "");
  EXPECT_EQ(suggestion_for(std::string(1000, 'a'), names), "");
}

const json kMemory = json::parse(R"({"id": "memory:0198aa-bb:ff", "kind": "memory",
  "node": "abcd", "owner": "0123", "owner_name": "alice", "state": "available",
  "level": "public_network",
  "quantity": {"detected": 34359738368, "offered": 17179869184, "available": 0, "unit": "bytes"},
  "descriptor": {"total_bytes": 34359738368, "ecc": true}})");
const json kCpu = json::parse(R"({"id": "cpu:0198cc:ff", "kind": "cpu", "node": "abce",
  "owner": "0124", "state": "maintenance", "level": "full_public",
  "quantity": {"detected": 4000, "offered": 4000, "available": 2500, "unit": "millicores"},
  "descriptor": {"model": "X1", "features": ["avx2", "aes"], "logical_cores": 4}})");

bool passes(const char* filter, const json& asset) {
  const auto parsed = parse_asset_filter(filter);
  EXPECT_TRUE(parsed) << filter;
  return parsed && matches(*parsed, asset);
}

TEST(AssetFilter, ComparesKindsStatesAndNames) {
  EXPECT_TRUE(passes("kind=cpu", kCpu));
  EXPECT_FALSE(passes("kind=cpu", kMemory));
  EXPECT_TRUE(passes("kind!=cpu", kMemory));
  EXPECT_TRUE(passes("owner=alice", kMemory));
  EXPECT_TRUE(passes("owner=012", kMemory));
  EXPECT_FALSE(passes("owner=bob", kMemory));
  EXPECT_TRUE(passes("id=0198cc", kCpu));
  EXPECT_TRUE(passes("state=maintenance", kCpu));
}

TEST(AssetFilter, KindAsAKeyComparesWhatIsDetected) {
  EXPECT_TRUE(passes("memory>=32GiB", kMemory));
  EXPECT_FALSE(passes("memory>32GiB", kMemory));
  EXPECT_FALSE(passes("memory>=16GiB", kCpu));
  EXPECT_TRUE(passes("cpu>=4", kCpu));
  EXPECT_FALSE(passes("cpu>=5", kCpu));
}

TEST(AssetFilter, LooksIntoQuantitiesAndDescriptor) {
  EXPECT_TRUE(passes("available=0", kMemory));
  EXPECT_TRUE(passes("available>0", kCpu));
  EXPECT_TRUE(passes("features=avx2", kCpu));
  EXPECT_FALSE(passes("features=avx512f", kCpu));
  EXPECT_TRUE(passes("logical_cores<8", kCpu));
  EXPECT_TRUE(passes("ecc=true", kMemory));
  EXPECT_FALSE(passes("ecc=true", kCpu));
  EXPECT_TRUE(passes("ecc!=true", kCpu));
}

TEST(AssetFilter, RefusesWhatItCannotCompareByName) {
  for (const char* bad : {"", "kind", "=cpu", "kind=", "kind=cpv", "memory>=big", "x>y", "a!b"}) {
    const auto parsed = parse_asset_filter(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().exit, ExitCode::Usage);
    EXPECT_FALSE(parsed.error().what.empty());
  }
  EXPECT_NE(parse_asset_filter("shwo").error().to_do.find("'show'"), std::string::npos);
}

TEST(Terminal, ForeignTextCannotSteerIt) {
  EXPECT_EQ(printable("a\x1b[2Jb\n\x7f"), "a?[2Jb??");
  EXPECT_EQ(printable("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(printable("\xff"), "?");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "?31m");
  EXPECT_EQ(display_width("caf\xc3\xa9"), 4u);
}

TEST(Terminal, NoColourMeansNoEscape) {
  EXPECT_EQ(Terminal(false, false).styled(Style::Bad, "x"), "x");
  EXPECT_EQ(Terminal(true, true).styled(Style::Bad, "x"), "\x1b[31mx\x1b[0m");
}

}  // namespace
}  // namespace hm::cli
