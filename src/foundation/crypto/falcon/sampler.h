// SPDX-License-Identifier: Apache-2.0
// SamplerZ (Falcon specification, section 3.9.3, Algorithms 12 to 15): integers with a discrete
// Gaussian distribution around a secret centre with a secret deviation. Isochronous: how often it
// tries again does not tell which values it was given.
#pragma once

#include <cstdint>

#include "foundation/crypto/falcon/prng.h"
#include "foundation/crypto/falcon/real.h"

namespace hm::falcon {

template <RealBackEnd Real>
class Sampler {
 public:
  explicit Sampler(Prng& prng) : prng_(prng) {}

  // Algorithm 15. `inverse_sigma` is the inverse of the deviation.
  std::int64_t sample(Real centre, Real inverse_sigma);

 private:
  std::int64_t base_sample();
  bool accept(Real x, Real ccs);

  Prng& prng_;
};

extern template class Sampler<EmulatedReal>;
extern template class Sampler<HardwareReal>;

}  // namespace hm::falcon
