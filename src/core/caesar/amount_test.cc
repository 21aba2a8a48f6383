// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/amount.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>

#include "core/caesar/price.h"

namespace hm::caesar {
namespace {

TEST(Amount, SumsAreChecked) {
  EXPECT_EQ(checked_add(Amount{2}, Amount{3}), Amount{5});
  EXPECT_FALSE(checked_add(Amount{UINT64_MAX}, Amount{1}));
  EXPECT_EQ(checked_sub(Amount{3}, Amount{3}), Amount{0});
  EXPECT_FALSE(checked_sub(Amount{3}, Amount{4}));
}

TEST(Amount, ScalesOverWideProducts) {
  EXPECT_EQ(scale(kMaxSupply, 3, 4), Amount{kMaxSupply.value / 4 * 3});
  EXPECT_EQ(scale(Amount{7}, 1, 2), Amount{3});
  EXPECT_FALSE(scale(kMaxSupply, 16, 1));
  EXPECT_FALSE(scale(Amount{1}, 1, 0));
}

TEST(Amount, TextIsExactAndHasOneSpelling) {
  EXPECT_EQ(to_string(caes(3)), "3");
  EXPECT_EQ(to_string(Amount{12'500'000'000}), "12.5");
  EXPECT_EQ(to_string(Amount{1}), "0.000000001");
  EXPECT_EQ(parse_amount("12.5"), Amount{12'500'000'000});
  EXPECT_EQ(parse_amount("12.50"), Amount{12'500'000'000});
  EXPECT_EQ(parse_amount("0"), Amount{0});
  for (const char* bad : {"", ".5", "5.", "-1", "+1", "1e3", "01", " 1", "1.0000000001",
                          "99999999999999999999999", "1152921504.606846977"}) {
    EXPECT_FALSE(parse_amount(bad)) << bad;
  }
  EXPECT_EQ(parse_amount("1152921504.606846976"), kMaxSupply);
  EXPECT_TRUE(rc::check("parse is the inverse of to_string", [](std::uint64_t units) {
    const Amount amount{units % (kMaxSupply.value + 1)};
    RC_ASSERT(parse_amount(to_string(amount)) == amount);
  }));
}

TEST(Price, CostIsExactFarBelowAUnitForAByte) {
  const Price per_gib{caes(1), std::uint64_t{1} << 30};
  EXPECT_EQ(cost(per_gib, std::uint64_t{1} << 30, 3'600'000), caes(1));
  EXPECT_EQ(cost(per_gib, 1, 3'600'000), Amount{0});
  EXPECT_EQ(cost(per_gib, std::uint64_t{1} << 40, 1'800'000), caes(512));
  EXPECT_EQ(cost({kMaxSupply, 1}, UINT64_MAX, UINT64_MAX), std::nullopt);
  EXPECT_EQ(cost({kMaxSupply, UINT64_MAX}, UINT64_MAX, 3'600'000), kMaxSupply);
  EXPECT_EQ(cost({caes(1), 0}, 1, 1), std::nullopt);
}

TEST(Price, CostIsTheFormulaForAnyArguments) {
  using Number = boost::multiprecision::uint256_t;
  EXPECT_TRUE(rc::check("over 256 bits", [] {
    const auto any = [] {
      return *rc::gen::arbitrary<std::uint64_t>() >> *rc::gen::inRange(0, 64);
    };
    const Price price{Amount{any()}, std::max<std::uint64_t>(any(), 1)};
    const auto quantity = any();
    const auto milliseconds = any();
    const Number exact =
        Number{price.amount.value} * quantity * milliseconds / (Number{price.quantity} * 3'600'000);
    const auto charged = cost(price, quantity, milliseconds);
    RC_ASSERT(charged.has_value() == (exact <= kMaxSupply.value));
    if (charged) RC_ASSERT(Number{charged->value} == exact);
  }));
}

TEST(Price, CheaperMeansCheaperForTheSameUse) {
  EXPECT_EQ(compare({Amount{1}, 2}, {Amount{2}, 4}), std::weak_ordering::equivalent);
  EXPECT_TRUE(rc::check("order of prices is order of costs", [] {
    const auto any = [] {
      return Price{Amount{*rc::gen::inRange<std::uint64_t>(0, 1'000'000'000)},
                   *rc::gen::inRange<std::uint64_t>(1, 1'000'000)};
    };
    const Price a = any();
    const Price b = any();
    if (compare(a, b) > 0) return;
    const auto quantity = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
    RC_ASSERT(*cost(a, quantity, 86'400'000) <= *cost(b, quantity, 86'400'000));
  }));
}

TEST(Price, TextHasOneSpelling) {
  EXPECT_EQ(to_string(Price{caes(2), 1}), "2");
  EXPECT_EQ(parse_price("0.25/1024"), (Price{Amount{250'000'000}, 1024}));
  EXPECT_EQ(to_string(Price{Amount{250'000'000}, 1024}), "0.25/1024");
  for (const char* bad :
       {"", "/2", "1/", "1/0", "1/1", "1/02", "1/-2", "1/2/3", "x", "1/99999999999999999999"}) {
    EXPECT_FALSE(parse_price(bad)) << bad;
  }
}

}  // namespace
}  // namespace hm::caesar
