// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/real.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

namespace hm::falcon {
namespace {

constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
constexpr std::uint64_t kFraction = (std::uint64_t{1} << 52) - 1;

std::uint64_t ieee(std::uint64_t sign, std::uint64_t exponent, std::uint64_t fraction) {
  return (sign << 63) | (exponent << 52) | (fraction & kFraction);
}

// Fractions that are dense near the ends and near powers of two, where rounding carries.
rc::Gen<std::uint64_t> any_fraction() {
  return rc::gen::oneOf(
      rc::gen::arbitrary<std::uint64_t>(),
      rc::gen::map(rc::gen::inRange(0, 53), [](int s) { return std::uint64_t{1} << s; }),
      rc::gen::map(rc::gen::inRange(0, 53), [](int s) { return (std::uint64_t{1} << s) - 1; }),
      rc::gen::map(rc::gen::inRange(0, 53), [](int s) { return kFraction << s; }));
}

rc::Gen<std::uint64_t> normal_within(int low, int high) {  // exponents of two
  return rc::gen::map(
      rc::gen::tuple(rc::gen::inRange(0, 2), rc::gen::inRange(low, high + 1), any_fraction()),
      [](const std::tuple<int, int, std::uint64_t>& t) {
        return ieee(static_cast<std::uint64_t>(std::get<0>(t)),
                    1023 + static_cast<std::uint64_t>(std::get<1>(t)), std::get<2>(t));
      });
}

// Zeros of both signs and normal numbers whose sums, products and quotients are normal too.
rc::Gen<std::uint64_t> operand() {
  return rc::gen::weightedOneOf<std::uint64_t>({{1, rc::gen::element<std::uint64_t>(0, kSign)},
                                                {4, normal_within(-70, 70)},
                                                {2, normal_within(-450, 450)}});
}

rc::Gen<std::uint64_t> nonzero() {
  return rc::gen::suchThat(operand(), [](std::uint64_t x) { return (x & ~kSign) != 0; });
}

rc::Gen<std::uint64_t> integer_sized() {
  return rc::gen::weightedOneOf<std::uint64_t>({{1, rc::gen::element<std::uint64_t>(0, kSign)},
                                                {4, normal_within(-3, 62)},
                                                {1, normal_within(-300, -1)}});
}

EmulatedReal soft(std::uint64_t bits) { return EmulatedReal::from_bits(bits); }
HardwareReal hard(std::uint64_t bits) { return HardwareReal::from_bits(bits); }

#define SAME(expression_soft, expression_hard) \
  RC_ASSERT((expression_soft).to_bits() == (expression_hard).to_bits())

RC_GTEST_PROP(Real, SumsAndDifferencesAreThoseOfTheProcessor, ()) {
  const auto x = *operand();
  // Mostly operands of nearly the same size, which cancel.
  const auto base = (x & ~kSign) != 0 ? x : ieee(0, 1023, 0);
  const auto y = *rc::gen::oneOf(
      operand(), rc::gen::map(any_fraction(), [base](std::uint64_t f) { return base ^ (f >> 12); }),
      rc::gen::map(rc::gen::inRange<std::uint64_t>(0, 3),
                   [base](std::uint64_t d) { return (base ^ kSign) + d; }),
      rc::gen::just(x ^ kSign));
  SAME(EmulatedReal::add(soft(x), soft(y)), HardwareReal::add(hard(x), hard(y)));
  SAME(EmulatedReal::sub(soft(x), soft(y)), HardwareReal::sub(hard(x), hard(y)));
}

RC_GTEST_PROP(Real, ProductsAreThoseOfTheProcessor, ()) {
  const auto x = *operand();
  const auto y = *operand();
  SAME(EmulatedReal::mul(soft(x), soft(y)), HardwareReal::mul(hard(x), hard(y)));
  SAME(EmulatedReal::sqr(soft(x)), HardwareReal::sqr(hard(x)));
}

RC_GTEST_PROP(Real, QuotientsAreThoseOfTheProcessor, ()) {
  const auto x = *operand();
  const auto y = *nonzero();
  SAME(EmulatedReal::div(soft(x), soft(y)), HardwareReal::div(hard(x), hard(y)));
  SAME(EmulatedReal::inv(soft(y)), HardwareReal::inv(hard(y)));
}

// Quotients of x·y by y, and neighbours of them: exact, or as near to exact as can be.
RC_GTEST_PROP(Real, QuotientsNearToRepresentableOnesAreThoseOfTheProcessor, ()) {
  const auto y = *nonzero();
  const auto product = HardwareReal::mul(hard(*nonzero()), hard(y)).to_bits();
  const auto x = product + *rc::gen::inRange<std::uint64_t>(0, 3) - 1;
  SAME(EmulatedReal::div(soft(x), soft(y)), HardwareReal::div(hard(x), hard(y)));
}

RC_GTEST_PROP(Real, SquareRootsAreThoseOfTheProcessor, ()) {
  const auto x = *operand() & ~kSign;
  SAME(EmulatedReal::sqrt(soft(x)), HardwareReal::sqrt(hard(x)));
  const auto square = HardwareReal::sqr(hard(*nonzero())).to_bits();
  const auto near = square + *rc::gen::inRange<std::uint64_t>(0, 3) - 1;
  SAME(EmulatedReal::sqrt(soft(near)), HardwareReal::sqrt(hard(near)));
}

RC_GTEST_PROP(Real, SignsAndHalvesAreThoseOfTheProcessor, ()) {
  const auto x = *operand();
  SAME(EmulatedReal::neg(soft(x)), HardwareReal::neg(hard(x)));
  SAME(EmulatedReal::half(soft(x)), HardwareReal::half(hard(x)));
}

RC_GTEST_PROP(Real, IntegersBecomeTheNumbersOfTheProcessor, ()) {
  const auto wide = *rc::gen::arbitrary<std::int64_t>();
  const auto i = wide >> *rc::gen::inRange(0, 64);
  SAME(EmulatedReal::of(i), HardwareReal::of(i));
  const int exponent = *rc::gen::inRange(-900, 901);
  SAME(EmulatedReal::scaled(i, exponent), HardwareReal::scaled(i, exponent));
}

RC_GTEST_PROP(Real, RoundingToIntegersIsThatOfTheProcessor, ()) {
  const auto halves = rc::gen::map(rc::gen::inRange<std::int64_t>(-1000, 1000),
                                   [](auto i) { return HardwareReal::scaled(i, -1).to_bits(); });
  const auto x = *rc::gen::oneOf(integer_sized(), halves);
  RC_ASSERT(EmulatedReal::rint(soft(x)) == HardwareReal::rint(hard(x)));
  RC_ASSERT(EmulatedReal::floor(soft(x)) == HardwareReal::floor(hard(x)));
  RC_ASSERT(EmulatedReal::trunc(soft(x)) == HardwareReal::trunc(hard(x)));
}

RC_GTEST_PROP(Real, OrderIsThatOfTheProcessor, ()) {
  const auto x = *operand();
  const auto y = *rc::gen::oneOf(
      operand(), rc::gen::elementOf(std::vector<std::uint64_t>{x, x ^ kSign, x + 1}));
  RC_ASSERT(EmulatedReal::less_than(soft(x), soft(y)) == HardwareReal::less_than(hard(x), hard(y)));
}

// The properties shrink; this one only counts.
TEST(Real, AMillionRandomOperationsGiveTheBitsOfTheProcessor) {
  std::mt19937_64 chance(1);
  for (int i = 0; i < 1'000'000; ++i) {
    const std::uint64_t x = ieee(chance() & 1, 1023 - 40 + chance() % 80, chance());
    const std::uint64_t y = ieee(chance() & 1, 1023 - 40 + chance() % 80, chance());
    const auto equal = [](EmulatedReal a, HardwareReal b) { return a.to_bits() == b.to_bits(); };
    ASSERT_TRUE(equal(EmulatedReal::add(soft(x), soft(y)), HardwareReal::add(hard(x), hard(y))));
    ASSERT_TRUE(equal(EmulatedReal::mul(soft(x), soft(y)), HardwareReal::mul(hard(x), hard(y))));
    ASSERT_TRUE(equal(EmulatedReal::div(soft(x), soft(y)), HardwareReal::div(hard(x), hard(y))));
    const std::uint64_t size = x & ~kSign;
    ASSERT_TRUE(equal(EmulatedReal::sqrt(soft(size)), HardwareReal::sqrt(hard(size))));
    ASSERT_EQ(EmulatedReal::rint(soft(x)), HardwareReal::rint(hard(x)));
    ASSERT_EQ(EmulatedReal::floor(soft(x)), HardwareReal::floor(hard(x)));
  }
}

TEST(Real, IntegersAtTheEndsOfTheirRangeAreRoundedLikeByTheProcessor) {
  for (const std::int64_t i :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1},
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(),
        (std::int64_t{1} << 53) + 1, (std::int64_t{1} << 53) + 3}) {
    EXPECT_EQ(EmulatedReal::of(i).to_bits(), HardwareReal::of(i).to_bits()) << i;
  }
}

