// SPDX-License-Identifier: Apache-2.0
// Which integers come out is settled by the known answers; here, that they are distributed as
// specified. The seeds are fixed, so the verdicts are too.
#include "foundation/crypto/falcon/sampler.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <map>
#include <string_view>
#include <vector>

#include "foundation/base/bytes.h"

namespace hm::falcon {
namespace {

template <RealBackEnd Real>
std::vector<std::int64_t> samples(std::string_view seed, double centre, double sigma,
                                  std::size_t count) {
  keccak::Shake256 source;
  source.absorb(as_bytes(seed));
  Prng prng(source);
  Sampler<Real> sampler(prng);
  std::vector<std::int64_t> drawn(count);
  for (std::int64_t& x : drawn) {
    x = sampler.sample(Real::from_bits(std::bit_cast<std::uint64_t>(centre)),
                       Real::from_bits(std::bit_cast<std::uint64_t>(1 / sigma)));
  }
  return drawn;
}

struct Shape {
  double centre;
  double sigma;
};

// Deviations between σ_min and σ0, which is where those at the leaves lie.
constexpr Shape kShapes[] = {{0, 1.2983}, {0.5, 1.5}, {-17.25, 1.8205}, {12345.999, 1.7}};

TEST(FalconSampler, BothBackEndsDrawTheSame) {
  for (const Shape& shape : kShapes) {
    EXPECT_EQ(samples<EmulatedReal>("same", shape.centre, shape.sigma, 2000),
              samples<HardwareReal>("same", shape.centre, shape.sigma, 2000));
  }
}

TEST(FalconSampler, DrawsADiscreteGaussian) {
  constexpr std::size_t kCount = 200'000;
  for (const Shape& shape : kShapes) {
    std::map<std::int64_t, std::size_t> counts;
    for (const auto x : samples<HardwareReal>("shape", shape.centre, shape.sigma, kCount)) {
      ++counts[x];
    }
    const auto weight = [&](std::int64_t x) {
      const double d = (static_cast<double>(x) - shape.centre) / shape.sigma;
      return std::exp(-d * d / 2);
    };
    const auto middle = static_cast<std::int64_t>(std::floor(shape.centre));
    double total = 0;
    for (std::int64_t x = middle - 40; x <= middle + 40; ++x) total += weight(x);
    double chi_square = 0;
    for (std::int64_t x = middle - 5; x <= middle + 6; ++x) {
      const double expected = weight(x) / total * kCount;
      const double difference = static_cast<double>(counts[x]) - expected;
      chi_square += difference * difference / expected;
    }
    // Twelve cells: above 45 once in a hundred thousand.
    EXPECT_LT(chi_square, 45) << shape.centre << ' ' << shape.sigma;
  }
}

TEST(FalconSampler, FollowsItsCentre) {
  const auto low = samples<EmulatedReal>("centre", 3.25, 1.6, 500);
  const auto high = samples<EmulatedReal>("centre", 1003.25, 1.6, 500);
  for (std::size_t i = 0; i < low.size(); ++i) ASSERT_EQ(high[i], low[i] + 1000);
}

}  // namespace
}  // namespace hm::falcon
