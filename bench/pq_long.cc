// SPDX-License-Identifier: Apache-2.0
// Ten thousand cases of key generation, encapsulation, decapsulation and implicit rejection, of
// each parameter set of ML-KEM and on each back end of this machine, against the digest that
// another implementation computes. Exit code 1 if one differs. Takes half a minute at most.
//   pq_long
#include <cstdio>
#include <string>

#include "foundation/crypto/ml_kem/accumulated.h"

namespace {

using namespace hm;

constexpr std::size_t kCases = 10'000;

template <ml_kem::ParameterSet P>
bool holds(crypto::Backend backend) {
  const std::string digest = ml_kem::accumulated<P>(kCases, backend);
  const bool same = digest == ml_kem::kAccumulated<P>.of_10000;
  std::printf("%-11s %-9s %zu cases: %s\n", P::kName.data(), name_of(backend).data(), kCases,
              same ? "as expected" : "DIFFERENT");
  return same;
}

}  // namespace

int main() {
  bool all = true;
  for (const crypto::Backend backend : crypto::supported_backends()) {
    all = holds<ml_kem::MlKem768>(backend) && all;
    all = holds<ml_kem::MlKem1024>(backend) && all;
  }
  return all ? 0 : 1;
}
