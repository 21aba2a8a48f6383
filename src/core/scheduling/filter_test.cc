// SPDX-License-Identifier: Apache-2.0
#include "core/scheduling/filter.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

#include "core/scheduling/sample_market.h"

namespace hm::scheduling {
namespace {

FilterError error_of(std::string_view text) {
  const auto filter = parse_filter(text);
  EXPECT_FALSE(filter) << text;
  return filter ? FilterError{} : filter.error().error;
}

TEST(Filter, ReadsEverythingThatATenantDemands) {
  const auto owner = sample::owner(7);
  const auto filter = parse_filter(
      "kind=gpu,quantity=16GiB,duration=2h,network=mesh,price<=0.5/1000,cost<=3,trust>=600,"
      "rtt<=20ms,choices=3,owner=alice,owner!=" +
      owner.to_string() + ",node=n1,node=n2,node!=n3,model~=EPYC,logical_cores>=8,has:avx2");
  ASSERT_TRUE(filter);
  Filter wanted;
  wanted.kind = assets::AssetKind::Gpu;
  wanted.quantity = std::uint64_t{16} << 30;
  wanted.duration_ms = 7'200'000;
  wanted.network = privacy::NetworkClass::Mesh;
  wanted.highest_price = caesar::Price{caesar::Amount{500'000'000}, 1000};
  wanted.highest_cost = caesar::caes(3);
  wanted.least_trust = 600;
  wanted.longest_rtt_us = 20'000;
  wanted.choices = 3;
  wanted.owners = {"alice"};
  wanted.excluded_owners = {owner};
  wanted.nodes = {"n1", "n2"};
  wanted.excluded_nodes = {"n3"};
  wanted.requirements = {requirement("model", Comparison::Contains, "EPYC"),
                         requirement("logical_cores", Comparison::GreaterOrEqual, "8"),
                         requirement("", Comparison::Has, "avx2")};
  EXPECT_EQ(*filter, wanted);
}

TEST(Filter, TheEmptyTextSaysNothing) {
  Filter base;
  base.quantity = 12;
  EXPECT_EQ(*parse_filter("", base), base);
  EXPECT_EQ(parse_filter("trust>=1", base)->quantity, 12U);
}

TEST(Filter, EachBrokenRuleIsNamed) {
  EXPECT_EQ(error_of(std::string(kMaxFilterText + 1, 'a')), FilterError::TooLong);
  std::string parts = "has:a";
  for (std::size_t i = 0; i < kMaxFilterParts; ++i) parts += ",has:a";
  EXPECT_EQ(error_of(parts), FilterError::TooManyParts);
  EXPECT_TRUE(parse_filter(parts.substr(6)));
  EXPECT_EQ(error_of("model=\xff"), FilterError::BadText);
  EXPECT_EQ(error_of("model=a\n"), FilterError::BadText);
  for (const char* text : {",", "kind=cpu,", ",kind=cpu", "kind=cpu,,trust>=1"}) {
    EXPECT_EQ(error_of(text), FilterError::EmptyPart) << text;
  }
  for (const char* text : {"cpu", "trust!600", "trust~600", "has"}) {
    EXPECT_EQ(error_of(text), FilterError::NoComparison) << text;
  }
  for (const char* text : {"=cpu", " kind=cpu", "Kind=cpu", "kind =cpu", "k-d=1"}) {
    EXPECT_EQ(error_of(text), FilterError::BadKey) << text;
  }
  EXPECT_EQ(error_of(std::string(49, 'k') + "=1"), FilterError::BadKey);
  for (const char* text : {"kind!=cpu", "quantity>=1", "price=1", "trust<=1", "rtt>=1ms",
                           "owner>=a", "node~=a", "choices<=2"}) {
    EXPECT_EQ(error_of(text), FilterError::WrongComparison) << text;
  }
  for (const char* text : {"m=\"", "m=\"a", "m=a\"", "m=a\"b", "m=\"a\"b", "m=\"a\"\"b\""}) {
    EXPECT_EQ(error_of(text), FilterError::BadQuotes) << text;
  }
  for (const char* text : {"m=", "m=\"\"", "m= a", "m=a ", "has:"}) {
    EXPECT_EQ(error_of(text), FilterError::BadValue) << text;
  }
  EXPECT_EQ(error_of("m=" + std::string(513, 'v')), FilterError::BadValue);
  for (const char* text : {"quantity=01", "quantity=-1", "trust>=x", "cores>=eight", "m<a",
                           "quantity=1.5", "quantity=1kiB", "quantity=20000P"}) {
    EXPECT_EQ(error_of(text), FilterError::BadNumber) << text;
  }
  for (const char* text : {"duration=5", "duration=h", "rtt<=20 ms", "rtt<=1w", "rtt<=01ms"}) {
    EXPECT_EQ(error_of(text), FilterError::BadTime) << text;
  }
  EXPECT_EQ(error_of("price<=1e3"), FilterError::BadPrice);
  EXPECT_EQ(error_of("cost<=-1"), FilterError::BadPrice);
  EXPECT_EQ(error_of("kind=car"), FilterError::BadKind);
  EXPECT_EQ(error_of("network=all"), FilterError::BadNetwork);
  for (const char* text : {"quantity=0", "duration=0h", "duration=1us", "trust>=1001", "choices=0",
                           "choices=9", "rtt<=0ms", "duration=999999999d"}) {
    EXPECT_EQ(error_of(text), FilterError::OutOfRange) << text;
  }
  EXPECT_EQ(error_of("kind=cpu,kind=cpu"), FilterError::Repeated);
}

TEST(Filter, AFaultPointsAtItsPart) {
  const std::string text = "kind=cpu,trust>=1001,has:a";
  const auto filter = parse_filter(text);
  ASSERT_FALSE(filter);
  EXPECT_EQ(filter.error(), (FilterFault{FilterError::OutOfRange, 9, 11}));
  EXPECT_TRUE(explain(filter.error(), text).starts_with("'trust>=1001' at 9: trust is 0 to 1000"));
}

TEST(Filter, EveryErrorHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(kLastFilterError); ++i) {
    names.insert(name_of(static_cast<FilterError>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kLastFilterError) + 1);
}

TEST(Filter, QuotesHoldCommasAndSpaces) {
  const auto filter = parse_filter("model=\"Xeon, v4 \",has:\"a,b\"");
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->requirements[0].text, "Xeon, v4 ");
  EXPECT_EQ(filter->requirements[1].text, "a,b");
}

rc::Gen<std::string> value_text() {
  return rc::gen::nonEmpty(
      rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab0 ,=<>!~:.%"))));
}

template <class Ref, class Id>
std::vector<Ref> parties() {
  return *rc::gen::resize(
      4, rc::gen::container<std::vector<Ref>>(rc::gen::oneOf(
             rc::gen::map(rc::gen::arbitrary<std::uint64_t>(),
                          [](std::uint64_t n) { return Ref(sample::id<Id>(n)); }),
             rc::gen::map(value_text(), [](std::string text) { return Ref(std::move(text)); }))));
}

TEST(Filter, ParsingIsTheInverseOfWriting) {
  EXPECT_TRUE(rc::check("parse(to_string(filter)) = filter", [] {
    Filter filter;
    filter.kind = static_cast<assets::AssetKind>(*rc::gen::inRange(0, 7));
    filter.quantity = *rc::gen::positive<std::uint64_t>();
    filter.duration_ms = *rc::gen::inRange<std::uint64_t>(1, 1'000'000'000'000);
    filter.network = static_cast<privacy::NetworkClass>(*rc::gen::inRange(0, 3));
    if (*rc::gen::arbitrary<bool>()) {
      filter.highest_price =
          caesar::Price{caesar::Amount{*rc::gen::inRange<std::uint64_t>(0, 1000)},
                        *rc::gen::inRange<std::uint64_t>(1, 1000)};
      filter.highest_cost = caesar::Amount{*rc::gen::inRange<std::uint64_t>(0, 1'000'000)};
      filter.longest_rtt_us = *rc::gen::inRange<std::uint64_t>(1, 10'000'000);
    }
    filter.least_trust = *rc::gen::inRange<std::uint16_t>(0, kMaxTrust + 1);
    filter.choices = *rc::gen::inRange<std::size_t>(1, kMaxChoices + 1);
    filter.owners = parties<OwnerRef, identity::OwnerId>();
    filter.excluded_owners = parties<OwnerRef, identity::OwnerId>();
    filter.nodes = parties<NodeRef, identity::NodeId>();
    filter.excluded_nodes = parties<NodeRef, identity::NodeId>();
    filter.requirements = {
        requirement("model", Comparison::Equal, *value_text()),
        requirement("a.b", Comparison::NotEqual, *value_text()),
        requirement("model", Comparison::Contains, *value_text()),
        requirement("", Comparison::Has, *value_text()),
        requirement("n", Comparison::Less, std::to_string(*rc::gen::arbitrary<std::uint64_t>()))};
    const auto parsed = parse_filter(to_string(filter));
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == filter);
  }));
}

TEST(Requirement, NumbersCarrySuffixes) {
  EXPECT_EQ(parse_number("16GiB"), std::uint64_t{16} << 30);
  EXPECT_EQ(parse_number("2k"), 2000U);
  EXPECT_EQ(parse_number("3MB"), 3'000'000U);
  EXPECT_EQ(parse_number("7B"), 7U);
  EXPECT_EQ(parse_number("18446744073709551615"), UINT64_MAX);
  for (const char* bad :
       {"", "k", "1K", "1i", "1BB", "1kB2", "1 k", "18446744073709551616", "00"}) {
    EXPECT_FALSE(parse_number(bad)) << bad;
  }
}

TEST(Requirement, ComparesByTheTypeOfTheField) {
  const assets::Descriptor descriptor = {{"model", "AMD EPYC 7763"},
                                         {"cores", std::uint64_t{8}},
                                         {"virtual", true},
                                         {"features", std::vector<std::string>{"avx", "avx2"}}};
  const auto passes = [&](const char* text) {
    const auto filter = parse_filter(text);
    EXPECT_TRUE(filter) << text;
    return holds(filter->requirements.at(0), &descriptor);
  };
  for (const char* text :
       {"model=AMD EPYC 7763", "model~=epyc", "model!=EPYC", "cores=8", "cores<=8", "cores>7",
        "cores<9", "cores>=8", "cores!=9", "virtual=true", "virtual!=false", "features=avx2",
        "features!=avx512f", "features~=AVX", "has:avx2", "gone!=1"}) {
    EXPECT_TRUE(passes(text)) << text;
  }
  for (const char* text : {"model=EPYC", "model~=Xeon", "model>=8", "cores=9", "cores<8", "cores>8",
                           "cores~=8", "cores!=8", "virtual=1", "features=avx512f", "features~=sse",
                           "has:av", "gone=1", "gone>=0", "gone~=1"}) {
    EXPECT_FALSE(passes(text)) << text;
  }
  EXPECT_FALSE(holds(requirement("cores", Comparison::Equal, "8"), nullptr));
  EXPECT_FALSE(holds(requirement("", Comparison::Has, "avx2"), nullptr));
}

}  // namespace
}  // namespace hm::scheduling
