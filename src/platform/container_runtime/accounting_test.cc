// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/accounting.h"

#include <gtest/gtest.h>

namespace hm::container_runtime {
namespace {

using namespace std::chrono_literals;

MonoTime at(std::chrono::milliseconds since) { return MonoTime(Duration(since)); }

TEST(MemoryIntegralTest, ATrapezoidBetweenTwoSamples) {
  MemoryIntegral integral;
  EXPECT_EQ(integral.sample(at(0s), 100), 0U);
  EXPECT_EQ(integral.sample(at(2s), 300), 400U);
  EXPECT_EQ(integral.sample(at(3s), 0), 150U);
  EXPECT_EQ(integral.sample(at(10s), 0), 0U);
}

TEST(MemoryIntegralTest, PartsOfAByteSecondAddUp) {
  MemoryIntegral integral;
  std::uint64_t sum = 0;
  for (int i = 0; i <= 1000; ++i) sum += integral.sample(at(std::chrono::milliseconds(i)), 500);
  EXPECT_NEAR(static_cast<double>(sum), 500, 1);
}

TEST(MemoryIntegralTest, APauseIsNotCountedAndNoTimeGoesBackwards) {
  MemoryIntegral integral;
  EXPECT_EQ(integral.sample(at(0s), 100), 0U);
  integral.pause();
  EXPECT_EQ(integral.sample(at(100s), 100), 0U);
  EXPECT_EQ(integral.sample(at(99s), 100), 0U);
  EXPECT_EQ(integral.sample(at(100s), 100), 100U);
}

}  // namespace
}  // namespace hm::container_runtime