TEST(Real, RintTakesTheEvenNeighbourOfAHalf) {
  const auto rint_of_halves = [](std::int64_t halves) {
    const auto emulated = EmulatedReal::rint(EmulatedReal::scaled(halves, -1));
    EXPECT_EQ(emulated, HardwareReal::rint(HardwareReal::scaled(halves, -1)));
    return emulated;
  };
  EXPECT_EQ(rint_of_halves(1), 0);
  EXPECT_EQ(rint_of_halves(3), 2);
  EXPECT_EQ(rint_of_halves(5), 2);
  EXPECT_EQ(rint_of_halves(-1), 0);
  EXPECT_EQ(rint_of_halves(-3), -2);
}

// The range in which the sampler calls it: x in [0, ln 2), ccs in (0, 1].
RC_GTEST_PROP(Real, ApproximatesTheExponentialWithin50BitsInBothBackEnds, ()) {
  const double x = std::ldexp(static_cast<double>(*rc::gen::inRange(0, 0x58B90BFB)), -31);
  const double ccs = std::ldexp(static_cast<double>(*rc::gen::inRange(1, 0x40000001)), -30);
  const auto emulated =
      expm_p63(soft(std::bit_cast<std::uint64_t>(x)), soft(std::bit_cast<std::uint64_t>(ccs)));
  const auto hardware = expm_p63(HardwareReal{x}, HardwareReal{ccs});
  RC_ASSERT(emulated == hardware);
  const long double expected = std::ldexp(ccs * std::exp(static_cast<long double>(-x)), 63);
  RC_ASSERT(std::fabs(static_cast<long double>(emulated) - expected) < std::ldexp(1.0L, 63 - 50));
}

}  // namespace
}  // namespace hm::falcon
