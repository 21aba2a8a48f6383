// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/demurrage.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "core/caesar/economy.h"

namespace hm::caesar {
namespace {

__extension__ using Wide = unsigned __int128;

TEST(Demurrage, TakesItsPartOfEachDay) {
  EXPECT_EQ(after_demurrage(Amount{1'000'000}, 100, 1), Amount{999'900});
  EXPECT_EQ(after_demurrage(Amount{1'000'000}, 100, 2), Amount{999'801});
  EXPECT_EQ(after_demurrage(Amount{1'000'000}, 0, 1000), Amount{1'000'000});
  EXPECT_EQ(after_demurrage(Amount{1'000'000}, 100, 0), Amount{1'000'000});
  EXPECT_EQ(after_demurrage(Amount{1'000'000}, kPpm - 1, 1), Amount{1});
  EXPECT_EQ(after_demurrage(Amount{1}, kPpm - 1, 5), Amount{1});
}

TEST(Demurrage, EndsWhereADayTakesLessThanAUnit) {
  EXPECT_EQ(after_demurrage(caes(1000), 10'000, UINT64_MAX), Amount{99});
  EXPECT_EQ(after_demurrage(Amount{UINT64_MAX}, 1000, UINT64_MAX), Amount{999});
  EXPECT_EQ(after_demurrage(Amount{999}, 1000, UINT64_MAX), Amount{999});
}

TEST(Demurrage, ADayIsTheWideFormula) {
  EXPECT_TRUE(rc::check("b − ⌊b·ppm/10⁶⌋", [](std::uint64_t balance, std::uint32_t any) {
    const std::uint32_t ppm = any % kPpm;
    const auto loss = static_cast<std::uint64_t>(Wide{balance} * ppm / kPpm);
    RC_ASSERT(after_demurrage(Amount{balance}, ppm, 1) == Amount{balance - loss});
  }));
}

TEST(Demurrage, DoesNotDependOnHowTheDaysAreSplit) {
  EXPECT_TRUE(rc::check("one call or many", [] {
    const auto ppm = *rc::gen::inRange<std::uint32_t>(0, 20'000);
    Amount left{*rc::gen::arbitrary<std::uint64_t>()};
    const Amount start = left;
    std::uint64_t days = 0;
    for (const std::uint8_t part : *rc::gen::arbitrary<std::vector<std::uint8_t>>()) {
      left = after_demurrage(left, ppm, part);
      days += part;
    }
    RC_ASSERT(left == after_demurrage(start, ppm, days));
  }));
}

TEST(Demurrage, ALargerBalanceStaysLarger) {
  EXPECT_TRUE(rc::check("monotonic", [](std::uint64_t a, std::uint64_t b) {
    const auto ppm = *rc::gen::inRange<std::uint32_t>(0, kPpm);
    const auto days = *rc::gen::inRange<std::uint64_t>(0, 400);
    RC_ASSERT((a <= b) <=
              (after_demurrage(Amount{a}, ppm, days) <= after_demurrage(Amount{b}, ppm, days)));
  }));
}

TEST(Demurrage, DaysCountFromGenesis) {
  const UnixMillis genesis{1'000};
  EXPECT_EQ(day_of(genesis, genesis), 0U);
  EXPECT_EQ(day_of(genesis, UnixMillis{999}), 0U);
  EXPECT_EQ(day_of(genesis, UnixMillis{1'000 + kMillisPerDay - 1}), 0U);
  EXPECT_EQ(day_of(genesis, UnixMillis{1'000 + kMillisPerDay}), 1U);
  EXPECT_EQ(day_of(UnixMillis{0}, UnixMillis{UINT64_MAX}), UINT64_MAX / kMillisPerDay);
}

}  // namespace
}  // namespace hm::caesar
