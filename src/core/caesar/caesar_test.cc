// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "core/caesar/amount.h"
#include "core/caesar/supply.h"

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

TEST(Supply, MintsUpToTheLargestSupply) {
  Supply supply;
  Account account;
  EXPECT_TRUE(mint(supply, account, Amount{5}, Amount{7}));
  EXPECT_EQ(account, (Account{Amount{5}, Amount{7}}));
  EXPECT_FALSE(mint(supply, account, kMaxSupply, Amount{0}));
  EXPECT_FALSE(mint(supply, account, Amount{UINT64_MAX}, Amount{1}));
  EXPECT_EQ(supply.minted, Amount{12});
  EXPECT_TRUE(supply.is_conserved());
}

TEST(Supply, TransfersAndEndowmentsConserve) {
  Supply supply;
  Account a;
  Account b;
  ASSERT_TRUE(mint(supply, a, Amount{100}, Amount{10}));
  EXPECT_FALSE(transfer(a, b, Amount{101}));
  EXPECT_EQ(a.balance, Amount{100});
  EXPECT_TRUE(transfer(a, b, Amount{30}));
  EXPECT_TRUE(transfer(a, a, Amount{5}));
  EXPECT_EQ(a.balance, Amount{70});
  Account c;
  EXPECT_FALSE(endow(supply, a, c, Amount{60}, Amount{11}));
  EXPECT_FALSE(endow(supply, a, c, Amount{UINT64_MAX}, Amount{1}));
  EXPECT_TRUE(endow(supply, a, c, Amount{60}, Amount{10}));
  EXPECT_EQ(a.balance, Amount{0});
  EXPECT_EQ(supply.balances.value, a.balance.value + b.balance.value + c.balance.value);
  EXPECT_EQ(supply.bonds.value, a.bond.value + b.bond.value + c.bond.value);
  EXPECT_TRUE(supply.is_conserved());
}

TEST(Supply, ConservationNoticesEveryMissingUnit) {
  const Supply good{Amount{100}, Amount{10}, Amount{40}, Amount{20}, Amount{25}, Amount{5}};
  EXPECT_TRUE(good.is_conserved());
  for (Amount Supply::* part : {&Supply::minted, &Supply::burned, &Supply::balances,
                                &Supply::escrows, &Supply::bonds, &Supply::pools}) {
    Supply bad = good;
    ++(bad.*part).value;
    EXPECT_FALSE(bad.is_conserved());
  }
  Supply wrapped = good;
  wrapped.burned = Amount{200};
  EXPECT_FALSE(wrapped.is_conserved());
}

}  // namespace
}  // namespace hm::caesar
